"""The model, the optimiser and the batches are those that the recipe describes."""

import dataclasses

import keras
import numpy as np
import pytest

from pix2seq_keras import Categories, Pix2Seq
from pix2seq_keras.data import open_source
from pix2seq_keras.errors import InputError
from pix2seq_keras.models import published
from pix2seq_keras.presets import published_models
from pix2seq_keras.training.building import build_dataset, build_model, build_optimizer

ABC = Categories.from_names(["a", "b", "c"])


@pytest.fixture
def preset(plain_recipe, tmp_path):
    """A model on disk for the classes a, b, c, and a recipe that starts from it."""
    model = build_model(plain_recipe, ABC)
    model.save(tmp_path / "model.keras")
    sizes = dataclasses.replace(plain_recipe.model, preset=str(tmp_path / "model.keras"), decoder_dim=999)
    return model, dataclasses.replace(plain_recipe, model=sizes)


def test_the_model_has_the_sizes_of_the_recipe(plain_recipe):
    model = build_model(plain_recipe, ABC)
    assert model.image_size == (32, 32) and model.categories == ABC
    assert model.vocabulary.num_classes == 3 and model.vocabulary.num_bins == 32
    assert model.max_length == 5 * plain_recipe.sequence.max_objects
    assert model.embedding.embeddings.shape == (model.vocabulary.size, 16)
    assert model.encoder.grid == (8, 8)  # two widths in the stem: stride 4


def test_a_preset_gets_positions_for_more_objects_and_keeps_those_it_has(preset):
    model, recipe = preset
    known, sequence = np.array(model.embedding.positions), recipe.sequence
    more = dataclasses.replace(recipe, sequence=dataclasses.replace(sequence, max_objects=sequence.max_objects + 2))
    fewer = dataclasses.replace(recipe, sequence=dataclasses.replace(sequence, max_objects=1))

    longer, same = build_model(more, ABC), build_model(fewer, ABC)

    assert longer.max_length == model.max_length + 10 and same.max_length == model.max_length
    np.testing.assert_array_equal(np.array(longer.embedding.positions)[: len(known)], known)
    np.testing.assert_array_equal(same.embedding.positions, known)


def _with_backbone(recipe, **options):
    return dataclasses.replace(recipe, model=dataclasses.replace(recipe.model, **options))


def test_a_backbone_of_the_recipe_replaces_the_stem(plain_recipe):
    options = {"backbone": "mobilenetv3_small", "image_size": (32, 48), "backbone_stride": 8}
    recipe = _with_backbone(plain_recipe, **options, backbone_batch_norm="frozen")
    backbone = build_model(recipe, ABC).encoder.backbone
    assert backbone.model.name == "MobileNetV3Small" and backbone.scaling == "pixels"
    assert backbone.compute_output_shape((None, 32, 48, 3))[1:3] == (4, 6)
    assert 0 < len(backbone.trainable_weights) < len(backbone.weights)
    assert not any("bn" in weight.path for weight in backbone.trainable_weights)


def test_a_backbone_is_frozen_and_loads_local_weights_as_the_recipe_says(plain_recipe, tmp_path):
    network = keras.applications.MobileNetV3Small((32, 32, 3), include_top=False, weights=None)
    network.save_weights(tmp_path / "mobile.weights.h5")
    options = {"backbone": "mobilenetv3_small", "backbone_weights": str(tmp_path / "mobile.weights.h5")}
    backbone = build_model(_with_backbone(plain_recipe, **options, backbone_freeze=True), ABC).encoder.backbone
    assert backbone.trainable_weights == [] and backbone.stride == 16
    np.testing.assert_array_equal(backbone.model.get_layer("conv").kernel, network.get_layer("conv").kernel)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"backbone": "resnet18"}, "`backbone` must be one of resnet50.*'resnet18'"),
        (
            {"backbone": "mobilenetv3_small", "backbone_stride": 64},
            "`stride` must be one that MobileNetV3Small has.*stride=64",
        ),
        ({"backbone": "mobilenetv3_small", "backbone_batch_norm": "off"}, "batch_norm='off'"),
        ({"backbone": "mobilenetv3_small", "backbone_weights": "none.h5"}, "no weights file none.h5"),
        ({"backbone_weights": "imagenet"}, "`model.backbone_weights` requires `model.backbone`"),
    ],
    ids=str,
)
def test_a_backbone_that_cannot_be_built_is_refused(plain_recipe, options, message):
    with pytest.raises(InputError, match=message):
        build_model(_with_backbone(plain_recipe, **options), ABC)


def test_a_preset_of_the_same_classes_keeps_every_weight(preset):
    model, recipe = preset
    started = build_model(recipe, ABC)
    for one, other in zip(model.get_weights(), started.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_preset_for_other_classes_keeps_all_but_the_class_tokens(preset):
    model, recipe = preset
    started = build_model(recipe, Categories.from_names(["x", "y"]))
    assert started.categories.names == ("x", "y") and started.vocabulary.num_classes == 2
    kept = [
        np.array_equal(one, other) for one, other in zip(model.weights, started.weights, strict=True)
        if one.shape == other.shape
    ]  # fmt: skip
    assert all(kept) and len(kept) == len(model.weights) - 2


def test_the_optimizer_follows_the_schedule_over_all_steps(plain_recipe):
    options = dataclasses.replace(plain_recipe.optimizer, learning_rate=0.1, final_factor=0.5, clipnorm=None)
    optimizer = build_optimizer(dataclasses.replace(plain_recipe, steps=10, optimizer=options))
    rates = []
    for step in (0, 1, 2, 10, 50):
        optimizer.iterations.assign(step)
        rates.append(float(optimizer.learning_rate))
    np.testing.assert_allclose(rates, [0.0, 0.05, 0.1, 0.05, 0.05], rtol=1e-5)
    assert optimizer.weight_decay == 0.05 and optimizer.global_clipnorm is None
    assert (optimizer.beta_1, optimizer.beta_2, optimizer.epsilon) == (0.9, 0.95, 1e-8)


def test_a_preset_that_does_not_exist_is_refused(plain_recipe):
    sizes = dataclasses.replace(plain_recipe.model, preset="no_such")
    with pytest.raises(InputError, match="no model 'no_such'"):
        build_model(dataclasses.replace(plain_recipe, model=sizes), ABC)


def test_heads_that_do_not_divide_the_width_are_refused(plain_recipe):
    sizes = dataclasses.replace(plain_recipe.model, decoder_heads=3)
    with pytest.raises(InputError, match="3"):
        build_model(dataclasses.replace(plain_recipe, model=sizes), ABC)


def test_an_unknown_schedule_is_refused(plain_recipe):
    options = dataclasses.replace(plain_recipe.optimizer, schedule="stairs")
    with pytest.raises(InputError, match=r"`schedule` must be one of .*schedule='stairs'"):
        build_optimizer(dataclasses.replace(plain_recipe, optimizer=options))


# === From a published model ===


@pytest.fixture
def published_recipe(plain_recipe, tmp_path, monkeypatch):
    """A recipe that starts from `vit_b_640`, here a small one, and a checkpoint of it."""
    small = {
        "image_size": [32, 32], "dim_att": 8, "dim_mlp": 16, "num_heads": 2, "num_encoder_layers": 1, "dim_att_dec": 8,
        "dim_mlp_dec": 16, "num_heads_dec": 2, "num_decoder_layers": 1, "max_seq_len": 20, "coord_vocab_shift": 200,
        "vocab_size": 232, "quantization_bins": 32,
    }  # fmt: skip
    get = published_models.get
    record = lambda name: dataclasses.replace(get(name), config={**get(name).config, **small})
    monkeypatch.setattr(published_models, "get", record)
    monkeypatch.setenv("PIX2SEQ_CACHE_DIR", str(tmp_path / "cache"))
    model = Pix2Seq.from_preset("vit_b_640", weights=None)
    published.save_checkpoint(model, tmp_path / "checkpoint")
    sizes = dataclasses.replace(
        plain_recipe.model, preset="vit_b_640", weights=str(tmp_path / "checkpoint"), image_size=None
    )
    return model, dataclasses.replace(plain_recipe, model=sizes)


def test_a_published_checkpoint_is_adapted_to_the_categories_of_the_data(published_recipe):
    model, recipe = published_recipe

    built = build_model(recipe, ABC)

    assert built.image_size == (32, 32) and built.categories == ABC
    assert built.vocabulary.class_tokens == (101, 102, 103)
    for old, new in zip(model.weights, built.weights, strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_published_model_takes_another_canvas_random_weights_and_another_precision(published_recipe):
    model, recipe = published_recipe
    sizes = dataclasses.replace(recipe.model, image_size=(48, 64), weights="random")

    built = build_model(dataclasses.replace(recipe, model=sizes, precision="mixed_bfloat16"), ABC)

    assert built.image_size == (48, 64) and built.encoder.grid == (3, 4)
    assert built.compute_dtype == built.encoder.compute_dtype == "bfloat16"
    assert (np.asarray(built.encoder.patches.kernel) != np.asarray(model.encoder.patches.kernel)).any()


def test_published_weights_that_are_missing_are_refused(published_recipe):
    _, recipe = published_recipe
    recipe = dataclasses.replace(recipe, model=dataclasses.replace(recipe.model, weights=None))

    with pytest.raises(InputError, match="pix2seq convert --preset vit_b_640"):
        build_model(recipe, ABC)


def test_a_file_with_its_own_weights_takes_no_others(preset):
    _, recipe = preset
    recipe = dataclasses.replace(recipe, model=dataclasses.replace(recipe.model, weights="elsewhere"))

    with pytest.raises(InputError, match=r"`model.weights` must be null for .*Received: model.weights=elsewhere"):
        build_model(recipe, ABC)


def test_a_run_with_its_own_state_needs_no_published_weights(published_recipe):
    model, recipe = published_recipe
    recipe = dataclasses.replace(recipe, model=dataclasses.replace(recipe.model, weights="moved away"))

    built = build_model(recipe, ABC, load_weights=False)

    assert built.vocabulary.class_tokens == (101, 102, 103)
    assert (np.asarray(built.encoder.patches.kernel) != np.asarray(model.encoder.patches.kernel)).any()


def test_batches_start_at_any_step_and_use_every_data_option(tiny_recipe, tmp_path):
    source = open_source(tiny_recipe.data.source, "train")
    model = build_model(tiny_recipe, source.categories)
    images = lambda recipe, step=0: [x["images"] for x, *_ in build_dataset(recipe, source, model, step).take(3)]
    cached = dataclasses.replace(tiny_recipe.data, cache_dir=str(tmp_path / "cache"), cache_size=20)

    whole, later = images(tiny_recipe), images(tiny_recipe, step=2)
    reduced = images(dataclasses.replace(tiny_recipe, data=cached))

    np.testing.assert_array_equal(later[0], whole[2])
    assert (reduced[0].numpy() != whole[0].numpy()).any()
    assert len(list((tmp_path / "cache").rglob("*.jpg+"))) > 0


def test_weights_whose_path_matches_have_no_decay(plain_recipe):
    recipe = dataclasses.replace(
        plain_recipe, optimizer=dataclasses.replace(plain_recipe.optimizer, no_decay=("bias",))
    )
    model = build_model(recipe, ABC)

    optimizer = build_optimizer(recipe, model.trainable_variables)
    optimizer.build(model.trainable_variables)

    decayed = {variable.path: optimizer._use_weight_decay(variable) for variable in model.trainable_variables}
    assert {path for path, decays in decayed.items() if not decays} == {path for path in decayed if "bias" in path}
    assert all(map(build_optimizer(plain_recipe)._use_weight_decay, model.trainable_variables))
