"""The order in which a training image is augmented."""

import tensorflow as tf

from pix2seq_keras.data import transforms
from pix2seq_keras.data.transforms.filter import OBJECT_KEYS
from pix2seq_keras.data.transforms.flip import drawn
from pix2seq_keras.errors import InputError
from pix2seq_keras.sequences.randomness import fold

def augment(example, canvas, augmentation, seed, other=None):
    """One augmented training image with its objects, not yet padded: everything before the sequence is built.

    The order: quarter turn, transpose → scale → crop → horizontal and vertical flip → colour → mosaic with three
    others that went through the same → erase → drop crowds and dead boxes. With the default fields that is the
    published order. Each step draws from the seed under its own name, so switching one on changes no other.

    Args:
        example: dict of a source: "image" uint8 (h, w, 3), "boxes" float32 (n, 4), `rel_yxyx`, "classes" int32 (n,),
            and any of "is_crowd" bool (n,), "area" float32 (n,).
        canvas: pair of int (H, W), in pixels.
        augmentation: `Augmentation`.
        seed: int tensor (2,), decides everything random.
        other: function of a seed (2,) that gives another image's example, any at random, with the same keys.
            Needed by the mosaic, and called only where one is made.

    Returns:
        A dict with the keys of `example`: "image" float32 (h′, w′, 3) in [0, 1] with h′ ≤ H and w′ ≤ W, and the
        m objects that remain, "boxes" `rel_yxyx` of this image.

    Raises:
        InputError: the augmentation makes mosaics, and there is no `other`.

    Example:
    ```python
    example = augment(example, (640, 640), Augmentation(color=0.5), seed=(0, 1))
    ```
    """
    example = {key: example[key] for key in ("image", *OBJECT_KEYS) if key in example}
    if augmentation.mosaic:
        if other is None:
            raise InputError(
                f"A mosaic needs other images. Received mosaic={augmentation.mosaic} and other=None: pass a function "
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
    """Turns, scales, crops and flips one image and its boxes.

    Args:
        image: uint8 tensor (h, w, 3), or float in [0, 1].
        boxes: float32 tensor (n, 4), `rel_yxyx` of the image.
        canvas: pair of int (H, W), in pixels.
        augmentation: `Augmentation`.
        seed: int tensor (2,).

    Returns:
        `(image, boxes)`: float32 (h′, w′, 3) in [0, 1] with h′ ≤ H and w′ ≤ W, and float32 (n, 4), `rel_yxyx` of
        this image; boxes outside of the crop are dead.
    """
    # A turned image keeps the scale of the upright one. Fitted to the canvas anew, a wide one would shrink: on a
    # canvas of 3:4 to 9/16 of what its objects measure in images to be read.
    upright_size = tf.shape(image)[:2] if augmentation.rotate or augmentation.transpose else None
    if augmentation.rotate:
        image, boxes = transforms.random_quarter_turn(
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
    return _augment_flips(image, boxes, augmentation, seed)


def _augment_flips(image, boxes, augmentation, seed):
    """The steps of `augment_geometry` after the crop: `(image, boxes)` -> `(image, boxes)` of the same shapes."""
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
    """Jitters the colours of a float32 image (h, w, 3) in [0, 1], unless `augmentation.color` is 0."""
    if not augmentation.color:
        return image
    return transforms.color_jitter(image, strength=augmentation.color, seed=fold(seed, "color"))


def _augment_alone(example, canvas, augmentation, seed):
    """An example -> the same with its image and boxes augmented, mosaic and erasing apart."""
    image, boxes = augment_geometry(example["image"], example["boxes"], canvas, augmentation, seed)
    return {**example, "image": augment_color(image, augmentation, seed), "boxes": boxes}


def _maybe_mosaic(example, canvas, augmentation, seed, other):
    """The augmented example alone, or with three others, as the seed says; only what is needed is read."""
    mosaic_seed = fold(seed, "mosaic")
    alone = _augment_alone(example, canvas, augmentation, seed)

    def together():
        members = [alone]
        for number in range(3):
            member_seed = fold(mosaic_seed, number)
            member = other(fold(member_seed, "other"))
            member = {key: member[key] for key in example}
            members.append(_augment_alone(member, canvas, augmentation, member_seed))
        return transforms.mosaic(members, canvas, min_visible=augmentation.mosaic_min_visible, seed=mosaic_seed)

    return tf.cond(drawn(augmentation.mosaic, fold(mosaic_seed, "whether")), together, lambda: alone)
