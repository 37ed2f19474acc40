"""Networks of `keras.applications` as the image backbone."""

import keras
import numpy as np
import pytest

from pix2seq_keras import InputError, Pix2Seq
from pix2seq_keras.layers import KerasBackbone, applications_backbone
from pix2seq_keras.layers.applications_backbone import APPLICATIONS
from pix2seq_keras.layers.keras_backbone import SCALINGS


def random_images(*size):
    return np.random.default_rng(1).uniform(size=(2, *size, 3)).astype("float32")


@pytest.mark.parametrize("name", APPLICATIONS)
def test_every_named_network_is_scaled_as_its_family_wants(name):
    families = {"resnet": "resnet", "effici": "efficientnet_v2", "convne": "convnext", "mobile": "mobilenet_v3"}
    family = getattr(keras.applications, families[name[:6]])
    images = random_images(4, 4)

    scaled = SCALINGS[APPLICATIONS[name][1]](images)

    expected = family.preprocess_input(images * 255)
    np.testing.assert_allclose(scaled, expected, rtol=1e-5, atol=1e-4)
    assert name.replace("_", "") == APPLICATIONS[name][0].__name__.lower()


@pytest.fixture(scope="session")
def resnet50():
    return applications_backbone("resnet50", (33, 48), batch_norm="frozen")


def test_resnet50_reads_blue_first_images_and_ends_after_its_fourth_stage(resnet50):
    images = random_images(33, 48)

    features = np.asarray(resnet50(images))

    expected = resnet50.model(keras.applications.resnet.preprocess_input(images * 255))
    np.testing.assert_allclose(features, expected, rtol=1e-3, atol=1e-3)
    assert features.shape == (2, 3, 3, 1024) and resnet50.model.layers[-1].name == "conv4_block6_out"
    norms = sum(isinstance(layer, keras.layers.BatchNormalization) for layer in resnet50.model.layers)
    assert len(resnet50.trainable_weights) == len(resnet50.weights) - 4 * norms


@pytest.mark.parametrize(("size", "grid"), [((65, 41), (5, 3)), ((32, 48), (2, 3))])
def test_a_mobilenet_sees_images_of_any_size(size, grid):
    backbone = applications_backbone("mobilenetv3_small", size)

    assert backbone.compute_output_shape((None, *size, 3)) == (None, *grid, 288)
    assert backbone.scaling == "pixels" and isinstance(backbone.model.layers[1], keras.layers.Rescaling)


def test_a_convnext_comes_back_from_its_file(assert_loads_equal, tmp_path, monkeypatch):
    def tiny(weights=None, **options):
        # Layers of its own kind (LayerScale), but not eighteen blocks of 384 channels.
        from keras.src.applications.convnext import ConvNeXt

        return ConvNeXt((1, 1, 1, 1), (4, 4, 8, 8), name="convnext", **options)

    monkeypatch.setitem(APPLICATIONS, "convnext_tiny", (tiny, "pixels"))
    backbone = applications_backbone("convnext_tiny", (33, 48))

    assert backbone.compute_output_shape((None, 33, 48, 3)) == (None, 2, 3, 8)
    assert_loads_equal(keras.Sequential([backbone]), tmp_path / "model.keras", random_images(33, 48))


def little_net(size):
    layers = [keras.layers.Conv2D(width, 3, 2, "same") for width in (4, 6, 8, 10)]
    return keras.Sequential([keras.Input((*size, 3)), *layers, keras.layers.BatchNormalization()])


@pytest.fixture
def little_application(monkeypatch):
    """`mobilenetv3_small` is a little net for once."""

    def network(include_top, weights, input_shape):
        assert weights is None and not include_top
        return little_net(input_shape[:2])

    monkeypatch.setitem(APPLICATIONS, "mobilenetv3_small", (network, "pixels"))


def write_as_downloaded(model, path):
    """Weights in the HDF5 format of the files that Keras downloads."""
    import h5py
    from keras.src.legacy.saving import legacy_h5_format

    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, model)


@pytest.mark.parametrize("name", ["new.weights.h5", "downloaded.h5"])
def test_local_weights_are_loaded_in_both_of_keras_formats(name, little_application, tmp_path):
    source = little_net((64, 64))
    write = source.save_weights if name.startswith("new") else lambda path: write_as_downloaded(source, path)
    write(tmp_path / name)

    backbone = applications_backbone("mobilenetv3_small", (32, 48), weights=tmp_path / name, stride=8)

    expected = KerasBackbone(source, 8, scaling="pixels").get_weights()
    for one, other in zip(backbone.get_weights(), expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_weights_that_are_missing_or_misfit_are_sentences_with_file_and_network(little_application, tmp_path):
    with pytest.raises(InputError, match=r"no weights file .*none\.h5 for the backbone mobilenetv3_small"):
        applications_backbone("mobilenetv3_small", (32, 32), weights=tmp_path / "none.h5")

    x = keras.Input((32, 32, 3))
    other = keras.Model(x, keras.layers.Conv2D(4, 2, 2)(x))
    other.save_weights(tmp_path / "other.weights.h5")
    write_as_downloaded(other, tmp_path / "other.h5")
    (tmp_path / "damaged.h5").write_bytes(b"no weights")
    (tmp_path / "weights.txt").write_bytes(b"no weights")
    for name in ("other.weights.h5", "other.h5", "damaged.h5", "weights.txt"):
        with pytest.raises(InputError, match=f"{name} do not fit the backbone mobilenetv3_small"):
            applications_backbone("mobilenetv3_small", (32, 32), weights=str(tmp_path / name))


@pytest.fixture
def slim_mobilenet(monkeypatch):
    """`mobilenetv3_small` without its gates: the quickest of keras.applications to build."""

    def network(**options):
        return keras.applications.MobileNetV3Small(minimalistic=True, **options)

    network.__name__ = "MobileNetV3Small"
    monkeypatch.setitem(APPLICATIONS, "mobilenetv3_small", (network, "pixels"))
    return network


def test_imagenet_weights_are_fetched_and_a_failure_to_fetch_them_is_a_sentence(slim_mobilenet, tmp_path, monkeypatch):
    web = tmp_path / "web"
    web.mkdir()
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path))
    monkeypatch.setattr("keras.src.applications.mobilenet_v3.BASE_WEIGHT_PATH", web.as_uri() + "/")
    key = "small_minimalistic_224_1.0_float"
    monkeypatch.setitem(keras.src.applications.mobilenet_v3.WEIGHTS_HASHES, key, (None, None))

    with pytest.raises(InputError, match=r"ImageNet weights of mobilenetv3_small cannot be had: .*web") as caught:
        applications_backbone("mobilenetv3_small", (32, 48), weights="imagenet")
    assert "a weights file, of keras.applications.MobileNetV3Small with include_top=False" in str(caught.value)

    source = slim_mobilenet(include_top=False, weights=None, input_shape=(224, 224, 3))
    write_as_downloaded(source, web / f"weights_mobilenet_v3_{key}_no_top_v2.h5")
    backbone = applications_backbone("mobilenetv3_small", (32, 48), weights="imagenet")
    np.testing.assert_array_equal(backbone.model.get_layer("conv").kernel, source.get_layer("conv").kernel)


def test_names_and_canvases_that_do_not_exist_are_sentences():
    with pytest.raises(InputError, match=r"Unknown backbone: use one of resnet50, .*'resnet18'"):
        applications_backbone("resnet18", (64, 64))
    with pytest.raises(InputError, match=r"at least 32×32 .*\(64, 31\)"):
        applications_backbone("resnet50", (64, 31))


def test_a_pix2seq_with_keras_applications_trains_and_comes_back(
    slim_mobilenet, train_in_pix2seq, assert_loads_equal, tmp_path
):
    backbone = applications_backbone("mobilenetv3_small", (33, 48), stride=8)
    before = [np.array(weight) for weight in backbone.weights]

    model, inputs = train_in_pix2seq(backbone, random_images(33, 48))

    assert model.encoder.grid == (5, 6) and len(before) > 20
    for old, weight in zip(before, backbone.weights, strict=True):
        assert (np.array(weight) != old).any(), weight.path
    assert_loads_equal(model, tmp_path / "model.keras", inputs)
    copy = Pix2Seq.from_config(model.get_config())
    copy.set_weights(model.get_weights())
    np.testing.assert_allclose(copy(inputs), model(inputs), atol=1e-5)
