"""The comparison of TFLite variants."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

PROGRAM = Path(__file__).resolve().parents[3] / "export" / "tflite" / "compare.py"


@pytest.fixture(scope="module")
def compare():
    """The program as a module."""
    spec = importlib.util.spec_from_file_location("compare_tflite", PROGRAM)
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(PROGRAM.parent))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(PROGRAM.parent))
        sys.modules.pop("plot", None)
    return module


@pytest.fixture
def result():
    variant = {"size_mb": 5.0, "size_over_float32": 1.0, "latency_ms": [6.0, 5.0], "latency_over_saved_model": 0.3}
    variant |= {"processor_ms": 5.5, "AP": 0.8806, "AP_difference": 0.0, "same_objects": 1.0, "convert_s": 7.0}
    return {
        "model": "digits_tiny",
        "data": "digits",
        "split": "test",
        "num_images": 600,
        "sampler": "top_p",
        "threads": [1, 2],
        "machine": {"processors": 2},
        "tensorflow": {"AP": 0.8806},
        "saved_model": {"size_mb": 9.0, "latency_ms": 20.0, "processor_ms": 22.0, "export_s": 12.0},
        "variants": {"none": variant, "dynamic": {**variant, "AP": None, "same_objects": 0.5}},
    }


def _object(image=1, category=2, box=(1.0, 2.0, 3.0, 4.0), score=0.9):
    return {"image_id": image, "category_id": category, "bbox": list(box), "score": score}


def test_an_object_is_the_same_if_image_class_and_box_match(compare):
    expected = [_object(), _object(image=2), _object(category=5), _object(box=(1.0, 2.0, 3.0, 9.0))]

    detected = [_object(score=0.1, box=(1.001, 2.0, 3.0, 4.0)), _object(image=3), _object(category=5)]

    assert compare.same_objects(expected, detected) == 0.5
    assert compare.same_objects(expected, expected) == 1


def test_objects_with_low_scores_are_not_compared(compare):
    assert compare.same_objects([_object(), _object(image=2, score=0.4)], [_object()]) == 1
    assert compare.same_objects([], [_object()]) == 1


def test_the_table_has_a_row_for_every_variant(compare, result):
    lines = compare.markdown(result).splitlines()

    assert len(lines) == 5 and len({line.count("|") for line in lines}) == 1
    assert "| `none` | 5.00 | 1.00 | 6.0 | 0.30 | 5.0 | 5.5 | 100.0% | 0.8806 (+0.0000) | 7 |" in lines
    assert "—" in lines[3] and "50.0%" in lines[3]


def test_the_figure_is_drawn(compare, result, tmp_path):
    compare.save_plot(result, tmp_path / "compare.png")

    with Image.open(tmp_path / "compare.png") as image:
        assert image.width > 1000 and len(image.convert("L").getcolors(256)) > 20


def test_an_exported_model_is_refused(compare, tiny_tflite, tmp_path, capsys):
    arguments = ["--model", str(tiny_tflite[1]), "--data", "digits", "--output", str(tmp_path)]

    status = compare.main(arguments)

    assert status == 2 and "must not be an exported model" in capsys.readouterr().err


@pytest.mark.large
def test_the_program_writes_files_results_and_figure(write_rectangles, build_tiny_model, tmp_path):
    from pix2seq_keras import Categories
    from pix2seq_keras.data import open_source

    folder = write_rectangles(tmp_path / "data", {"test": 5})
    categories = open_source(f"coco:{folder}", "test").categories
    build_tiny_model(categories=Categories(categories.ids, categories.names)).save(tmp_path / "model.keras")
    command = [sys.executable, PROGRAM, "--model", tmp_path / "model.keras", "--data", f"coco:{folder}"]

    run = subprocess.run([*command, "--output", tmp_path / "out", "--repeats", "3"], capture_output=True, text=True)

    assert run.returncode == 0, run.stderr
    result = json.loads((tmp_path / "out" / "compare.json").read_text())
    assert result["num_images"] == 5 and list(result["variants"]) == ["none", "float16", "dynamic"]
    assert result["variants"]["none"]["same_objects"] == 1
    assert (tmp_path / "out" / "compare.png").is_file() and "| `dynamic` |" in run.stdout
