"""Builds what a recipe describes: the model, the optimiser, the batches."""

import re

import keras

from pix2seq_keras import presets
from pix2seq_keras.data import ImageCache, training_dataset
from pix2seq_keras.data.pipeline import images_of_batch
from pix2seq_keras.errors import InputError
from pix2seq_keras.inference import open_model
from pix2seq_keras.layers import ImageEncoder, ResidualStem, named_backbone
from pix2seq_keras.models import Pix2Seq
from pix2seq_keras.models.adapting import with_classes, with_dtype, with_image_size, with_max_objects
from pix2seq_keras.sequences import TOKENS_PER_OBJECT
from pix2seq_keras.training.schedules import WarmupSchedule
from pix2seq_keras.vocabulary import Vocabulary

DEFAULT_IMAGE_SIZE = (96, 96)


def build_model(recipe, categories, load_weights=True):
    """The model of a recipe, random or from a preset, for the categories of the data.

    Args:
        recipe: `Recipe`.
        categories: `Categories` of the data.
        load_weights: bool, whether to load the weights of a preset; False for a run that loads its own. Defaults to
            True.

    Returns:
        `Pix2Seq`, not compiled.

    Raises:
        InputError: if the preset does not exist, or the model cannot be built from the recipe.
    """
    if recipe.model.preset is None:
        model = _random(recipe, categories)
    else:
        model = _from_preset(recipe.model, categories, load_weights)
        if model.max_length < TOKENS_PER_OBJECT * recipe.sequence.max_objects:
            model = with_max_objects(model, recipe.sequence.max_objects)
    return model if recipe.precision == "float32" else with_dtype(model, recipe.precision)


def _from_preset(sizes, categories, load_weights):
    if presets.exists(sizes.preset):
        weights = {None: "published", "random": None}.get(sizes.weights, sizes.weights) if load_weights else None
        model = Pix2Seq.from_preset(sizes.preset, weights=weights, image_size=sizes.image_size)
    elif sizes.weights is not None:
        raise InputError(
            f"`model.weights` must be null for {sizes.preset}, which has its own weights. "
            f"Received: model.weights={sizes.weights}."
        )
    else:
        model = open_model(sizes.preset)
        if sizes.image_size is not None and sizes.image_size != model.image_size:
            model = with_image_size(model, sizes.image_size)
    if model.categories != categories:
        model = with_classes(model, len(categories), categories)
    return model


def _random(recipe, categories):
    sizes = recipe.model
    image_size = sizes.image_size or DEFAULT_IMAGE_SIZE
    encoder = ImageEncoder(
        _build_backbone(sizes, image_size),
        num_layers=sizes.encoder_layers,
        dim=sizes.encoder_dim,
        mlp_dim=sizes.encoder_mlp_dim,
        num_heads=sizes.encoder_heads,
        dropout=sizes.dropout,
        drop_path=sizes.drop_path,
        name="encoder",
    )
    return Pix2Seq(
        Vocabulary(len(categories), sizes.num_bins),
        image_size,
        encoder,
        decoder_layers=sizes.decoder_layers,
        decoder_dim=sizes.decoder_dim,
        decoder_mlp_dim=sizes.decoder_mlp_dim,
        decoder_heads=sizes.decoder_heads,
        max_length=TOKENS_PER_OBJECT * recipe.sequence.max_objects,
        dropout=sizes.dropout,
        drop_path=sizes.drop_path,
        embedding_scale=sizes.embedding_scale,
        embedding_stddev=sizes.embedding_stddev,
        smooth_coordinates=sizes.smooth_coordinates,
        categories=categories,
        name="pix2seq",
    )


def _build_backbone(sizes, image_size):
    """From images to features: a named network, or the residual stem."""
    if sizes.backbone is not None:
        return named_backbone(
            sizes.backbone,
            image_size,
            sizes.backbone_weights,
            sizes.backbone_stride,
            sizes.backbone_freeze,
            sizes.backbone_batch_norm,
        )
    if sizes.backbone_weights is not None:
        raise InputError(
            "`model.backbone_weights` requires `model.backbone`, the network to load them into. Received: "
            f"model.backbone_weights={sizes.backbone_weights}, model.backbone=null."
        )
    return ResidualStem(sizes.stem_widths, sizes.stem_depth)


def build_optimizer(recipe, variables=()):
    """AdamW with the learning rate schedule of a `Recipe`.

    Args:
        recipe: `Recipe`.
        variables: list of the variables to train. Those that match its `optimizer.no_decay` have no weight decay.

    Returns:
        Keras optimizer, not built.
    """
    options = recipe.optimizer
    rate = WarmupSchedule(
        options.learning_rate, options.warmup_steps, recipe.steps, options.schedule, options.final_factor
    )
    optimizer = keras.optimizers.AdamW(
        rate,
        weight_decay=options.weight_decay,
        beta_1=options.beta_1,
        beta_2=options.beta_2,
        epsilon=options.epsilon,
        global_clipnorm=options.clipnorm,
        use_ema=options.ema is not None,
        ema_momentum=options.ema or 0.99,  # Keras's default, without effect
    )
    plain = [variable for variable in variables if any(re.search(name, variable.path) for name in options.no_decay)]
    if plain:
        optimizer.exclude_from_weight_decay(var_list=plain)
    return optimizer


def build_dataset(recipe, source, model, step=0, shard=(0, 1)):
    """The training batches of a recipe.

    Args:
        recipe: `Recipe`.
        source: `Source` of its training split.
        model: `Pix2Seq`, for its vocabulary and image size.
        step: int, number of steps already done; the first batch is that of the next step. Defaults to 0.
        shard: (worker, number of workers), see `training_dataset`. Defaults to (0, 1).

    Returns:
        `tf.data.Dataset`, see `training_dataset`.

    Raises:
        InputError: as `training_dataset` and `ImageCache` do.
    """
    data = recipe.data
    return training_dataset(
        source,
        model.vocabulary,
        model.image_size,
        recipe.batch_size,
        recipe.sequence,
        recipe.augmentation,
        seed=recipe.seed,
        start=step * recipe.batch_size,
        limit=data.train_limit,
        copies=data.copies,
        repeat_threshold=data.repeat_threshold,
        cache=build_cache(recipe),
        shard=shard,
        service=data.service,
    )


def images_of_step(recipe, source, step):
    """Names the images of a training step.

    Args:
        recipe: `Recipe`.
        source: `Source` of its training split.
        step: int, 1 is the first step of the run.

    Returns:
        List of str: the id of each image, and its file where it has one.
    """
    data = recipe.data
    indices = images_of_batch(
        source, step - 1, recipe.batch_size, recipe.seed, data.train_limit, data.copies, data.repeat_threshold
    )
    labels = (f" ({source.label(index)})" if source.labels is not None else "" for index in indices)
    return [f"{source.image_ids[index]}{label}" for index, label in zip(indices, labels, strict=True)]


def build_cache(recipe):
    """The `ImageCache` of a `Recipe`, or `None` without `data.cache_dir`."""
    data = recipe.data
    if data.cache_dir is None:
        return None
    return ImageCache(data.cache_dir, data.cache_gigabytes, data.cache_size)
