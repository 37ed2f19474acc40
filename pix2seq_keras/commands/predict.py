"""`pix2seq predict`."""

from typing import Any

from pix2seq_keras.errors import InputError
from pix2seq_keras.ranges import require_count, require_share
from pix2seq_keras.terminal import say


def predict(
    model: str,
    images: list[str],
    output: str,
    decoding: dict[str, Any],
    json: str | None = None,
    threshold: float = 0.5,
    batch_size: int = 8,
    resume: bool = False,
) -> int:
    """Detect objects in images, draw them, and write COCO JSON.

    Args:
        model: preset, run folder, preset folder, .keras file, SavedModel folder, .tflite file, grpc://HOST:PORT/NAME or
            http://HOST:PORT/v1/models/NAME; the decoding options of an exported model cannot be changed
        images: images, or folders of images
        output: folder for the annotated PNGs and predictions.json
        decoding: decoding options that were given
        json: another file for the JSON
        threshold: score from which a box is drawn and written
        batch_size: images at once
        resume: skip the images that an earlier run into the same output has done; the JSON keeps them

    Returns:
        int, the exit status: 2 if an annotated image could not be written.
    """
    require_count("batch_size", batch_size)
    require_share("threshold", threshold)

    from pix2seq_keras.inference import open_model
    from pix2seq_keras.inference.predict import find_images, predict_images, unused_files

    files = find_images(images)  # before the model is loaded: are there any?
    detector = open_model(model)
    result, problems = predict_images(detector, files, output, json, threshold, batch_size, resume, **decoding)
    say(f"{len(result['annotations'])} objects in {len(result['images'])} images: {output}")
    if unused := unused_files(images):
        say(f"Not read, since they are no images by their endings: {unused}")
    unwritten = sum(image["annotated"] is None for image in result["images"])
    left_out, missing = problems[: len(problems) - unwritten], problems[len(problems) - unwritten :]
    for count, what, sentences in (
        (len(left_out), "images were left out", left_out),
        (len(missing), "annotated images could not be written; their objects are in the JSON", missing),
    ):
        if count:
            say("\n".join([f"{count} {what}:", *(f"  {sentence}" for sentence in sentences)]))
    if not result["images"]:
        raise InputError(f"None of the {len(problems)} images could be read.")
    return 2 if unwritten else 0
