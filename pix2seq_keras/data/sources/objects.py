"""The objects of indexed images: boxes in pixels of an annotation file become boxes of the upright images."""

from dataclasses import dataclass

import numpy as np

from pix2seq_keras.data.images.exif import upright_boxes
from pix2seq_keras.data.sources.box_frames import choose_frames_by_boxes

_MAX_OVERHANG = 1.0  # pixels; labelling tools round outwards, which needs no report


@dataclass(frozen=True)
class Objects:
    """All usable objects of all images; those of image `i` are the rows `starts[i]` to `starts[i + 1]`.

    Args:
        boxes: float32 array (M, 4), `rel_yxyx` of the upright image.
        classes: int32 array (M,).
        is_crowd: bool array (M,).
        area: float32 array (M,), pixels² of the upright image.
        starts: int64 array (N + 1,).
    """

    boxes: np.ndarray
    classes: np.ndarray
    is_crowd: np.ndarray
    area: np.ndarray
    starts: np.ndarray


def first_of_equal(boxes, classes, is_crowd, image=None):
    """Finds the objects whose class and box no earlier object of the image has.

    Exact duplicates come from merged exports. A detector finds an object once, so they would halve its recall.

    Args:
        boxes: float array (n, 4), in any unit.
        classes: int array (n,).
        is_crowd: bool array (n,); a crowd and an object are different.
        image: int array (n,), the image of each object. Defaults to None: all are of one.

    Returns:
        bool array (n,).

    Example:
        >>> first_of_equal(np.zeros((3, 4)), np.array([1, 1, 2]), np.zeros(3, bool))
        array([ True, False,  True])
    """
    kept = np.zeros(len(boxes), bool)
    if len(boxes):
        owner = np.zeros(len(boxes)) if image is None else image
        table = np.column_stack([owner, classes, is_crowd, boxes]).astype(np.float64) + 0.0  # no −0.0
        rows = table.view(np.dtype((np.void, table.itemsize * table.shape[1]))).ravel()  # compared as bytes: faster
        kept[np.unique(rows, return_index=True)[1]] = True
    return kept


def place_objects(
    rows,
    describe,
    images,
    issues,
    relative=False,
):
    """Clips boxes to their images, makes them upright and relative, and sorts them by image, keeping their order.

    Args:
        rows: list or array of rows (image, class, crowd, area or NaN, left, top, right, bottom), one per object: the
            index of its image, and finite numbers (right and bottom may be infinite) in pixels of that image's frame.
        describe: function of the number of a row that returns its place in the annotations and its box as written
            there, for messages.
        images: list of `IndexedImage`, the usable images.
        issues: `Issues`; every object that is dropped or changed is reported.
        relative: bool, whether the annotations have relative boxes, which fit every frame. Defaults to False: a frame
            that they do not fit is corrected, see `choose_frames_by_boxes`.

    Returns:
        `Objects`.
    """
    table = np.asarray(rows, np.float64).reshape(-1, 8)  # (M, 8)
    image, classes, is_crowd = table[:, :3].astype(np.int64).T
    area, left, top, right, bottom = table[:, 3:].T
    shown = slice(0, 0) if relative else slice(None)
    images = choose_frames_by_boxes(images, image[shown], right[shown], bottom[shown], issues)
    sizes = np.asarray(
        [(p.frame_width, p.frame_height, p.info.width, p.info.height, p.box_orientation) for p in images], np.float64
    ).reshape(-1, 5)
    frame_width, frame_height, width, height, box_orientation = sizes[image].T  # each (M,)

    flat = (right <= left) | (bottom <= top)
    outside = ~flat & ((left >= frame_width) | (top >= frame_height) | (right <= 0) | (bottom <= 0))
    overhang = np.max([-left, -top, right - frame_width, bottom - frame_height], axis=0, initial=-np.inf)
    left, right = np.clip(left, 0, frame_width), np.clip(right, 0, frame_width)
    top, bottom = np.clip(top, 0, frame_height), np.clip(bottom, 0, frame_height)
    boxes = np.stack(
        [top / frame_height, left / frame_width, bottom / frame_height, right / frame_width], axis=-1
    ).astype(np.float32)  # (M, 4)
    for orientation in range(2, 9):
        rotated = box_orientation == orientation
        boxes[rotated] = upright_boxes(boxes[rotated], orientation)
    # In float32, the edges of a very thin box can be equal.
    flat |= ~outside & ~((boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1]))

    def report(kind, mask, action):
        for row in np.flatnonzero(mask):
            where, box = describe(int(row))
            issues.add(
                kind,
                where,
                f"{where} has the box {box} on {images[image[row]].file_name!r:.80} of "
                f"{frame_width[row]:g}×{frame_height[row]:g} pixels; {action}.",
            )

    report("box without area", flat, "dropped")
    report("box outside the image", outside, "dropped")
    report("box clipped to the image", ~flat & ~outside & (overhang > _MAX_OVERHANG), "clipped")

    area = np.where(np.isnan(area), (right - left) * (bottom - top), area)
    area *= width * height / (frame_width * frame_height)  # where the image was resized

    kept = np.flatnonzero(~flat & ~outside)
    first = first_of_equal(boxes[kept], classes[kept], is_crowd[kept], image[kept])
    repeated = np.zeros(len(table), bool)
    repeated[kept[~first]] = True
    report("duplicate box", repeated, "an object of the same class has the same box; dropped")
    kept = kept[first]
    kept = kept[np.argsort(image[kept], kind="stable")]
    starts = np.concatenate([[0], np.cumsum(np.bincount(image[kept], minlength=len(images)))])
    return Objects(
        boxes=boxes[kept],
        classes=classes[kept].astype(np.int32),
        is_crowd=is_crowd[kept].astype(bool),
        area=area[kept].astype(np.float32),
        starts=starts.astype(np.int64),
    )
