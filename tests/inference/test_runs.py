"""What only the length of a run can decide."""

from pix2seq_keras.inference import options_for_run


class Compiling:
    def repays_compilation(self, num_batches, max_objects):
        self.asked = num_batches, max_objects
        return num_batches > 3


def test_a_long_run_is_compiled_and_a_short_one_is_not():
    detector = Compiling()

    assert options_for_run(detector, 33, 8, {"seed": 1, "max_objects": 5}) == {
        "seed": 1,
        "max_objects": 5,
        "jit_compile": True,
    }
    assert detector.asked == (5, 5)
    assert options_for_run(detector, 24, 8, {}) == {"jit_compile": False}


def test_what_is_said_is_done():
    assert options_for_run(Compiling(), 1000, 1, {"jit_compile": False}) == {"jit_compile": False}


def test_other_detectors_are_left_alone():
    assert options_for_run(object(), 1000, 1, {"seed": 2}) == {"seed": 2}
