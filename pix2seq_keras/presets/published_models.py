"""The published models as records: architecture, categories, scores, and where their weights are."""

import copy
import functools
from dataclasses import dataclass
from importlib import resources

import yaml

from pix2seq_keras.errors import InputError


@dataclass(frozen=True)
class PublishedModel:
    """What is known of one published model.

    Args:
        name: str, such as `"vit_b_640"`.
        config: dictionary with the keys of the published model configuration, see
            `published.architecture.model_arguments`; `"image_size"` is [H, W] in pixels.
        dataset: str, `"coco"` or `"objects365"`, the data set it was trained on.
        preprocessing: dictionary, how an image of any size becomes the canvas.
        ap: float or `None`, the published box AP on COCO val2017 in percent; `None` where none was published.
        source: str or `None`, the bucket path of the checkpoint; `None` where it was not published.

    Example:
        >>> record = get("vit_b_640")
        >>> record.ap, record.config["dim_att"], record.source
        (44.2, 768, 'gs://pix2seq/coco_det_finetune/vit_b_640x640')
    """

    name: str
    config: dict
    dataset: str
    preprocessing: dict
    ap: float | None
    source: str | None

    @property
    def categories(self):
        """`Categories` of the data set; their ids are the label slots of the vocabulary."""
        return categories(self.dataset)

    @property
    def vocabulary(self):
        """`Vocabulary`: the published layout with the categories' ids as label slots."""
        from pix2seq_keras.vocabulary import Vocabulary  # imports TensorFlow, which names and records do not need

        return Vocabulary.published(
            self.config["quantization_bins"],
            self.config["coord_vocab_shift"],
            self.config["vocab_size"],
            self.categories.ids,
        )


def names():
    """List of str: the published models, those fine-tuned on COCO first."""
    return list(_all())


def get(name):
    """The record of a published model.

    Args:
        name: str, one of `names()`.

    Returns:
        `PublishedModel`. Its dictionaries are copies: changing them changes nothing here.

    Raises:
        InputError: if there is none of that name.
    """
    if name not in _all():
        raise InputError(f"There is no published model {name!r}. Use one of {summary()}.")
    return copy.deepcopy(_all()[name])


def summary():
    """The names in short, as text. A message with all 20 would be too long.

    Example:
        >>> summary()
        'resnet50, resnet50_c4, vit_b or vit_l with _640, _1024 or _1333; …'
    """
    parts = []
    for group in _table()["groups"]:
        endings = [ending.replace("{architecture}", "") for ending in _endings(group)]
        parts.append(f"{_either(list(group['ap']))} with {_either(endings)}")
    return "; ".join(parts)


@functools.cache
def categories(dataset):
    """`Categories` of `"coco"` (80, ids 1…90 with gaps) or `"objects365"` (365, ids 1…365)."""
    from pix2seq_keras.categories import Categories  # imports Keras, which names and records do not need

    names_of_ids = _read(f"{dataset}.yaml")
    return Categories(tuple(names_of_ids), tuple(names_of_ids.values()))


@functools.cache
def _all():
    records = [
        _record(group, architecture, size, ap)
        for group in _table()["groups"]
        for architecture, scores in group["ap"].items()
        for size, ap in scores.items()
    ]
    return {record.name: record for record in records}


def _record(group, architecture, size, ap):
    table = _table()
    config = {**table["config"], **table["architectures"][architecture], **group.get("config", {})}
    names_in_path = {"bucket_name": table["bucket_names"].get(architecture), "size": size}
    return PublishedModel(
        name=group["name"].format(architecture=architecture, size=size),
        config={**config, "image_size": [size, size]},
        dataset=group["categories"],
        preprocessing=table["preprocessing"],
        ap=ap,
        source=group["source"] and group["source"].format(**names_in_path),
    )


def _endings(group):
    sizes = dict.fromkeys(size for scores in group["ap"].values() for size in scores)
    return [group["name"].replace("{size}", str(size)) for size in sizes]


def _either(words):
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


@functools.cache
def _table():
    return _read("published.yaml")


def _read(file_name):
    path = resources.files("pix2seq_keras") / "presets" / file_name
    return yaml.safe_load(path.read_text(encoding="utf-8"))
