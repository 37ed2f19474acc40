"""One detector for all exported models: in process, over gRPC and over REST alike."""

import numpy as np
import pytest
from PIL import Image

from pix2seq_keras import Categories, InputError
from pix2seq_keras.data.images.read_image import ImageError
from pix2seq_keras.exporting.description import Description
from pix2seq_keras.inference import ExportedDetector, RefusedCallError, RefusedImagesError
from pix2seq_keras.inference.exported import CALL_BYTES, detections, sentence_of

CATEGORIES = Categories((2, 7), ("dog", "cat"))
DESCRIPTION = Description(CATEGORIES, {"max_objects": 3, "seed": 0}, (32, 32))
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


# === Over every way to the model ===


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


def test_paths_single_images_and_mixed_lists_are_taken(toy_detector, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned: upright its red half is the lower one
    Image.fromarray(flat(RED_BLUE)).save(tmp_path / "a.png")
    Image.fromarray(flat(GREEN)).save(tmp_path / "b.jpg", exif=exif)
    one = toy_detector.detect(str(tmp_path / "a.png"))
    both = toy_detector.detect([tmp_path / "b.jpg", flat(RED_BLUE)])
    assert one["boxes"].shape == (1, 3, 4)
    np.testing.assert_array_equal(one["classes"], [[1, 0, -1]])
    np.testing.assert_array_equal(both["classes"][1:], one["classes"])
    np.testing.assert_array_equal(toy_detector.detect(flat(RED_BLUE))["scores"], one["scores"])


def test_a_image_that_the_model_refuses_is_named_and_so_is_its_reason(toy_detector, encoded, monkeypatch):
    bomb = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\xff\xff\0\0\xff\xff\x08\2\0\0\0"
    good = encoded(flat(GREEN))
    monkeypatch.setattr("pix2seq_keras.inference.exported.image_bytes", lambda image, most: image)
    with pytest.raises(RefusedImagesError, match=r"Image 2 of the list.*65535") as refusal:
        toy_detector.detect([good, good, bomb, good, b"text"])
    assert list(refusal.value.sentences) == [2, 4]
    assert "must be a JPEG, PNG, GIF or BMP" in refusal.value.sentences[4]
    assert "node" not in str(refusal.value) and len(str(refusal.value)) < 800


def test_a_image_that_cannot_be_read_is_named_before_anything_is_sent(toy_detector, tmp_path):
    toy_detector.call = None
    with pytest.raises(ImageError, match=r"missing\.png"):
        toy_detector.detect([flat(GREEN), str(tmp_path / "missing.png")])
    with pytest.raises(RefusedImagesError, match=r"Image 1 .*uint8") as refusal:
        toy_detector.detect([flat(GREEN), np.zeros((3, 3, 3))])
    assert list(refusal.value.sentences) == [1]


def test_what_a_detector_cannot_take_is_refused(toy_detector):
    for images, said in (([], "empty"), (np.zeros((2, 32, 32, 3), np.float32), r"list\(images\)")):
        with pytest.raises(InputError, match=said):
            toy_detector.detect(images)
    with pytest.raises(InputError, match="batch_size"):
        toy_detector.detect(flat(GREEN), batch_size=0)
    with pytest.raises(InputError, match="exported with max_objects=3"):
        toy_detector.detect(flat(GREEN), max_objects=2)


# === Alone ===


def test_large_images_go_in_calls_of_bounded_size(monkeypatch):
    monkeypatch.setattr("pix2seq_keras.inference.exported.image_bytes", lambda image, most: image)
    sizes = []

    def call(signature, inputs):
        sizes.append([len(data) for data in inputs["image_bytes"]])
        return outputs(len(inputs["image_bytes"]))

    half, more = bytes(CALL_BYTES // 2), bytes(CALL_BYTES + 1)
    ExportedDetector(call, DESCRIPTION).detect([half, half, b"a", more, b"b"])
    assert [len(sent) for sent in sizes] == [2, 1, 1, 1]
    assert sizes[2] == [CALL_BYTES + 1]


def test_a_call_that_failed_for_the_sake_of_others_is_asked_again_row_by_row():
    asked = []

    def call(signature, inputs):
        asked.append(len(inputs["image_bytes"]))
        if len(asked) == 1:  # the server put it into one batch with somebody else's bad image
            raise RefusedCallError("bad image")
        return outputs(len(inputs["image_bytes"]))

    found = ExportedDetector(call, DESCRIPTION).detect([flat(GREEN)] * 3)
    assert asked == [3, 1, 1, 1]
    assert found["classes"].shape == (3, 3)


@pytest.mark.parametrize(
    "change, said",
    [
        (lambda o: o.pop("detection_boxes"), "'detection_boxes' of shape.*none"),
        (lambda o: o.update(detection_scores=np.zeros((1, 4))), r"'detection_scores' of shape \(1, 3\).*\(1, 4\)"),
        (lambda o: o.update(num_detections=np.zeros(2)), "num_detections"),
        (lambda o: o.update(detection_classes=np.array([[3.0, 2.0, 0.0]])), r"ids \[3\]"),
    ],
)
def test_an_answer_that_is_none_of_ours_is_refused(change, said):
    answer = outputs()
    change(answer)
    with pytest.raises(InputError, match=said):
        detections(answer, CATEGORIES, 1, 3, "it")


def test_images_without_objects_are_answers_too():
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
def test_a_failed_check_of_the_graph_becomes_its_own_sentence(message):
    assert sentence_of(message) == "Too large (w, h) 5 7"


def test_other_messages_keep_their_words():
    assert sentence_of("Servable not found for request: Latest(a)") == "Servable not found for request: Latest(a)"
    assert sentence_of("") == "no reason was given."
