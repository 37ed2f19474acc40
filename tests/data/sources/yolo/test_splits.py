from pix2seq_keras.data.split_names import list_splits


def test_yolo_splits_are_those_of_the_file(tmp_path):
    (tmp_path / "data.yaml").write_text("val: images/v\ntrain: images/t\ntest:\nnc: 1\nnames: [cell]\n")

    assert list_splits(f"yolo:{tmp_path / 'data.yaml'}") == ["train", "val"]
