"""The image backbones that can be chosen by name: networks of `keras.applications` and of keras-cv."""

import dataclasses
import functools
import warnings
from collections.abc import Callable
from pathlib import Path

import keras

from pix2seq_keras.errors import InputError
from pix2seq_keras.layers.keras_backbone import KerasBackbone

SMALLEST_SIDE = 32  # of images in pixels, for all networks of the table


@dataclasses.dataclass(frozen=True)
class NamedBackbone:
    """A network without its classifier.

    Args:
        network: function (include_top, weights, input_shape) -> functional Keras model, as in `keras.applications`.
        scaling: str, see `KerasBackbone`.
        imagenet: bool, whether `network` can download ImageNet weights. Defaults to True.
        multiple: int, the sides of images must be multiples of it. Defaults to 1.
    """

    network: Callable
    scaling: str
    imagenet: bool = True
    multiple: int = 1


def _csp_darknet(channels, depths):
    """A generic backbone of keras-cv; its presets would contact the network even for random weights."""

    def network(include_top, weights, input_shape):
        from pix2seq_keras.keras_cv_adapter import make_csp_darknet  # needs TensorFlow, which layers do not

        return make_csp_darknet(channels, depths)

    # Its first layer puts the four pixels of each 2×2 square into channels.
    return NamedBackbone(network, "unit", imagenet=False, multiple=2)


# Networks with preprocessing layers of their own take pixels, 0…255.
_pixels = functools.partial(NamedBackbone, scaling="pixels")
BACKBONES = {
    "resnet50": NamedBackbone(keras.applications.ResNet50, "caffe"),
    "resnet101": NamedBackbone(keras.applications.ResNet101, "caffe"),
    "efficientnetv2_b0": _pixels(keras.applications.EfficientNetV2B0),
    "efficientnetv2_b1": _pixels(keras.applications.EfficientNetV2B1),
    "efficientnetv2_b2": _pixels(keras.applications.EfficientNetV2B2),
    "efficientnetv2_b3": _pixels(keras.applications.EfficientNetV2B3),
    "efficientnetv2_s": _pixels(keras.applications.EfficientNetV2S),
    "efficientnetv2_m": _pixels(keras.applications.EfficientNetV2M),
    "convnext_tiny": _pixels(keras.applications.ConvNeXtTiny),
    "convnext_small": _pixels(keras.applications.ConvNeXtSmall),
    "convnext_base": _pixels(keras.applications.ConvNeXtBase),
    "mobilenetv3_small": _pixels(keras.applications.MobileNetV3Small),
    "mobilenetv3_large": _pixels(keras.applications.MobileNetV3Large),
    "csp_darknet_tiny": _csp_darknet((48, 96, 192, 384), (1, 3, 3, 1)),
    "csp_darknet_s": _csp_darknet((64, 128, 256, 512), (1, 3, 3, 1)),
    "csp_darknet_m": _csp_darknet((96, 192, 384, 768), (2, 6, 6, 2)),
    "csp_darknet_l": _csp_darknet((128, 256, 512, 1024), (3, 9, 9, 3)),
}


def named_backbone(name, image_size, weights=None, stride=16, freeze=False, batch_norm="train"):
    """A backbone of the table, with the scaling of images that its weights were trained with.

    Args:
        name: str, one of `BACKBONES`: a network of `keras.applications`, or `csp_darknet_…` of keras-cv.
        image_size: (H, W) in pixels, the canvas; at least 32 a side, and even for `csp_darknet_…`.
        weights: `None` for random ones; `"imagenet"` for those of `keras.applications`, which Keras downloads once; or
            the path of a weights file of the same network without its top: `.weights.h5`, or the `.h5` that Keras
            downloads. Defaults to `None`.
        stride: int, see `KerasBackbone`; 4, 8, 16 or 32. Defaults to 16.
        freeze: bool, see `KerasBackbone`. Defaults to False.
        batch_norm: str, see `KerasBackbone`. Defaults to `"train"`.

    Returns:
        `KerasBackbone`.

    Raises:
        InputError: if the name is unknown, the canvas does not fit, or the weights do not exist or do not fit.

    Example:
        >>> named_backbone("convnext_tiny", (640, 640), weights="imagenet", batch_norm="frozen")
    """
    if name not in BACKBONES:
        raise InputError(f"`backbone` must be one of {', '.join(BACKBONES)}. Received: backbone={name!r}.")
    if min(image_size) < SMALLEST_SIDE:
        raise InputError(
            f"`image_size` must be at least {SMALLEST_SIDE}×{SMALLEST_SIDE} pixels for the backbone {name}. "
            f"Received: image_size={tuple(image_size)}."
        )
    record = BACKBONES[name]
    if any(side % record.multiple for side in image_size):
        raise InputError(
            f"`image_size` must be in multiples of {record.multiple} for the backbone {name}. "
            f"Received: image_size={tuple(image_size)}."
        )
    options = {"include_top": False, "input_shape": (*image_size, 3)}
    if weights == "imagenet":
        model = _with_imagenet_weights(name, record, options)
    else:
        model = record.network(weights=None, **options)
        if weights is not None:
            _load_weights(model, name, Path(weights))
    return KerasBackbone(model, stride, freeze, batch_norm, scaling=record.scaling, name="backbone")


def _with_imagenet_weights(name, record, options):
    if not record.imagenet:
        raise InputError(
            "`backbone_weights='imagenet'` requires a network of keras.applications: weights of keras-cv are not "
            f"downloaded. Received: backbone={name!r}. Use None for random weights, or the path of a weights file."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # that the weights were trained at 224 pixels
            return record.network(weights="imagenet", **options)
    except Exception as error:  # what Keras raises without a network connection has no common class
        raise InputError(
            f"The ImageNet weights of {name} could not be downloaded: {error}. Without a network connection give the "
            f"path of a weights file, of keras.applications.{record.network.__name__} with include_top=False."
        ) from error


def _load_weights(model, name, path):
    if not path.is_file():
        raise InputError(f"There is no weights file {path} for the backbone {name}.")
    try:
        model.load_weights(path)
    except (ValueError, OSError, KeyError, TypeError, AttributeError) as error:  # of h5py and Keras, by file
        raise InputError(
            f"The weights in {path} do not fit the backbone {name} without its top, or the file is damaged: {error}"
        ) from error
