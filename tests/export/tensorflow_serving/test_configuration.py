"""The deployment files, checked without TensorFlow Serving."""

import re
import socket
import subprocess
from pathlib import Path

import pytest
import yaml
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from pix2seq_keras.serving import ModelServer

FOLDER = Path(__file__).resolve().parents[3] / "export" / "tensorflow_serving"
# Of tensorflow_serving/servables/tensorflow/session_bundle_config.proto, which no Python package has.
BATCHING = {
    "max_batch_size": "wrapped",
    "batch_timeout_micros": "wrapped",
    "max_enqueued_batches": "wrapped",
    "num_batch_threads": "wrapped",
    "thread_pool_name": "wrapped",
    "allowed_batch_sizes": "repeated",
    "pad_variable_length_inputs": "plain",
}
# Flags of tensorflow_model_server, from its main.cc.
FLAGS = {
    "model_config_file",
    "file_system_poll_wait_seconds",
    "enable_batching",
    "batching_parameters_file",
    "monitoring_config_file",
    "rest_api_timeout_in_ms",
}


@pytest.fixture(scope="module")
def service():
    services = yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"]
    assert list(services) == ["serving"]
    return services["serving"]


@pytest.fixture(scope="module")
def flags(service):
    return dict(flag.removeprefix("--").split("=") for flag in service["command"])


@pytest.fixture(scope="module")
def models():
    text = (FOLDER / "models.config").read_text()
    return text_format.Parse(text, model_server_config_pb2.ModelServerConfig()).model_config_list.config


@pytest.fixture(scope="module")
def batching():
    """The fields of batching.config: name -> list of ints."""
    text = re.sub(r"#.*", "", (FOLDER / "batching.config").read_text())
    fields = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        wrapped = re.fullmatch(r"(\w+) \{ value: (\d+) \}", line)
        plain = re.fullmatch(r"(\w+): (\d+)", line)
        name, value = (wrapped or plain).groups()
        assert BATCHING[name] == ("wrapped" if wrapped else "repeated"), line
        fields.setdefault(name, []).append(int(value))
    return fields


def test_models_are_served_from_the_mounted_folder_in_their_highest_version(models, service):
    (model,) = models
    assert (model.name, model.model_platform) == ("digits", "tensorflow")
    assert model.base_path == f"/models/{model.name}"
    assert model.model_version_policy.latest.num_versions == 1
    assert any(volume.endswith(":/models:ro") for volume in service["volumes"])


def test_batch_sizes_increase_up_to_the_largest(batching):
    sizes = batching["allowed_batch_sizes"]
    assert sizes == sorted(set(sizes)) and sizes[0] == 1
    assert [sizes[-1]] == batching["max_batch_size"]
    assert all(len(values) == 1 for name, values in batching.items() if name != "allowed_batch_sizes")


def test_the_default_batch_size_of_clients_fits_into_a_batch(batching):
    import inspect

    from pix2seq_keras.commands import evaluate, predict
    from pix2seq_keras.evaluation import evaluate_source
    from pix2seq_keras.inference import ExportedDetector

    for function in (predict.predict, evaluate.run, evaluate_source, ExportedDetector.detect):
        assert inspect.signature(function).parameters["batch_size"].default <= batching["max_batch_size"][0]


def test_there_are_as_many_batch_threads_as_cores(batching, service):
    assert float(service["deploy"]["resources"]["limits"]["cpus"]) == batching["num_batch_threads"][0]


def test_prometheus_monitoring_is_enabled():
    text = re.sub(r"#.*", "", (FOLDER / "monitoring.config").read_text())
    assert text.split() == [
        "prometheus_config",
        "{",
        "enable:",
        "true",
        "path:",
        '"/monitoring/prometheus/metrics"',
        "}",
    ]


def test_flags_are_known_and_their_files_are_mounted_read_only(flags, service):
    assert set(flags) <= FLAGS
    mounted = dict(volume.split(":")[:2][::-1] for volume in service["volumes"] if volume.startswith("./"))
    assert all(volume.endswith(":ro") for volume in service["volumes"])
    for name, value in flags.items():
        if name.endswith("_file"):
            assert (FOLDER / mounted[value]).is_file()
    assert flags["enable_batching"] == "true"


def test_the_image_is_official_and_pinned_and_ports_are_local(service):
    assert re.fullmatch(r"\$\{TF_SERVING_IMAGE:-tensorflow/serving:\d+\.\d+\.\d+\}", service["image"])
    assert service["ports"] == ["127.0.0.1:8500:8500", "127.0.0.1:8501:8501"]
    assert service["deploy"]["resources"]["limits"]["memory"]


def health_check(service, port):
    command = [part.replace("8501", str(port)) for part in service["healthcheck"]["test"][1:]]
    return subprocess.run(command, capture_output=True, check=False).returncode


def test_the_health_check_passes_only_if_the_model_is_available(service, served_toy):
    assert service["healthcheck"]["test"][0] == "CMD"
    with ModelServer(served_toy, "digits", grpc_port=0, rest_port=0) as server:
        assert health_check(service, server.rest_port) == 0
    with ModelServer(served_toy, "other", grpc_port=0, rest_port=0) as server:
        assert health_check(service, server.rest_port) != 0
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert health_check(service, port) != 0


def test_the_readme_lists_every_file_of_the_folder():
    readme = (FOLDER / "README.md").read_text()
    files = [path.name for path in FOLDER.iterdir() if path.is_file() and path.name != "README.md"]
    assert files and all(name in readme for name in files)
