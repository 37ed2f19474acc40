"""How fast training images are prepared, stage by stage, and whether the model or the pipeline is what waits."""

import resource
import statistics
import time

import numpy as np
import tensorflow as tf

from pix2seq_keras.benchmarks import machine
from pix2seq_keras.boxes import rescale_boxes
from pix2seq_keras.data import open_source
from pix2seq_keras.data.augmentation import augment, augment_geometry
from pix2seq_keras.data.epoch_order import image_at
from pix2seq_keras.data.example_reader import graph_reader
from pix2seq_keras.errors import InputError
from pix2seq_keras.sequences import fold, select_objects, training_sequence
from pix2seq_keras.training.building import build_cache, build_dataset, build_model, build_optimizer

STAGES = ("read", "geometry", "augment", "sequence", "whole")
WARM_UP = 4  # batches: more than are kept ready
SETTLE_S = 0.3  # until what was begun ahead is done


def measure_pipeline(recipe, steps=20, rounds=5, with_model=False):
    """Times the preparation of training batches as a recipe has them.

    Every stage contains the ones before it: `"read"`, read and decode; `"geometry"`, scale, crop, flips and turns;
    `"augment"`, colour, mosaic and erasing; `"sequence"`, objects, noise and tokens; `"whole"`, padded, batched and
    handed to Python: what a training run reads. The stages take turns, so that the machine's moods meet all of them;
    medians are given. Processor time is the process's own, of all threads, the more robust figure of the two.

    Args:
        recipe: `Recipe`: its data, augmentation, sequence, batch size, and the image size and classes of its model.
        steps: int, batches of a stage in a round.
        rounds: int, after a warm-up.
        with_model: bool, whether some training steps of the recipe's model are timed too.

    Returns:
        Dictionary. `"STAGE_images_s"` and `"STAGE_cpu_ms"`, processor time an image, of each of `STAGES`;
        `"STAGE_alone_cpu_ms"`, what it adds to the stage before. With the model: `"model_images_s"` of training on
        one batch again and again, `"training_images_s"` of training on the pipeline's, and `"limit"`, `"model"` or
        `"pipeline"`: the slower of the two. And `"source"`, `"split"`, `"images"`, `"image_size"`, `"batch_size"`,
        `"threads"`, `"cpu"`.

    Raises:
        InputError: if a number is out of range, or the recipe cannot be trained.
    """
    if steps < 1 or rounds < 1:
        raise InputError(f"Give at least 1. Received: steps={steps}, rounds={rounds}")
    source = open_source(recipe.data.source, recipe.data.train_split)
    model = build_model(recipe, source.categories, load_weights=False)
    # === Each stage, warm ===
    iterators = {name: iter(dataset) for name, dataset in stage_datasets(recipe, source, model).items()}
    for iterator in iterators.values():
        _turn(iterator, steps, recipe.batch_size)
    # === Rounds ===
    rates, costs = {name: [] for name in STAGES}, {name: [] for name in STAGES}
    for _ in range(rounds):
        for name, iterator in iterators.items():
            rate, cost = _turn(iterator, steps, recipe.batch_size)
            rates[name].append(rate)
            costs[name].append(cost)
    result = {}
    before = 0.0
    for name in STAGES:
        cost = statistics.median(costs[name])
        result[f"{name}_images_s"] = statistics.median(rates[name])
        result[f"{name}_cpu_ms"] = cost
        result[f"{name}_alone_cpu_ms"] = cost - before
        before = cost
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
    """The pipeline cut off after each stage.

    Args:
        recipe: `Recipe`.
        source: `Source`.
        model: `Pix2Seq`, whose image size and vocabulary count.

    Returns:
        Dictionary of the names in `STAGES` and `tf.data.Dataset`s: of examples one by one, the last of batches.
    """
    source.require_annotated()
    indices = np.flatnonzero(source.annotated)[: recipe.data.train_limit]
    count, canvas = len(indices), model.image_size
    reader = graph_reader(source, indices, build_cache(recipe))

    def read(seed, image):
        return seed, reader(image)

    def geometry(seed, example):
        return augment_geometry(example["image"], example["boxes"], canvas, recipe.augmentation, seed)

    def everything(seed, example):
        other = lambda seed: reader(tf.random.stateless_uniform([], seed, 0, count, tf.int64))
        return seed, augment(example, canvas, recipe.augmentation, seed, other)

    def sequence(seed, example):
        chosen = select_objects(example["boxes"], example["classes"], recipe.sequence, fold(seed, "objects"))
        boxes = rescale_boxes(chosen[0], tf.shape(example["image"])[:2], canvas)
        seed = fold(seed, "sequence")
        return example["image"], training_sequence(boxes, chosen[1], model.vocabulary, recipe.sequence, seed)

    def cut(*stages):
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
        "read": cut(read),
        "geometry": cut(read, geometry),
        "augment": cut(read, everything),
        "sequence": cut(read, everything, sequence),
        "whole": build_dataset(recipe, source, model),
    }


def _turn(iterator, steps, batch_size):
    """Images a second and milliseconds of processor time an image, over `steps` batches."""
    batched = isinstance(iterator.element_spec[0], dict)
    take = 1 if batched else batch_size

    def read(batches):
        for _ in range(batches * take):
            next(iterator)

    # It begins and ends with what is kept ready being ready: what is counted is the work of these batches alone.
    cpu = _cpu_seconds()
    read(WARM_UP)
    start = time.perf_counter()
    read(steps)
    seconds = time.perf_counter() - start
    time.sleep(SETTLE_S)
    cpu = _cpu_seconds() - cpu
    return steps * batch_size / seconds, 1000 * cpu / ((WARM_UP + steps) * batch_size)


def _training_rates(recipe, source, model, steps, rounds):
    """Images a second of the model alone, and of model and pipeline together."""
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


def _cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
