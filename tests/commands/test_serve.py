"""`pix2seq serve` in a process of its own: start, requests by other commands, and stop."""

import json
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from pix2seq_keras import cli
from pix2seq_keras.inference import open_model


@pytest.fixture(scope="module")
def serving(served_toy):
    """The process, and its URLs."""
    command = [sys.executable, "-m", "pix2seq_keras", "serve", "--model", str(served_toy / "12"), "--grpc-port", "0"]
    process = subprocess.Popen([*command, "--rest-port=0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    printed = "".join(process.stdout.readline() for _ in range(3))
    yield process, re.search(r"grpc://\S+", printed)[0], re.search(r"http://\S+", printed)[0]
    process.kill()
    process.communicate()


@pytest.fixture(scope="module")
def rectangles(write_rectangles, tmp_path_factory):
    return write_rectangles(tmp_path_factory.mktemp("served") / "coco", {"val": 5})


def test_it_prints_its_addresses_on_the_loopback_interface(serving):
    _, grpc_url, rest_url = serving
    assert re.fullmatch(r"grpc://127\.0\.0\.1:\d+/toy", grpc_url)  # by the folder above the version
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/v1/models/toy", rest_url)
    for url in (grpc_url, rest_url):
        assert open_model(url).detect(np.full((4, 4, 3), 255, np.uint8))["num_detections"] == [2]


def test_predict_gives_the_same_detections_through_a_server_and_in_process(
    tiny_server, exported_tiny, rectangles, tmp_path
):
    model, base = exported_tiny
    model.save(tmp_path / "model.keras")
    written = {}
    for name, ref in (("keras", tmp_path / "model.keras"), ("grpc", tiny_server.grpc_url), ("base", base)):
        arguments = ["--model", ref, "--output", tmp_path / name, "--threshold", 0, "--sampler", "greedy"]
        assert cli.main(["predict", str(rectangles / "val"), *map(str, arguments)]) == 0
        written[name] = json.loads((tmp_path / name / "predictions.json").read_text())
        assert len(list((tmp_path / name).glob("*.png"))) == 5
    assert written["keras"]["annotations"]
    for name in ("grpc", "base"):
        assert written[name]["categories"] == written["keras"]["categories"]
        for found, expected in zip(written[name]["annotations"], written["keras"]["annotations"], strict=True):
            assert found["category_id"] == expected["category_id"]
            np.testing.assert_allclose(found["bbox"], expected["bbox"], atol=1e-3)


def test_evaluate_gives_the_same_scores_through_a_server_and_in_process(
    tiny_server, exported_tiny, rectangles, tmp_path
):
    exported_tiny[0].save(tmp_path / "model.keras")
    scores, urls = {}, {"grpc": tiny_server.grpc_url, "rest": tiny_server.rest_url}
    for name, ref in {"keras": tmp_path / "model.keras", **urls}.items():
        arguments = ["--model", ref, "--data", f"coco:{rectangles}", "--split", "val", "--json", tmp_path / name]
        assert cli.main(["evaluate", *map(str, arguments), "--sampler", "greedy", "--batch_size", "2"]) == 0
        scores[name] = json.loads((tmp_path / name).read_text())
        del scores[name]["seconds"]
    assert scores["grpc"] == scores["rest"]
    assert scores["grpc"]["AP"] == pytest.approx(scores["keras"]["AP"], abs=1e-3)
    assert scores["grpc"]["num_images"] == 5


def test_an_option_fixed_at_export_is_refused(tiny_server, rectangles, capsys):
    arguments = ["--data", f"coco:{rectangles}", "--split", "val", "--max_objects", "2"]
    assert cli.main(["evaluate", "--model", tiny_server.grpc_url, *arguments]) == 2
    assert "was exported with max_objects=4: export it again" in capsys.readouterr().err


def test_an_image_with_more_pixels_than_the_server_accepts_is_left_out_and_named(served_toy, tmp_path, capsys):
    Image.new("RGB", (20, 20), "red").save(tmp_path / "good.png")
    Image.new("RGB", (400, 400)).save(tmp_path / "large.png")
    arguments = ["--model", served_toy, tmp_path, "--output", tmp_path / "out"]
    assert cli.main(["predict", *map(str, arguments)]) == 0
    printed = capsys.readouterr().out
    assert "1 objects in 1 images" in printed and "large.png' has 400×400 pixels; at most 0.1 million" in printed


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--model", "no/such/folder"], "holds no SavedModel"),
        (["--model", ".", "--max-batch-rows", "0"], "`max_batch_rows` must be at least 1"),
        (["--model", ".", "--name", "a/b"], "`name` must consist of"),
    ],
)
def test_a_model_that_cannot_be_served_is_refused(arguments, message, capsys):
    assert cli.main(["serve", *arguments, "--grpc-port", "0", "--rest-port", "0"]) == 2
    assert message in capsys.readouterr().err


def test_it_stops_cleanly_on_sigterm(serving):
    process = serving[0]
    start = time.monotonic()
    process.send_signal(signal.SIGTERM)
    out, error = process.communicate(timeout=20)
    assert (process.returncode, out, error) == (0, "Stopped.\n", "")
    assert time.monotonic() - start < 10
