"""Writing SavedModels: folders of versions, and what may be replaced."""

import pytest
import tensorflow as tf

from pix2seq_keras import InputError
from pix2seq_keras.exporting.saved_model import write
from pix2seq_keras.exporting.saved_model.write import (
    require_replaceable,
    version_folder,
    versions,
    write_saved_model,
)
from pix2seq_keras.exporting.signature import Signature


@pytest.fixture(scope="module")
def doubled():
    return Signature(lambda x: {"y": 2 * x}, (tf.TensorSpec([None], tf.float32, name="x"),))


@pytest.fixture(scope="module")
def written(doubled, tmp_path_factory):
    """A SavedModel that doubles numbers."""
    folder = tmp_path_factory.mktemp("saved") / "7"
    warm_up = [("serving_default", {"x": [1.0, 2.0]})]
    write_saved_model(folder, {"serving_default": doubled}, {"name": "größer"}, warm_up)
    return folder


def test_a_written_model_answers_and_describes_itself(written):
    signatures = tf.saved_model.load(str(written)).signatures
    assert signatures["serving_default"](x=tf.constant([3.0]))["y"].numpy().tolist() == [6.0]
    described = signatures["describe"](keys=tf.constant(["a", "b"]))["description"].numpy()
    assert [text.decode() for text in described] == ['{"name": "größer"}'] * 2
    assert (written / "assets" / "pix2seq.json").read_text(encoding="utf-8") == '{"name": "größer"}\n'


def test_the_warm_up_requests_are_written_where_servers_look_for_them(written):
    assert len(list(tf.data.TFRecordDataset(str(written / "assets.extra" / "tf_serving_warmup_requests")))) == 1


def test_a_signature_is_traced_once(tmp_path):
    traces, weight = [], tf.Variable(3.0)
    function = lambda x: traces.append(x) or {"y": weight * x}
    signature = Signature(function, (tf.TensorSpec([None], tf.float32, name="x"),))

    write_saved_model(tmp_path / "1", {"serving_default": signature}, {})

    assert len(traces) == 1
    loaded = tf.saved_model.load(str(tmp_path / "1"))
    assert loaded.signatures["serving_default"](x=tf.constant([2.0]))["y"].numpy().tolist() == [6.0]


def test_the_next_version_follows_the_highest_and_only_numbers_count(tmp_path):
    for name in ("2", "10", "x3", ".11-abc", "-4", "٣"):
        (tmp_path / name).mkdir()
    (tmp_path / "99").touch()  # a file is no version
    assert versions(tmp_path) == [2, 10]
    assert version_folder(tmp_path).name == "11" and version_folder(tmp_path, 3).name == "3"
    assert version_folder(tmp_path / "new").name == "1"


def test_versions_that_exist_or_are_not_numbers_are_refused(tmp_path, written):
    (tmp_path / "4").mkdir()
    (tmp_path / "file").touch()
    refused = ((tmp_path, 4, "already has version 4"), (tmp_path, 0, "positive"), (tmp_path, "1", "positive"))
    for base, version, message in (*refused, (tmp_path / "file", 1, "is a file"), (written, 1, "SavedModel itself")):
        with pytest.raises(InputError, match=message):
            version_folder(base, version)


def test_of_two_exports_at_once_the_later_one_does_not_replace_the_earlier_one(doubled, tmp_path, monkeypatch):
    def meanwhile(folder, requests):
        (tmp_path / "1").mkdir()
        (tmp_path / "1" / "saved_model.pb").write_text("the earlier one")

    monkeypatch.setattr(write, "write_warm_up", meanwhile)
    with pytest.raises(InputError, match="version 1 was just made by another export"):
        write_saved_model(tmp_path / "1", {"serving_default": doubled}, {}, replace=False)
    assert (tmp_path / "1" / "saved_model.pb").read_text() == "the earlier one"
    assert [path.name for path in tmp_path.iterdir()] == ["1"]


def test_a_run_folder_is_not_a_folder_of_versions(tmp_path):
    (tmp_path / "best.keras").touch()
    with pytest.raises(InputError, match="run or preset folder"):
        version_folder(tmp_path)


def test_only_a_saved_model_is_replaced(tmp_path, written):
    require_replaceable(written)
    require_replaceable(tmp_path / "new")
    require_replaceable(tmp_path)  # empty
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(InputError, match="would be lost"):
        require_replaceable(tmp_path)
    with pytest.raises(InputError, match="is a file"):
        require_replaceable(tmp_path / "thesis.tex")


@pytest.mark.parametrize(
    "name",
    ["pix2seq_keras.exporting.saved_model.write.write_warm_up", "tensorflow.saved_model.save", "pathlib.Path.rename"],
)
def test_an_interruption_at_any_stage_leaves_no_version(doubled, tmp_path, monkeypatch, name):
    def stop(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(name, stop)
    with pytest.raises(KeyboardInterrupt):
        write_saved_model(tmp_path / "base" / "1", {"serving_default": doubled}, {})
    assert versions(tmp_path / "base") == []


def test_a_failure_while_writing_leaves_no_version(tmp_path):
    broken = Signature(lambda x: {"y": x @ x}, (tf.TensorSpec([None], tf.float32, name="x"),))
    with pytest.raises(ValueError, match="rank"):
        write_saved_model(tmp_path / "1", {"serving_default": broken}, {})
    assert not list(tmp_path.iterdir())


# === A full disk ===


@pytest.fixture
def small_files():
    """No file may have more than 1000 bytes. The kernel limits the size, with the same effect as a full disk."""
    import resource

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_full_disk_gives_one_sentence_and_leaves_nothing(doubled, tmp_path, small_files):
    with pytest.raises(
        InputError, match=r"base/1 cannot be written: .+ Choose a writable path with enough space"
    ) as full:
        write_saved_model(tmp_path / "base" / "1", {"serving_default": doubled}, {}, replace=False)
    assert "\n" not in str(full.value) and len(str(full.value)) < 500
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "error", [tf.errors.ResourceExhaustedError, tf.errors.UnknownError, tf.errors.PermissionDeniedError]
)
@pytest.mark.parametrize("stage", ["tensorflow.saved_model.save", "tensorflow.io.TFRecordWriter"])
def test_every_error_of_tensorflows_files_is_that_sentence(doubled, tmp_path, monkeypatch, error, stage):
    def full(*arguments, **options):
        raise error(None, None, "/tmp/.1-x/variables/part; No space left on device")

    monkeypatch.setattr(stage, full)
    with pytest.raises(InputError, match=r"base/1 cannot be written: No space left on device\. Choose"):
        write_saved_model(tmp_path / "base" / "1", {"serving_default": doubled}, {})
    assert not list(tmp_path.iterdir())


def test_an_earlier_version_survives_a_full_disk(doubled, tmp_path, small_files):
    (tmp_path / "base" / "1").mkdir(parents=True)
    with pytest.raises(InputError, match="base/2 cannot be written"):
        write_saved_model(tmp_path / "base" / "2", {"serving_default": doubled}, {}, replace=False)
    assert [path.name for path in (tmp_path / "base").iterdir()] == ["1"]
