"""A network of `keras.applications` as the image backbone, by name."""

import warnings
from pathlib import Path

import keras

from pix2seq_keras.errors import InputError
from pix2seq_keras.layers.keras_backbone import KerasBackbone

# Those with their own preprocessing inside read 0…255.
APPLICATIONS = {
    "resnet50": (keras.applications.ResNet50, "caffe"),
    "resnet101": (keras.applications.ResNet101, "caffe"),
    "efficientnetv2_b0": (keras.applications.EfficientNetV2B0, "pixels"),
    "efficientnetv2_b1": (keras.applications.EfficientNetV2B1, "pixels"),
    "efficientnetv2_b2": (keras.applications.EfficientNetV2B2, "pixels"),
    "efficientnetv2_b3": (keras.applications.EfficientNetV2B3, "pixels"),
    "efficientnetv2_s": (keras.applications.EfficientNetV2S, "pixels"),
    "efficientnetv2_m": (keras.applications.EfficientNetV2M, "pixels"),
    "convnext_tiny": (keras.applications.ConvNeXtTiny, "pixels"),
    "convnext_small": (keras.applications.ConvNeXtSmall, "pixels"),
    "convnext_base": (keras.applications.ConvNeXtBase, "pixels"),
    "mobilenetv3_small": (keras.applications.MobileNetV3Small, "pixels"),
    "mobilenetv3_large": (keras.applications.MobileNetV3Large, "pixels"),
}
SMALLEST_SIDE = 32  # of images, in all of keras.applications


def applications_backbone(name, image_size, weights=None, stride=16, freeze=False, batch_norm="train"):
    """A backbone of `keras.applications`, with the scaling it was trained with.

    Args:
        name: str, one of `APPLICATIONS`.
        image_size: (H, W), the canvas; at least 32 a side.
        weights: `None` random ones; `"imagenet"` those that Keras downloads, once; or the path of a weights file of
            the same network made with `include_top=False`: `.weights.h5`, or the `.h5` that Keras downloads.
        stride: int, see `KerasBackbone`; 4, 8, 16 or 32.
        freeze: bool, see `KerasBackbone`.
        batch_norm: `"train"` or `"frozen"`, see `KerasBackbone`.

    Returns:
        `KerasBackbone`.

    Raises:
        InputError: if the name is unknown, the canvas too small, or the weights cannot be had or do not fit.

    Example:
        >>> applications_backbone("convnext_tiny", (640, 640), weights="imagenet", batch_norm="frozen")
    """
    if name not in APPLICATIONS:
        raise InputError(f"Unknown backbone: use one of {', '.join(APPLICATIONS)}. Received: {name!r}")
    if min(image_size) < SMALLEST_SIDE:
        raise InputError(
            f"{name} needs images of at least {SMALLEST_SIDE}×{SMALLEST_SIDE} pixels. Received: "
            f"image_size={tuple(image_size)}"
        )
    network, scaling = APPLICATIONS[name]
    options = {"include_top": False, "input_shape": (*image_size, 3)}
    if weights == "imagenet":
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # that they were trained at 224 pixels
                model = network(weights="imagenet", **options)
        except Exception as error:  # what Keras raises without a network has no class of its own
            raise InputError(
                f"The ImageNet weights of {name} cannot be had: {error}. Without a network give the path of a "
                f"weights file, of keras.applications.{network.__name__} with include_top=False."
            ) from error
    else:
        model = network(weights=None, **options)
        if weights is not None:
            _load_weights(model, name, Path(weights))
    return KerasBackbone(model, stride, freeze, batch_norm, scaling=scaling, name="backbone")


def _load_weights(model, name, path):
    if not path.is_file():
        raise InputError(f"There is no weights file {path} for the backbone {name}.")
    try:
        model.load_weights(path)
    except (ValueError, OSError, KeyError, TypeError, AttributeError) as error:  # h5py's and Keras's, file by file
        raise InputError(
            f"The weights in {path} do not fit the backbone {name} without its top, or the file is damaged: {error}"
        ) from error
