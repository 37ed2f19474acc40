"""A training run, described: a recipe's field, its YAML key and its flag are one thing."""

import dataclasses
from dataclasses import field
from importlib import resources
from pathlib import Path

import yaml

from pix2seq_keras.data.augmentation_options import Augmentation
from pix2seq_keras.decoding import samplers
from pix2seq_keras.errors import InputError
from pix2seq_keras.models.adapting import PRECISIONS
from pix2seq_keras.sequences import SequenceOptions


@dataclasses.dataclass(frozen=True)
class DataRecipe:
    """Which images.

    Args:
        source: as `pix2seq_keras.data.load` takes it: "coco:DIR", "voc:DIR", "yolo:data.yaml", "tfds:NAME", "digits",
            "mix:…"; docs/data.md has all forms.
        train_split: split to train on.
        val_split: split for evaluations while training.
        train_limit: use only so many training images; null for all.
        copies: how often each image comes in a row, augmented in different ways.
        repeat_threshold: images with a class that fewer than this share of the images have come more often; 0.001
            is usual for rare classes, 0 repeats nothing.
        cache_dir: folder that keeps large images reduced to `cache_size`, for this run and others; null reads the
            originals each time. With it, the reduced images are what is trained on.
        cache_gigabytes: the most that folder holds.
        cache_size: longest side in pixels of a reduced image; best no less than that of the canvas.
        service: address of a tf.data service whose workers prepare the batches, such as "grpc://host:5000"; null does
            so in this process.
    """

    source: str = "digits"
    train_split: str = "train"
    val_split: str = "val"
    train_limit: int | None = None
    copies: int = 1
    repeat_threshold: float = 0.0
    cache_dir: str | None = None
    cache_gigabytes: float = 20.0
    cache_size: int = 1333
    service: str | None = None


@dataclasses.dataclass(frozen=True)
class ModelRecipe:
    """Which model: a preset to start from, or sizes to build from nothing.

    Args:
        preset: preset, run folder or `.keras` file to fine-tune; the sizes below image_size then do not count.
        weights: where a preset's weights are, if not in the cache: a `.weights.h5` or `.keras` file, its address, or
            the folder of a published checkpoint; or "random".
        image_size: height and width of the canvas; null for the preset's own, or 96×96.
        num_bins: bins a coordinate is quantised to.
        backbone: network of `keras.applications` that sees the image first: "resnet50", "efficientnetv2_s",
            "convnext_tiny", "mobilenetv3_large" and their sizes; null for the residual stem.
        backbone_weights: "imagenet", downloaded once, or a weights file of the network without its top; null for
            random ones.
        backbone_stride: pixels to one place of its features: 4, 8, 16 or 32.
        backbone_freeze: whether nothing of it trains.
        backbone_batch_norm: "train", or "frozen" to keep the statistics of its weights, as small batches need.
        stem_widths: channels of the residual stem at stride 2, 4, 8, …
        stem_depth: residual blocks of each width after the first.
        encoder_layers: Transformer encoder blocks.
        encoder_dim: their width.
        encoder_mlp_dim: width inside their MLPs.
        encoder_heads: their attention heads.
        decoder_layers: decoder blocks.
        decoder_dim: their width.
        decoder_mlp_dim: width inside their MLPs.
        decoder_heads: their attention heads.
        dropout: after GELUs and on the stem's features.
        drop_path: stochastic depth.
        embedding_scale: what token embeddings are multiplied by on the way in; null for the root of their width.
        embedding_stddev: spread of the embeddings at the start.
        smooth_coordinates: whether neighbouring coordinate bins start with like embeddings.
    """

    preset: str | None = None
    weights: str | None = None
    image_size: tuple[int, int] | None = None
    num_bins: int = 192
    backbone: str | None = None
    backbone_weights: str | None = None
    backbone_stride: int = 16
    backbone_freeze: bool = False
    backbone_batch_norm: str = "train"
    stem_widths: tuple[int, ...] = (32, 64, 128)
    stem_depth: int = 2
    encoder_layers: int = 2
    encoder_dim: int = 128
    encoder_mlp_dim: int = 512
    encoder_heads: int = 4
    decoder_layers: int = 2
    decoder_dim: int = 128
    decoder_mlp_dim: int = 512
    decoder_heads: int = 4
    dropout: float = 0.1
    drop_path: float = 0.0
    embedding_scale: float | None = 2.0
    embedding_stddev: float = 0.1
    smooth_coordinates: bool = True


@dataclasses.dataclass(frozen=True)
class OptimizerRecipe:
    """AdamW and its learning rate.

    Args:
        learning_rate: the highest rate.
        warmup_steps: steps of linear warm-up from 0.
        schedule: "cosine" or "linear", down to `final_factor`, or "constant".
        final_factor: share of the rate that is left at the last step.
        weight_decay: on every weight, as published.
        beta_1: AdamW's.
        beta_2: AdamW's.
        epsilon: AdamW's.
        clipnorm: global norm gradients are clipped to; null for none.
    """

    learning_rate: float = 5e-4
    warmup_steps: int = 200
    schedule: str = "cosine"
    final_factor: float = 0.01
    weight_decay: float = 0.05
    beta_1: float = 0.9
    beta_2: float = 0.95
    epsilon: float = 1e-8
    clipnorm: float | None = 1.0


@dataclasses.dataclass(frozen=True)
class EvaluationRecipe:
    """Evaluations while training, and the gallery at the end.

    Args:
        every: evaluate every so many epochs; the last one always is.
        max_images: only so many images of the validation split; null for all.
        batch_size: images at once.
        sampler: "greedy", "top_k" or "top_p".
        constrained: whether the grammar holds.
        gallery_images: images in the gallery.
        threshold: score from which the gallery shows a box.
    """

    every: int = 4
    max_images: int | None = None
    batch_size: int = 32
    sampler: str = "top_p"
    constrained: bool = True
    gallery_images: int = 12
    threshold: float = 0.5

    def detect_options(self):
        """Dictionary of the options of `Pix2Seq.detect`."""
        return {"sampler": self.sampler, "constrained": self.constrained}


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Everything that decides a training run.

    Args:
        steps: optimiser steps in all.
        epoch_steps: steps of an "epoch", after which metrics are written and the run can be resumed.
        batch_size: images a step, over all devices.
        seed: of everything random.
        strategy: "none", or "mirrored" for all GPUs of this machine.
        precision: "float32", or "mixed_bfloat16" or "mixed_float16" to compute in half the bits; a backbone of
            `keras.applications` stays in float32.
        data, model, sequence, augmentation, optimizer, evaluation: see there.
    """

    steps: int = 1000
    epoch_steps: int = 250
    batch_size: int = 32
    seed: int = 0
    strategy: str = "none"
    precision: str = "float32"
    data: DataRecipe = field(default_factory=DataRecipe)
    model: ModelRecipe = field(default_factory=ModelRecipe)
    sequence: SequenceOptions = field(default_factory=SequenceOptions)
    augmentation: Augmentation = field(default_factory=Augmentation)
    optimizer: OptimizerRecipe = field(default_factory=OptimizerRecipe)
    evaluation: EvaluationRecipe = field(default_factory=EvaluationRecipe)

    def __post_init__(self):
        counts = {
            **{name: getattr(self, name) for name in ("steps", "epoch_steps", "batch_size")},
            **{f"data.{name}": getattr(self.data, name) for name in ("train_limit", "copies", "cache_size")},
            **{f"evaluation.{name}": getattr(self.evaluation, name) for name in ("every", "batch_size", "max_images")},
        }
        for name, count in counts.items():
            if count is not None and count < 1:
                raise InputError(f"{name} must be at least 1. Received: {name}={count}")
        for name in ("repeat_threshold", "cache_gigabytes"):
            if not getattr(self.data, name) >= 0:
                raise InputError(f"data.{name} must not be negative. Received: data.{name}={getattr(self.data, name)}")
        if not 0 <= self.seed < 2**31:
            raise InputError(f"seed must lie between 0 and 2³¹ − 1. Received: seed={self.seed}")
        if self.precision not in PRECISIONS:
            raise InputError(f"Unknown precision: {self.precision!r}. Use one of {', '.join(PRECISIONS)}.")
        if self.model.weights is not None and self.model.preset is None:
            raise InputError(
                "model.weights are those of a preset: name it as model.preset. "
                f"Received: model.weights={self.model.weights}, model.preset=null"
            )
        # What is used at the end of the first epochs is checked before them.
        samplers.get(self.evaluation.sampler)
        if self.evaluation.gallery_images < 0:
            raise InputError(
                "evaluation.gallery_images must not be negative. "
                f"Received: evaluation.gallery_images={self.evaluation.gallery_images}"
            )

    def to_yaml(self):
        """The whole recipe as YAML text, every default written out."""
        plain = dataclasses.asdict(self, dict_factory=_with_lists)
        return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True)


def names():
    """Sorted list of str: the recipes that come with the package."""
    return sorted(path.stem for path in _packaged().glob("*.yaml"))


def find(recipe):
    """The path of a recipe's YAML file.

    Args:
        recipe: str, a name of `names()` or a file's path.

    Raises:
        InputError: if there is none; the message lists those that come with the package.
    """
    for path in (_packaged() / f"{recipe}.yaml", Path(recipe)):
        if path.is_file():
            return path
    raise InputError(f"There is no recipe {recipe!r}. Use one of {', '.join(names())}, or the path of a YAML file.")


def load(path):
    """Reads a resolved recipe, as a run folder holds it.

    Raises:
        InputError: if the file is missing or not a recipe.
    """
    try:
        fields = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        parts = {
            part.name: part.default_factory for part in dataclasses.fields(Recipe) if callable(part.default_factory)
        }
        built = {name: _built(kind, fields.pop(name)) for name, kind in parts.items() if name in fields}
        return Recipe(**fields, **built)
    except FileNotFoundError as error:
        raise InputError(f"There is no recipe at {path}.") from error
    except (yaml.YAMLError, TypeError, AttributeError, ValueError, OSError) as error:
        raise InputError(f"{path} is not a recipe: {error}") from error


def _built(kind, fields):
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()})


def _with_lists(items):
    return {name: list(value) if isinstance(value, tuple) else value for name, value in items}


def _packaged():
    return Path(str(resources.files("pix2seq_keras"))) / "recipes"
