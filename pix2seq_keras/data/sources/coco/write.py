"""Writing COCO: `annotations/instances_SPLIT.json` beside images in `SPLIT/`."""

import json

from pix2seq_keras.atomic_files import atomic_write
from pix2seq_keras.data.sources.image_writer import images_out
from pix2seq_keras.data.sources.short_numbers import pixel_boxes


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
        for image in images_out(source, split, tally, taken=set()):
            (folder / split / image.file_name).write_bytes(image.data)
            found = image.objects
            image_id = int(found["image_id"])
            images.append({"id": image_id, "file_name": image.file_name, "width": image.width, "height": image.height})
            boxes = pixel_boxes(found["boxes"], image.height, image.width)  # (n, 4)
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
        with atomic_write(folder / "annotations" / f"instances_{split}.json") as file:
            json.dump(document, file)


def _plain(value):
    return int(value) if value.is_integer() else value
