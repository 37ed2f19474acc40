from pix2seq_keras.data.split_names import list_splits


def test_the_splits_of_a_prepared_data_set_are_listed(data_folder):
    assert list_splits("tfds:digit_scenes/64_test") == ["test"]
    assert list_splits(f"tfrecord:{data_folder}/digit_scenes/64_test/1.0.0") == ["test"]


def test_a_missing_data_set_is_reported_when_it_is_opened(data_folder):
    assert list_splits("tfds:nothing") == list_splits(f"tfrecord:{data_folder}/nothing") == ["train"]
