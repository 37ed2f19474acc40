"""Models of published checkpoints compute the numbers of the published implementation, also after saving."""

import json

import keras
import numpy as np
import pytest

from pix2seq_keras import Categories, Pix2Seq
from pix2seq_keras.inference import open_model
from pix2seq_keras.models import published
from pix2seq_keras.models.saving import save_model
from pix2seq_keras.published.architecture import model_arguments
from pix2seq_keras.published.checkpoint_io import read_config
from pix2seq_keras.published.checkpoints import Checkpoint
from pix2seq_keras.published.weight_names import published_weights
from pix2seq_keras.sequences import parse

REFERENCES = ("vit", "resnet", "resnet_c4")


def check_golden(model, golden, generate=True):
    """The model computes the published numbers within the documented tolerances."""
    encoded = model.encode(golden["image"])
    logits = model({"images": golden["image"], "tokens": golden["input_seq"]})
    np.testing.assert_allclose(encoded, golden["encoded"], rtol=0, atol=1e-4)
    np.testing.assert_allclose(logits, golden["logits"], rtol=0, atol=1e-4)
    if not generate:  # tracing the decoding loop takes seconds
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
def test_the_published_numbers_are_reproduced(reference, name):
    _, golden, model = reference(name)

    check_golden(model, golden)


@pytest.mark.parametrize("name", REFERENCES)
def test_the_published_numbers_are_reproduced_from_keras_files_and_presets(reference, name, tmp_path):
    _, golden, model = reference(name)

    save_model(model, tmp_path / "model.keras")
    model.save_to_preset(tmp_path / "preset")

    for place in ("model.keras", "preset"):
        again = open_model(tmp_path / place)
        check_golden(again, golden, generate=name == "vit")
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


def test_dc5_and_unequal_mlp_ratios_survive_a_round_trip(tmp_path):
    """No reference checkpoint has depth 101, dc5, or an encoder whose MLP ratio differs from the decoder's."""
    config = {
        "image_size": 48, "resnet_variant": "dc5", "resnet_depth": 101, "resnet_width_multiplier": 1 / 32,
        "dim_att": 16, "dim_mlp": 48, "num_heads": 2, "num_encoder_layers": 1,
        "dim_att_dec": 8, "dim_mlp_dec": 40, "num_heads_dec": 2, "num_decoder_layers": 1,
        "max_seq_len": 16, "vocab_size": 150, "coord_vocab_shift": 110, "quantization_bins": 40,
    }  # fmt: skip
    model = Pix2Seq(**model_arguments(config))
    for index, weight in enumerate(model.weights):
        weight.assign(np.random.default_rng(index).uniform(0.1, 1, weight.shape))

    published.save_checkpoint(model, tmp_path)
    again = published.from_checkpoint(tmp_path, config)

    assert model.encoder.grid == (3, 3)
    assert model.bridge.mlp.hidden_dim == 8 * (48 // 16)
    for old, new in zip(model.weights, again.weights, strict=True):
        np.testing.assert_array_equal(old, new)


def test_every_weight_has_a_unique_name_in_the_checkpoint(reference):
    for name in REFERENCES:
        model = reference(name)[2]

        weights = published_weights(model)

        assert len({weight.path for weight in weights}) == len(weights) == len(model.weights)


def test_another_canvas_and_categories(reference):
    folder, golden, _ = reference("vit")
    config = {**read_config(folder / "config.json"), "image_size": [96, 64]}
    categories = Categories(ids=(1, 7, 90), names=("a", "b", "c"))

    other = published.from_checkpoint(folder, config, categories)

    assert other.vocabulary.class_tokens == (101, 107, 190)
    encoded = np.asarray(other.encode(np.transpose(golden["image"], (0, 2, 1, 3))))
    assert encoded.shape == (2, 24, 48) and np.isfinite(encoded).all()


def test_a_whole_training_configuration_is_accepted(reference, tmp_path):
    config = json.loads((reference("vit")[0] / "config.json").read_text())
    bins = config.pop("quantization_bins")
    (tmp_path / "config.json").write_text(json.dumps({"model": config, "task": {"quantization_bins": bins}}))

    assert read_config(tmp_path / "config.json") == {**config, "quantization_bins": bins}


@pytest.mark.usefixtures("eagerly")
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
