"""Published checkpoints: the numbers of the published implementation come back, and nothing fits by accident."""

import json
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf

from pix2seq_keras import Categories, InputError
from pix2seq_keras.inference import open_model
from pix2seq_keras.models import published
from pix2seq_keras.models.checkpoints import Checkpoint
from pix2seq_keras.models.files import save_model
from pix2seq_keras.models.published_config import build
from pix2seq_keras.models.published_names import published_weights
from pix2seq_keras.sequences import parse

REFERENCES = ("vit", "resnet", "resnet_c4")


@pytest.fixture(scope="session")
def reference(shared_dir):
    """A function name -> (folder, golden numbers, the converted model)."""
    opened = {}

    def get(name):
        if name not in opened:
            folder = shared_dir / "reference" / name
            opened[name] = folder, dict(np.load(folder / "golden.npz")), published.from_checkpoint(folder)
        return opened[name]

    return get


@pytest.fixture
def vit(reference, tmp_path):
    """A copy of the smallest reference's folder, to be damaged, and its configuration."""
    folder = tmp_path / "vit"
    shutil.copytree(reference("vit")[0], folder, copy_function=shutil.copyfile)
    folder.chmod(0o755)
    return folder


def check_golden(model, golden, read_out=True):
    """The model computes what the published one did, within the promised tolerances."""
    encoded = model.encode(golden["image"])
    logits = model({"images": golden["image"], "tokens": golden["input_seq"]})
    np.testing.assert_allclose(encoded, golden["encoded"], rtol=0, atol=1e-4)
    np.testing.assert_allclose(logits, golden["logits"], rtol=0, atol=1e-4)
    if not read_out:  # tracing the loop takes seconds
        return
    generated = model.generate(golden["image"], max_objects=10, sampler="greedy", constrained=False)
    objects = parse(
        generated["tokens"], model.vocabulary, generated["classes"], generated["class_scores"], until_end=False
    )
    np.testing.assert_array_equal(generated["tokens"], golden["greedy_tokens"])
    np.testing.assert_array_equal(objects["classes"] + 1, golden["pred_class"])
    np.testing.assert_allclose(objects["boxes"], golden["pred_bbox"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(objects["scores"], golden["pred_score"], rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", REFERENCES)
def test_the_published_numbers_come_back(reference, name):
    _, golden, model = reference(name)

    check_golden(model, golden)


@pytest.mark.parametrize("name", REFERENCES)
def test_the_published_numbers_come_back_from_keras_files_and_presets(reference, name, tmp_path):
    _, golden, model = reference(name)

    save_model(model, tmp_path / "model.keras")
    model.save_to_preset(tmp_path / "preset")

    for place in ("model.keras", "preset"):
        again = open_model(tmp_path / place)
        check_golden(again, golden, read_out=name == "vit")
        for old, new in zip(model.weights, again.weights, strict=True):
            np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("name", REFERENCES)
def test_teacher_forced_greedy_logits_are_the_published_ones(reference, name):
    _, golden, model = reference(name)
    tokens = np.concatenate([np.full((2, 1), 10), golden["greedy_tokens"][:, :-1]], axis=1)

    logits = model({"images": golden["image"], "tokens": tokens})

    np.testing.assert_allclose(logits, golden["greedy_logits"], rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", REFERENCES)
def test_a_written_checkpoint_is_read_back(reference, name, tmp_path):
    folder, _, model = reference(name)

    prefix = published.save_checkpoint(model, tmp_path)

    again = published.from_checkpoint(tmp_path, folder / "config.json")
    for old, new in zip(model.weights, again.weights, strict=True):
        np.testing.assert_array_equal(old, new)
    ours, theirs = Checkpoint(prefix), Checkpoint(folder)
    second_names = [("model", "decoder", f"ar_decoder/{name}") for name in ("token_embedding", "outp_bias")]
    for path in [weight.path for weight in published_weights(model)] + second_names:
        assert ours.shape(ours.key(path)) == theirs.shape(theirs.key(path))
    assert len(ours.keys("model")) == len(theirs.keys("model")) == len(model.weights)


def test_dc5_and_unequal_widths_make_the_round_trip(tmp_path):
    """No reference covers them: depth 101, dc5, and an encoder whose MLP ratio is not the decoder's."""
    config = {
        "image_size": 48, "resnet_variant": "dc5", "resnet_depth": 101, "resnet_width_multiplier": 1 / 32,
        "dim_att": 16, "dim_mlp": 48, "num_heads": 2, "num_encoder_layers": 1,
        "dim_att_dec": 8, "dim_mlp_dec": 40, "num_heads_dec": 2, "num_decoder_layers": 1,
        "max_seq_len": 16, "vocab_size": 150, "coord_vocab_shift": 110, "quantization_bins": 40,
    }  # fmt: skip
    model = build(config)
    for index, weight in enumerate(model.weights):
        weight.assign(np.random.default_rng(index).uniform(0.1, 1, weight.shape))

    published.save_checkpoint(model, tmp_path)
    again = published.from_checkpoint(tmp_path, config)

    assert model.encoder.grid == (3, 3)
    assert model.bridge.mlp.hidden_dim == 8 * (48 // 16)
    for old, new in zip(model.weights, again.weights, strict=True):
        np.testing.assert_array_equal(old, new)


def test_every_weight_has_a_counterpart_of_its_own(reference):
    for name in REFERENCES:
        model = reference(name)[2]

        weights = published_weights(model)

        assert len({weight.path for weight in weights}) == len(weights) == len(model.weights)


def test_another_canvas_and_categories(reference):
    folder, golden, _ = reference("vit")
    config = {**published.read_config(folder / "config.json"), "image_size": [96, 64]}
    categories = Categories(ids=(1, 7, 90), names=("a", "b", "c"))

    other = published.from_checkpoint(folder, config, categories)

    assert other.vocabulary.class_tokens == (101, 107, 190)
    encoded = np.asarray(other.encode(np.transpose(golden["image"], (0, 2, 1, 3))))
    assert encoded.shape == (2, 24, 48) and np.isfinite(encoded).all()


def test_a_whole_training_configuration_will_do(reference, tmp_path):
    config = json.loads((reference("vit")[0] / "config.json").read_text())
    bins = config.pop("quantization_bins")
    (tmp_path / "config.json").write_text(json.dumps({"model": config, "task": {"quantization_bins": bins}}))

    assert published.read_config(tmp_path / "config.json") == {**config, "quantization_bins": bins}


# === What does not fit ===


def rewritten(folder, target, change):
    """The checkpoint of `folder` once more, after `change(dictionary of path -> values)`."""
    model = published.from_checkpoint(folder)
    values = {weight.path: np.reshape(weight.variable, weight.shape) for weight in published_weights(model)}
    change(values)
    root = tf.Module()
    for path, array in values.items():
        node = root
        for name in path[:-1]:
            if not hasattr(node, name):
                setattr(node, name, tf.Module())
            node = getattr(node, name)
        setattr(node, path[-1], tf.Variable(array))
    tf.train.Checkpoint(model=root.model).save(str(target / "ckpt"))
    return target


def refused(model, folder, *expected):
    """Loading is refused in a sentence with the expected parts, and the model is as it was."""
    before = [np.array(weight) for weight in model.weights]
    with pytest.raises(InputError) as error:
        published.load_checkpoint(model, folder)
    for part in expected:
        assert part in str(error.value)
    for old, weight in zip(before, model.weights, strict=True):
        np.testing.assert_array_equal(old, weight)


@pytest.fixture
def fresh(reference):
    return build(published.read_config(reference("vit")[0] / "config.json"))


BIAS = ("model", "encoder", "stem_conv", "bias")


def test_a_removed_weight_is_named(vit, fresh, tmp_path):
    folder = rewritten(vit, tmp_path, lambda values: values.pop(BIAS))

    refused(fresh, folder, "1 missing: model/encoder/stem_conv/bias")


def test_a_renamed_weight_is_missing_and_left_over(vit, fresh, tmp_path):
    def rename(values):
        values[(*BIAS[:-1], "offset")] = values.pop(BIAS)

    folder = rewritten(vit, tmp_path, rename)

    refused(fresh, folder, "1 missing: model/encoder/stem_conv/bias", "1 left over: model/encoder/stem_conv/offset")


def test_a_transposed_weight_is_named_with_both_shapes(vit, fresh, tmp_path):
    def transpose(values):
        path = ("model", "proj", "kernel")
        values[path] = values[path].T

    folder = rewritten(vit, tmp_path, transpose)

    refused(fresh, folder, "1 of another shape: model/proj/kernel is (48, 64), the model's (64, 48)")


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_truncated_data_are_found_before_anything_is_changed(vit, fresh, share):
    data = vit / "ckpt-0.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[: int(share * data.stat().st_size)])

    refused(fresh, vit, "cannot be read", "truncated")


def test_a_written_checkpoint_cut_in_half_is_told_like_any_other(reference, fresh, tmp_path):
    """Its object graph comes before the weights, and is found damaged before them."""
    published.save_checkpoint(reference("vit")[2], tmp_path)
    data = tmp_path / "ckpt-1.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[: data.stat().st_size // 2])

    refused(fresh, tmp_path, "cannot be read", "truncated")


def test_a_flipped_bit_is_found(vit, fresh):
    data = vit / "ckpt-0.data-00000-of-00001"
    content = bytearray(data.read_bytes())
    content[len(content) // 3] ^= 1
    data.write_bytes(content)

    refused(fresh, vit, "cannot be read")


def test_missing_files_are_told(vit, fresh, tmp_path):
    (vit / "ckpt-0.data-00000-of-00001").unlink()
    refused(fresh, vit, "cannot be read")

    (vit / "ckpt-0.index").write_bytes(b"no index")
    refused(fresh, vit, "cannot be read")

    (vit / "ckpt-0.index").unlink()
    refused(fresh, vit, "There is no checkpoint at")
    refused(fresh, tmp_path / "nowhere", "There is no checkpoint at")


def test_a_wrong_configuration_is_told(reference):
    folder = reference("vit")[0]
    config = published.read_config(folder / "config.json")

    with pytest.raises(InputError, match=r"missing: .*enc_layers/2.*Use the configuration"):
        published.from_checkpoint(folder, {**config, "num_encoder_layers": 3})
    with pytest.raises(InputError, match=r"left over: .*enc_layers/1"):
        published.from_checkpoint(folder, {**config, "num_encoder_layers": 1})
    with pytest.raises(InputError, match=r"token_embedding is \(420, 48\), the model's \(421, 48\)"):
        published.from_checkpoint(folder, {**config, "vocab_size": 421})
    with pytest.raises(InputError, match=r"missing: .*resnet"):
        published.from_checkpoint(folder, {**config, "resnet_variant": "standard"})


@pytest.mark.parametrize(
    "content, message",
    [("{", "is not JSON"), ("[]", "is not a JSON object"), (None, "cannot be read"), ("{}", "lacks image_size")],
)
def test_an_unusable_configuration_file_is_told(vit, content, message):
    if content is None:
        (vit / "config.json").unlink()
    else:
        (vit / "config.json").write_text(content)

    with pytest.raises(InputError, match=message):
        published.from_checkpoint(vit)


def test_of_several_checkpoints_the_named_one_is_taken_or_one_must_be_named(vit, reference):
    for ending in ("index", "data-00000-of-00001"):
        shutil.copyfile(vit / f"ckpt-0.{ending}", vit / f"ckpt-7.{ending}")
    assert published.from_checkpoint(vit).count_params() == reference("vit")[2].count_params()

    # The state file of a checkpoint that was copied from elsewhere names a place that is not there.
    (vit / "checkpoint").write_text('model_checkpoint_path: "gs://bucket/run/ckpt-7"\n')
    assert Checkpoint(vit).prefix.name == "ckpt-7"

    (vit / "checkpoint").unlink()
    with pytest.raises(InputError, match=r"several checkpoints \(ckpt-0, ckpt-7\)"):
        published.from_checkpoint(vit)
    assert Checkpoint(vit / "ckpt-0").prefix.name == "ckpt-0"


def test_a_checkpoint_without_object_graph_is_refused(fresh, tmp_path):
    graph = tf.Graph()
    with graph.as_default(), tf.compat.v1.Session() as session:
        variable = tf.compat.v1.get_variable("weight", [2], initializer=tf.compat.v1.zeros_initializer())
        session.run(variable.initializer)
        tf.compat.v1.train.Saver().save(session, str(tmp_path / "old"))

    with pytest.raises(InputError, match="no object graph"):
        published.load_checkpoint(fresh, tmp_path)


def test_a_checkpoint_is_found_from_within_its_folder(vit, fresh, monkeypatch):
    monkeypatch.chdir(vit)

    published.load_checkpoint(fresh, ".")

    assert Checkpoint("ckpt-0").prefix.name == "ckpt-0"


def test_a_checkpoint_is_not_written_beside_another(vit, fresh):
    with pytest.raises(InputError, match="holds a checkpoint already"):
        published.save_checkpoint(fresh, vit)


def test_another_architecture_has_no_published_layout(tiny_model, tmp_path):
    with pytest.raises(InputError, match=r"a ViT or a ResNet as encoder\. Received: a model with ResidualStem"):
        published.save_checkpoint(tiny_model, tmp_path)


def test_unwritable_output_is_told(fresh, tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(InputError, match="cannot be written"):
        published.save_checkpoint(fresh, tmp_path / "file")


def test_training_a_converted_model_changes_it(reference):
    _, golden, model = reference("vit")
    model = type(model).from_config(model.get_config())
    model.set_weights(reference("vit")[2].get_weights())
    model.compile(keras.optimizers.AdamW(1e-3), jit_compile=False)
    x = {"images": golden["image"], "tokens": golden["input_seq"]}
    targets = np.roll(golden["input_seq"], -1, axis=1)

    losses = [
        float(model.train_on_batch(x, targets, np.ones(targets.shape), return_dict=True)["loss"]) for _ in "123456"
    ]

    assert losses[-1] < losses[0]
