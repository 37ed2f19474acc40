"""Writes YOLO: `data.yaml`, `images/SPLIT/`, and `labels/SPLIT/` with a file for each image."""

import numpy as np
import yaml

from pix2seq_keras.data.sources.converted_images import converted_images

_DIGITS = range(6, 18)


def write_yolo(folder, splits, counts):
    """Writes splits for YOLO. Crowds are left out; image ids, areas and gaps between category ids are lost.

    Since a split is a folder, its images will be read in the order of their names.

    Args:
        folder: `Path`, an empty folder.
        splits: dict of name to `Source`.
        counts: `ConversionCounts`.
    """
    for split, source in splits.items():
        images, labels = folder / "images" / split, folder / "labels" / split
        images.mkdir(parents=True)
        labels.mkdir(parents=True)
        for image in converted_images(source, split, counts, used_names={}):
            (images / image.file_name).write_bytes(image.data)
            objects = image.objects
            kept = np.flatnonzero(~objects["is_crowd"])
            counts.add_note("crowds are left out, as YOLO has none", len(objects["is_crowd"]) - len(kept))
            boxes = objects["boxes"][kept]  # (n, 4)
            box_areas = (boxes[:, 2:] - boxes[:, :2]).prod(-1) * image.height * image.width
            other_areas = np.abs(objects["area"][kept] - box_areas) > 1e-3 * box_areas
            counts.add_note("objects lost areas that are not those of their boxes", other_areas.sum())
            rows = relative_rows(boxes, image.height, image.width)
            text = "".join(f"{objects['classes'][index]} {row}\n" for index, row in zip(kept, rows, strict=True))
            (labels / f"{image.stem}.txt").write_text(text)
            counts.add_image(split, len(rows))
    names = next(iter(splits.values())).categories.names
    document = {split: f"images/{split}" for split in splits} | {"names": dict(enumerate(names))}
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, default_flow_style=False)
    (folder / "data.yaml").write_text(text, encoding="utf-8")


def relative_rows(boxes, height, width):
    """Boxes in YOLO's format, with six decimals, or as many as give the same float32 boxes when they are read.

    Args:
        boxes: float32 array (n, 4), `rel_yxyx`.
        height: int, of the image, in pixels.
        width: int, of the image, in pixels.

    Returns:
        List of n str, "x-centre y-centre width height".
    """
    sides = np.array([height, width, height, width], np.float64)
    wide = boxes.astype(np.float64)
    centres, lengths = (wide[:, :2] + wide[:, 2:]) / 2, wide[:, 2:] - wide[:, :2]  # (n, 2)
    texts = [None] * len(boxes)
    for digits in _DIGITS:
        centre, length = np.round(centres, digits), np.round(lengths, digits)
        edges = np.concatenate([centre - length / 2, centre + length / 2], axis=-1)  # (n, 4)
        # Through pixels, as `open_yolo` reads them.
        same = (np.clip(edges * sides, 0, sides) / sides).astype(np.float32) == boxes
        for row in np.flatnonzero(same.all(axis=-1) | (digits == _DIGITS[-1])):
            if texts[row] is None:
                values = (centre[row, 1], centre[row, 0], length[row, 1], length[row, 0])
                texts[row] = " ".join(f"{value:.{digits}f}" for value in values)
        if None not in texts:
            break
    return texts
