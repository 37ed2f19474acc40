"""Box formats, clipping and a generic backbone by keras-cv: the only module that imports it.

keras-cv is frozen upstream. Its box formats, its clipping and its generic backbones are right and used here. Its
geometry layers and its COCO metrics are not: they scale relative to the wrong size, round boxes under bfloat16 and
leave out images without detections, so transforms and evaluation are this library's own. keras-cv is imported at its
first use, because importing it takes about a second.
"""

import functools
import warnings

import tensorflow as tf

from pix2seq_keras.errors import InputError

FORMATS = ("xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw", "rel_xyxy", "rel_yxyx", "rel_xywh")


def convert_boxes(boxes, source, target, image_shape=None, dtype="float32"):
    """Converts boxes between formats. Nothing is clipped.

    Args:
        boxes: float array or tensor (n, 4) or (B, n, 4).
        source: str, their format, one of `FORMATS`. Formats with `rel_` are relative to the image, the others are in
            pixels; `xywh` (COCO's) has the top left corner first, `center_…` the centre.
        target: str, the format to convert to, one of `FORMATS`.
        image_shape: pair (height, width) or triple (height, width, channels) in pixels, of int or an int tensor.
            Needed if one format is relative and the other is in pixels. Defaults to None.
        dtype: str, the type to compute in and to return, `"float32"` or `"float64"`. Defaults to `"float32"`. COCO's
            evaluation needs `"float64"`.

    Returns:
        Tensor of the shape of `boxes` and the type `dtype`.

    Raises:
        InputError: if a format is unknown, or the conversion needs an `image_shape` and has none.

    Example:
        >>> convert_boxes([[8.0, 6.0, 16.0, 12.0]], "xywh", "rel_yxyx", image_shape=(48, 64)).numpy()
        array([[0.125, 0.125, 0.375, 0.375]], dtype=float32)
    """
    shape = _shape_for(source, target, image_shape)
    return _keras_cv().bounding_box.convert_format(
        tf.cast(boxes, dtype), source=source, target=target, image_shape=shape, dtype=dtype
    )


def clip_boxes(boxes, classes, box_format="rel_yxyx", image_shape=None):
    """Clips boxes to the image; a box of which nothing is left becomes padding.

    Args:
        boxes: float array or tensor (n, 4) or (B, n, 4).
        classes: int array or tensor (n,) or (B, n).
        box_format: str, the format of the boxes, one of `FORMATS`. Defaults to `"rel_yxyx"`.
        image_shape: as in `convert_boxes`; needed if the format is in pixels.

    Returns:
        `(boxes, classes)` of the same shapes, float32 and int32. Boxes without area or with NaN have class −1 and all
        coordinates −1.

    Raises:
        InputError: if the format is unknown, or it is in pixels and there is no `image_shape`.

    Example:
        >>> boxes, classes = clip_boxes([[-0.5, 0.25, 0.5, 1.5]], [7])
        >>> boxes.numpy(), classes.numpy()
        (array([[0.  , 0.25, 0.5 , 1.  ]], dtype=float32), array([7], dtype=int32))
    """
    shape = _shape_for(box_format, "rel_xyxy", image_shape)
    objects = {"boxes": tf.cast(boxes, tf.float32), "classes": tf.cast(classes, tf.int32)}
    clipped = _keras_cv().bounding_box.clip_to_image(objects, bounding_box_format=box_format, image_shape=shape)
    return clipped["boxes"], clipped["classes"]


def make_csp_darknet(channels, depths):
    """A CSPDarkNet with random weights, for images of any size (Bochkovskiy et al. 2020; Ge et al. 2021, YOLOX).

    Args:
        channels: sequence of ints, the channels at stride 4, 8, 16 and 32.
        depths: sequence of ints, the blocks at each of these strides.

    Returns:
        Functional Keras model: float images (B, H, W, 3) in [0, 1] -> features (B, ⌈H/32⌉, ⌈W/32⌉, channels[-1]).

    Example:
        >>> make_csp_darknet((48, 96, 192, 384), (1, 3, 3, 1)).count_params()
        2380416
    """
    network = _keras_cv().models.CSPDarkNetBackbone
    return network(stackwise_channels=list(channels), stackwise_depth=list(depths), include_rescaling=False)


@functools.cache
def _keras_cv():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tqdm's, which it imports, in notebooks without widgets
        import keras_cv
    return keras_cv


def _shape_for(source, target, image_shape):
    """Checks the formats and gives the image's shape the three entries that keras-cv needs."""
    for name in (source, target):
        if name not in FORMATS:
            raise InputError(f"A box format must be one of {', '.join(FORMATS)}. Received: {name!r}.")
    if image_shape is None:
        if source.startswith("rel_") != target.startswith("rel_"):
            raise InputError(
                f"`image_shape` is required to convert boxes from {source!r} to {target!r}. Received: "
                "image_shape=None. Pass (height, width) in pixels."
            )
        return None
    return (image_shape[0], image_shape[1], 3)
