"""`pix2seq predict`."""

from pix2seq_keras.commands.reading_options import given
from pix2seq_keras.errors import InputError
from pix2seq_keras.inference import open_model
from pix2seq_keras.visualization.predictions import predict_pictures


def predict(
    model: str,
    images: list[str],
    output: str,
    json: str | None = None,
    threshold: float = 0.5,
    batch_size: int = 8,
    max_objects: int | None = None,
    sampler: str | None = None,
    constrained: bool | None = None,
    multi_label: bool | None = None,
    coordinate_window: float | None = None,
    readings: int | None = None,
    seed: int | None = None,
):
    """Find objects in pictures, draw them, and write a COCO-style JSON.

    Args:
        model: preset, run folder, preset folder, .keras file, SavedModel folder, .tflite file, grpc://HOST:PORT/NAME or
            http://HOST:PORT/v1/models/NAME; what was fixed when a model was exported cannot be chosen again
        images: pictures, or folders of them
        output: folder for the annotated PNGs and predictions.json
        json: another place for the JSON
        threshold: score from which a box is drawn and written
        batch_size: pictures at once
        max_objects: objects to read out of a picture; by default as many as the model can
        sampler: greedy, top_k, top_p (the default) or beam_search
        constrained: whether the grammar keeps every object well-formed; the default is yes
        multi_label: whether an object that may be two things comes with both labels; by default as constrained
        coordinate_window: how far from the chosen bin, as a share of the canvas's side, bins are averaged to a
            coordinate; 0 takes the bin itself, as published, and is the default with --constrained false; else 0.02
        readings: sequences to draw of every picture; scores and boxes are what they agree on. 1 by default; more find
            more, in as many times the decoding
        seed: of the sampling; 0 by default
    """
    options = given(
        max_objects=max_objects,
        sampler=sampler,
        constrained=constrained,
        multi_label=multi_label,
        coordinate_window=coordinate_window,
        readings=readings,
        seed=seed,
    )
    result, problems = predict_pictures(open_model(model), images, output, json, threshold, batch_size, **options)
    print(f"{len(result['annotations'])} objects in {len(result['images'])} pictures: {output}")
    if problems:
        print(f"{len(problems)} pictures were left out:")
        print("\n".join(f"  {problem}" for problem in problems))
    if not result["images"]:
        raise InputError(f"None of the {len(problems)} pictures could be read.")
