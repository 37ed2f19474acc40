from pix2seq_keras.data.split_names import annotation_file, list_splits


def touch(*paths):
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_coco_folders_have_the_splits_of_their_instances(tmp_path):
    names = ["instances_val2017", "instances_train2017", "captions_train2017", "person_keypoints_val2017"]
    touch(*(tmp_path / "annotations" / f"{name}.json" for name in names))

    assert list_splits(f"coco:{tmp_path}") == ["train2017", "val2017"]
    assert annotation_file(f"coco:{tmp_path}", "val2017[:50%]").endswith("instances_val2017.json")


def test_coco_splits_of_plain_names_and_of_roboflow_are_found(tmp_path):
    touch(tmp_path / "a" / "annotations" / "test.json", tmp_path / "a" / "annotations" / "train.json")
    touch(tmp_path / "b" / "valid" / "_annotations.coco.json", tmp_path / "b" / "train" / "_annotations.coco.json")

    assert list_splits(f"coco:{tmp_path / 'a'}") == ["train", "test"]
    assert list_splits(f"coco:{tmp_path / 'b'}") == ["train", "valid"]


def test_a_single_coco_file_is_split_by_hash(tmp_path):
    assert list_splits(f"coco:labels.json+{tmp_path}") == ["train", "val"]
    assert annotation_file(f"coco:labels.json+{tmp_path}", "train") == "labels.json"
