"""From what a user writes after `--data` to a source."""

import re

from pix2seq_keras.data.mixing import open_mix
from pix2seq_keras.data.sources.joining import join
from pix2seq_keras.data.sources.splits import parse_split, take_part
from pix2seq_keras.errors import InputError

FORMS = (
    '"coco:DIR", "coco:FILE.json+DIR", "voc:DIR", "yolo:data.yaml", "tfds:NAME[/CONFIG]", "tfrecord:DIR", "digits", '
    '"digits:64" or "mix:0.7*[SOURCE]+0.3*[SOURCE]"'
)


def open_source(source, split):
    """Opens a source of images with objects.

    Args:
        source: one of

            - `"coco:DIR"`, a folder with `annotations/instances_SPLIT.json` beside `SPLIT/`; Objects365's and
              Roboflow's folders too, see `open_coco`. `"coco:FILE.json+DIR"`: that file, its images in that folder.
            - `"voc:DIR"`, Pascal VOC's folder or a plain one of images and XML files, see `open_voc`.
              `"voc:DIR?difficult=keep"` takes difficult objects as any others.
            - `"yolo:data.yaml"`, see `open_yolo`; `"yolo:data.yaml+DIR"` where its images are in another folder.
            - `"tfds:NAME[/CONFIG]"`, a prepared `tensorflow_datasets` data set with an `objects` feature;
              `"tfds:NAME?objects=faces&class=face"` says which features to take, see `TfdsMapping`.
            - `"tfrecord:DIR"`, a folder that `convert_source` or TFDS wrote.
            - `"digits"`, scenes of handwritten digits at 96×96, or `"digits:64"`, simpler ones at 64×64.
            - `"mix:[SOURCE]+[SOURCE]"` for several, `"mix:0.7*[SOURCE]+0.3*[SOURCE]"` with their shares, see
              `open_mix`; `"mix-by-name:…"` matches their classes by name.
        split: str. A split's name such as `"train"`, a slice of it in whole numbers or percents such as
            `"train[:80%]"`, `"train[80%:]"`, `"val[100:200]"` or `"val[-50:]"`, which keeps the split's order, or
            several joined by `"+"`. A source that has no splits of its own has `"all"`, and a fixed `"train"` and
            `"val"`, see `made_split`.

    Returns:
        A `Source`. The `issues` of a part are those of its whole split.

    Raises:
        InputError: if the form is unknown, or the source cannot be opened.

    Example:
        >>> source = open_source("coco:my_images", "train[:80%]")
        >>> len(source), source.categories.names, source.issues.summary()
    """
    kind, _, rest = str(source).partition(":")
    if kind in ("mix", "mix-by-name") and rest:
        return open_mix(rest, str(split), open_source, by_name=kind == "mix-by-name")
    open_split = _opener(kind, rest)
    if open_split is None:
        raise InputError(f"Unknown data source: {source!r}. Use {FORMS}.")
    parts = parse_split(split)
    if parts is None:
        if kind in ("tfds", "tfrecord", "digits"):
            return open_split(str(split))  # TFDS has more ways to write one, such as train[:2shard]
        raise InputError(
            "A split is a name such as train, a slice of it such as 'train[:80%]' or 'train[100:200]', or several "
            f"joined by +. Received: split={split!r}"
        )
    wholes = {name: open_split(name) for name in dict.fromkeys(part.name for part in parts)}
    sources = [take_part(wholes[part.name], part) for part in parts]
    return sources[0] if len(sources) == 1 else join(sources, sources[0].name, str(split))


def _opener(kind, rest):
    """A function of a split's name, or None where the form is unknown."""
    # TFDS takes seconds to import: only who reads from it waits for it.
    if kind == "coco" and rest:
        from pix2seq_keras.data.sources.coco.read import open_coco, open_coco_file

        file, folder = file_and_folder(rest, r"\.json")
        return lambda split: open_coco(rest, split) if folder is None else open_coco_file(file, folder, split)
    if kind == "voc" and rest:
        from pix2seq_keras.data.sources.voc.read import open_voc

        folder, _, difficult = rest.partition("?difficult=")
        return lambda split: open_voc(folder, split, difficult or "crowd")
    if kind == "yolo" and rest:
        from pix2seq_keras.data.sources.yolo.read import open_yolo

        file, folder = file_and_folder(rest, r"\.ya?ml")
        return lambda split: open_yolo(file, split, folder)
    if kind == "tfds" and rest:
        from pix2seq_keras.data.sources.tfds.mapping import parse_mapping
        from pix2seq_keras.data.sources.tfds.read import open_tfds

        name, _, mapping = rest.partition("?")
        return lambda split: open_tfds(name, split, parse_mapping(mapping))
    if kind == "tfrecord" and rest:
        from pix2seq_keras.data.sources.tfds.read import open_tfrecord

        return lambda split: open_tfrecord(rest, split)
    if kind == "digits" and re.fullmatch(r"\w*", rest):
        from pix2seq_keras.data.sources.tfds.read import open_digits

        return lambda split: open_digits(rest or "96", split)
    return None


def file_and_folder(text, ending):
    """The two of "FILE+FOLDER", or the whole and None."""
    match = re.fullmatch(rf"(.+?{ending})\+(.+)", text, re.IGNORECASE | re.DOTALL)
    return (text, None) if match is None else (match[1], match[2])


def load(source, split):
    """The examples of a source, in a fixed order.

    Args:
        source: str, as `open_source` takes it: `"coco:DIR"`, `"coco:FILE.json+DIR"`, `"voc:DIR"`, `"yolo:data.yaml"`,
            `"tfds:NAME[/CONFIG]"`, `"tfrecord:DIR"`, `"digits"`, `"digits:64"`, or several of them as
            `"mix:0.7*[SOURCE]+0.3*[SOURCE]"`.
        split: str, a split's name, or a slice of it such as `"train[:80%]"`, see `open_source`.

    Returns:
        A finite `tf.data.Dataset` of dictionaries `"image"` uint8 (H, W, 3), `"image_id"` int64, `"boxes"` float32
        (n, 4) `rel_yxyx`, `"classes"` int32 (n,), `"is_crowd"` bool (n,), `"area"` float32 (n,) pixels². Images
        that cannot be read are left out; `open_source(...)` gives the source, whose `issues` say which.

    Raises:
        InputError: if the source cannot be opened.
    """
    return open_source(source, split).dataset()
