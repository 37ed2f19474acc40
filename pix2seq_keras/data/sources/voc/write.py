"""Writing Pascal VOC: `Annotations/`, `JPEGImages/`, `ImageSets/Main/SPLIT.txt`, and `classes.txt` for their order."""

from xml.sax.saxutils import escape

import numpy as np

from pix2seq_keras.data.sources.image_writer import images_out
from pix2seq_keras.data.sources.short_numbers import whole_pixels
from pix2seq_keras.errors import InputError


def write_voc(folder, splits, tally):
    """Writes splits as VOC. Crowds become difficult objects; boxes whole pixels; image ids and areas are lost.

    Args:
        folder: `pathlib.Path` of an empty folder.
        splits: `{name: Source}`.
        tally: `Tally`.

    Raises:
        InputError: if a class has a name that a line of text cannot hold.
    """
    names = next(iter(splits.values())).categories.names
    for name in names:
        if not name.isprintable() or name != name.strip():
            raise InputError(f"VOC cannot hold a class of the name {name!r}: it has spaces around it or line breaks.")
    for part in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (folder / part).mkdir(parents=True)
    (folder / "classes.txt").write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
    taken: set[str] = set()  # all splits share the folders
    for split, source in splits.items():
        stems = []
        for image in images_out(source, split, tally, taken):
            (folder / "JPEGImages" / image.file_name).write_bytes(image.data)
            text = _annotation(image, names, tally)
            (folder / "Annotations" / f"{image.stem}.xml").write_text(text, encoding="utf-8")
            stems.append(image.stem)
            tally.add(split, len(image.objects["classes"]))
        (folder / "ImageSets" / "Main" / f"{split}.txt").write_text("".join(f"{stem}\n" for stem in stems))


def _annotation(image, names, tally):
    found = image.objects
    corners, rounded = whole_pixels(found["boxes"], image.height, image.width)  # (n, 4)
    sides = found["boxes"][:, 2:] - found["boxes"][:, :2]  # (n, 2)
    box_areas = sides.prod(-1) * image.height * image.width
    other_areas = np.abs(found["area"] - box_areas) > 1e-3 * box_areas
    tally.note("objects lay between pixels and were rounded to whole ones, as VOC has them", rounded.sum())
    tally.note("objects have areas of their own, for which VOC has no place", other_areas.sum())
    tally.note("crowds became difficult objects", found["is_crowd"].sum())
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
            f"\t\t<name>{escape(names[found['classes'][row]])}</name>",
            "\t\t<pose>Unspecified</pose>",
            "\t\t<truncated>0</truncated>",
            f"\t\t<difficult>{int(found['is_crowd'][row])}</difficult>",
            f"\t\t<bndbox><xmin>{xmin}</xmin><ymin>{ymin}</ymin><xmax>{xmax}</xmax><ymax>{ymax}</ymax></bndbox>",
            "\t</object>",
        ]
    return "\n".join([*lines, "</annotation>", ""])
