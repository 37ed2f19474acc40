"""Images of an evaluation, drawn small; each is read again when it is its turn, so that none need be kept."""

import numpy as np
from PIL import Image

from pix2seq_keras.data.images.read_image import ImageError
from pix2seq_keras.reports.formatting import plain
from pix2seq_keras.visualization import draw_detections

LONGEST = 640  # pixels of the longer side: sixteen make a page of one or two megabytes


class EvaluatedImages:
    """Draws the images of a report.

    Args:
        report: the `EvaluationReport`.
    """

    def __init__(self, report):
        self.report = report
        self._index = {int(image_id): index for index, image_id in enumerate(report.source.image_ids)}
        self._names = [plain(name, 40) for name in report.source.categories.names]

    def label(self, image_id):
        """What the source calls the image."""
        return self.report.source.label(self._index[image_id])

    def draw(self, image_id):
        """The detections above the threshold of their class, coloured with scores, over the truth, dashed.

        Args:
            image_id: int, of an image that was evaluated.

        Returns:
            uint8 `(h, w, 3)`, of at most `LONGEST` pixels a side; None where it can no longer be read.
        """
        try:
            example = self.report.source.read(self._index[image_id])
        except ImageError:  # it was readable a minute ago
            return None
        image = Image.fromarray(example["image"])
        size = image.size
        image.thumbnail((LONGEST, LONGEST), Image.Resampling.BOX)
        # A small one is enlarged by a whole factor, so that lines and letters stay thin beside the objects.
        min_side = max(1, LONGEST // max(image.size)) * min(image.size)
        boxes, classes, scores = self._found(image_id, size)
        drawn = draw_detections(np.asarray(image), example["boxes"], example["classes"], dashed=True, min_side=min_side)
        return draw_detections(drawn, boxes, classes, scores, names=self._names, min_side=1)

    def _found(self, image_id, size):
        """Boxes rel_yxyx `(n, 4)`, classes `(n,)` and scores `(n,)` of the detections that count."""
        found = self.report.accumulated.detections
        place = np.searchsorted(self.report.accumulated.image_ids, image_id)
        # The few on crowds, neither right nor wrong, are drawn as well: they were found.
        thresholds = np.array([one.point.threshold for one in self.report.classes])
        rows = np.flatnonzero((found.images == place) & (found.scores >= thresholds[found.classes]))
        left, top, width, height = found.boxes[rows].T
        boxes = np.stack([top, left, top + height, left + width], -1) / [*size[::-1], *size[::-1]]
        return boxes, found.classes[rows], found.scores[rows]
