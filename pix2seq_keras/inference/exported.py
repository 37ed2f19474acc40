"""One detector for every exported model, whatever lies between it and us: a call, a wire, another machine."""

import os
import re

import numpy as np

from pix2seq_keras.data.images.read_image import ImageError
from pix2seq_keras.errors import InputError
from pix2seq_keras.exporting.description import require_exported_options
from pix2seq_keras.inference.payload import image_bytes, image_name

# A call carries at most so many bytes of images, unless one alone has more: servers bound their messages, and REST's
# are a third larger in base64.
CALL_BYTES = 32 * 2**20
_KINDS = {"detection_boxes": 3, "detection_classes": 2, "detection_scores": 2, "num_detections": 1}


class RefusedCallError(InputError):
    """The model was reached, and says that it cannot use what it was sent.

    Args:
        sentence: what the model says.
    """


class RefusedImagesError(ImageError):
    """Images that an exported model cannot use, perhaps among others that it can.

    Args:
        sentences: dictionary: the place of an image among those given -> the sentence about it.
    """

    def __init__(self, sentences):
        super().__init__("\n".join(sentences.values()))
        self.sentences = sentences


class ExportedDetector:
    """An exported model, with the `detect` of `Pix2Seq`.

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

    # A file is sent as it is where it can be, instead of its pixels: several times less.
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

    def detect(self, images, batch_size=8, **options):
        """Finds objects in images of any size.

        Args:
            images: a path, a uint8 array (h, w, 3), or a list of either, of any sizes.
            batch_size: int, images a call at most.
            **options: of `Pix2Seq.detect`; they were fixed at export, so others are refused.

        Returns:
            Dictionary of NumPy arrays sorted by score, n = max_objects·readings: `"boxes"` float32 (B, n, 4) `rel_yxyx`
            of each original image, upright, `"classes"` int32 (B, n), −1 in unused rows, `"scores"` float32 (B, n)
            and `"num_detections"` int32 (B,).

        Raises:
            RefusedImagesError: a `ImageError` that names the first image that cannot be read here, or all of a
                call that cannot be used there.
            InputError: if options differ from the exported ones, or the model cannot be reached or does not answer as
                a model of `pix2seq export` does.
        """
        images = listed_images(images)
        if batch_size < 1:
            raise InputError(f"batch_size must be at least 1. Received: batch_size={batch_size}")
        require_exported_options(self.description, options, self.where)
        results = []
        for first, batch in _calls(self._encoded(images), batch_size):
            try:
                results.append(self._detect(batch))
            except RefusedCallError:
                results += self._detect_one_by_one(first, batch, images)
        return {name: np.concatenate([result[name] for result in results]) for name in results[0]}

    def _encoded(self, images):
        for place, image in enumerate(images):
            try:
                yield image_bytes(image, self.max_pixels)
            except ImageError as error:
                # The reader names files; which array it was, it does not know.
                named = isinstance(image, str | os.PathLike)
                sentence = str(error) if named else f"{image_name(image, place)}: {error}"
                raise RefusedImagesError({place: sentence}) from error

    def _detect(self, batch):
        outputs = self.call(self.signature, {"image_bytes": np.array(batch, object)})
        return detections(outputs, self.categories, len(batch), self.description.rows, self.where)

    def _detect_one_by_one(self, first, batch, images):
        """A row that cannot be decoded fails its whole call: the rows are asked for alone, to find which it was.

        All of them may be good: a server that makes one batch of the calls of several clients fails them together.
        """
        results, sentences = [], {}
        for place, row in enumerate(batch, first):
            try:
                results.append(self._detect([row]))
            except RefusedCallError as refusal:
                sentences[place] = f"{image_name(images[place], place)} was refused by {self.where}: {refusal}"
        if sentences:
            raise RefusedImagesError(sentences)
        return results


def listed_images(images):
    """What `detect` was given as a list of images.

    Raises:
        InputError: if it is empty, or a float batch, which only a model in process takes.
    """
    if isinstance(images, list | tuple):
        if not images:
            raise InputError("There are no images to detect objects in: the list is empty.")
        return list(images)
    dtype = getattr(images, "dtype", None)
    if dtype is not None and len(images.shape) == 4:
        raise InputError(
            "An exported model takes images as paths or uint8 arrays of any size, in a list. "
            f"Received: one array of shape {tuple(images.shape)}. Give list(images), in uint8."
        )
    return [images]


def detections(outputs, categories, count, rows, where):
    """The outputs of a served model -> the dictionary of `Pix2Seq.detect`.

    Args:
        outputs: dictionary of arrays, named and shaped as `pix2seq export` does.
        categories: `Categories`.
        count: int, images that were sent.
        rows: int, of one image: `Description.rows`.
        where: str, what messages call the model.

    Returns:
        Dictionary of NumPy arrays.

    Raises:
        InputError: if an output is missing or of another shape, or an id is in no category.
    """
    arrays = {}
    for name, rank in _KINDS.items():
        shape = (count, rows, 4)[:rank]
        if name not in outputs or np.shape(outputs[name]) != shape:
            found = np.shape(outputs[name]) if name in outputs else "none"
            raise InputError(f"{where} should answer with {name!r} of shape {shape}. Received: {found}.")
        arrays[name] = np.asarray(outputs[name], np.float32)
    numbers = arrays["num_detections"].astype(np.int32)
    used = np.arange(rows) < numbers[:, None]  # (B, n)
    ids = np.rint(arrays["detection_classes"][used]).astype(np.int64)  # (objects,)
    class_of = {id_: categories.class_of(int(id_)) for id_ in np.unique(ids)}
    if unknown := [int(id_) for id_, class_ in class_of.items() if class_ is None]:
        raise InputError(f"{where} found objects of the ids {unknown}, which are in none of its categories.")
    classes = np.full(used.shape, -1, np.int32)
    classes[used] = [class_of[id_] for id_ in ids]
    return {
        "boxes": arrays["detection_boxes"],
        "classes": classes,
        "scores": arrays["detection_scores"],
        "num_detections": numbers,
    }


def sentence_of(message):
    """What a graph's failed check says, without TensorFlow's frame around it: str.

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
    """Groups encoded images into calls: pairs of the place of the first and the list."""
    batch, size, first = [], 0, 0
    for data in encoded:
        if batch and (len(batch) == batch_size or size + len(data) > CALL_BYTES):
            yield first, batch
            batch, size, first = [], 0, first + len(batch)
        batch.append(data)
        size += len(data)
    if batch:
        yield first, batch
