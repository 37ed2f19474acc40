"""From the name of a source that a user writes, such as "coco:DIR", to the source."""

from pix2seq_keras.data.formats import find_format
from pix2seq_keras.data.mixing import mix_terms, open_mix
from pix2seq_keras.data.sources.joining import join
from pix2seq_keras.data.sources.split_parts import parse_split, take_part
from pix2seq_keras.errors import InputError


def open_source(source, split):
    """Opens a source of images with objects.

    Args:
        source: str, "FORMAT:LOCATION" in one of the forms of `formats.FORMATS`, such as `"coco:DIR"`, `"voc:DIR"`,
            `"yolo:data.yaml"`, `"tfds:coco/2017"`, `"tfrecord:DIR"` or `"digits"`; or several sources as
            `"mix:[SOURCE]+[SOURCE]"`, see `open_mix`. docs/data.md describes all of them.
        split: str, a split's name such as `"train"`; a slice of it in integers or percents such as `"train[:80%]"`,
            `"train[80%:]"`, `"val[100:200]"` or `"val[-50:]"`, in the split's order; or several joined by `"+"`. A
            source without splits of its own has `"all"`, `"train"` and `"val"`, see `split_by_hash`.

    Returns:
        `Source`. The `issues` of a part are those of its whole split.

    Raises:
        InputError: if the form is unknown, or the source cannot be opened.

    Example:
        >>> source = open_source("coco:data/bccd", "train[:80%]")
        >>> len(source), source.categories.names
        (164, ('RBC', 'WBC', 'Platelets'))
    """
    mixture = mix_terms(source)
    if mixture is not None:
        return open_mix(str(source), mixture, str(split), open_source)
    data_format, location = find_format(source)
    read = data_format.function("read")
    parts = parse_split(split)
    if parts is None:
        if data_format.own_split_syntax:
            return read(location, str(split))
        raise InputError(
            "`split` must be a name such as train, a slice of it such as 'train[:80%]' or 'train[100:200]', or several "
            f"joined by +. Received: split={split!r}"
        )
    wholes = {name: read(location, name) for name in dict.fromkeys(part.name for part in parts)}
    sources = [take_part(wholes[part.name], part) for part in parts]
    if len(sources) == 1:
        return sources[0]
    first = set(sources[0].categories.names)
    by_name = all(first.issuperset(source.categories.names) for source in sources)  # in another order, or fewer
    return join(sources, sources[0].name, str(split), by_name=by_name)


def load(source, split):
    """Loads the examples of a source in a fixed order.

    Args:
        source: str, as `open_source` takes it, such as `"coco:DIR"` or `"digits"`.
        split: str, a split's name, or a slice of it such as `"train[:80%]"`, see `open_source`.

    Returns:
        A finite `tf.data.Dataset` of dicts: `"image"` uint8 (H, W, 3), `"image_id"` int64, `"boxes"` float32 (n, 4),
        `rel_yxyx`, `"classes"` int32 (n,), `"is_crowd"` bool (n,), `"area"` float32 (n,), in pixels². Images that
        cannot be read are left out; the `issues` of `open_source(source, split)` list them.

    Raises:
        InputError: if the source cannot be opened.

    Example:
        >>> for example in load("digits", "test"):
        ...     print(example["boxes"].shape)
    """
    return open_source(source, split).dataset()
