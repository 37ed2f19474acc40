"""The classes of an exported model: ids and names of the data set."""

import numpy as np
import tensorflow as tf

from pix2seq_keras.categories import Categories
from pix2seq_keras.errors import InputError


def categories_of(model):
    """The model's `Categories`; if it has none, classes are named "class 0", "class 1" and so on."""
    return model.categories or Categories.from_names(f"class {index}" for index in range(model.vocabulary.num_classes))


class ServedLabels:
    """Turns classes into the float32 ids and the names that an exported model answers with.

    Args:
        model: `Pix2Seq`.

    Raises:
        InputError: if an id is not a float32 number.
    """

    def __init__(self, model):
        categories = categories_of(model)
        if any(int(np.float32(id_)) != id_ for id_ in categories.ids):
            raise InputError(
                "Category ids of an exported model must be below 2²⁴: they are served as float32, as TensorFlow's "
                f"detection exporters do. Received: {categories.ids}"
            )
        self._ids = tf.constant([0, *categories.ids], tf.float32)
        self._names = tf.constant(["", *categories.names])

    def outputs(self, objects, names=True):
        """The outputs of a signature.

        Args:
            objects: dictionary of `detection.parse_objects`.
            names: bool, whether class names are among them; TFLite has no strings.

        Returns:
            Dictionary of `detection_boxes` float32 (B, n, 4), `detection_classes` float32 (B, n), the data set's ids,
            `detection_scores` float32 (B, n), `num_detections` float32 (B,) and `detection_names` string (B, n); 0 and
            "" in unused rows.
        """
        rows = objects["classes"] + 1  # (B, n)
        outputs = {
            "detection_boxes": objects["boxes"],
            "detection_classes": tf.gather(self._ids, rows),
            "detection_scores": objects["scores"],
            "num_detections": tf.cast(objects["num_detections"], tf.float32),
        }
        return {**outputs, "detection_names": tf.gather(self._names, rows)} if names else outputs
