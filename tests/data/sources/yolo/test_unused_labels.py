"""Label files that no image uses are named, once, by the split they belong to."""

from pix2seq_keras.data import open_source

ROW = "1 0.75 0.225 0.4 0.25\n"
UNUSED = "annotation file without an image"


def unused(source, split):
    return sorted(issue.where for issue in open_source(source, split).issues if issue.kind == UNUSED)


def test_each_split_reports_its_own_label_files(yolo):
    files = {
        "images/train/a.png": None,
        "labels/train/a.txt": ROW,
        "labels/train/gone.txt": ROW,
        "images/val/b.png": None,
        "labels/val/b.txt": ROW,
        "labels/val/lost.txt": "",
        "images/extra/c.png": None,
        "labels/extra/c.txt": ROW,
        "labels/nowhere/d.txt": ROW,
        "labels/classes.txt": "dog\ncat\n",
    }

    source = yolo(files, train="images/train", val="images/val")

    assert unused(source, "train") == ["'labels/nowhere/d.txt'", "'labels/train/gone.txt'"]
    assert unused(source, "val") == ["'labels/nowhere/d.txt'", "'labels/val/lost.txt'"]


def test_the_image_that_lacks_its_labels_is_named(yolo):
    source = yolo({"images/a.png": None, "labels/train/a.txt": ROW, "images/b.png": None}, train="images")

    issues = {issue.kind: issue for issue in open_source(source, "train").issues}

    assert "The labels of 'images/a.png' are missing" in issues[UNUSED].message
    assert issues[UNUSED].severity == "problem"


def test_beside_images_only_files_with_rows_count(yolo):
    files = {
        "train/a.png": None,
        "train/a.txt": ROW,
        "train/old.txt": ROW,
        "train/README.txt": "Exported in 2020.\n",
        "train/classes.txt": "dog\ncat\n",
    }

    assert unused(yolo(files, train="train"), "train") == ["'train/old.txt'"]


def test_the_label_files_of_images_in_other_folders_are_left_alone(yolo):
    files = {f"{part}/{name}": text for name, part, text in (("a.png", "images", None), ("a.txt", "labels", ROW))}
    files |= {"images/b/b.png": None, "labels/b/b.txt": ROW}

    assert unused(yolo(files, train="images/b"), "train") == []
