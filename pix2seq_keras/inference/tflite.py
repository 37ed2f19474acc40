"""A `.tflite` file of `pix2seq export`, run by LiteRT, one image at a time."""

from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from pix2seq_keras.data.images.read_image import read_image
from pix2seq_keras.data.transforms import fit_to_canvas
from pix2seq_keras.errors import InputError
from pix2seq_keras.exporting.description import parse_description, require_exported_options
from pix2seq_keras.exporting.tflite.write import SIGNATURE, read_tflite_description
from pix2seq_keras.inference.exported import checked_list, detections, given_options
from pix2seq_keras.models.detection import keep_scores
from pix2seq_keras.ranges import require_count, require_share


def open_tflite(path, num_threads=1):
    """Opens a `.tflite` file.

    Args:
        path: path of a file of `pix2seq export --format tflite`.
        num_threads: int, threads that decode an image. More than one helps large models only, on an idle machine: a
            decoding step is short, and its threads wait for each other.

    Returns:
        `TFLiteDetector`.

    Raises:
        InputError: if it is damaged, or not one of `pix2seq export`.

    Example:
        >>> open_tflite("digits.tflite", num_threads=2).detect(["a.png", "b.jpg"])["boxes"].shape
        (2, 10, 4)
    """
    description = parse_description(read_tflite_description(path), str(path))
    return TFLiteDetector(Path(path), description, num_threads)


class TFLiteDetector:
    """A `.tflite` file, with the `detect` of `Pix2Seq`.

    Args:
        path: path of the file.
        description: `Description`.
        num_threads: int, see `open_tflite`.
    """

    def __init__(self, path, description, num_threads=1):
        self.path = path
        self.description = description
        self.categories = description.categories
        self.vocabulary = description.vocabulary
        self.image_size = description.image_size
        self.max_pixels = description.max_pixels
        self._use_threads(num_threads)

    def detect(self, images, options=None, batch_size=8, num_threads=None, threshold=None, **overrides):
        """Detects objects in images of any size.

        Args:
            images: see `ExportedDetector.detect`.
            options: `DecodingOptions` or None; they were fixed at export, so others are refused.
            batch_size: int ≥ 1, of no effect: one canvas at a time goes through the model.
            num_threads: int or None, threads from now on; None keeps the number.
            threshold: float or None, detections of a lower score are dropped; None keeps all.
            **overrides: fields of `DecodingOptions`, like `options`.

        Returns:
            Dictionary of NumPy arrays sorted by score, n = max_objects: `"boxes"` float32 (B, n, 4) `rel_yxyx` of each
            original image, `"classes"` int32 (B, n), −1 in unused rows, `"scores"` float32 (B, n) and
            `"num_detections"` int32 (B,).

        Raises:
            InputError: if an image cannot be read, or options differ from the exported ones.
        """
        images = checked_list(images)
        require_count("batch_size", batch_size)
        require_share("threshold", threshold, optional=True)
        require_exported_options(self.description, given_options(options, overrides), str(self.path))
        if num_threads is not None:
            self._use_threads(num_threads)
        results = [self._detect(read_image(image, max_pixels=self.max_pixels)) for image in images]
        return keep_scores(threshold, {name: np.concatenate([one[name] for one in results]) for name in results[0]})

    def _detect(self, pixels):
        canvas, unpadded = canvas_pixels(pixels, self.image_size)
        outputs = self._run(images=canvas[None], unpadded_size=unpadded[None])
        return detections(outputs, self.categories, 1, self.description.rows, str(self.path))

    def _use_threads(self, num_threads):
        if not isinstance(num_threads, int | np.integer) or isinstance(num_threads, bool) or num_threads < 1:
            raise InputError(
                f"`num_threads` must be a whole number of at least 1. Received: num_threads={num_threads!r}"
            )
        if num_threads == getattr(self, "num_threads", None):
            return
        try:
            interpreter = Interpreter(str(self.path), num_threads=int(num_threads))
            self._run = interpreter.get_signature_runner(SIGNATURE)
        except (ValueError, RuntimeError) as error:
            raise InputError(f"{self.path} cannot be run by LiteRT: {error}") from error
        self.num_threads = num_threads


def canvas_pixels(pixels, image_size):
    """An image on the canvas, in whole numbers as a `.tflite` file takes it.

    Args:
        pixels: uint8 array (h, w, 3).
        image_size: (H, W).

    Returns:
        uint8 array (H, W, 3), and int32 array (2,), the height and the width of the part that is image.
    """
    canvas, unpadded = fit_to_canvas(pixels, image_size)
    return np.floor(canvas.numpy() * 255 + 0.5).astype(np.uint8), unpadded.numpy()
