"""A trained model for other classes."""

import dataclasses

import numpy as np

from pix2seq_keras.vocabulary import Vocabulary


def with_classes(model, num_classes, categories=None):
    """The same model for another number of classes: all weights kept but those of class tokens.

    Args:
        model: `Pix2Seq`.
        num_classes: int.
        categories: `Categories` of the new classes, or `None`.

    Returns:
        A new `Pix2Seq`; the embeddings and output biases of its class tokens are fresh random ones.
    """
    old = model.vocabulary
    compact = dataclasses.replace(old, num_classes=num_classes, labels=None, coord_shift=None, size=None)
    is_compact = old == Vocabulary(old.num_classes, old.num_bins)
    # In the published layout the class tokens are a range with room: only which of them are used changes.
    new = compact if is_compact else dataclasses.replace(
        old, num_classes=num_classes, labels=tuple(range(1, num_classes + 1))
    )  # fmt: skip
    config = model.get_config()
    config.update(vocabulary=new, categories=categories)
    other = type(model).from_config(config)
    kept_old = np.r_[: old.label_shift, old.coord_shift : old.size]
    kept_new = np.r_[: new.label_shift, new.coord_shift : new.size]
    of_tokens = {id(model.embedding.embeddings), id(model.embedding.output_bias)}
    for source, target in zip(model.weights, other.weights, strict=True):
        if id(source) in of_tokens:
            values = np.array(target)
            values[kept_new] = np.array(source)[kept_old]
            target.assign(values)
        else:
            target.assign(source)
    return other
