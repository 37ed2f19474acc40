"""Writes Pascal VOC: `Annotations/`, `JPEGImages/`, `ImageSets/Main/SPLIT.txt` and `classes.txt`."""

from xml.sax.saxutils import escape

import numpy as np

from pix2seq_keras.data.sources.converted_images import converted_images
from pix2seq_keras.errors import InputError


def write_voc(folder, splits, counts):
    """Writes splits as VOC. Crowds become difficult objects, boxes whole pixels; image ids and areas are lost.

    Args:
        folder: `Path`, an empty folder.
        splits: dict of name to `Source`.
        counts: `ConversionCounts`.

    Raises:
        InputError: if the name of a class does not fit on a line of text.
    """
    names = next(iter(splits.values())).categories.names
    for name in names:
        if not name.isprintable() or name != name.strip():
            raise InputError(f"The name of a VOC class must have no line breaks or outer spaces. Received: {name!r}")
    for part in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (folder / part).mkdir(parents=True)
    (folder / "classes.txt").write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
    used_names = {}  # all splits share the folders
    for split, source in splits.items():
        stems = []
        for image in converted_images(source, split, counts, used_names):
            (folder / "JPEGImages" / image.file_name).write_bytes(image.data)
            text = _annotation(image, names, counts)
            (folder / "Annotations" / f"{image.stem}.xml").write_text(text, encoding="utf-8")
            stems.append(image.stem)
            counts.add_image(split, len(image.objects["classes"]))
        (folder / "ImageSets" / "Main" / f"{split}.txt").write_text("".join(f"{stem}\n" for stem in stems))


def _annotation(image, names, counts):
    objects = image.objects
    corners, rounded = whole_pixels(objects["boxes"], image.height, image.width)  # (n, 4)
    sides = objects["boxes"][:, 2:] - objects["boxes"][:, :2]  # (n, 2)
    box_areas = sides.prod(-1) * image.height * image.width
    other_areas = np.abs(objects["area"] - box_areas) > 1e-3 * box_areas
    counts.add_note("boxes were rounded to whole pixels, as VOC requires", rounded.sum())
    counts.add_note("objects lost areas that are not those of their boxes", other_areas.sum())
    counts.add_note("crowds became difficult objects", objects["is_crowd"].sum())
    lines = [
        "<annotation>",
        "\t<folder>JPEGImages</folder>",
        f"\t<filename>{escape(image.file_name)}</filename>",
        f"\t<size><width>{image.width}</width><height>{image.height}</height><depth>3</depth></size>",
        "\t<segmented>0</segmented>",
    ]
    for row, (xmin, ymin, xmax, ymax) in enumerate(corners.tolist()):
        lines += [
            "\t<object>",
            f"\t\t<name>{escape(names[objects['classes'][row]])}</name>",
            "\t\t<pose>Unspecified</pose>",
            "\t\t<truncated>0</truncated>",
            f"\t\t<difficult>{int(objects['is_crowd'][row])}</difficult>",
            f"\t\t<bndbox><xmin>{xmin}</xmin><ymin>{ymin}</ymin><xmax>{xmax}</xmax><ymax>{ymax}</ymax></bndbox>",
            "\t</object>",
        ]
    return "\n".join([*lines, "</annotation>", ""])


def whole_pixels(boxes, height, width):
    """Boxes in VOC's format: whole pixels counted from 1, both corners belong to the box; none is empty.

    Args:
        boxes: float32 array (n, 4), `rel_yxyx`.
        height: int, of the image, in pixels.
        width: int, of the image, in pixels.

    Returns:
        `(corners, rounded)`: int64 array (n, 4) of xmin, ymin, xmax, ymax, and bool array (n,), which of the boxes
        were rounded.
    """
    sides = np.array([height, width], np.float64)
    exact = boxes.astype(np.float64) * np.concatenate([sides, sides])  # (n, 4)
    near, far = np.round(exact[:, :2]), np.round(exact[:, 2:])
    thin = far <= near
    near = np.where(thin, np.minimum(np.floor(exact[:, :2]), sides - 1), near)
    far = np.where(thin, near + 1, far)
    # float32 alone moves edges by up to a few thousandths of a pixel.
    rounded = (np.abs(np.concatenate([near, far], axis=-1) - exact) > 0.005).any(axis=-1)
    corners = np.stack([near[:, 1] + 1, near[:, 0] + 1, far[:, 1], far[:, 0]], axis=-1)
    return corners.astype(np.int64), rounded
