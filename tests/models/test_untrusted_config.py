"""Configurations of others: no weight is allocated before the sizes are compared with those of the weights."""

import json
import zipfile

import h5py
import keras
import pytest

from pix2seq_keras import Pix2Seq
from pix2seq_keras.errors import InputError
from pix2seq_keras.inference import open_model
from pix2seq_keras.models import untrusted_config

HUGE = 10**7
HOSTILE = {
    "no heads": {"decoder_heads": 0},
    "heads that do not divide": {"decoder_heads": 3},
    "negative heads": {"decoder_heads": -1},
    "a huge width": {"decoder_dim": HUGE},
    "a large width": {"decoder_dim": 65_536},
    "a width that is no number": {"decoder_dim": [16]},
    "a width of half a unit": {"decoder_dim": 16.5},
    "a huge MLP": {"decoder_mlp_dim": 10**12},
    "no layers": {"decoder_layers": 0},
    "endless layers": {"decoder_layers": 10**9},
    "one layer more": {"decoder_layers": 2},
    "huge positions": {"max_length": 10**12},
    "a huge canvas": {"image_size": [10**6, 10**6]},
    "three sides": {"image_size": [32, 32, 32]},
    "no canvas": {"image_size": []},
    "huge classes": {"vocabulary": {"num_classes": 10**9, "labels": None, "coord_shift": None, "size": None}},
    "huge bins": {"vocabulary": {"num_bins": 10**9, "size": None}},
    "bins of no number": {"vocabulary": {"num_bins": "many"}},
    "an endless stem": {"encoder": {"num_layers": 10**9}},
    "a huge encoder": {"encoder": {"dim": HUGE, "mlp_dim": HUGE}},
    "dropout above one": {"dropout": 7.5},
    "an unknown argument": {"of_the_future": 1},
}


@pytest.fixture
def only_abstract(monkeypatch):
    """Fails if a variable gets values: the model is not to be made."""

    def fail(*arguments, **keywords):
        pytest.fail("a weight was allocated")

    monkeypatch.setattr("keras.src.backend.tensorflow.core.Variable._initialize_with_initializer", fail)


@pytest.fixture(scope="module")
def files(tiny_model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    tiny_model.save(folder / "a.keras")
    tiny_model.save_to_preset(folder / "preset")
    return folder


def changed(document, change):
    document = json.loads(json.dumps(document))
    for name, value in change.items():
        if name in ("vocabulary", "encoder"):
            document["config"][name]["config"].update(value)
        else:
            document["config"][name] = value
    return json.dumps(document)


def as_preset(files, folder, edit):
    """A preset folder with a changed configuration."""
    folder.mkdir()
    (folder / "model.weights.h5").write_bytes((files / "preset" / "model.weights.h5").read_bytes())
    (folder / "config.json").write_text(edit((files / "preset" / "config.json").read_text()))
    return folder


def as_keras(files, path, edit, compression=zipfile.ZIP_STORED):
    """A `.keras` file with a changed configuration."""
    with zipfile.ZipFile(files / "a.keras") as old, zipfile.ZipFile(path, "w", compression) as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, edit(content.decode()) if name == "config.json" else content)
    return path


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE.keys())
def test_sizes_that_the_weights_do_not_have_are_refused_before_a_weight_is_made(change, files, tmp_path, only_abstract):
    edit = lambda text: changed(json.loads(text), change)
    with pytest.raises(InputError, match="saved_preset") as caught:
        open_model(as_preset(files, tmp_path / "saved_preset", edit))
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("name", ["no heads", "a huge width", "endless layers", "huge classes"])
def test_a_keras_file_is_checked_alike(name, files, tmp_path, only_abstract):
    edit = lambda text: changed(json.loads(text), HOSTILE[name])
    with pytest.raises(InputError, match=r"b\.keras cannot be opened as a model"):
        open_model(as_keras(files, tmp_path / "b.keras", edit))


@pytest.mark.parametrize(
    "text",
    ["[" * 10_000, '{"class_name": "Pix2Seq", "config": Infinity}', "null", "[]", '{"config": {"a": 1, "a": 2}}'],
)
def test_configurations_that_are_none_are_refused(text, files, tmp_path, only_abstract):
    edit = lambda _: text
    for ref in (as_preset(files, tmp_path / "file_preset", edit), as_keras(files, tmp_path / "file.keras", edit)):
        with pytest.raises(InputError, match="file"):
            open_model(ref)


def test_a_configuration_that_unpacks_to_much_more_is_not_read(files, tmp_path, only_abstract):
    edit = lambda text: text + " " * (40 * 2**20)
    with pytest.raises(InputError, match=r"config\.json in it unpacks to"):
        open_model(as_keras(files, tmp_path / "b.keras", edit, zipfile.ZIP_DEFLATED))
    with pytest.raises(InputError, match="must have at most 16 MB"):
        open_model(as_preset(files, tmp_path / "preset", edit))


def test_weights_that_the_file_states_but_does_not_have_are_refused(files, tmp_path, only_abstract):
    folder = as_preset(files, tmp_path / "preset", lambda text: changed(json.loads(text), {"max_length": 10**8}))
    with h5py.File(folder / "model.weights.h5", "r+") as file:
        places = [name for name in file["embedding/vars"] if file["embedding/vars"][name].shape == (20, 16)]
        del file["embedding/vars"][places[0]]
        file["embedding/vars"].create_dataset(places[0], (10**8, 16), "float32")  # takes no space until it is written
    with pytest.raises(InputError, match=r"states 6,4\d\d,\d\d\d,\d\d\d bytes of weights"):
        open_model(folder)


def test_weights_kept_in_another_file_are_refused(files, tmp_path, only_abstract):
    folder = as_preset(files, tmp_path / "preset", lambda text: text)
    with h5py.File(folder / "model.weights.h5", "r+") as file:
        del file["bridge"]
        file["bridge"] = h5py.ExternalLink(str(files / "preset" / "model.weights.h5"), "/bridge")
    with pytest.raises(InputError, match="it has no bridge"):
        open_model(folder)


def test_a_model_without_weights_has_a_limited_number_of_parameters(files, tmp_path, only_abstract):
    folder = as_preset(files, tmp_path / "preset", lambda text: changed(json.loads(text), {"max_length": 10**8}))
    with pytest.raises(InputError, match="parameters, more than"):
        Pix2Seq.from_preset(folder, weights=None)


def test_after_a_refusal_no_weights_are_made_later(files, tmp_path, monkeypatch):
    folder = as_preset(files, tmp_path / "preset", lambda text: changed(json.loads(text), {"max_length": 10**12}))
    with pytest.raises(InputError):
        open_model(folder)
    with keras.StatelessScope():  # its end fills what is left
        pass


def test_the_model_of_a_check_is_not_kept_and_the_real_one_is_whole(files, tiny_model, tiny_images):
    made = []
    document = json.loads((files / "preset" / "config.json").read_text())
    untrusted_config.require_plausible(
        lambda: made.append(Pix2Seq.from_config(document["config"])) or made[0], document
    )
    assert len(made[0].weights) == len(tiny_model.weights)
    for ref in (files / "preset", files / "a.keras"):
        for one, other in zip(open_model(ref).get_weights(), tiny_model.get_weights(), strict=True):
            assert (one == other).all()
