"""Writing COCO: `annotations/instances_SPLIT.json` beside pictures in `SPLIT/`."""

import json

from pix2seq_keras.data.conversion.pictures_out import pictures_out
from pix2seq_keras.data.conversion.short_numbers import pixel_boxes
from pix2seq_keras.writing import replacing


def write_coco(folder, splits, tally):
    """Writes splits as COCO. Nothing is lost.

    Args:
        folder: `pathlib.Path` of an empty folder.
        splits: `{name: Source}`.
        tally: `Tally`.
    """
    (folder / "annotations").mkdir()
    for split, source in splits.items():
        (folder / split).mkdir()
        images, annotations = [], []
        for picture in pictures_out(source, split, tally, taken=set()):
            (folder / split / picture.file_name).write_bytes(picture.data)
            found = picture.objects
            image_id = int(found["image_id"])
            images.append(
                {"id": image_id, "file_name": picture.file_name, "width": picture.width, "height": picture.height}
            )
            boxes = pixel_boxes(found["boxes"], picture.height, picture.width)  # (n, 4)
            for row, box in enumerate(boxes.tolist()):
                annotations.append(
                    {
                        "id": len(annotations) + 1,
                        "image_id": image_id,
                        "category_id": source.categories.ids[found["classes"][row]],
                        "bbox": [_plain(value) for value in box],
                        "area": _plain(float(str(found["area"][row]))),  # as few digits as float32 needs
                        "iscrowd": int(found["is_crowd"][row]),
                    }
                )
            tally.add(split, len(boxes))
        table = zip(source.categories.ids, source.categories.names, strict=True)
        document = {
            "images": images,
            "annotations": annotations,
            "categories": [{"id": identifier, "name": name} for identifier, name in table],
        }
        with replacing(folder / "annotations" / f"instances_{split}.json") as file:
            json.dump(document, file)


def _plain(value):
    return int(value) if value.is_integer() else value
