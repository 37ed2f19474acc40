"""Any Keras model as the image backbone."""

import keras
import numpy as np
import pytest

from pix2seq_keras import InputError, Pix2Seq
from pix2seq_keras.layers import KerasBackbone


def small_net(size=(None, None), dropout=0.0):
    """A network with stages of widths 4, 6, 8, 10 at strides 2, 4, 8, 16, and a classifier.

    Every stage is a gated residual block as in torchvision, with the stride in the second convolution of the branch:
    tensors of a stage's size also lie inside the next block.
    """
    layers = keras.layers
    x = images = keras.Input((*size, 3))
    for width in (4, 6, 8, 10):
        short = layers.Conv2D(width, 1, 2, name=f"short_{width}")(x)
        branch = layers.BatchNormalization(name=f"inner_norm_{width}")(layers.Conv2D(7, 1, name=f"inner_{width}")(x))
        branch = layers.Conv2D(width, 3, 2, padding="same", name=f"outer_{width}")(layers.ReLU()(branch))
        gate = layers.Conv2D(width, 1, activation="sigmoid", name=f"gate_{width}")(
            layers.GlobalAveragePooling2D(keepdims=True)(branch)
        )
        x = layers.Add(name=f"end_{width}")([short, layers.Multiply()([branch, gate])])
    x = layers.Dropout(dropout)(layers.ReLU(name="top")(x))
    logits = layers.Dense(5, name="logits")(layers.GlobalAveragePooling2D()(x))
    return keras.Model(images, logits, name="small_net")


def weights_after_fit(backbone, size=(32, 48)):
    """The backbone's weights before and after a step of `fit`, by path."""
    model = keras.Sequential(
        [keras.Input((*size, 3)), backbone, keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(1)]
    )
    model.compile(keras.optimizers.SGD(0.1), "mse", run_eagerly=True)  # one step: tracing takes longer
    before = {weight.path: np.array(weight) for weight in backbone.weights}
    images = np.random.default_rng(0).uniform(size=(4, *size, 3)).astype("float32")
    model.fit(images, 10 * np.ones((4, 1)), batch_size=4, verbose=0)
    return before, {weight.path: np.array(weight) for weight in backbone.weights}


def changed(before, after):
    return {path for path in before if not np.array_equal(before[path], after[path])}


def of_norms(weights):
    return {path for path in weights if "norm" in path}


def statistics(weights):
    return {path for path in weights if "moving" in path}


def random_images(*size):
    return np.random.default_rng(1).uniform(size=(2, *size, 3)).astype("float32")


# === The level ===


def test_the_layer_satisfies_the_layer_contract(check_layer):
    assert check_layer(KerasBackbone(small_net(), 4, scaling="torch"), random_images(16, 24)).shape == (2, 4, 6, 6)


@pytest.mark.parametrize("made_for", [(None, None), (64, 48)])
@pytest.mark.parametrize(("stride", "end"), [(2, "end_4"), (4, "end_6"), (8, "end_8")])
def test_the_features_are_the_end_of_a_stage_not_the_inside_of_the_next_branch(made_for, stride, end):
    net = small_net(made_for)
    images = random_images(64, 48)
    expected = keras.Model(net.input, net.get_layer(end).output)(images)

    features = KerasBackbone(net, stride, scaling="unit")(images)

    np.testing.assert_array_equal(features, expected)


def test_the_last_layers_before_the_head_belong_to_the_last_level():
    backbone = KerasBackbone(small_net(), 16, scaling="unit")

    assert backbone.model.get_layer("top") in backbone.model.layers
    assert backbone.compute_output_shape((None, 64, 64, 3)) == (None, 4, 4, 10)


def test_an_output_of_the_model_is_used_as_a_level_wherever_it_is():
    x = keras.Input((32, 32, 3))
    deep = keras.layers.Conv2D(4, 4, 4)(x)
    pyramid = keras.layers.Conv2D(5, 1)(keras.layers.UpSampling2D(2)(deep))
    both = keras.layers.Concatenate()([keras.layers.Conv2D(3, 2, 2)(x), pyramid])
    model = keras.Model(x, [keras.layers.Conv2D(6, 1)(both), pyramid, deep])

    assert KerasBackbone(model, 4, scaling="unit")(random_images(32, 32)).shape == (2, 8, 8, 4)
    assert KerasBackbone(model, 2, scaling="unit")(random_images(32, 32)).shape == (2, 16, 16, 6)


@pytest.mark.parametrize("size", [(40, 40), (33, 41), (64, 48)])
def test_the_next_level_is_not_mistaken_for_this_one_on_small_canvases(size):
    # 40 → 20 → 10 → 5 → 3 (stride 16) → 2 (stride 32), and 40 // 16 = 2
    x = images = keras.Input((*size, 3))
    for width in (2, 3, 4, 5, 6):
        x = keras.layers.Conv2D(width, 3, 2, padding="same")(x)

    backbone = KerasBackbone(keras.Model(images, x), 16, scaling="unit")

    assert backbone(random_images(*size)).shape == (2, -(-size[0] // 16), -(-size[1] // 16), 5)


def test_a_model_that_rounds_down_has_levels_too():
    x = keras.Input((45, 37, 3))
    model = keras.Model(x, keras.layers.Conv2D(3, 2, 2)(keras.layers.Conv2D(2, 4, 4)(x)))

    assert KerasBackbone(model, 4, scaling="unit").compute_output_shape((None, 45, 37, 3)) == (None, 11, 9, 2)
    assert KerasBackbone(model, 8, scaling="unit").compute_output_shape((None, 45, 37, 3)) == (None, 5, 4, 3)


def test_a_sequential_model_is_a_backbone(assert_loads_equal, tmp_path):
    net = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(4, 2, 2), keras.layers.Conv2D(5, 2, 2)])
    backbone = KerasBackbone(net, 2, scaling="unit")

    loaded = assert_loads_equal(keras.Sequential([backbone]), tmp_path / "model.keras", random_images(8, 8))

    assert loaded.layers[0].model.output_shape[-1] == 4


def test_a_stride_the_model_does_not_have_is_refused_with_those_it_has():
    with pytest.raises(InputError, match=r"one that small_net has for images of 64×48 pixels.*stride=32") as caught:
        KerasBackbone(small_net((64, 48)), 32, scaling="unit")
    assert "2 (32×24), 4 (16×12), 8 (8×6), 16 (4×3)" in str(caught.value)


def test_images_of_another_size_than_the_model_takes_are_refused(tiny_vocabulary):
    backbone = KerasBackbone(small_net((64, 48)), 8, scaling="unit")
    with pytest.raises(InputError, match=r"`image_size` must be .*\(None, 64, 48, 3\).*32, 32"):
        Pix2Seq(tiny_vocabulary, (32, 32), backbone)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"batch_norm": "off"}, "`batch_norm` must be one of train, frozen. Received: batch_norm='off'"),
        ({"scaling": "imagenet"}, "`scaling` must be one of unit, pixels.*'imagenet'"),
        ({"stride": 0}, "stride=0"),
        ({"stride": 2.5}, "stride=2.5"),
        ({"model": keras.layers.Conv2D(2, 1)}, "functional Keras model .* Received: Conv2D"),
    ],
)
def test_options_that_cannot_be_used_are_refused(options, message):
    options = {"model": small_net(), "stride": 4, "scaling": "unit", **options}
    with pytest.raises(InputError, match=message):
        KerasBackbone(**options)


# === What trains ===


def test_every_weight_that_remains_trains_and_statistics_move():
    before, after = weights_after_fit(KerasBackbone(small_net(), 8, scaling="unit"))

    assert changed(before, after) == set(before)
    assert len(statistics(before)) == 6
    assert not any("_10" in path or "logits" in path for path in before)  # of later levels


def test_a_frozen_batch_norm_keeps_statistics_gamma_and_beta_while_the_rest_trains():
    backbone = KerasBackbone(small_net(), 8, batch_norm="frozen", scaling="unit")

    before, after = weights_after_fit(backbone)

    assert len(of_norms(before)) == 3 * 4
    assert changed(before, after) == set(before) - of_norms(before)
    np.testing.assert_array_equal(backbone(random_images(32, 48), training=True), backbone(random_images(32, 48)))


def test_a_frozen_backbone_keeps_every_weight():
    backbone = KerasBackbone(small_net(), 8, freeze=True, scaling="unit")

    before, after = weights_after_fit(backbone)

    assert changed(before, after) == set()
    assert backbone.trainable_weights == [] and len(backbone.weights) == len(before) > 20


@pytest.mark.parametrize("options", [{"freeze": True}, {"batch_norm": "frozen"}, {}], ids=str)
def test_what_is_frozen_stays_so_when_the_whole_model_is_made_trainable(options):
    backbone = KerasBackbone(small_net(), 8, scaling="unit", **options)
    model = keras.Sequential([keras.Input((32, 48, 3)), backbone])
    expected = [weight.path for weight in backbone.trainable_weights]

    model.trainable = False
    assert backbone.trainable_weights == []
    model.trainable = True

    assert [weight.path for weight in backbone.trainable_weights] == expected


def test_a_frozen_backbone_runs_in_inference_mode_dropout_too():
    net = small_net(dropout=0.5)
    images = random_images(32, 32)
    assert not np.array_equal(net(images, training=True), net(images))

    backbone = KerasBackbone(net, 16, freeze=True, scaling="unit")

    np.testing.assert_array_equal(backbone(images, training=True), backbone(images, training=False))


@pytest.mark.parametrize("options", [{"freeze": True}, {"batch_norm": "frozen"}], ids=str)
def test_a_loaded_backbone_is_as_frozen_as_it_was(options, assert_loads_equal, tmp_path):
    backbone = KerasBackbone(small_net(), 8, scaling="unit", **options)
    loaded = assert_loads_equal(keras.Sequential([backbone]), tmp_path / "model.keras", random_images(32, 48)).layers[0]

    before, after = weights_after_fit(loaded)

    assert len(loaded.trainable_weights) == len(backbone.trainable_weights)
    assert not changed(before, after) & of_norms(before)


# === The inputs of the model ===


@pytest.mark.parametrize(
    ("scaling", "mode"), [("caffe", "caffe"), ("tf", "tf"), ("torch", "torch"), ("pixels", None), ("unit", None)]
)
def test_images_are_scaled_as_keras_applications_scales_them(scaling, mode):
    x = keras.Input((None, None, 3))
    backbone = KerasBackbone(keras.Model(x, keras.layers.Identity()(x)), 1, scaling=scaling)
    images = random_images(8, 12)

    scaled = backbone(images)

    expected = images if scaling == "unit" else images * 255
    if mode:
        expected = keras.applications.imagenet_utils.preprocess_input(expected.copy(), mode=mode)
    np.testing.assert_allclose(scaled, expected, rtol=1e-5, atol=1e-4)


def test_scaling_is_exact_under_mixed_precision():
    x = keras.Input((None, None, 3))
    model = keras.Model(x, keras.layers.Identity()(x))
    images = random_images(8, 12)

    scaled = KerasBackbone(model, 1, scaling="caffe", dtype="mixed_bfloat16")(images)

    expected = np.asarray(keras.ops.cast(keras.applications.resnet.preprocess_input(images * 255), "bfloat16"))
    np.testing.assert_array_equal(np.asarray(scaled, "float32"), np.asarray(expected, "float32"))


# === keras-cv, and in the model ===


KERAS_CV = {
    "ResNetBackbone": {
        "stackwise_filters": [8, 16], "stackwise_blocks": [1, 1], "stackwise_strides": [1, 2],
    },
    "ResNetV2Backbone": {
        "stackwise_filters": [8, 16], "stackwise_blocks": [2, 2], "stackwise_strides": [1, 2],
    },
    # It has Lambda layers, which cannot be restored from a file one by one.
    "CSPDarkNetBackbone": {"stackwise_channels": [8, 16], "stackwise_depth": [1, 1]},
    "EfficientNetV2Backbone": {
        "stackwise_kernel_sizes": [3, 3, 3], "stackwise_num_repeats": [1, 1, 1], "stackwise_input_filters": [8, 8, 8],
        "stackwise_output_filters": [8, 8, 16], "stackwise_expansion_ratios": [1, 4, 4], "stackwise_strides": [1, 2, 2],
        "stackwise_squeeze_and_excite_ratios": [0, 0, 0.25], "stackwise_conv_types": ["fused", "fused", "unfused"],
        "skip_connection_dropout": 0.0, "width_coefficient": 0.1, "depth_coefficient": 1.0,
    },
    "ViTDetBackbone": {
        "input_shape": (32, 32, 3), "patch_size": 8, "embed_dim": 16, "depth": 2, "mlp_dim": 32, "num_heads": 2,
        "out_chans": 8, "window_size": 2, "global_attention_indices": [1],
    },
}  # fmt: skip


@pytest.fixture(scope="session")
def keras_cv_models():
    return pytest.importorskip("keras_cv").models


@pytest.mark.parametrize("name", KERAS_CV)
def test_a_backbone_of_keras_cv_is_restored_from_a_file(
    name, keras_cv_models, assert_loads_equal, tmp_path, monkeypatch
):
    backbone = KerasBackbone(
        getattr(keras_cv_models, name)(include_rescaling=False, **KERAS_CV[name]), 8, scaling="unit"
    )
    registered = keras.saving.get_custom_objects()
    for key in [key for key in registered if key.startswith("keras_cv")]:
        monkeypatch.delitem(registered, key)  # as in a process that has not imported keras-cv

    model = keras.Sequential([keras.Input((32, 32, 3)), backbone])
    loaded = assert_loads_equal(model, tmp_path / "model.keras", random_images(32, 32))

    assert loaded.output_shape[1:3] == (4, 4)


def test_a_keras_cv_backbone_with_rescaling_takes_pixels(keras_cv_models):
    images = random_images(32, 32)
    build = lambda rescaling: keras_cv_models.ResNetBackbone(include_rescaling=rescaling, **KERAS_CV["ResNetBackbone"])
    one, other = KerasBackbone(build(False), 8, scaling="unit"), KerasBackbone(build(True), 8, scaling="pixels")
    other.set_weights(one.get_weights())

    np.testing.assert_allclose(one(images), other(images), rtol=1e-4, atol=1e-5)


def test_a_pix2seq_with_a_backbone_of_keras_cv_trains_and_is_restored(
    keras_cv_models, train_in_pix2seq, assert_loads_equal, tmp_path
):
    resnet = keras_cv_models.ResNetBackbone(include_rescaling=False, **KERAS_CV["ResNetBackbone"])
    backbone = KerasBackbone(resnet, 8, batch_norm="frozen", scaling="unit")
    before = {weight.path: np.array(weight) for weight in backbone.weights}

    model, inputs = train_in_pix2seq(backbone, random_images(32, 48))

    after = {weight.path: np.array(weight) for weight in backbone.weights}
    norms = {path for path in before if "_bn" in path}
    assert norms and changed(before, after) == set(before) - norms
    assert_loads_equal(model, tmp_path / "model.keras", inputs)
