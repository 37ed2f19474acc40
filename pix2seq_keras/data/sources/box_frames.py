"""Decides by the boxes in which frame they were drawn, where an image is rotated by EXIF and its size does not show it.

A tool that ignores EXIF can still write the upright size, and the other way round. Boxes that reach beyond one frame
and fit the other show it. All images of a data set come from one tool, so the frame in which all boxes fit counts for
all of them.
"""

import dataclasses

import numpy as np

from pix2seq_keras.data.images.exif import swaps_axes

_TOLERANCE = 0.02  # of a side, and a pixel: boxes that overhang by less are clipped and show nothing


def choose_frames_by_boxes(images, image_of_box, right, bottom, issues):
    """Corrects the frames of images that EXIF rotates by 90° where the boxes do not fit them.

    Images whose boxes were so far taken as drawn on the upright image, and those on the stored one, are decided apart.
    If all their boxes fit only the other frame, they get it. If some fit only the one and some only the other, each
    image gets its own, which is a problem; images that fit both or neither then keep theirs.

    Args:
        images: list of `IndexedImage`. Their `frame_issue` is added to the issues, or what was decided instead.
        image_of_box: int array (M,), the image of each box.
        right: float array (M,), right edges in the frames of the images.
        bottom: float array (M,), bottom edges.
        issues: `Issues`.

    Returns:
        List of `IndexedImage`.
    """
    images = list(images)
    far_right, far_bottom = _farthest(len(images), image_of_box, right), _farthest(len(images), image_of_box, bottom)
    for orientation_of_boxes in ("upright", "stored"):
        group = [
            index
            for index, image in enumerate(images)
            if swaps_axes(image.info.exif_orientation)
            and (image.box_orientation == 1) == (orientation_of_boxes == "upright")
            and image.frame_width != image.frame_height
            and far_right[index] > -np.inf  # it has boxes
        ]
        fits = np.array([_fits(images[i], far_right[i], far_bottom[i]) for i in group], bool).reshape(-1, 2)
        for index, fit, decision in zip(group, fits, _decide(fits), strict=True):
            if decision is not None:
                images[index] = _settle(images[index], orientation_of_boxes, fit, *decision, issues)
    for image in images:
        if image.frame_issue is not None:
            issues.add(*image.frame_issue)
    return images


def _decide(fits):
    """For each row of bool (n, 2), fits its frame, fits the other one: None to keep it, or (turn, severity)."""
    own, other = fits[:, 0] & ~fits[:, 1], ~fits[:, 0] & fits[:, 1]
    neither = ~fits.any(axis=1)
    if not other.any():
        # Boxes that fit neither say nothing against the frame where others fit only it.
        return [(False, "problem") if wrong and not own.any() else None for wrong in neither]
    if not own.any():
        return [(False, "problem") if wrong else (True, "note") for wrong in neither]
    return [
        (True, "problem") if turn else None if keep else (False, "problem")
        for turn, keep in zip(other, own, strict=True)
    ]


def _settle(image, drawn_on, fit, turn, severity, issues):
    """The image with the frame that was decided; an issue says so instead of the note on its EXIF orientation."""
    other = "upright" if drawn_on == "stored" else "stored"
    if turn and fit[0]:
        why = "the boxes of other images of this data set fit only the other frame"
    elif turn:
        why = f"its boxes do not fit the {drawn_on} image, but the {other} one"
    else:
        why = (
            f"its boxes fit {'both' if fit[0] else 'neither'} the upright {'and' if fit[0] else 'nor'} the stored image"
        )
    where = image.file_name if image.frame_issue is None else image.frame_issue[1]
    check = " Check them." if severity == "problem" else ""
    message = (
        f"{where}: EXIF orientation {image.info.exif_orientation}; {why}; they are taken as drawn on the "
        f"{other if turn else drawn_on} image.{check}"
    )
    issues.add("frame chosen by boxes" if turn else "undecided frame", where, message, severity)
    if image.frame_issue is not None and image.frame_issue[0] == "rotated by EXIF":
        image = dataclasses.replace(image, frame_issue=None)
    return _turned(image) if turn else image


def _fits(image, right, bottom):
    """Whether boxes up to these edges fit the image's frame, and the other one."""
    width, height = (side * (1 + _TOLERANCE) + 1 for side in (image.frame_width, image.frame_height))
    return right <= width and bottom <= height, right <= height and bottom <= width


def _turned(image):
    """The image with its boxes in the other frame, which has the sides exchanged."""
    return dataclasses.replace(
        image,
        frame_width=image.frame_height,
        frame_height=image.frame_width,
        box_orientation=image.info.exif_orientation if image.box_orientation == 1 else 1,
    )


def _farthest(count, image_of_box, edges):
    farthest = np.full(count, -np.inf)
    np.maximum.at(farthest, image_of_box, edges)
    return farthest
