"""client.py over gRPC and REST, against a server with an exported model."""

import importlib.util
import json
import socket
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pix2seq_keras.serving import ModelServer

CLIENT = Path(__file__).resolve().parents[3] / "export" / "tensorflow_serving" / "client.py"


@pytest.fixture(scope="module")
def client():
    spec = importlib.util.spec_from_file_location("tensorflow_serving_client", CLIENT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def mixed_images(tmp_path_factory):
    """A folder of many kinds of images; those named `bad_…` are unusable."""
    folder = tmp_path_factory.mktemp("mixed")
    rng = np.random.default_rng(0)
    colours = Image.fromarray(rng.integers(0, 256, (30, 40, 3), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    colours.save(folder / "plain.jpg")
    colours.save(folder / "turned.jpg", exif=exif)
    colours.convert("L").save(folder / "grey.png")
    colours.convert("RGBA").save(folder / "alpha.png")
    colours.resize((90, 30)).save(folder / "panorama.png")
    colours.resize((1, 1)).save(folder / "one_pixel.png")
    Image.new("1", (10_000, 5_000)).save(folder / "bad_50_megapixels.png")
    (folder / "bad_bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\1\0\0\0\1\0\0\x08\2\0\0\0")
    (folder / "bad_empty.png").touch()
    (folder / "bad_text.jpg").write_text("This is no image.")
    colours.save(folder / "bad_half.jpg")
    (folder / "bad_half.jpg").write_bytes((folder / "bad_half.jpg").read_bytes()[:-300])
    return folder


@pytest.mark.parametrize("protocol", ["grpc", "rest"])
def test_good_images_get_boxes_and_bad_ones_are_reported(
    client, tiny_server, exported_tiny, mixed_images, protocol, tmp_path, capsys
):
    url = {"grpc": tiny_server.grpc_url, "rest": tiny_server.rest_url}[protocol]
    start = time.monotonic()
    status = client.main(["--server", url, str(mixed_images), "--output", str(tmp_path / "out"), "--threshold", "0"])
    output = capsys.readouterr()

    assert time.monotonic() - start < 30
    assert status == 1  # images were skipped
    good = sorted(path for path in mixed_images.iterdir() if not path.name.startswith("bad"))
    assert sorted(path.stem for path in (tmp_path / "out").glob("*.png")) == [path.stem for path in good]
    for name in (path.name for path in mixed_images.glob("bad*")):
        assert f"{name}'" in output.err
    assert "10000×5000 pixels; at most 40 million are accepted" in output.err
    assert "Traceback" not in output.err

    result = json.loads((tmp_path / "out" / "predictions.json").read_text())
    images = {Path(record["file_name"]).name: record for record in result["images"]}
    assert (images["turned.jpg"]["width"], images["turned.jpg"]["height"]) == (30, 40)  # upright
    expected = exported_tiny[0].detect([str(path) for path in good], sampler="greedy", jit_compile=False)
    for row, path in enumerate(good):
        record = images[path.name]
        detections = [a for a in result["annotations"] if a["image_id"] == record["id"]]
        used = expected["classes"][row] >= 0
        np.testing.assert_allclose([a["score"] for a in detections], expected["scores"][row][used], atol=1e-5)
        corners = expected["boxes"][row][used] * np.tile([record["height"], record["width"]], 2)  # yxyx
        expected_boxes = np.stack([corners[:, 1], corners[:, 0], *(corners[:, 2:] - corners[:, :2]).T[::-1]], -1)
        np.testing.assert_allclose(np.reshape([a["bbox"] for a in detections], (-1, 4)), expected_boxes, atol=1e-2)
    assert result["annotations"]


def test_detections_are_printed_with_name_and_position(client, tiny_server, mixed_images, tmp_path, capsys):
    arguments = [
        "--server",
        tiny_server.grpc_url,
        str(mixed_images / "plain.jpg"),
        "--output",
        str(tmp_path),
        "--threshold",
        "0",
    ]
    assert client.main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("plain.jpg (40×30)")
    assert any(line.strip().split()[0] in ("red", "green", "blue") and ": x " in line for line in lines[1:])


def test_a_server_that_starts_later_is_waited_for(client, served_toy, mixed_images, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    servers = []
    start = lambda: servers.append(ModelServer(served_toy, "toy", grpc_port=0, rest_port=port).start())
    threading.Timer(1.0, start).start()
    url = f"http://127.0.0.1:{port}/v1/models/toy"
    try:
        assert client.main(["--server", url, str(mixed_images / "plain.jpg"), "--output", str(tmp_path)]) == 0
    finally:
        while not servers:
            time.sleep(0.05)
        servers[0].stop()


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--server", "grpc://127.0.0.1:9/a", "--deadline", "1"], "cannot be reached"),
        (["--server", "digits_tiny"], "--server must be a URL"),
        (["--server", "grpc://host"], "URL of a served model must be grpc://"),
        (["--server", "grpc://host:1/a", "--threshold", "2"], "--threshold"),
        (["--server", "grpc://host:1/a", "--batch-size", "0"], "--batch-size"),
        (["--server", "grpc://host:1/a", "--deadline", "-1"], "deadline_s"),
    ],
)
def test_invalid_arguments_and_missing_servers_are_errors(client, mixed_images, tmp_path, capsys, arguments, message):
    assert client.main([*arguments, str(mixed_images / "plain.jpg"), "--output", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("client.py: ") and message in error


def test_only_bad_images_is_an_error(client, tiny_server, mixed_images, tmp_path, capsys):
    arguments = ["--server", tiny_server.rest_url, str(mixed_images / "bad_text.jpg"), "--output", str(tmp_path)]
    assert client.main(arguments) == 2
    assert client.main(["--server", tiny_server.rest_url, "missing.png", "--output", str(tmp_path)]) == 2
    assert "no image or folder missing.png" in capsys.readouterr().err


def test_help_shows_both_protocols(client, capsys):
    with pytest.raises(SystemExit) as stop:
        client.main(["--help"])
    text = capsys.readouterr().out
    assert stop.value.code == 0
    assert "grpc://localhost:8500/digits" in text and "http://localhost:8501/v1/models/digits" in text
