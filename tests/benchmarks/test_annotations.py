"""The benchmark of images with many objects."""

import json
import sys

import pytest

from pix2seq_keras import InputError, cli
from pix2seq_keras.benchmarks.annotations import measure_annotations, measure_in_process, write_crowded_image
from pix2seq_keras.data import open_source


def test_the_image_has_the_objects_with_ids_or_one_id(tmp_path):
    for one_id in (False, True):
        source = open_source(write_crowded_image(tmp_path / str(one_id), 50, one_id), "train")
        assert source.object_counts.tolist() == [50]
        assert source.issues.counts() == ({"duplicate annotation id": 49} if one_id else {})


def test_everything_is_measured(tmp_path):
    measure_in_process(str(tmp_path), "400", str(tmp_path / "a.json"))  # more than have labels

    result = json.loads((tmp_path / "a.json").read_text())
    assert result.pop("objects") == 400
    assert list(result) == ["read_cpu_s", "read_one_id_cpu_s", "check_cpu_s", "draw_cpu_s"] and min(result.values()) > 0


@pytest.mark.large
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")
def test_the_command_measures_every_number(tmp_path, capsys):
    assert cli.main(["benchmark", "annotations", "--objects", "10,400", "--json", str(tmp_path / "a.json")]) == 0

    rows = json.loads((tmp_path / "a.json").read_text())
    assert [row["objects"] for row in rows] == [10, 400] and all(row["peak_own_mb"] > 0 for row in rows)
    assert "check_cpu_s" in capsys.readouterr().out


@pytest.mark.parametrize("objects", [[], [0], [5, -1]])
def test_numbers_below_one_are_refused(objects):
    with pytest.raises(InputError, match="at least 1"):
        measure_annotations(objects)


@pytest.mark.parametrize("objects", ["many", "", "1,,2", "1e5"])
def test_text_that_is_no_list_of_numbers_is_refused(objects, capsys):
    assert cli.main(["benchmark", "annotations", "--objects", objects]) == 2
    assert "--objects" in capsys.readouterr().err
