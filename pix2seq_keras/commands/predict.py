"""`pix2seq predict`."""

from typing import Any

from pix2seq_keras.errors import InputError


def predict(
    model: str,
    images: list[str],
    output: str,
    decoding: dict[str, Any],
    json: str | None = None,
    threshold: float = 0.5,
    batch_size: int = 8,
) -> None:
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
    """
    from pix2seq_keras.inference import open_model
    from pix2seq_keras.inference.predict import predict_images, unused_files

    result, problems = predict_images(open_model(model), images, output, json, threshold, batch_size, **decoding)
    print(f"{len(result['annotations'])} objects in {len(result['images'])} images: {output}")
    if unused := unused_files(images):
        print(f"Not read, since they are no images by their endings: {unused}")
    if problems:
        print(f"{len(problems)} images were left out:")
        print("\n".join(f"  {problem}" for problem in problems))
    if not result["images"]:
        raise InputError(f"None of the {len(problems)} images could be read.")
