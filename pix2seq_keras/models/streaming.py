"""Objects as they are read out, one by one."""

import numpy as np
import tensorflow as tf

from pix2seq_keras.data.transforms import boxes_from_canvas
from pix2seq_keras.decoding import row_seeds, samplers
from pix2seq_keras.errors import InputError
from pix2seq_keras.models import detection
from pix2seq_keras.models.inputs import checked_images
from pix2seq_keras.sequences import TOKENS_PER_OBJECT, parse


def stream(model, image, seed, options):
    """See `Pix2Seq.stream`; the arguments have been checked but for the image."""
    if isinstance(options.sampler, samplers.BeamSearch):
        raise InputError("Beam search knows its first object only after the last one: stream with another sampler.")
    canvas, unpadded = _one_canvas(model, image)
    start, advance = model.stepwise(options)
    state = start(canvas, tf.constant(row_seeds(seed, 1)))

    def objects(state):
        for index in range(options.max_objects):
            here = slice(TOKENS_PER_OBJECT * index, TOKENS_PER_OBJECT * (index + 1))
            state, read = advance(state, tf.constant(here.stop))
            tokens = read["tokens"][:, here]
            classes, scores = (read[name][:, index : index + 1] for name in ("classes", "class_scores"))
            until_end = options.constrained or options.stop_at_end
            coordinates = read["coordinates"][:, index : index + 1]
            parsed = parse(tokens, model.vocabulary, classes, scores, until_end, coordinates)
            if parsed["num_detections"][0] == 0:
                if state["finished"][0]:
                    return
                continue  # unconstrained, a group of five tokens may be no object
            box = parsed["boxes"][0]
            if unpadded is not None:
                box = tf.clip_by_value(boxes_from_canvas(box[None], unpadded, model.image_size)[0], 0.0, 1.0)
            found = {"box": box[0], "class": classes[0, 0], "score": scores[0, 0], "tokens": tokens[0]}
            if options.constrained:
                found["class_probabilities"] = read["class_probabilities"][0, index]
            yield {name: np.asarray(value)[()] for name, value in found.items()}

    return objects(state)


def _one_canvas(model, image):
    """A canvas (1, H, W, 3), and its part that is image or `None`."""
    dtype, rank = getattr(image, "dtype", None), len(getattr(image, "shape", ()))
    if dtype is not None and rank in (3, 4) and tf.as_dtype(dtype).is_floating:
        batch = checked_images(model, image[None] if rank == 3 else image)
        if batch.shape[0] != 1:
            raise InputError(f"One image at a time can be streamed. Received: a batch of {batch.shape[0]}")
        return batch, None
    if isinstance(image, list | tuple):
        raise InputError(f"One image at a time can be streamed. Received: a list of {len(image)}")
    return detection.canvases([image], model.image_size)
