"""`pix2seq predict`."""

from pix2seq_keras.commands.decoding_options import given
from pix2seq_keras.errors import InputError


def predict(
    model: str,
    images: list[str],
    output: str,
    json: str | None = None,
    threshold: float = 0.5,
    batch_size: int = 8,
    **reading,
):
    """Find objects in images, draw them, and write a COCO-style JSON.

    Args:
        model: preset, run folder, preset folder, .keras file, SavedModel folder, .tflite file, grpc://HOST:PORT/NAME or
            http://HOST:PORT/v1/models/NAME; what was fixed when a model was exported cannot be chosen again
        images: images, or folders of them
        output: folder for the annotated PNGs and predictions.json
        json: another place for the JSON
        threshold: score from which a box is drawn and written
        batch_size: images at once
        **reading: see `reading_options.given`, whose flags the parser finds through this call
    """
    options = given(**reading)

    from pix2seq_keras.inference import open_model
    from pix2seq_keras.inference.predict import predict_images

    result, problems = predict_images(open_model(model), images, output, json, threshold, batch_size, **options)
    print(f"{len(result['annotations'])} objects in {len(result['images'])} images: {output}")
    if problems:
        print(f"{len(problems)} images were left out:")
        print("\n".join(f"  {problem}" for problem in problems))
    if not result["images"]:
        raise InputError(f"None of the {len(problems)} images could be read.")
