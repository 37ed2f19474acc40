from pix2seq_keras.data.split_names import list_splits


def touch(*paths):
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_voc_splits_are_listed_without_class_lists_and_trainval(tmp_path):
    for name in ("train", "val", "trainval", "cat_train", "cat_val", "cat_trainval"):
        touch(tmp_path / "ImageSets" / "Main" / f"{name}.txt")
    touch(tmp_path / "Annotations" / "a.xml", tmp_path / "JPEGImages" / "a.jpg")

    assert list_splits(f"voc:{tmp_path}") == ["train", "val"]
    assert list_splits(f"voc:{tmp_path}?difficult=keep") == ["train", "val"]


def test_voc_folders_of_any_name_are_found_and_others_split_by_hash(tmp_path):
    touch(tmp_path / "a" / "night" / "x.xml", tmp_path / "a" / "day" / "y.xml", tmp_path / "b" / "x.xml")

    assert list_splits(f"voc:{tmp_path / 'a'}") == ["day", "night"]
    assert list_splits(f"voc:{tmp_path / 'b'}") == ["train", "val"]
