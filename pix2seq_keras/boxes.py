"""Box arithmetic: overlap, flips and transposition, and changes of the frame.

Boxes are `rel_yxyx` unless a name says otherwise: ymin, xmin, ymax, xmax relative to the frame they are in. Overlaps,
flips and transposition take NumPy arrays or TensorFlow tensors and return the same kind; changes of the frame return
tensors. Nothing is clipped.
"""

import numpy as np
import tensorflow as tf


def box_areas(boxes):
    """Areas of boxes; a box whose edges are in the wrong order has area 0.

    Args:
        boxes: float array or tensor (…, 4), `yxyx` in any unit.

    Returns:
        float array or tensor (…).
    """
    ops = _ops(boxes)
    ymin, xmin, ymax, xmax = _edges(boxes)
    return ops.maximum(ymax - ymin, 0.0) * ops.maximum(xmax - xmin, 0.0)


def pairwise_iou(boxes, others):
    """Intersection over union of all pairs.

    Args:
        boxes: float array or tensor (n, 4), `yxyx` in any unit.
        others: float array or tensor (m, 4), `yxyx` in the same unit.

    Returns:
        float array or tensor (n, m), 0 where neither box of a pair has an area.

    Example:
        >>> pairwise_iou(np.array([[0.0, 0.0, 1.0, 1.0]]), np.array([[0.0, 0.0, 0.5, 1.0]]))
        array([[0.5]])
    """
    ops = _ops(boxes)
    low = ops.maximum(boxes[:, None, :2], others[None, :, :2])  # (n, m, 2)
    high = ops.minimum(boxes[:, None, 2:], others[None, :, 2:])
    sides = ops.maximum(high - low, 0.0)
    common = sides[..., 0] * sides[..., 1]  # (n, m)
    union = box_areas(boxes)[:, None] + box_areas(others)[None, :] - common
    return ops.where(union > 0, common / ops.where(union > 0, union, 1.0), 0.0)


def flip_boxes(boxes, horizontally=False, vertically=False):
    """The boxes of a flipped image.

    Args:
        boxes: float array or tensor (…, 4), `rel_yxyx`.
        horizontally: bool, whether left and right changed places.
        vertically: bool, whether top and bottom did.

    Returns:
        float array or tensor (…, 4), `rel_yxyx`.

    Example:
        >>> flip_boxes(np.array([0.0, 0.25, 1.0, 0.5]), horizontally=True)
        array([0.  , 0.5 , 1.  , 0.75])
    """
    ymin, xmin, ymax, xmax = _edges(boxes)
    if vertically:
        ymin, ymax = 1.0 - ymax, 1.0 - ymin
    if horizontally:
        xmin, xmax = 1.0 - xmax, 1.0 - xmin
    return _ops(boxes).stack([ymin, xmin, ymax, xmax], axis=-1)


def transpose_boxes(boxes):
    """The boxes of an image whose axes changed places: (…, 4) -> (…, 4), `yxyx`."""
    ymin, xmin, ymax, xmax = _edges(boxes)
    return _ops(boxes).stack([xmin, ymin, xmax, ymax], axis=-1)


def rescale_boxes(boxes, from_size, to_size):
    """Moves relative boxes between two frames that share their top left corner: boxes · from_size / to_size.

    Going to a smaller frame may leave coordinates above 1.

    Args:
        boxes: float32 tensor (…, n, 4), `rel_yxyx` of the frame `from_size`.
        from_size: (height, width) in pixels, a pair or an int tensor (…, 2): one for all boxes, or one for each image
            of a batch.
        to_size: likewise, the frame to go to.

    Returns:
        float32 tensor (…, n, 4), `rel_yxyx` of the frame `to_size`.

    Example:
        >>> rescale_boxes([[0.0, 0.0, 1.0, 1.0]], from_size=(48, 64), to_size=(64, 64)).numpy()
        array([[0.  , 0.  , 0.75, 1.  ]], dtype=float32)
    """
    ratio = tf.cast(from_size, tf.float32) / tf.cast(to_size, tf.float32)  # (…, 2)
    ratio = tf.concat([ratio, ratio], -1)[..., tf.newaxis, :]  # (…, 1, 4)
    return tf.cast(boxes, tf.float32) * ratio


def boxes_to_pixels(boxes, size):
    """Relative boxes as boxes in pixels.

    Args:
        boxes: float32 tensor (n, 4), `rel_yxyx` of the frame.
        size: int tensor (2,), height and width of the frame in pixels.

    Returns:
        float32 tensor (n, 4), `yxyx` in pixels.

    Example:
        >>> boxes_to_pixels([[0.25, 0.5, 1.0, 1.0]], (48, 64)).numpy()
        array([[12., 32., 48., 64.]], dtype=float32)
    """
    return boxes * _for_both_corners(size)


def boxes_from_pixels(boxes, size):
    """Boxes in pixels as relative boxes: the inverse of `boxes_to_pixels`.

    Args:
        boxes: float32 tensor (n, 4), `yxyx` in pixels.
        size: int tensor (2,), height and width of the frame in pixels.

    Returns:
        float32 tensor (n, 4), `rel_yxyx` of the frame.
    """
    return boxes / _for_both_corners(size)


def shift_boxes(boxes, offset):
    """Moves boxes in pixels.

    Args:
        boxes: float32 tensor (n, 4), `yxyx` in pixels.
        offset: int tensor (2,), pixels down and to the right.

    Returns:
        float32 tensor (n, 4), `yxyx` in pixels.
    """
    return boxes + _for_both_corners(offset)


def boxes_to_canvas(boxes, unpadded_size, canvas):
    """Boxes of an image as boxes of the padded canvas it lies on.

    Args:
        boxes: float32 tensor (…, n, 4), `rel_yxyx` of the image.
        unpadded_size: int tensor (…, 2), height and width in pixels of the part of the canvas that is image.
        canvas: pair of int (H, W), in pixels.

    Returns:
        float32 tensor (…, n, 4), `rel_yxyx` of the canvas.
    """
    return rescale_boxes(boxes, unpadded_size, canvas)


def boxes_from_canvas(boxes, unpadded_size, canvas):
    """Boxes of the padded canvas as boxes of the image on it: the inverse of `boxes_to_canvas`.

    A box that reaches into the padding goes beyond 1.

    Args:
        boxes: float32 tensor (…, n, 4), `rel_yxyx` of the canvas.
        unpadded_size: int tensor (…, 2), see `boxes_to_canvas`.
        canvas: pair of int (H, W), in pixels.

    Returns:
        float32 tensor (…, n, 4), `rel_yxyx` of the image.
    """
    return rescale_boxes(boxes, canvas, unpadded_size)


def _for_both_corners(values):
    return tf.cast(tf.tile(values, [2]), tf.float32)  # (2,) -> (4,)


def _edges(boxes):
    return tuple(boxes[..., edge] for edge in range(4))  # (…) each


def _ops(boxes):
    return tf if tf.is_tensor(boxes) else np
