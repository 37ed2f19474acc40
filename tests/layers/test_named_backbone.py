"""Networks of `keras.applications` and of keras-cv as the image backbone, by name."""

import keras
import numpy as np
import pytest

from pix2seq_keras import InputError, Pix2Seq
from pix2seq_keras.layers import KerasBackbone, named_backbone
from pix2seq_keras.layers.keras_backbone import SCALINGS
from pix2seq_keras.layers.named_backbone import BACKBONES, NamedBackbone


def random_images(*size):
    return np.random.default_rng(1).uniform(size=(2, *size, 3)).astype("float32")


OF_KERAS_CV = [name for name in BACKBONES if name.startswith("csp_darknet")]


@pytest.mark.parametrize("name", [name for name in BACKBONES if name not in OF_KERAS_CV])
def test_images_are_scaled_as_the_family_of_the_network_requires(name):
    families = {"resnet": "resnet", "effici": "efficientnet_v2", "convne": "convnext", "mobile": "mobilenet_v3"}
    family = getattr(keras.applications, families[name[:6]])
    images = random_images(4, 4)

    scaled = SCALINGS[BACKBONES[name].scaling](images)

    expected = family.preprocess_input(images * 255)
    np.testing.assert_allclose(scaled, expected, rtol=1e-5, atol=1e-4)
    assert name.replace("_", "") == BACKBONES[name].network.__name__.lower()


@pytest.fixture(scope="session")
def resnet50():
    return named_backbone("resnet50", (33, 48), batch_norm="frozen")


def test_resnet50_takes_bgr_images_and_ends_after_its_fourth_stage(resnet50):
    images = random_images(33, 48)

    features = np.asarray(resnet50(images))

    expected = resnet50.model(keras.applications.resnet.preprocess_input(images * 255))
    np.testing.assert_allclose(features, expected, rtol=1e-3, atol=1e-3)
    assert features.shape == (2, 3, 3, 1024) and resnet50.model.layers[-1].name == "conv4_block6_out"
    norms = sum(isinstance(layer, keras.layers.BatchNormalization) for layer in resnet50.model.layers)
    assert len(resnet50.trainable_weights) == len(resnet50.weights) - 4 * norms


@pytest.mark.parametrize(("size", "grid"), [((65, 41), (5, 3)), ((32, 48), (2, 3))])
def test_a_mobilenet_takes_images_of_any_size(size, grid):
    backbone = named_backbone("mobilenetv3_small", size)

    assert backbone.compute_output_shape((None, *size, 3)) == (None, *grid, 288)
    assert backbone.scaling == "pixels" and isinstance(backbone.model.layers[1], keras.layers.Rescaling)


def test_a_convnext_is_restored_from_a_file(assert_loads_equal, tmp_path, monkeypatch):
    def tiny(weights=None, **options):
        # Layers of its own kind (LayerScale), but not eighteen blocks of 384 channels.
        from keras.src.applications.convnext import ConvNeXt

        return ConvNeXt((1, 1, 1, 1), (4, 4, 8, 8), name="convnext", **options)

    monkeypatch.setitem(BACKBONES, "convnext_tiny", NamedBackbone(tiny, "pixels"))
    backbone = named_backbone("convnext_tiny", (33, 48))

    assert backbone.compute_output_shape((None, 33, 48, 3)) == (None, 2, 3, 8)
    assert_loads_equal(keras.Sequential([backbone]), tmp_path / "model.keras", random_images(33, 48))


def small_net(size):
    layers = [keras.layers.Conv2D(width, 3, 2, "same") for width in (4, 6, 8, 10)]
    return keras.Sequential([keras.Input((*size, 3)), *layers, keras.layers.BatchNormalization()])


@pytest.fixture
def small_application(monkeypatch):
    """A small network under the name `mobilenetv3_small`."""

    def network(include_top, weights, input_shape):
        assert weights is None and not include_top
        return small_net(input_shape[:2])

    monkeypatch.setitem(BACKBONES, "mobilenetv3_small", NamedBackbone(network, "pixels"))


def write_as_downloaded(model, path):
    """Weights in the HDF5 format of the files that Keras downloads."""
    import h5py
    from keras.src.legacy.saving import legacy_h5_format

    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, model)


@pytest.mark.parametrize("name", ["new.weights.h5", "downloaded.h5"])
def test_local_weights_load_in_both_formats_of_keras(name, small_application, tmp_path):
    source = small_net((64, 64))
    write = source.save_weights if name.startswith("new") else lambda path: write_as_downloaded(source, path)
    write(tmp_path / name)

    backbone = named_backbone("mobilenetv3_small", (32, 48), weights=tmp_path / name, stride=8)

    expected = KerasBackbone(source, 8, scaling="pixels").get_weights()
    for one, other in zip(backbone.get_weights(), expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_weights_that_are_missing_or_do_not_fit_are_refused_with_file_and_network(small_application, tmp_path):
    with pytest.raises(InputError, match=r"no weights file .*none\.h5 for the backbone mobilenetv3_small"):
        named_backbone("mobilenetv3_small", (32, 32), weights=tmp_path / "none.h5")

    x = keras.Input((32, 32, 3))
    other = keras.Model(x, keras.layers.Conv2D(4, 2, 2)(x))
    other.save_weights(tmp_path / "other.weights.h5")
    write_as_downloaded(other, tmp_path / "other.h5")
    (tmp_path / "damaged.h5").write_bytes(b"no weights")
    (tmp_path / "weights.txt").write_bytes(b"no weights")
    for name in ("other.weights.h5", "other.h5", "damaged.h5", "weights.txt"):
        with pytest.raises(InputError, match=f"{name} do not fit the backbone mobilenetv3_small"):
            named_backbone("mobilenetv3_small", (32, 32), weights=str(tmp_path / name))


@pytest.fixture
def slim_mobilenet(monkeypatch):
    """`mobilenetv3_small` without its gates: no network of keras.applications is built faster."""

    def network(**options):
        return keras.applications.MobileNetV3Small(minimalistic=True, **options)

    network.__name__ = "MobileNetV3Small"
    monkeypatch.setitem(BACKBONES, "mobilenetv3_small", NamedBackbone(network, "pixels"))
    return network


def test_imagenet_weights_are_downloaded_and_a_failed_download_is_refused(slim_mobilenet, tmp_path, monkeypatch):
    web = tmp_path / "web"
    web.mkdir()
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path))
    monkeypatch.setattr("keras.src.applications.mobilenet_v3.BASE_WEIGHT_PATH", web.as_uri() + "/")
    key = "small_minimalistic_224_1.0_float"
    monkeypatch.setitem(keras.src.applications.mobilenet_v3.WEIGHTS_HASHES, key, (None, None))

    with pytest.raises(
        InputError, match=r"ImageNet weights of mobilenetv3_small could not be downloaded: .*web"
    ) as caught:
        named_backbone("mobilenetv3_small", (32, 48), weights="imagenet")
    assert "a weights file, of keras.applications.MobileNetV3Small with include_top=False" in str(caught.value)

    source = slim_mobilenet(include_top=False, weights=None, input_shape=(224, 224, 3))
    write_as_downloaded(source, web / f"weights_mobilenet_v3_{key}_no_top_v2.h5")
    backbone = named_backbone("mobilenetv3_small", (32, 48), weights="imagenet")
    np.testing.assert_array_equal(backbone.model.get_layer("conv").kernel, source.get_layer("conv").kernel)


def test_unknown_names_and_canvases_that_do_not_fit_are_refused():
    with pytest.raises(
        InputError, match=r"`backbone` must be one of resnet50, .*csp_darknet_tiny.*backbone='resnet18'"
    ):
        named_backbone("resnet18", (64, 64))
    with pytest.raises(InputError, match=r"at least 32×32 .*\(64, 31\)"):
        named_backbone("resnet50", (64, 31))
    with pytest.raises(InputError, match=r"multiples of 2 .*\(64, 33\)"):
        named_backbone("csp_darknet_tiny", (64, 33))


def test_a_pix2seq_with_a_network_of_keras_applications_trains_and_is_restored(
    slim_mobilenet, train_in_pix2seq, assert_loads_equal, tmp_path
):
    backbone = named_backbone("mobilenetv3_small", (33, 48), stride=8)
    before = [np.array(weight) for weight in backbone.weights]

    model, inputs = train_in_pix2seq(backbone, random_images(33, 48))

    assert model.encoder.grid == (5, 6) and len(before) > 20
    for old, weight in zip(before, backbone.weights, strict=True):
        assert (np.array(weight) != old).any(), weight.path
    assert_loads_equal(model, tmp_path / "model.keras", inputs)
    copy = Pix2Seq.from_config(model.get_config())
    copy.set_weights(model.get_weights())
    np.testing.assert_allclose(copy(inputs), model(inputs), atol=1e-5)


# === keras-cv ===


@pytest.mark.parametrize(
    ("name", "num_weights"),
    [("csp_darknet_tiny", 2_380_416), ("csp_darknet_s", 4_223_488), ("csp_darknet_m", 12_374_400)],
)
def test_a_csp_darknet_has_the_size_that_keras_cv_documents(name, num_weights):
    assert BACKBONES[name].network(False, None, None).count_params() == num_weights


@pytest.mark.parametrize(("stride", "grid"), [(8, (5, 6)), (16, (3, 3)), (32, (2, 2))])
def test_a_csp_darknet_has_features_at_its_strides(stride, grid):
    backbone = named_backbone("csp_darknet_tiny", (34, 46), stride=stride)

    assert backbone(random_images(34, 46)).shape == (2, *grid, 12 * stride)
    assert backbone.scaling == "unit"


@pytest.mark.usefixtures("eagerly")
def test_a_pix2seq_with_a_csp_darknet_trains_and_is_restored_and_takes_local_weights(
    train_in_pix2seq, assert_loads_equal, tmp_path
):
    source = BACKBONES["csp_darknet_tiny"].network(False, None, None)
    source.save_weights(tmp_path / "csp.weights.h5")
    backbone = named_backbone("csp_darknet_tiny", (32, 48), weights=tmp_path / "csp.weights.h5", batch_norm="frozen")
    kernel = np.array(source.get_layer("dark4_csp").weights[0])
    own = backbone.model.get_layer("dark4_csp").weights[0]
    np.testing.assert_array_equal(own, kernel)

    model, inputs = train_in_pix2seq(backbone, random_images(32, 48))

    assert model.encoder.grid == (2, 3) and (np.array(own) != kernel).any()
    assert_loads_equal(model, tmp_path / "model.keras", inputs)


def test_imagenet_weights_of_keras_cv_are_refused():
    with pytest.raises(InputError, match=r"requires a network of keras\.applications.*backbone='csp_darknet_tiny'"):
        named_backbone("csp_darknet_tiny", (32, 32), weights="imagenet")
