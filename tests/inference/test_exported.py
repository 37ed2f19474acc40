"""The one detector of exported models: in process, over gRPC and over REST."""

import io

import numpy as np
import pytest
from PIL import Image

from pix2seq_keras import Categories, DecodingOptions, InputError
from pix2seq_keras.data.images.read_image import ImageError
from pix2seq_keras.exporting.description import Description
from pix2seq_keras.inference import ExportedDetector, RefusedCallError, RefusedImagesError
from pix2seq_keras.inference.exported import CALL_BYTES, detections, sentence_of

CATEGORIES = Categories((2, 7), ("dog", "cat"))
DESCRIPTION = Description(CATEGORIES, DecodingOptions(max_objects=3).complete(15), (32, 32))
RED_BLUE, GREEN = (200, 100, 255), (50, 102, 0)


def flat(colour, size=(20, 30)):
    return np.full((*size, 3), colour, np.uint8)


def outputs(rows=1):
    return {
        "detection_boxes": np.zeros((rows, 3, 4)),
        "detection_classes": np.tile([7.0, 2.0, 0.0], (rows, 1)),
        "detection_scores": np.tile([0.9, 0.5, 0.0], (rows, 1)),
        "num_detections": np.full(rows, 2.0),
    }


# === In process, over gRPC and over REST ===


def test_images_of_several_sizes_are_detected_in_calls_of_the_batch_size(toy_detector):
    calls, call = [], toy_detector.call
    toy_detector.call = lambda name, inputs: calls.append(len(inputs["image_bytes"])) or call(name, inputs)
    images = [flat(RED_BLUE), flat(GREEN, (7, 9)), flat(RED_BLUE, (1, 1)), flat(GREEN, (90, 30)), flat(GREEN)]

    found = toy_detector.detect(images, batch_size=2)

    assert calls == [2, 2, 1]
    np.testing.assert_array_equal(found["classes"], [[1, 0, -1], [1, -1, -1]] * 2 + [[1, -1, -1]])
    np.testing.assert_allclose(found["scores"][:2], [[200 / 255, 50 / 255, 0], [50 / 255, 0, 0]], rtol=1e-6)
    np.testing.assert_allclose(found["boxes"][0], [[0, 0, 0.5, 1], [0, 0, 1, 100 / 255], [0] * 4], rtol=1e-6)
    np.testing.assert_array_equal(found["num_detections"], [2, 1, 2, 1, 1])
    kinds = {name: values.dtype for name, values in found.items()}
    assert kinds == {"boxes": "float32", "classes": "int32", "scores": "float32", "num_detections": "int32"}


def test_the_detector_knows_its_categories_and_vocabulary(toy_detector):
    assert toy_detector.categories == CATEGORIES
    assert toy_detector.vocabulary.num_classes == 2


def test_paths_single_images_and_mixed_lists_are_accepted(toy_detector, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # rotated: upright its red half is the lower one
    Image.fromarray(flat(RED_BLUE)).save(tmp_path / "a.png")
    Image.fromarray(flat(GREEN)).save(tmp_path / "b.jpg", exif=exif)
    one = toy_detector.detect(str(tmp_path / "a.png"))
    both = toy_detector.detect([tmp_path / "b.jpg", flat(RED_BLUE)])
    assert one["boxes"].shape == (1, 3, 4)
    np.testing.assert_array_equal(one["classes"], [[1, 0, -1]])
    np.testing.assert_array_equal(both["classes"][1:], one["classes"])
    np.testing.assert_array_equal(toy_detector.detect(flat(RED_BLUE))["scores"], one["scores"])


def test_every_form_of_image_is_accepted_and_low_scores_are_dropped(toy_detector, encoded):
    forms = [io.BytesIO(encoded(flat(GREEN))), Image.fromarray(flat(RED_BLUE)), encoded(flat(RED_BLUE))]
    expected = toy_detector.detect([flat(GREEN), flat(RED_BLUE), flat(RED_BLUE)])

    found = toy_detector.detect(form for form in forms)
    batch = toy_detector.detect(np.stack([flat(GREEN), flat(RED_BLUE), flat(RED_BLUE)]))
    kept = toy_detector.detect(forms, threshold=0.5)

    for name in expected:
        np.testing.assert_array_equal(found[name], expected[name])
        np.testing.assert_array_equal(batch[name], expected[name])
    np.testing.assert_array_equal(kept["classes"], [[-1, -1, -1], [1, -1, -1], [1, -1, -1]])
    np.testing.assert_array_equal(kept["num_detections"], [0, 1, 1])


@pytest.mark.parametrize("image", [{"image": 1}, [{"image": 1}]])
def test_what_is_no_image_is_refused_by_name(toy_detector, image):
    with pytest.raises(InputError, match="Received: a dict"):
        toy_detector.detect(image)


def test_an_image_that_the_model_refuses_is_named_with_the_reason(toy_detector, encoded, monkeypatch):
    bomb = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\xff\xff\0\0\xff\xff\x08\2\0\0\0"
    good = encoded(flat(GREEN))
    monkeypatch.setattr("pix2seq_keras.inference.exported.encode_image", lambda image, most: image)
    with pytest.raises(RefusedImagesError, match=r"Image 2 of the list.*65535") as refusal:
        toy_detector.detect([good, good, bomb, good, b"text"])
    assert list(refusal.value.sentences) == [2, 4]
    assert "must be a JPEG, PNG, GIF or BMP" in refusal.value.sentences[4]
    assert "node" not in str(refusal.value) and len(str(refusal.value)) < 800


def test_an_image_that_cannot_be_read_is_named_before_anything_is_sent(toy_detector, tmp_path):
    toy_detector.call = None
    with pytest.raises(ImageError, match=r"missing\.png"):
        toy_detector.detect([flat(GREEN), str(tmp_path / "missing.png")])
    with pytest.raises(RefusedImagesError, match=r"Image 1 .*uint8") as refusal:
        toy_detector.detect([flat(GREEN), np.zeros((3, 3, 3))])
    assert list(refusal.value.sentences) == [1]


def test_images_and_arguments_that_are_not_valid_are_refused(toy_detector):
    for images, message in (([], "at least one image"), (np.zeros((2, 32, 32, 3), np.float32), r"list\(images\)")):
        with pytest.raises(InputError, match=message):
            toy_detector.detect(images)
    with pytest.raises(InputError, match="batch_size"):
        toy_detector.detect(flat(GREEN), batch_size=0)
    for options, overrides in (
        (None, {"max_objects": 2}),
        (DecodingOptions(max_objects=2), {}),
        ({"max_objects": 2}, {}),
    ):
        with pytest.raises(InputError, match="exported with max_objects=3"):
            toy_detector.detect(flat(GREEN), options, **overrides)
    with pytest.raises(InputError, match=r"its options are max_objects=3, .*Received: temperature=2.0"):
        toy_detector.detect(flat(GREEN), temperature=2.0)


def test_the_exported_options_and_no_compilation_are_accepted(toy_detector):
    expected = toy_detector.detect(flat(RED_BLUE))

    for options, overrides in (
        (DESCRIPTION.options, {}),
        (DecodingOptions(), {"jit_compile": False}),
        (None, {"seed": 0}),
    ):
        np.testing.assert_equal(toy_detector.detect(flat(RED_BLUE), options, **overrides), expected)


# === Without a model ===


def test_large_images_go_in_calls_of_bounded_size(monkeypatch):
    monkeypatch.setattr("pix2seq_keras.inference.exported.encode_image", lambda image, most: image)
    sizes = []

    def call(signature, inputs):
        sizes.append([len(data) for data in inputs["image_bytes"]])
        return outputs(len(inputs["image_bytes"]))

    half, more = bytes(CALL_BYTES // 2), bytes(CALL_BYTES + 1)
    ExportedDetector(call, DESCRIPTION).detect([half, half, b"a", more, b"b"])
    assert [len(sent) for sent in sizes] == [2, 1, 1, 1]
    assert sizes[2] == [CALL_BYTES + 1]


def test_the_rows_of_a_refused_call_are_sent_one_by_one():
    sizes = []

    def call(signature, inputs):
        sizes.append(len(inputs["image_bytes"]))
        if len(sizes) == 1:  # the server batched them with an invalid image of another client
            raise RefusedCallError("invalid image")
        return outputs(len(inputs["image_bytes"]))

    found = ExportedDetector(call, DESCRIPTION).detect([flat(GREEN)] * 3)
    assert sizes == [3, 1, 1, 1]
    assert found["classes"].shape == (3, 3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda o: o.pop("detection_boxes"), "'detection_boxes' of shape.*none"),
        (lambda o: o.update(detection_scores=np.zeros((1, 4))), r"'detection_scores' of shape \(1, 3\).*\(1, 4\)"),
        (lambda o: o.update(num_detections=np.zeros(2)), "num_detections"),
        (lambda o: o.update(detection_classes=np.array([[3.0, 2.0, 0.0]])), r"ids \[3\]"),
    ],
)
def test_an_answer_of_another_form_is_refused(change, message):
    answer = outputs()
    change(answer)
    with pytest.raises(InputError, match=message):
        detections(answer, CATEGORIES, 1, 3, "it")


@pytest.mark.parametrize("name", list(outputs()))
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30, "text", b"text", None])
def test_an_answer_of_values_that_are_no_finite_numbers_is_refused(name, value):
    answer = outputs()
    answer[name] = np.full(answer[name].shape, value, object)
    with pytest.raises(InputError, match=f"It must answer with '{name}'"):
        detections(answer, CATEGORIES, 1, 3, "It")


@pytest.mark.parametrize("count", [-1, 4, 1e15])
def test_an_answer_with_another_number_of_objects_than_rows_is_refused(count):
    with pytest.raises(InputError, match="'num_detections' from 0 to 3"):
        detections(outputs() | {"num_detections": np.array([count])}, CATEGORIES, 1, 3, "It")


def test_an_answer_may_hold_no_objects():
    empty = {name: np.zeros_like(values) for name, values in outputs().items()}
    found = detections(empty, CATEGORIES, 1, 3, "it")
    np.testing.assert_array_equal(found["classes"], [[-1, -1, -1]])


@pytest.mark.parametrize(
    "message",
    [
        "assertion failed: [Too large (w, h)] [5] [7]\n\t [[{{node while/body/Assert}}]]",
        "assertion failed: [Too large (w, h)] [5] [7] [[{{node a}}]] [[b]] [Op:__inference_signature_wrapper_1]",
        "Graph execution error:\n\nDetected at node a/Assert defined at (most recent call last):\n"
        "<stack traces unavailable>\nassertion failed: [Too large (w, h)] [5] [7]\n\t [[{{node a/Assert}}]] [Op:x]",
    ],
)
def test_a_failed_check_in_the_graph_is_reduced_to_its_sentence(message):
    assert sentence_of(message) == "Too large (w, h) 5 7"


def test_other_messages_are_kept():
    assert sentence_of("Servable not found for request: Latest(a)") == "Servable not found for request: Latest(a)"
    assert sentence_of("") == "no reason was given."
