"""Writing YOLO's way: `data.yaml`, `images/SPLIT/`, and `labels/SPLIT/` with a file for every picture."""

import numpy as np
import yaml

from pix2seq_keras.data.conversion.pictures_out import pictures_out
from pix2seq_keras.data.conversion.short_numbers import relative_rows


def write_yolo(folder, splits, tally):
    """Writes splits for YOLO. Crowds are left out; image ids, areas and gaps between category ids are lost.

    Pictures will be read in the order of their names, since a split is a folder.

    Args:
        folder: `pathlib.Path` of an empty folder.
        splits: `{name: Source}`.
        tally: `Tally`.
    """
    for split, source in splits.items():
        images, labels = folder / "images" / split, folder / "labels" / split
        images.mkdir(parents=True)
        labels.mkdir(parents=True)
        for picture in pictures_out(source, split, tally, taken=set()):
            (images / picture.file_name).write_bytes(picture.data)
            found = picture.objects
            kept = np.flatnonzero(~found["is_crowd"])
            tally.note("crowds are left out: YOLO has no word for them", len(found["is_crowd"]) - len(kept))
            boxes = found["boxes"][kept]  # (n, 4)
            box_areas = (boxes[:, 2:] - boxes[:, :2]).prod(-1) * picture.height * picture.width
            other_areas = np.abs(found["area"][kept] - box_areas) > 1e-3 * box_areas
            tally.note("objects have areas of their own, for which YOLO has no place", other_areas.sum())
            rows = relative_rows(boxes, picture.height, picture.width)
            text = "".join(f"{found['classes'][index]} {row}\n" for index, row in zip(kept, rows, strict=True))
            (labels / f"{picture.stem}.txt").write_text(text)
            tally.add(split, len(rows))
    names = next(iter(splits.values())).categories.names
    document = {split: f"images/{split}" for split in splits} | {"names": dict(enumerate(names))}
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, default_flow_style=False)
    (folder / "data.yaml").write_text(text, encoding="utf-8")
