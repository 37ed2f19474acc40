"""The detector for every exported model, in process or on a server."""

import os
import re

import numpy as np

from pix2seq_keras.data.images.image_error import ImageError
from pix2seq_keras.errors import InputError
from pix2seq_keras.exporting.description import require_exported_options
from pix2seq_keras.inference.payload import encode_image, image_name
from pix2seq_keras.models.detection import is_float_batch, keep_scores
from pix2seq_keras.models.inputs import image_list
from pix2seq_keras.ranges import require_count, require_share

# The most bytes of images in one call, unless a single image is larger: servers limit the size of messages, and REST's
# are a third larger in base64.
CALL_BYTES = 32 * 2**20
_RANKS = {"detection_boxes": 3, "detection_classes": 2, "detection_scores": 2, "num_detections": 1}


class RefusedCallError(InputError):
    """The model was reached, and refuses what it was sent.

    Args:
        sentence: str, the model's reason.
    """


class RefusedImagesError(ImageError):
    """Images that an exported model cannot use, perhaps among others that it can.

    Args:
        sentences: dictionary, index of an image among those given -> the sentence about it.
    """

    def __init__(self, sentences):
        super().__init__("\n".join(sentences.values()))
        self.sentences = sentences


class ExportedDetector:
    """An exported model with the `detect` of `Pix2Seq`.

    Args:
        call: function (signature, inputs) -> outputs: a str and a dictionary of arrays to a dictionary of arrays, the
            batch in dimension 0 of all. It raises `RefusedCallError` for what the model refuses.
        description: `Description`.
        where: str, what messages call the model.
        signature: str, the signature that takes `"image_bytes"`.

    Example:
        >>> detector = open_model("grpc://localhost:8500/digits")
        >>> detector.detect(["a.png", "b.jpg"])["boxes"].shape
        (2, 10, 4)
    """

    # Files are sent as they are where possible: several times less bytes than their pixels.
    prefers_files = True

    def __init__(self, call, description, where="The exported model", signature="serving_default"):
        self.call = call
        self.description = description
        self.where = where
        self.signature = signature
        self.categories = description.categories
        self.vocabulary = description.vocabulary
        self.image_size = description.image_size
        self.max_pixels = description.max_pixels

    def detect(self, images, options=None, batch_size=8, threshold=None, **overrides):
        """Detects objects in images of any size.

        Args:
            images: one image or an iterable of images, of any sizes: paths, bytes of files, files open in binary mode,
                PIL images, uint8 arrays (h, w, 3), or a uint8 batch (B, h, w, 3).
            options: `DecodingOptions` or None; they were fixed at export, so others are refused.
            batch_size: int ≥ 1, the most images of a call.
            threshold: float or None, detections of a lower score are dropped; None keeps all.
            **overrides: fields of `DecodingOptions`, likewise.

        Returns:
            Dictionary of NumPy arrays sorted by score, n = max_objects·num_samples: `"boxes"` float32 (B, n, 4)
            `rel_yxyx` of each original image, upright, `"classes"` int32 (B, n), −1 in unused rows, `"scores"` float32
            (B, n) and `"num_detections"` int32 (B,).

        Raises:
            RefusedImagesError: an `ImageError` that names the first image that cannot be read here, or all images of a
                call that the model refuses.
            InputError: if options differ from the exported ones, or the model cannot be reached or does not answer as
                a model of `pix2seq export` does.
        """
        images = checked_list(images)
        require_count("batch_size", batch_size)
        require_share("threshold", threshold, optional=True)
        require_exported_options(self.description, given_options(options, overrides), self.where)
        results = []
        for first, batch in _calls(self._encoded(images), batch_size):
            try:
                results.append(self._detect(batch))
            except RefusedCallError:
                results += self._detect_one_by_one(first, batch, images)
        return keep_scores(threshold, {name: np.concatenate([one[name] for one in results]) for name in results[0]})

    def _encoded(self, images):
        for index, image in enumerate(images):
            try:
                yield encode_image(image, self.max_pixels)
            except ImageError as error:
                # The error names a file; for an array it does not know which one of the list it is.
                has_name = isinstance(image, str | os.PathLike)
                sentence = str(error) if has_name else f"{image_name(image, index)}: {error}"
                raise RefusedImagesError({index: sentence}) from error

    def _detect(self, batch):
        outputs = self.call(self.signature, {"image_bytes": np.array(batch, object)})
        return detections(outputs, self.categories, len(batch), self.description.rows, self.where)

    def _detect_one_by_one(self, first, batch, images):
        """A row that cannot be decoded fails its whole call: each row is sent alone, to find which one it was.

        All of them may be good: a server that batches the calls of several clients fails them together.
        """
        results, sentences = [], {}
        for index, row in enumerate(batch, first):
            try:
                results.append(self._detect([row]))
            except RefusedCallError as refusal:
                sentences[index] = f"{image_name(images[index], index)} was refused by {self.where}: {refusal}"
        if sentences:
            raise RefusedImagesError(sentences)
        return results


def given_options(options, overrides):
    """The options that a caller of `detect` gave, as one dictionary; `jit_compile=False` asks for nothing."""
    fields = {} if options is None else dict(options if isinstance(options, dict) else options.to_dict())
    given = {**fields, **overrides}
    if not given.get("jit_compile"):
        given.pop("jit_compile", None)
    return given


def checked_list(images):
    """The images given to `detect` as a list.

    Raises:
        InputError: if there are none, or they are a float batch, which only a model in process takes.
    """
    if is_float_batch(images):
        raise InputError(
            "`images` of an exported model must be paths or uint8 arrays of any size, in a list. "
            f"Received: one array of dtype {images.dtype} and shape {tuple(images.shape)}. Give list(images), in uint8."
        )
    return image_list(images)


def detections(outputs, categories, count, rows, where):
    """Turns the outputs of an exported model into the dictionary of `Pix2Seq.detect`.

    Args:
        outputs: dictionary of arrays, named and shaped as `pix2seq export` does.
        categories: `Categories`.
        count: int, number of images that were sent.
        rows: int, rows of one image, see `Description.rows`.
        where: str, what messages call the model.

    Returns:
        Dictionary of NumPy arrays.

    Raises:
        InputError: if an output is missing or of another shape, or an id is in no category.
    """
    arrays = {}
    for name, rank in _RANKS.items():
        shape = (count, rows, 4)[:rank]
        if name not in outputs or np.shape(outputs[name]) != shape:
            found = np.shape(outputs[name]) if name in outputs else "none"
            raise InputError(f"{where} must answer with {name!r} of shape {shape}. Received: {found}.")
        arrays[name] = _finite(outputs[name], name, where)
    numbers = arrays["num_detections"]
    if numbers.min() < 0 or numbers.max() > rows:
        raise InputError(
            f"{where} must answer with 'num_detections' from 0 to {rows}. Received: {numbers.min()} to {numbers.max()}."
        )
    numbers = numbers.astype(np.int32)
    used = np.arange(rows) < numbers[:, None]  # (B, n)
    ids = np.rint(arrays["detection_classes"][used]).astype(np.int64)  # (objects,)
    class_of = {id_: categories.class_of(int(id_)) for id_ in np.unique(ids)}
    if unknown := [int(id_) for id_, class_ in class_of.items() if class_ is None]:
        raise InputError(f"{where} must answer with ids of its categories. Received: ids {unknown}.")
    classes = np.full(used.shape, -1, np.int32)
    classes[used] = [class_of[id_] for id_ in ids]
    return {
        "boxes": arrays["detection_boxes"],
        "classes": classes,
        "scores": arrays["detection_scores"],
        "num_detections": numbers,
    }


def _finite(values, name, where):
    """An output as float32 array of finite numbers, within the limits of 64-bit whole numbers."""
    try:
        array = np.asarray(values, np.float32)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{where} must answer with {name!r} as numbers: {error}") from error
    if not (np.abs(array) < 2.0**62).all():  # NaN is not either
        raise InputError(f"{where} must answer with {name!r} as finite numbers below 2⁶².")
    return array


def sentence_of(message):
    """The message of a failed check in a graph, without the text that TensorFlow puts around it: str.

    Args:
        message: str, such as `"assertion failed: [The image …] [[{{node …}}]]"`.
    """
    message = re.sub(r"Graph execution error:.*?<stack traces unavailable>", "", message, flags=re.DOTALL)
    message = re.split(r"\s*\[\[\{\{node|\n\t ?\[\[|\s*\[Op:", message)[0].strip()
    if found := re.search(r"assertion failed: ?\[(.*)\]", message, flags=re.DOTALL):
        message = found[1].replace("] [", " ")
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return " ".join(lines)[:1000] or "no reason was given."


def _calls(encoded, batch_size):
    """Groups encoded images into calls: pairs of the index of the first image and the list."""
    batch, size, first = [], 0, 0
    for data in encoded:
        if batch and (len(batch) == batch_size or size + len(data) > CALL_BYTES):
            yield first, batch
            batch, size, first = [], 0, first + len(batch)
        batch.append(data)
        size += len(data)
    if batch:
        yield first, batch
