"""Draws the images of an evaluation; each is read again when it is drawn, so none has to stay in memory."""

import numpy as np
from PIL import Image

from pix2seq_keras.data.images.image_error import ImageError
from pix2seq_keras.keras_cv_adapter import convert_boxes
from pix2seq_keras.visualization import draw_detections

MAX_SIDE = 640  # pixels of the longer side; a page with 16 images has one or two megabytes


class EvaluatedImages:
    """Draws the images of a report on an evaluation.

    Args:
        report: `EvaluationReport`.
    """

    def __init__(self, report):
        self.report = report
        self._index = {int(image_id): index for index, image_id in enumerate(report.source.image_ids)}

    def label(self, image_id):
        """The label of an image in the source, for example its path.

        Args:
            image_id: int, id of the image.

        Returns:
            str.
        """
        return self.report.source.label(self._index[image_id])

    def draw(self, image_id):
        """Draws detections above the threshold of their class (coloured) over the ground truth (dashed).

        Args:
            image_id: int, id of an image that was evaluated.

        Returns:
            uint8 array `(h, w, 3)` with sides of at most `MAX_SIDE` pixels, or `None` if the image cannot be read any
            more.
        """
        try:
            example = self.report.source.read(self._index[image_id])
        except ImageError:  # the file has changed since the evaluation
            return None
        image = Image.fromarray(example["image"])
        size = image.size
        image.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.BOX)
        # Small images are enlarged by an integer factor, so that lines and text stay thin compared to the objects.
        min_side = max(1, MAX_SIDE // max(image.size)) * min(image.size)
        boxes, classes, scores = self._detections(image_id, size)
        drawn = draw_detections(np.asarray(image), example["boxes"], example["classes"], dashed=True, min_side=min_side)
        return draw_detections(drawn, boxes, classes, scores, names=self.report.source.categories.names, min_side=1)

    def _detections(self, image_id, size):
        """Boxes `rel_yxyx` `(n, 4)`, classes `(n,)` and scores `(n,)` of the detections above their threshold."""
        detections, (width, height) = self.report.accumulated.detections, size
        index = np.searchsorted(self.report.accumulated.image_ids, image_id)
        # Detections on crowds are drawn too, although they count neither as true nor as false positives.
        thresholds = np.array([scores.point.threshold for scores in self.report.classes])
        rows = np.flatnonzero((detections.images == index) & (detections.scores >= thresholds[detections.classes]))
        boxes = convert_boxes(detections.boxes[rows], "xywh", "rel_yxyx", image_shape=(height, width), dtype="float64")
        return boxes.numpy(), detections.classes[rows], detections.scores[rows]
