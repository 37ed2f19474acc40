"""Writing YOLO's way: `data.yaml`, `images/SPLIT/`, and `labels/SPLIT/` with a file for every image."""

import numpy as np
import yaml

from pix2seq_keras.data.sources.image_writer import images_out
from pix2seq_keras.data.sources.short_numbers import relative_rows


def write_yolo(folder, splits, tally):
    """Writes splits for YOLO. Crowds are left out; image ids, areas and gaps between category ids are lost.

    Images will be read in the order of their names, since a split is a folder.

    Args:
        folder: `pathlib.Path` of an empty folder.
        splits: `{name: Source}`.
        tally: `Tally`.
    """
    for split, source in splits.items():
        images, labels = folder / "images" / split, folder / "labels" / split
        images.mkdir(parents=True)
        labels.mkdir(parents=True)
        for image in images_out(source, split, tally, taken=set()):
            (images / image.file_name).write_bytes(image.data)
            found = image.objects
            kept = np.flatnonzero(~found["is_crowd"])
            tally.note("crowds are left out: YOLO has no word for them", len(found["is_crowd"]) - len(kept))
            boxes = found["boxes"][kept]  # (n, 4)
            box_areas = (boxes[:, 2:] - boxes[:, :2]).prod(-1) * image.height * image.width
            other_areas = np.abs(found["area"][kept] - box_areas) > 1e-3 * box_areas
            tally.note("objects have areas of their own, for which YOLO has no place", other_areas.sum())
            rows = relative_rows(boxes, image.height, image.width)
            text = "".join(f"{found['classes'][index]} {row}\n" for index, row in zip(kept, rows, strict=True))
            (labels / f"{image.stem}.txt").write_text(text)
            tally.add(split, len(rows))
    names = next(iter(splits.values())).categories.names
    document = {split: f"images/{split}" for split in splits} | {"names": dict(enumerate(names))}
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, default_flow_style=False)
    (folder / "data.yaml").write_text(text, encoding="utf-8")
