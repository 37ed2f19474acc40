"""How fast training images are prepared, stage by stage, and whether the pipeline or the model limits training."""

import statistics
import time

import numpy as np
import tensorflow as tf

from pix2seq_keras.benchmarks import machine
from pix2seq_keras.boxes import boxes_to_canvas
from pix2seq_keras.data import open_source
from pix2seq_keras.data.augmentation import augment, augment_geometry
from pix2seq_keras.data.epoch_order import image_at
from pix2seq_keras.data.example_reader import graph_reader
from pix2seq_keras.errors import InputError
from pix2seq_keras.sequences import fold, select_objects, training_sequence
from pix2seq_keras.training.building import build_cache, build_dataset, build_model, build_optimizer

STAGES = ("read", "geometry", "augment", "sequence", "whole")
WARM_UP_BATCHES = 4  # more than the pipeline prefetches
SETTLE_S = 0.3  # until the prefetch buffer is full again


def measure_pipeline(recipe, steps=20, rounds=5, with_model=False):
    """Times the preparation of training batches for a recipe.

    Every stage includes those before it: `"read"`, read and decode; `"geometry"`, scale, crop, flips and rotations;
    `"augment"`, colour, mosaic and erasing; `"sequence"`, objects, noise and tokens; `"whole"`, padded and batched, as
    training gets them. Every round runs each stage once, so slower phases of the machine affect all stages alike;
    medians are reported. CPU time is that of all threads of the process; it is less noisy than the rate.

    Args:
        recipe: `Recipe`; its data, augmentation, sequence, batch size, and its model's image size and classes count.
        steps: int, batches per stage and round, default 20.
        rounds: int, rounds after the warm-up, default 5.
        with_model: bool, whether training steps of the recipe's model are timed too, default `False`.

    Returns:
        Dictionary. For each of `STAGES`: `"STAGE_images_s"`, images per second; `"STAGE_cpu_ms"`, CPU milliseconds
        per image; and `"STAGE_alone_cpu_ms"`, the difference from the stage before. With the model:
        `"model_images_s"`, the rate of training on one batch again and again; `"training_images_s"`, the rate of
        training on the pipeline's batches; and `"limit"`, the slower of the two, `"model"` or `"pipeline"`. Also
        `"source"`, `"split"`, `"images"`, `"image_size"`, `"batch_size"`, `"steps"`, `"rounds"`, `"threads"`, `"cpu"`.

    Raises:
        InputError: if a number is out of range, or the recipe cannot be trained.

    Example:
        >>> measure_pipeline(recipe)["whole_images_s"]
        457.0
    """
    if steps < 1 or rounds < 1:
        raise InputError(f"`steps` and `rounds` must be at least 1. Received: steps={steps}, rounds={rounds}.")
    source = open_source(recipe.data.source, recipe.data.train_split)
    model = build_model(recipe, source.categories, load_weights=False)
    # === Warm-up ===
    iterators = {name: iter(dataset) for name, dataset in stage_datasets(recipe, source, model).items()}
    for iterator in iterators.values():
        _run_stage(iterator, steps, recipe.batch_size)
    # === Rounds ===
    rates, costs = {name: [] for name in STAGES}, {name: [] for name in STAGES}
    for _ in range(rounds):
        for name, iterator in iterators.items():
            rate, cost = _run_stage(iterator, steps, recipe.batch_size)
            rates[name].append(rate)
            costs[name].append(cost)
    result, previous = {}, 0.0
    for name in STAGES:
        cost = statistics.median(costs[name])
        result[f"{name}_images_s"] = statistics.median(rates[name])
        result[f"{name}_cpu_ms"] = cost
        result[f"{name}_alone_cpu_ms"] = cost - previous
        previous = cost
    del iterators
    # === The model ===
    if with_model:
        result |= _training_rates(recipe, source, model, steps, rounds)
        limit = "model" if result["model_images_s"] < result["whole_images_s"] else "pipeline"
    return {
        **{name: float(f"{value:.4g}") for name, value in result.items()},
        **({"limit": limit} if with_model else {}),
        "source": recipe.data.source,
        "split": recipe.data.train_split,
        "images": int(np.count_nonzero(source.annotated)),
        "image_size": list(model.image_size),
        "batch_size": recipe.batch_size,
        "steps": steps,
        "rounds": rounds,
        "threads": machine.threads(),
        "cpu": machine.cpu_name(),
    }


def stage_datasets(recipe, source, model):
    """Makes a pipeline that ends after each stage.

    Args:
        recipe: `Recipe`.
        source: `Source`.
        model: `Pix2Seq`; only its image size and vocabulary count.

    Returns:
        Dictionary of the names in `STAGES` to `tf.data.Dataset`: of single examples, and for `"whole"` of batches.
    """
    source.require_annotated()
    indices = np.flatnonzero(source.annotated)[: recipe.data.train_limit]
    count, canvas = len(indices), model.image_size
    reader = graph_reader(source, indices, build_cache(recipe))

    def read(seed, image):
        return seed, reader(image)

    def geometry(seed, example):
        return augment_geometry(example["image"], example["boxes"], canvas, recipe.augmentation, seed)

    def augmentation(seed, example):
        other = lambda seed: reader(tf.random.stateless_uniform([], seed, 0, count, tf.int64))
        return seed, augment(example, canvas, recipe.augmentation, seed, other)

    def sequence(seed, example):
        chosen = select_objects(example["boxes"], example["classes"], recipe.sequence, fold(seed, "objects"))
        boxes = boxes_to_canvas(chosen[0], tf.shape(example["image"])[:2], canvas)
        seed = fold(seed, "sequence")
        return example["image"], training_sequence(boxes, chosen[1], model.vocabulary, recipe.sequence, seed)

    def up_to(*stages):
        @tf.autograph.experimental.do_not_convert
        def build(position):
            image, seed = image_at(position, count, recipe.seed, recipe.data.copies)
            values = (seed, image)
            for stage in stages:
                values = stage(*values)
            return values

        dataset = tf.data.Dataset.range(np.iinfo(np.int64).max).map(build, tf.data.AUTOTUNE, deterministic=True)
        options = tf.data.Options()
        options.threading.max_intra_op_parallelism = 1
        return dataset.with_options(options).prefetch(2 * recipe.batch_size)

    return {
        "read": up_to(read),
        "geometry": up_to(read, geometry),
        "augment": up_to(read, augmentation),
        "sequence": up_to(read, augmentation, sequence),
        "whole": build_dataset(recipe, source, model),
    }


def _run_stage(iterator, steps, batch_size):
    """Runs a number of batches: images per second, and CPU milliseconds per image."""
    batched = isinstance(iterator.element_spec[0], dict)
    take = 1 if batched else batch_size

    def read(batches):
        for _ in range(batches * take):
            next(iterator)

    # The prefetch buffer is full before and after, so the CPU time is that of exactly these batches.
    cpu = time.process_time()
    read(WARM_UP_BATCHES)
    start = time.perf_counter()
    read(steps)
    seconds = time.perf_counter() - start
    time.sleep(SETTLE_S)
    cpu = time.process_time() - cpu
    return steps * batch_size / seconds, 1000 * cpu / ((WARM_UP_BATCHES + steps) * batch_size)


def _training_rates(recipe, source, model, steps, rounds):
    """Images per second of training on one batch, and of training on the pipeline's batches."""
    model.compile(build_optimizer(recipe), jit_compile=False)
    iterator = iter(build_dataset(recipe, source, model))
    batch = next(iterator)
    model.train_on_batch(*batch)
    model.train_on_batch(*batch)
    steps = max(5, steps // 4)
    alone, together = [], []
    for _ in range(rounds):
        for rates, batches in ((alone, lambda: batch), (together, lambda: next(iterator))):
            start = time.perf_counter()
            for _ in range(steps):
                model.train_on_batch(*batches())
            rates.append(steps * recipe.batch_size / (time.perf_counter() - start))
    return {"model_images_s": statistics.median(alone), "training_images_s": statistics.median(together)}
