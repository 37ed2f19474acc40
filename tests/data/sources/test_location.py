import pytest

from pix2seq_keras.data.sources.location import file_and_folder


@pytest.mark.parametrize(
    ("location", "file", "folder"),
    [
        ("labels.json+photos", "labels.json", "photos"),
        ("a+b.json+c+d", "a+b.json", "c+d"),
        ("LABELS.JSON+photos", "LABELS.JSON", "photos"),
        ("folder", "folder", None),
        ("labels.json", "labels.json", None),
        ("labels.json+", "labels.json+", None),
    ],
)
def test_a_location_is_split_after_its_file(location, file, folder):
    assert file_and_folder(location, "[.]json") == (file, folder)
