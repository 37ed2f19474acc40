"""The JSON of `pix2seq predict`, and the images that an earlier run of it has done."""

import contextlib
import json
from pathlib import Path

from pix2seq_keras.atomic_files import write_json
from pix2seq_keras.errors import InputError
from pix2seq_keras.untrusted import MEGABYTE, parse_json, read_file

_MAX_BYTES = 4 * 1024 * MEGABYTE


class PredictionFile:
    """Records of images and their objects. Each is also added to a journal, so that a stopped run can go on.

    Args:
        path: path of the JSON; the journal is beside it, and is removed when the JSON is complete.
        categories: `Categories`.
        settings: dict of JSON values that decide about the records; a run with other ones cannot go on.
        resume: bool, whether to begin with the records of the JSON and of the journal, if there are any.

    Raises:
        InputError: with `resume`, if one of them is damaged, or of another model or other settings.
    """

    def __init__(self, path, categories, settings, resume=False):
        self.path = Path(path)
        self.journal = journal_of(path)
        self._head = {
            "info": json.loads(json.dumps(settings, default=str)),
            "categories": [
                {"id": id_, "name": name} for id_, name in zip(categories.ids, categories.names, strict=True)
            ],
        }
        self._records = {}  # name of an image -> (its record, those of its objects)
        if resume:
            self._load()
        self._file = None
        with contextlib.suppress(OSError):  # on a full disk the run goes on without a journal
            self._file = self.journal.open("w", encoding="utf-8")
            self._append(self._head)
            for image, annotations in self._records.values():
                self._append({"image": image, "annotations": annotations})

    def annotated(self, file_name):
        """The name of the annotated image that an earlier run wrote for an image: str, or None."""
        image, _ = self._records.get(file_name, ({}, []))
        return image.get("annotated")

    def add(self, image, annotations):
        """Adds an image, in place of an earlier record of it.

        Args:
            image: dict of `"file_name"`, `"width"`, `"height"` and `"annotated"`.
            annotations: list of dict, COCO's results without ids.
        """
        self._records[image["file_name"]] = (image, annotations)
        try:
            self._append({"image": image, "annotations": annotations})
        except OSError:
            self.close()

    def write(self, order):
        """Writes the JSON and removes the journal.

        Args:
            order: list of str, names of images; records of others come after them.

        Returns:
            dict, the content of the JSON.

        Raises:
            InputError: if it cannot be written. The journal is then kept.
        """
        names = [name for name in dict.fromkeys([*order, *self._records]) if name in self._records]
        images, objects = [], []
        for image_id, name in enumerate(names, 1):
            image, annotations = self._records[name]
            images.append({"id": image_id, **image})
            for record in annotations:
                objects.append({"id": len(objects) + 1, **record, "image_id": image_id})
        result = {**self._head, "images": images, "annotations": objects}
        self.close()
        try:
            write_json(self.path, result)
        except InputError as error:
            raise InputError(f"{error} The detections are in {self.journal}: --resume goes on with them.") from error
        with contextlib.suppress(OSError):
            self.journal.unlink()
        return result

    def close(self):
        """Ends the journal, and keeps it."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None

    def _append(self, value):
        if self._file is not None:
            self._file.write(json.dumps(value) + "\n")
            self._file.flush()

    def _load(self):
        if self.path.is_file():
            document = parse_json(read_file(self.path, _MAX_BYTES), str(self.path))
            try:
                self._require_same(self.path, document)
                objects = {image["id"]: [] for image in document["images"]}
                for record in document["annotations"]:
                    plain = {name: value for name, value in record.items() if name not in ("id", "image_id")}
                    objects[record["image_id"]].append(plain)
                for image in document["images"]:
                    self._keep({name: image[name] for name in image if name != "id"}, objects[image["id"]])
            except (KeyError, TypeError, AttributeError) as error:
                raise _foreign(self.path) from error
        if self.journal.is_file():
            lines = read_file(self.journal, _MAX_BYTES).split(b"\n")[:-1]  # what follows the last end of line is a part
            try:
                for number, line in enumerate(lines):
                    value = parse_json(line, str(self.journal))
                    if number == 0:
                        self._require_same(self.journal, value)
                    else:
                        self._keep(value["image"], value["annotations"])
            except (KeyError, TypeError, AttributeError) as error:
                raise _foreign(self.journal) from error

    def _keep(self, image, annotations):
        if not isinstance(image["file_name"], str) or not isinstance(image["annotated"], str | None):
            raise TypeError
        self._records[image["file_name"]] = (dict(image), [dict(record) for record in annotations])

    def _require_same(self, path, document):
        for name, value in self._head.items():
            if document[name] != value:
                raise InputError(
                    f"`resume` requires the model, threshold and options of the run before. Received: another value of "
                    f"{name} than in {path}. Leave it out, or give another output."
                )


def journal_of(path):
    """The journal of a JSON file: `Path`."""
    return Path(path).with_name(f"{Path(path).name}.part")


def _foreign(path):
    return InputError(f"{path} is not a file of `pix2seq predict`, so it cannot be resumed. Give another output.")
