"""Objects one by one, as they are decoded."""

import dataclasses

import numpy as np
import tensorflow as tf

from pix2seq_keras.data.images.read_image import read_image
from pix2seq_keras.data.transforms import fit_to_canvas
from pix2seq_keras.decoding import row_seeds, samplers
from pix2seq_keras.errors import InputError
from pix2seq_keras.models.detection import parse_objects
from pix2seq_keras.models.inputs import checked_images
from pix2seq_keras.sequences import TOKENS_PER_OBJECT


def stream(model, image, options):
    """See `Pix2Seq.stream`; the options are complete."""
    if isinstance(options.sampler, samplers.BeamSearch):
        raise InputError(
            "`stream` requires a sampler: beam search knows its first object only after the last one. "
            f"Received: sampler={options.sampler!r}"
        )
    if options.num_samples > 1:
        raise InputError(
            "`stream` requires `num_samples=1`: samples are merged when all of them are decoded. "
            f"Received: num_samples={options.num_samples}. Use `detect`."
        )
    canvas, unpadded = _to_canvas(model, image)
    start, advance = model.stepwise_functions(options)
    state = start(canvas, tf.constant(row_seeds(options.seed, 1)))
    one_class = dataclasses.replace(options, multi_label=False)

    def objects(state):
        for index in range(options.max_objects):
            here = slice(TOKENS_PER_OBJECT * index, TOKENS_PER_OBJECT * (index + 1))
            state, sequence = advance(state, tf.constant(here.stop))
            part = {name: sequence[name][:, index : index + 1] for name in ("classes", "class_scores", "coordinates")}
            part["tokens"] = sequence["tokens"][:, here]
            parsed = parse_objects(model, one_class, part, unpadded)
            if parsed["num_detections"][0] == 0:
                if state["finished"][0]:
                    return
                continue  # without the grammar, a group of five tokens may not be an object
            found = {"box": parsed["boxes"][0, 0], "class": parsed["classes"][0, 0], "score": parsed["scores"][0, 0]}
            found["tokens"] = part["tokens"][0]
            if options.constrained:
                found["class_probabilities"] = sequence["class_probabilities"][0, index]
            yield {name: np.asarray(value)[()] for name, value in found.items()}

    return objects(state)


def _to_canvas(model, image):
    """A canvas (1, H, W, 3), and int32 (1, 2), height and width of the part of it that is image."""
    dtype, rank = getattr(image, "dtype", None), len(getattr(image, "shape", ()))
    if dtype is not None and rank in (3, 4) and tf.as_dtype(dtype).is_floating:
        batch = checked_images(model, image[None] if rank == 3 else image)
        if batch.shape[0] != 1:
            raise InputError(f"`stream` takes one image at a time. Received: a batch of {batch.shape[0]}")
        return batch, tf.constant([model.image_size])
    if dtype is not None and rank == 4 and image.shape[0] == 1:
        image = image[0]
    if isinstance(image, list | tuple):
        raise InputError(f"`stream` takes one image at a time. Received: a list of {len(image)}")
    canvas, unpadded = fit_to_canvas(read_image(image), model.image_size)
    return canvas[None], unpadded[None]
