"""The recipe of a training run: dataclasses whose fields are also YAML keys and flags of `pix2seq train`.

Free of TensorFlow, so that `--help` stays fast.
"""

import dataclasses
import re
from dataclasses import field
from typing import Any

import yaml

from pix2seq_keras import objectives
from pix2seq_keras.data.augmentation_options import Augmentation
from pix2seq_keras.decoding.options import DecodingOptions
from pix2seq_keras.errors import InputError
from pix2seq_keras.models.precisions import PRECISIONS
from pix2seq_keras.sequences.options import SequenceOptions


@dataclasses.dataclass(frozen=True)
class DataRecipe:
    """The images to train and to evaluate on.

    Args:
        source: str, the data source, see `pix2seq_keras.open_source` and docs/data.md
        train_split: str, split to train on.
        val_split: str, split for the evaluations during training.
        train_limit: int ≥ 1 or null, number of training images to use. Null uses all.
        copies: int ≥ 1, how many times each image comes in a row, each time with another augmentation.
        repeat_threshold: float ≥ 0. Images with a class that is in a smaller share of the images are repeated; 0.001 is
            usual for rare classes, 0 repeats none.
        cache_dir: str or null, folder for copies of large images reduced to `cache_size`, for this run and others;
            training then uses the copies. Null reads the originals each time.
        cache_gigabytes: float ≥ 0, largest size of that folder.
        cache_size: int ≥ 1, longest side in pixels of a reduced image, best at least that of the canvas.
        service: str or null, address of a tf.data service whose workers prepare the batches, such as
            "grpc://host:5000". Null prepares them in this process.
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
    """The model: a preset to start from, or the sizes of a new one.

    Args:
        preset: str or null, preset, run folder or `.keras` file to fine-tune. The fields after `image_size` then have
            no effect.
        weights: str or null, the preset's weights: a `.weights.h5` or `.keras` file, its address, or the folder of a
            published checkpoint; or "random". Null takes those in the cache, or downloads them.
        image_size: height and width of the canvas in pixels, or null for that of the preset, or 96×96.
        num_bins: int ≥ 2, bins of a coordinate.
        backbone: str or null, the network before the Transformer: of `keras.applications` "resnet50",
            "efficientnetv2_s", "convnext_tiny", "mobilenetv3_large" and their other sizes, or of keras-cv
            "csp_darknet_tiny", "_s", "_m", "_l". Null takes the residual stem.
        backbone_weights: str or null, "imagenet" (`keras.applications` only, downloaded once), or a weights file of the
            network without its top. Null starts from random weights.
        backbone_stride: int, pixels of the image for each position of the features: 4, 8, 16 or 32.
        backbone_freeze: bool, whether no weight of the backbone is trained.
        backbone_batch_norm: str, "train", or "frozen" to keep the statistics of its weights, for small batches.
        stem_widths: channels of the residual stem at stride 2, 4, 8, …
        stem_depth: int, residual blocks of each width after the first.
        encoder_layers: int, Transformer encoder blocks.
        encoder_dim: int, their width.
        encoder_mlp_dim: int, width inside their MLPs.
        encoder_heads: int, their attention heads.
        decoder_layers: int, Transformer decoder blocks.
        decoder_dim: int, their width.
        decoder_mlp_dim: int, width inside their MLPs.
        decoder_heads: int, their attention heads.
        dropout: float in [0, 1), after GELUs and on the features of the backbone.
        drop_path: float in [0, 1), stochastic depth.
        embedding_scale: float or null, factor for token embeddings at the input. Null means the square root of their
            width.
        embedding_stddev: float, standard deviation of the embeddings at the start.
        smooth_coordinates: bool, whether neighbouring coordinate bins start with similar embeddings.
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
        learning_rate: float > 0, the highest learning rate.
        warmup_steps: int ≥ 0, steps of linear warm-up from 0.
        schedule: str, "cosine" or "linear" for a decay to `final_factor`, or "constant".
        final_factor: float, share of the learning rate at the last step.
        weight_decay: float, applied to every weight, as published, but those of `no_decay`.
        no_decay: list of str, regular expressions; a weight whose path contains a match has no weight decay, such as
            ["bias", "gamma", "beta", "embedding"]. The default is none.
        beta_1: float, of AdamW.
        beta_2: float, of AdamW.
        epsilon: float, of AdamW.
        clipnorm: float or null, largest global norm of the gradients. Null does not clip them.
        ema: float in (0, 1) or null, such as 0.999: the share of the old average in the moving averages of the weights
            after each step. They are what is evaluated and saved. Null keeps no averages.
    """

    learning_rate: float = 5e-4
    warmup_steps: int = 200
    schedule: str = "cosine"
    final_factor: float = 0.01
    weight_decay: float = 0.05
    no_decay: tuple[str, ...] = ()
    beta_1: float = 0.9
    beta_2: float = 0.95
    epsilon: float = 1e-8
    clipnorm: float | None = 1.0
    ema: float | None = None


@dataclasses.dataclass(frozen=True)
class EvaluationRecipe:
    """The evaluations during training, and the gallery at the end.

    Args:
        every: int ≥ 1, epochs between two evaluations; the last epoch is always evaluated.
        max_images: int ≥ 1 or null, number of images of the validation split to use. Null uses all.
        batch_size: int ≥ 1, images in a batch.
        gallery_images: int ≥ 0, images in the gallery.
        threshold: float, lowest score of a box that the gallery shows.
        decoding: `DecodingOptions` of the evaluations and of the gallery; they choose `best.keras`.
    """

    every: int = 4
    max_images: int | None = None
    batch_size: int = 32
    gallery_images: int = 12
    threshold: float = 0.5
    decoding: DecodingOptions = field(default_factory=DecodingOptions)


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Everything that determines a training run.

    Args:
        steps: int ≥ 1, optimiser steps of the run.
        epoch_steps: int ≥ 1, steps of an epoch. After each, metrics are written and the state is saved.
        batch_size: int ≥ 1, images of a step, over all devices.
        accumulation_steps: int ≥ 1, in how many parts a device computes its images of a step, one after the other. The
            step is that of the whole batch and needs a fraction of its memory; batch normalisation takes its
            statistics from each part.
        save_steps: int ≥ 1 or null, steps between two saves of the state within an epoch, to resume from.
        save_minutes: float > 0 or null, minutes after which the state is saved within an epoch.
        seed: int ≥ 0, of everything random.
        strategy: str, "none", or "mirrored" for all GPUs of this machine.
        precision: str, "float32", "mixed_bfloat16" or "mixed_float16"; named backbones always compute in float32.
        objective: str or mapping, what is minimised: "maximum_likelihood" or another name of `objectives.names()`, or a
            mapping with its name and parameters.
        data: `DataRecipe`.
        model: `ModelRecipe`.
        sequence: `SequenceOptions`.
        augmentation: `Augmentation`.
        optimizer: `OptimizerRecipe`.
        evaluation: `EvaluationRecipe`.

    Raises:
        InputError: if a value is out of range.

    Example:
        >>> Recipe(steps=100, evaluation=EvaluationRecipe(decoding=DecodingOptions(num_samples=8))).batch_size
        32
    """

    steps: int = 1000
    epoch_steps: int = 250
    batch_size: int = 32
    accumulation_steps: int = 1
    save_steps: int | None = None
    save_minutes: float | None = 10.0
    seed: int = 0
    strategy: str = "none"
    precision: str = "float32"
    objective: dict[str, Any] | str = objectives.DEFAULT
    data: DataRecipe = field(default_factory=DataRecipe)
    model: ModelRecipe = field(default_factory=ModelRecipe)
    sequence: SequenceOptions = field(default_factory=SequenceOptions)
    augmentation: Augmentation = field(default_factory=Augmentation)
    optimizer: OptimizerRecipe = field(default_factory=OptimizerRecipe)
    evaluation: EvaluationRecipe = field(default_factory=EvaluationRecipe)

    def __post_init__(self):
        counts = {
            **{
                name: getattr(self, name)
                for name in ("steps", "epoch_steps", "batch_size", "accumulation_steps", "save_steps")
            },
            **{f"data.{name}": getattr(self.data, name) for name in ("train_limit", "copies", "cache_size")},
            **{f"evaluation.{name}": getattr(self.evaluation, name) for name in ("every", "batch_size", "max_images")},
        }
        for name, count in counts.items():
            if count is not None and count < 1:
                raise InputError(f"`{name}` must be at least 1. Received: {name}={count}.")
        if self.save_minutes is not None and not self.save_minutes > 0:
            raise InputError(f"`save_minutes` must be above 0, or null. Received: save_minutes={self.save_minutes}.")
        if self.batch_size % self.accumulation_steps:
            raise InputError(
                "`accumulation_steps` must divide `batch_size`. "
                f"Received: accumulation_steps={self.accumulation_steps}, batch_size={self.batch_size}."
            )
        if self.optimizer.ema is not None and not 0 < self.optimizer.ema < 1:
            raise InputError(
                f"`optimizer.ema` must lie between 0 and 1, or be null. Received: optimizer.ema={self.optimizer.ema}."
            )
        for pattern in self.optimizer.no_decay:
            _check_pattern(pattern)
        amounts = {
            **{f"data.{name}": getattr(self.data, name) for name in ("repeat_threshold", "cache_gigabytes")},
            "evaluation.gallery_images": self.evaluation.gallery_images,
        }
        for name, amount in amounts.items():
            if not amount >= 0:
                raise InputError(f"`{name}` must be at least 0. Received: {name}={amount}.")
        if not 0 <= self.seed < 2**31:
            raise InputError(f"`seed` must be between 0 and 2³¹ − 1. Received: seed={self.seed}.")
        if self.precision not in PRECISIONS:
            raise InputError(
                f"`precision` must be one of {', '.join(PRECISIONS)}. Received: precision={self.precision!r}."
            )
        if self.model.weights is not None and self.model.preset is None:
            raise InputError(
                "`model.weights` requires `model.preset`, whose weights they are. "
                f"Received: model.weights={self.model.weights}, model.preset=null."
            )
        objectives.check(self.objective)
        if not isinstance(self.objective, str | dict):
            raise InputError(
                "`objective` of a recipe must be a name or a mapping, which its file can hold. "
                f"Received: objective={self.objective!r}. Give the object to `Pix2Seq.compile`."
            )
        if self.evaluation.decoding.to_dict()["sampler"]["name"] == "custom":
            raise InputError(
                "`evaluation.decoding.sampler` of a recipe must be a name or a mapping, which its file can hold. "
                f"Received: sampler={self.evaluation.decoding.sampler!r}."
            )

    @classmethod
    def from_dict(cls, values):
        """Builds a recipe from nested dictionaries, such as the content of a YAML file.

        Args:
            values: dict of field to value; missing fields have their defaults. Fields that were renamed since
                version 0.1.0 are accepted.

        Returns:
            `Recipe`.

        Raises:
            InputError: if a value is out of range.
            TypeError: if a field is unknown or has a wrong type.
        """
        return _build(cls, renamed_fields(values))

    def to_dict(self):
        """The recipe as nested dictionaries of JSON values, with all defaults; `from_dict` restores it."""
        return _plain(self)

    def to_yaml(self):
        """The recipe as YAML text, with all defaults."""
        return yaml.safe_dump(self.to_dict(), sort_keys=False, allow_unicode=True)


def _check_pattern(pattern):
    try:
        re.compile(pattern)
    except (re.error, TypeError) as error:
        raise InputError(
            f"`optimizer.no_decay` must hold regular expressions. Received: {pattern!r}, {error}."
        ) from error


def _build(kind, values):
    parts = {part.name: part.default_factory for part in dataclasses.fields(kind)}

    def field_value(name, value):
        if dataclasses.is_dataclass(parts.get(name)):
            return _build(parts[name], value)
        return tuple(value) if isinstance(value, list) else value

    return kind(**{name: field_value(name, value) for name, value in values.items()})


def renamed_fields(values):
    """The values of a recipe, also if version 0.1.0 wrote them: two decoding options were then in `evaluation`."""
    evaluation = dict(values.get("evaluation") or {})
    old = {name: evaluation.pop(name) for name in ("sampler", "constrained") if name in evaluation}
    if not old:
        return values
    return {**values, "evaluation": {**evaluation, "decoding": {**old, **evaluation.get("decoding", {})}}}


def _plain(value):
    if isinstance(value, DecodingOptions):
        return value.to_dict()  # which also names the sampler
    if dataclasses.is_dataclass(value):
        return {part.name: _plain(getattr(value, part.name)) for part in dataclasses.fields(value)}
    return list(value) if isinstance(value, tuple) else value
