"""The order in which a training image is augmented."""

import tensorflow as tf

from pix2seq_keras.data import transforms
from pix2seq_keras.data.transforms.filter import OBJECT_KEYS
from pix2seq_keras.data.transforms.flip import random_event
from pix2seq_keras.errors import InputError
from pix2seq_keras.sequences.randomness import fold


def augment(example, canvas, augmentation, seed, other=None):
    """Augments one training image with its objects; the result is not padded yet.

    The order: rotation, transpose → scale → crop → horizontal and vertical flip → colour → mosaic with three other
    images augmented in the same way → erase → drop crowds and boxes without area. With the default fields this is the
    published order. Each step derives its own random stream from the seed, so enabling one step changes no other.

    Args:
        example: dict of a source: "image" uint8 (h, w, 3), "boxes" float32 (n, 4), `rel_yxyx`, "classes" int32 (n,),
            and any of "is_crowd" bool (n,), "area" float32 (n,).
        canvas: pair of int (H, W), in pixels.
        augmentation: `Augmentation`.
        seed: int tensor (2,), decides everything random.
        other: function of a seed (2,) that returns the example of another random image, with the same keys. The
            mosaic requires it; it is called only where a mosaic is made. Defaults to None.

    Returns:
        A dict with the keys of `example`: "image" float32 (h′, w′, 3) in [0, 1] with h′ ≤ H and w′ ≤ W, and the
        m objects that remain, "boxes" `rel_yxyx` of this image.

    Raises:
        InputError: if the augmentation makes mosaics and there is no `other`.

    Example:
        >>> example = augment(example, (640, 640), Augmentation(color=0.5), seed=(0, 1))
    """
    example = {key: example[key] for key in ("image", *OBJECT_KEYS) if key in example}
    if augmentation.mosaic:
        if other is None:
            raise InputError(
                f"`mosaic` requires other images. Received: mosaic={augmentation.mosaic}, other=None. Pass a function "
                "from a seed to an example."
            )
        example = _maybe_mosaic(example, canvas, augmentation, seed, other)
    else:
        example = _augment_alone(example, canvas, augmentation, seed)
    if augmentation.erase:
        image, boxes = transforms.random_erase(
            example["image"],
            example["boxes"],
            probability=augmentation.erase,
            count=augmentation.erase_count,
            max_area=augmentation.erase_max_area,
            min_visible=augmentation.erase_min_visible,
            seed=fold(seed, "erase"),
        )
        example = {**example, "image": image, "boxes": boxes}
    return transforms.drop_crowds_and_dead_boxes(example)


def augment_geometry(image, boxes, canvas, augmentation, seed):
    """Rotates, scales, crops and flips one image and its boxes.

    Args:
        image: uint8 tensor (h, w, 3), or float in [0, 1].
        boxes: float32 tensor (n, 4), `rel_yxyx` of the image.
        canvas: pair of int (H, W), in pixels.
        augmentation: `Augmentation`.
        seed: int tensor (2,).

    Returns:
        `(image, boxes)`: float32 (h′, w′, 3) in [0, 1] with h′ ≤ H and w′ ≤ W, and float32 (n, 4), `rel_yxyx` of
        this image; boxes outside of the crop have no area.
    """
    # A rotated image keeps the scale of the upright one. If it were fitted to the canvas again, a wide image would
    # shrink: on a canvas of 3:4, its objects would have 9/16 of their size in upright images.
    upright_size = tf.shape(image)[:2] if augmentation.rotate or augmentation.transpose else None
    if augmentation.rotate:
        image, boxes = transforms.random_rotation(
            image, boxes, probability=augmentation.rotate, seed=fold(seed, "rotate")
        )
    if augmentation.transpose:
        image, boxes = transforms.random_transpose(
            image, boxes, probability=augmentation.transpose, seed=fold(seed, "transpose")
        )
    image, boxes = transforms.jitter_and_crop(
        image,
        boxes,
        canvas,
        min_scale=augmentation.min_scale,
        max_scale=augmentation.max_scale,
        scale_seed=fold(seed, "scale"),
        crop_seed=fold(seed, "crop"),
        upright_size=upright_size,
    )
    if augmentation.flip:
        image, boxes = transforms.random_horizontal_flip(
            image, boxes, probability=augmentation.flip, seed=fold(seed, "flip")
        )
    if augmentation.vertical_flip:
        image, boxes = transforms.random_vertical_flip(
            image, boxes, probability=augmentation.vertical_flip, seed=fold(seed, "vertical flip")
        )
    return image, boxes


def augment_color(image, augmentation, seed):
    """Jitters the colours of an image, unless `augmentation.color` is 0.

    Args:
        image: float32 tensor (h, w, 3) in [0, 1].
        augmentation: `Augmentation`.
        seed: int tensor (2,).

    Returns:
        float32 tensor (h, w, 3) in [0, 1].
    """
    if not augmentation.color:
        return image
    return transforms.color_jitter(image, strength=augmentation.color, seed=fold(seed, "color"))


def _augment_alone(example, canvas, augmentation, seed):
    """The example with its image and boxes augmented, without mosaic and erasing."""
    image, boxes = augment_geometry(example["image"], example["boxes"], canvas, augmentation, seed)
    return {**example, "image": augment_color(image, augmentation, seed), "boxes": boxes}


def _maybe_mosaic(example, canvas, augmentation, seed, other):
    """The augmented example alone or in a mosaic with three others, which are read only for a mosaic."""
    mosaic_seed = fold(seed, "mosaic")
    alone = _augment_alone(example, canvas, augmentation, seed)

    def in_mosaic():
        members = [alone]
        for number in range(3):
            member_seed = fold(mosaic_seed, number)
            member = other(fold(member_seed, "other"))
            member = {key: member[key] for key in example}
            members.append(_augment_alone(member, canvas, augmentation, member_seed))
        return transforms.mosaic(members, canvas, min_visible=augmentation.mosaic_min_visible, seed=mosaic_seed)

    return tf.cond(random_event(augmentation.mosaic, fold(mosaic_seed, "whether")), in_mosaic, lambda: alone)
