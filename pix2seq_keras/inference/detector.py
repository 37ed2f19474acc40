"""One loop over any detector: batches, and the images that an exported model refuses."""

from pix2seq_keras.data.images.image_error import ImageError
from pix2seq_keras.inference.exported import RefusedImagesError
from pix2seq_keras.models.batching import batches


def detect_each(detector, images, batch_size=8, num_images=None, **overrides):
    """Detects objects image by image.

    Args:
        detector: object with a method `detect(images, batch_size=…, **options)` as `Pix2Seq.detect`; if it has a method
            `detect_each`, as `Pix2Seq` has, that is called.
        images: iterable of what the detector takes.
        batch_size: int ≥ 1, images of a call.
        num_images: int or None, about how many images there are, where that is known; for `detect_each` of the model.
        **overrides: fields of `DecodingOptions`.

    Yields:
        For each image a dictionary of NumPy arrays, the outputs of `detect` without their first axis; or an
        `ImageError`, if an exported model refuses the image.

    Example:
        >>> for path, objects in zip(paths, detect_each(model, paths, sampler="greedy")):
        ...     print(path, objects["num_detections"])
    """
    if (own := getattr(detector, "detect_each", None)) is not None:
        yield from own(images, batch_size=batch_size, num_images=num_images, **overrides)
        return
    for batch, _ in batches(images, batch_size):
        yield from _detect_batch(detector, batch, batch_size, overrides)


def _detect_batch(detector, batch, batch_size, overrides):
    """The result of every image of a batch; without the images that it refuses, the model is asked again."""
    results, places = [None] * len(batch), list(range(len(batch)))
    while places:
        try:
            outputs = detector.detect([batch[place] for place in places], batch_size=batch_size, **overrides)
        except RefusedImagesError as error:
            if not error.sentences:  # it names no image, so asking again would not end
                raise
            for row, sentence in error.sentences.items():
                results[places[row]] = ImageError(sentence)
            places = [place for place in places if results[place] is None]
        else:
            for row, place in enumerate(places):
                results[place] = {name: values[row] for name, values in outputs.items()}
            break
    return results
