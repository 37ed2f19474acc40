from pix2seq_keras.data.split_names import list_splits


def test_digit_scenes_have_three_splits():
    assert list_splits("digits") == list_splits("digits:64") == ["train", "val", "test"]


def test_an_unknown_size_is_reported_when_it_is_opened():
    assert list_splits("digits:7") == ["train"]
