"""The `"bbox"` of annotation records, as tools write it."""

import numpy as np
import pytest

from pix2seq_keras.data.sources.coco.boxes import read_box
from pix2seq_keras.data.sources.coco.segmentation import without_segmentation

REL = np.array([4 / 40, 33 / 60, 14 / 40, 57 / 60], np.float32)
BASE = {"id": 1, "image_id": 1, "category_id": 1}


@pytest.mark.parametrize(
    "bbox", ["[33, 4, 24, 10]", "33 4 24 10", "(33.0,4.0,24.0,10.0)", ["33", "4", "24", "10"], [33, " 4 ", 24.0, "1e1"]]
)
def test_boxes_given_as_text_are_read_with_a_note(coco, bbox):
    source = coco(annotations=[BASE | {"bbox": bbox}])

    np.testing.assert_allclose(source.read(0)["boxes"], [REL])
    assert source.issues.counts() == {"box given as text": 1}
    assert "its numbers are used" in source.issues.summary()


@pytest.mark.parametrize(
    ("segmentation", "kind"),
    [
        ([[33, 4, 57, 4, 57, 14, 33, 14]], "polygon converted to box"),
        ({"size": [40, 60], "counts": [33 * 40 + 4, 10, *[30, 10] * 23, 30 + 2 * 40 + 36]}, "mask converted to box"),
    ],
)
def test_a_record_with_only_a_segmentation_gets_its_box_with_a_note(coco, segmentation, kind):
    source = coco(annotations=[BASE | {"segmentation": segmentation}])

    np.testing.assert_allclose(source.read(0)["boxes"], [REL])
    assert source.issues.counts("note") == {kind: 1} and source.issues.counts("problem") == {}


@pytest.mark.parametrize("bbox", ["", "[1, 2, 3]", "[1, 2, 3, nan]", "1" * 5000, ["1", 2, 3, None], ["1", 2, 3, [4]]])
def test_other_text_is_no_box(bbox):
    assert read_box({"bbox": bbox})[2][0] == "unusable box"


def test_the_reason_names_an_unusable_segmentation():
    record = without_segmentation({"bbox": None, "segmentation": {"size": [4, 4], "counts": "oo"}})

    assert "'counts': 'oo'" in read_box(record)[2][1] and "neither polygons nor run lengths" in read_box(record)[2][1]
