"""Adapting a trained model to other classes, another canvas, more objects or another precision."""

import dataclasses
import itertools

import numpy as np

from pix2seq_keras.canvas import canvas_size
from pix2seq_keras.errors import InputError
from pix2seq_keras.models.precisions import PRECISIONS
from pix2seq_keras.ranges import require_count
from pix2seq_keras.sequences import TOKENS_PER_OBJECT
from pix2seq_keras.vocabulary import Vocabulary


def with_classes(model, num_classes, categories=None):
    """Adapts a model to another number of classes.

    If both have categories, a class keeps the weights of the class with the same name. In the compact layout there is
    one class token per class, and the tokens of new names get random weights. In the published layout the class tokens
    are a range with free label slots: a new name takes the slot of its id, or else the first free slot, and keeps the
    weights of that slot, as in the published fine-tuning. All other weights are kept.

    Args:
        model: `Pix2Seq`.
        num_classes: int, at least 1.
        categories: `Categories` of the new classes, or `None` by default.

    Returns:
        A new `Pix2Seq`.

    Raises:
        InputError: if the published layout has fewer label slots.

    Example:
        >>> with_classes(Pix2Seq.from_preset("digits_tiny"), 3).vocabulary.num_classes
        3
    """
    old = model.vocabulary
    config = model.get_config()
    names = categories.names if categories is not None else ()
    known = dict(zip(model.categories.names, range(old.num_classes), strict=True)) if model.categories else {}
    if old != Vocabulary(old.num_classes, old.num_bins):
        slots = _slots(old, num_classes, categories, known)
        new = dataclasses.replace(old, num_classes=num_classes, labels=slots)
        other = type(model).from_config({**config, "vocabulary": new, "categories": categories})
        _copy_weights(model, other)
        return other
    new = Vocabulary(num_classes, old.num_bins)
    other = type(model).from_config({**config, "vocabulary": new, "categories": categories})
    both = [(known[name], index) for index, name in enumerate(names) if name in known]
    kept_old = np.r_[: old.label_shift, [old.class_tokens[one] for one, _ in both], old.coord_shift : old.size]
    kept_new = np.r_[: new.label_shift, [new.class_tokens[two] for _, two in both], new.coord_shift : new.size]
    of_tokens = {id(model.embedding.embeddings), id(model.embedding.output_bias)}
    for source, target in zip(model.weights, other.weights, strict=True):
        if id(source) in of_tokens:
            values = np.array(target)
            values[kept_new.astype(int)] = np.array(source)[kept_old.astype(int)]
            target.assign(values)
        else:
            target.assign(source)
    return other


def _slots(vocabulary, num_classes, categories, known):
    """Tuple of the label slot of each class in the published layout."""
    if categories is None:
        return tuple(range(1, num_classes + 1))
    slots = [vocabulary.labels[known[name]] if name in known else None for name in categories.names]
    taken = {slot for slot in slots if slot is not None}
    free = (slot for slot in itertools.count(1) if slot not in taken)
    for index, slot in enumerate(slots):
        if slot is None:
            own = categories.ids[index]
            slots[index] = own if 0 < own < vocabulary.num_labels and own not in taken else next(free)
            taken.add(slots[index])
    return tuple(slots)


def with_image_size(model, image_size):
    """Adapts a model to another canvas: all weights are kept, the sine position codes are recomputed.

    Args:
        model: `Pix2Seq`.
        image_size: int or (H, W), pixels.

    Returns:
        A new `Pix2Seq`.

    Raises:
        InputError: if `image_size` is invalid, or the encoder supports its own size only.

    Example:
        >>> with_image_size(Pix2Seq.from_preset("digits_tiny"), (96, 128)).image_size
        (96, 128)
    """
    canvas = canvas_size(image_size)
    config = model.get_config()
    config["encoder"] = _for_canvas(config["encoder"], [None, *model.image_size, 3], [None, *canvas, 3])
    config["image_size"] = canvas
    try:
        other = type(model).from_config(config)
        _copy_weights(model, other)
    except ValueError as error:
        height, width = canvas
        raise InputError(
            f"`image_size` is not supported by this model of {model.image_size[0]}×{model.image_size[1]} pixels. "
            f"Received: image_size=({height}, {width}). {error}"
        ) from error
    return other


def with_max_objects(model, max_objects):
    """Adapts a model to sequences of more objects, or fewer.

    Position embeddings are learned: each stands for one object of the sequence and one of its five tokens. The
    embeddings of additional objects are copies of the last object's. Training can continue from there: with objects in
    random order, no place in the sequence is special.

    Args:
        model: `Pix2Seq`.
        max_objects: int, at least 1.

    Returns:
        A new `Pix2Seq` whose `max_length` is 5·max_objects tokens.

    Raises:
        InputError: if `max_objects` is below 1.

    Example:
        >>> with_max_objects(Pix2Seq.from_preset("digits_tiny"), 32).max_length
        160
    """
    require_count("max_objects", max_objects)
    length = TOKENS_PER_OBJECT * max_objects
    other = type(model).from_config({**model.get_config(), "max_length": length})
    for source, target in zip(model.weights, other.weights, strict=True):
        if source is not model.embedding.positions:
            target.assign(source)
            continue
        known = np.array(source)
        whole = len(known) // TOKENS_PER_OBJECT * TOKENS_PER_OBJECT  # max_length need not be a multiple of five
        places = np.arange(length)
        if whole:
            places = np.where(places < len(known), places, whole - TOKENS_PER_OBJECT + places % TOKENS_PER_OBJECT)
        target.assign(known[np.minimum(places, len(known) - 1)])
    return other


def with_dtype(model, dtype):
    """Adapts a model to compute in another precision; its weights stay float32.

    Args:
        model: `Pix2Seq`.
        dtype: str, `"float32"`, `"mixed_bfloat16"` or `"mixed_float16"`. A backbone that is a Keras model of its own
            keeps its own precision.

    Returns:
        A new `Pix2Seq`.

    Raises:
        InputError: if `dtype` is none of these.

    Example:
        >>> with_dtype(Pix2Seq.from_preset("digits_tiny"), "mixed_bfloat16").compute_dtype
        'bfloat16'
    """
    if dtype not in PRECISIONS:
        raise InputError(f"`dtype` must be one of {', '.join(PRECISIONS)}. Received: dtype={dtype!r}")
    other = type(model).from_config({**_computing_in(dtype, model.get_config()), "dtype": dtype})
    _copy_weights(model, other)
    return other


def _copy_weights(model, other):
    # One weight at a time: get_weights would hold a third copy of a large model.
    for source, target in zip(model.weights, other.weights, strict=True):
        target.assign(source)


def _computing_in(dtype, value):
    """A configuration with the dtype of every layer of this package replaced, at any depth."""
    if isinstance(value, dict):
        value = {key: _computing_in(dtype, item) for key, item in value.items()}
        ours = str(value.get("registered_name") or "").startswith("pix2seq_keras>")
        if ours and isinstance(value.get("config"), dict) and "dtype" in value["config"]:
            value["config"] = {**value["config"], "dtype": dtype}
        return value
    return [_computing_in(dtype, item) for item in value] if isinstance(value, tuple | list) else value


def _without_inputs(config, image_shape):
    """The configuration of a Sequential without its input's shape. ConvNeXt backbones contain some."""
    first = config["layers"][0] if config.get("layers") else {}
    shape = first.get("config", {}).get("batch_shape")
    if first.get("class_name") != "InputLayer" or list(shape or ()) == image_shape:
        return config
    return {key: item for key, item in config.items() if key != "build_input_shape"} | {"layers": config["layers"][1:]}


def _for_canvas(value, old_shape, new_shape):
    """A serialised layer as if never built, with the images' old shape replaced by the new one everywhere."""
    if isinstance(value, dict):
        if value.get("class_name") == "Sequential":
            value = {**value, "config": _without_inputs(value["config"], old_shape)}
        # build_config has the old shapes, for which Keras would build the layer.
        return {key: _for_canvas(item, old_shape, new_shape) for key, item in value.items() if key != "build_config"}
    if isinstance(value, tuple | list):
        return list(new_shape) if list(value) == old_shape else [_for_canvas(v, old_shape, new_shape) for v in value]
    return value
