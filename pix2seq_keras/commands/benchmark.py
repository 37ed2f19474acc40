"""`pix2seq benchmark …`."""

import dataclasses
from pathlib import Path

from pix2seq_keras.atomic_files import atomic_write, require_writable_file, write_json
from pix2seq_keras.errors import InputError
from pix2seq_keras.terminal import say


def annotations(objects: str = "1000,10000,100000", json: str | None = None) -> None:
    """Measure how long it takes to read, check and draw an image by the number of its objects.

    Args:
        objects: numbers of objects, with commas between them
        json: file for the result
    """
    _require_writable(json)
    try:
        numbers = [int(number) for number in objects.split(",")]
    except ValueError as error:
        raise InputError(f"`--objects` must be whole numbers with commas. Received: --objects {objects}") from error

    from pix2seq_keras.benchmarks.annotations import measure_annotations

    rows = measure_annotations(numbers)
    for row in [dict(zip(rows[0], rows[0], strict=True)), *rows]:  # the names first
        say("".join(f"{value:>19}" for value in row.values()))
    if json is not None:
        write_json(Path(json), rows)


def conversion(preset: str = "vit_b_640", json: str | None = None) -> None:
    """Measure how long converting a published checkpoint takes, and how much memory.

    Args:
        preset: published model; a checkpoint of it with random weights is written first
        json: file for the result
    """
    _require_writable(json)

    from pix2seq_keras.benchmarks.conversion import measure_conversion

    result = measure_conversion(preset)
    for name, value in result.items():
        say(f"{name:34} {value}")
    if json is not None:
        write_json(Path(json), result)


def generation(
    preset: str = "resnet50_640",
    batch_size: int = 1,
    max_objects: int = 100,
    sampler: str = "top_p",
    repeats: int = 5,
    json: str | None = None,
    profile: str | None = None,
) -> None:
    """Measure how fast a model generates sequences, against plain implementations and the machine's limits.

    Args:
        preset: model, with random weights
        batch_size: images per batch
        max_objects: objects to generate per image, five tokens each; no sequence ends early
        sampler: greedy, top_k or top_p
        repeats: rounds after the warm-up; medians are reported
        json: file for the result
        profile: file for a table of each operation's time, with XLA and as a plain graph
    """
    _require_writable(json, profile)

    from pix2seq_keras.benchmarks.generation import measure_generation
    from pix2seq_keras.benchmarks.profiling import profile_generation

    result = measure_generation(preset, batch_size, max_objects, repeats, sampler)
    for name, value in result.items():
        say(f"{name:22} {value}")
    for name in ("decode_s", "decode_graph_s"):
        speedup, ratio = result["decode_plain_s"] / result[name], result[name] / result["lower_bound_s"]
        say(f"{name}: {speedup:.1f} times as fast as plain decoding, {ratio:.2f} times the machine's lower bound")
    if json is not None:
        write_json(Path(json), result)
    if profile is not None:
        table = profile_generation(preset, batch_size, max_objects, sampler)
        with atomic_write(profile) as file:
            file.write(table)


def export(
    preset: str = "resnet50_640",
    batch_size: int = 1,
    max_objects: int | None = None,
    repeats: int = 5,
    json: str | None = None,
) -> None:
    """Measure how long exporting takes, and whether a SavedModel is as fast as the model in Python.

    Args:
        preset: model, with random weights
        batch_size: images per batch
        max_objects: objects to generate per image; by default the model's maximum
        repeats: rounds after the warm-up; medians are reported
        json: file for the result
    """
    _require_writable(json)

    from pix2seq_keras.benchmarks.exporting import measure_export

    result = measure_export(preset, batch_size, max_objects, repeats)
    for name, value in result.items():
        say(f"{name:22} {value}")
    if json is not None:
        write_json(Path(json), result)


def pipeline(
    recipe: str | None = None,
    data: str | None = None,
    split: str | None = None,
    image_size: int | None = None,
    batch_size: int | None = None,
    color: float | None = None,
    cache_dir: str | None = None,
    cache_size: int | None = None,
    steps: int = 20,
    rounds: int = 5,
    model: bool = False,
    json: str | None = None,
) -> None:
    """Measure how fast training images are prepared, stage by stage.

    Args:
        recipe: name or YAML file of a recipe; without one, the published augmentation at 640×640, batches of 8
        data: source of the images, instead of the recipe's
        split: split to read, instead of the recipe's
        image_size: height and width of the canvas, instead of the recipe's
        batch_size: images per batch, instead of the recipe's
        color: strength of colour jitter, instead of the recipe's
        cache_dir: folder of reduced images, instead of the recipe's
        cache_size: longest side of a reduced image, instead of the recipe's
        steps: batches of each stage in a round
        rounds: number of rounds; medians are reported
        model: whether to time training steps of the recipe's model too, and report which of the two is the limit
        json: file for the result
    """
    _require_writable(json)

    from pix2seq_keras.benchmarks.pipeline import STAGES, measure_pipeline
    from pix2seq_keras.training import recipe_files as recipes

    if recipe is None:
        chosen, image_size, batch_size = recipes.Recipe(), image_size or 640, batch_size or 8
    else:
        chosen = recipes.load(recipes.find(recipe))
    given = lambda **fields: {name: value for name, value in fields.items() if value is not None}
    size = None if image_size is None else (image_size, image_size)
    chosen = dataclasses.replace(
        chosen,
        data=dataclasses.replace(
            chosen.data, **given(source=data, train_split=split, cache_dir=cache_dir, cache_size=cache_size)
        ),
        model=dataclasses.replace(chosen.model, **given(image_size=size)),
        augmentation=dataclasses.replace(chosen.augmentation, **given(color=color)),
        **given(batch_size=batch_size),
    )
    result = measure_pipeline(chosen, steps, rounds, model)
    say(f"{'up to':12} {'images/s':>12} {'CPU-ms':>8} {'of its own':>10}")
    for stage in STAGES:
        rate, cost, own = (result[f"{stage}_{what}"] for what in ("images_s", "cpu_ms", "alone_cpu_ms"))
        say(f"{stage:12} {rate:12.1f} {cost:8.2f} {own:10.2f}")
    if model:
        say(
            f"The model alone trains on {result['model_images_s']:.1f} images/s, with the pipeline on "
            f"{result['training_images_s']:.1f}: the {result['limit']} is the limit."
        )
    if json is not None:
        write_json(Path(json), result)


def _require_writable(*paths):
    """Refuses files that cannot be written before minutes of measuring."""
    for path in paths:
        if path is not None:
            require_writable_file(Path(path))
