import pytest

from pix2seq_keras.data.sources.location import file_and_folder, split_option
from pix2seq_keras.errors import InputError


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


def test_an_option_is_the_value_after_its_name():
    assert split_option("A?b/VOC?difficult=keep", "difficult", ("crowd", "keep")) == ("A?b/VOC", "keep")
    assert split_option("A?b/VOC", "difficult", ("crowd", "keep")) == ("A?b/VOC", "crowd")
    with pytest.raises(InputError, match=r"`difficult` must be one of 'crowd', 'keep'[.] Received: difficult=''"):
        split_option("VOC?difficult=", "difficult", ("crowd", "keep"))
