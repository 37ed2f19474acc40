import pytest

from pix2seq_keras.data.issues import Issues
from pix2seq_keras.data.sources.class_lists import classes_from_names, read_class_list
from pix2seq_keras.errors import InputError


def test_a_list_has_one_class_per_line_in_its_order(tmp_path):
    (tmp_path / "classes.txt").write_text("dog\n\n cat \n")

    categories = read_class_list([tmp_path / "nothing", tmp_path.resolve()])

    assert categories.names == ("dog", "cat") and categories.ids == (1, 2)


def test_the_label_map_of_cvat_is_read_without_colours_and_background(tmp_path):
    (tmp_path / "labelmap.txt").write_text("# label:color_rgb:parts:actions\nbackground:0,0,0::\ncat:255,0,0::\n")

    assert read_class_list([tmp_path.resolve()]).names == ("cat",)


def test_without_a_list_there_are_no_classes(tmp_path):
    assert read_class_list([tmp_path]) is None


def test_a_list_that_cannot_be_used_is_named(tmp_path):
    (tmp_path / "labels.txt").write_text("")

    with pytest.raises(InputError, match=r"labels\.txt cannot be used"):
        read_class_list([tmp_path.resolve()])


def test_classes_of_annotations_are_sorted():
    assert classes_from_names(["dog", "cat", "dog", None], "here", Issues()).names == ("cat", "dog")
    with pytest.raises(InputError, match="no objects in here"):
        classes_from_names([], "here", Issues())


def test_the_reason_for_no_classes_is_given():
    issues = Issues()
    issues.add("unusable annotation file", "a", "a.xml is not XML.")

    with pytest.raises(InputError, match=r"classes.txt.\nunusable annotation file: 1 \(a\): a.xml is not XML"):
        classes_from_names([], "here", issues)
