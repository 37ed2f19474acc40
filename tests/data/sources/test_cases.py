"""Small inputs in the manner of public bug reports, each of which stands for a kind: what must come of them."""

import os
from pathlib import Path

import pytest

from pix2seq_keras.data import open_source
from pix2seq_keras.data.sources.listing import IMAGE_SUFFIXES

CASES = Path(os.environ.get("PIX2SEQ_SHARED", Path(__file__).parents[4] / "shared")) / "cases"
pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason=f"the cases are not in {CASES}")
VALUES, NAMES = "value read leniently", "file name read leniently"


@pytest.mark.parametrize(
    ("source", "split", "objects", "issues"),
    [
        ("coco:coco_str_crowd/a.json+coco_str_crowd/pics", "all", [1, 1], {VALUES: 1}),
        ("coco:coco_str_image_id/a.json+coco_str_image_id/pics", "all", [1, 1], {VALUES: 2}),
        ("coco:coco_str_category/a.json+coco_str_category/pics", "all", [1, 1], {VALUES: 2}),
        ("coco:coco_backslash/a.json+coco_backslash", "all", [1, 1], {NAMES: 1}),
        ("coco:coco_ls_abs/a.json+coco_ls_abs/pics", "all", [1, 1], {NAMES: 1}),
        ("coco:coco_nfd/a.json+coco_nfd/pics", "all", [1], {NAMES: 1}),
        ("yolo:yolo_backslash/data.yaml", "train", [1], {NAMES: 1}),
        ("yolo:yolo_backslash/data.yaml", "val", [1], {NAMES: 1}),
        ("yolo:yolo_backslash/data.yaml+yolo_backslash", "train", [1], {NAMES: 1}),
        ("yolo:yolo_exts/data.yaml", "train", [1] * 7, {}),
        # <difficult> 2 has no meaning, and 1 is a crowd; the other six are objects.
        ("voc:voc_difficult", "all", [1, 1, 1, 1, 1, 1, 0, 0], {"unusable annotation record": 1, VALUES: 1}),
    ],
)
def test_an_awkward_input_is_read_and_noted(monkeypatch, source, split, objects, issues):
    monkeypatch.chdir(CASES)

    opened = open_source(source, split)

    assert opened.object_counts.tolist() == objects
    assert all(opened.read(index)["image"].any() for index in range(len(opened)))
    counts = opened.issues.counts()
    assert {kind: counts.get(kind) for kind in issues} == issues
    assert set(counts) - set(issues) <= {"image without annotations"}


def test_every_case_of_endings_is_in_the_one_list():
    suffixes = {path.suffix.lower() for path in (CASES / "yolo_exts" / "images").iterdir()}

    assert len(suffixes) == 7 and suffixes <= set(IMAGE_SUFFIXES)
