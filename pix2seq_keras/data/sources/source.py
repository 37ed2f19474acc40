"""What every source of images hands on: the same examples in a fixed order, however they were stored."""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import tensorflow as tf

from pix2seq_keras.categories import Categories
from pix2seq_keras.data.images.read_image import ImageError
from pix2seq_keras.data.issues import Issues
from pix2seq_keras.errors import InputError

EXAMPLE_SIGNATURE = {
    "image": tf.TensorSpec((None, None, 3), tf.uint8),  # upright
    "image_id": tf.TensorSpec((), tf.int64),
    "boxes": tf.TensorSpec((None, 4), tf.float32),  # rel_yxyx of the upright image
    "classes": tf.TensorSpec((None,), tf.int32),
    "is_crowd": tf.TensorSpec((None,), tf.bool),
    "area": tf.TensorSpec((None,), tf.float32),  # pixels² of the image as read
}
_READERS = 4  # decoding releases Python's lock; more threads only hold more images in memory


@dataclass
class Source:
    """Images with their objects, addressed by index 0…N-1 in an order that never changes.

    Args:
        name: what the user wrote to get it, such as "coco:DIR".
        split: "train", "val", …
        categories: the classes, with the dataset's own ids and names.
        image_ids: int64 `(N,)`, all different.
        issues: what was irregular so far; reading may add to it.
        read: index -> example with the keys of `EXAMPLE_SIGNATURE` as NumPy values; raises `ImageError`.
            It may be called from several threads at once. Crowds are in the example: evaluation needs them.
        annotated: bool `(N,)`: has at least one usable object that is no crowd.
        object_counts: int `(N,)`: usable objects that are no crowds.
        labels: `(N,)` paths that name the images in messages. Defaults to names made of the image ids.
        sizes: int32 `(N, 2)`, heights and widths of the upright images in pixels, 0 where the index does not know
            them. Defaults to all zeros.
        read_objects: index -> the example without its `"image"`, for no pixel read. Defaults to taking it from `read`.
        encoded: index -> the bytes of the image's file as they were found, to be copied or looked at by
            `inspect_image`; raises `ImageError`. Defaults to None: there is no such file.
    """

    name: str
    split: str
    categories: Categories
    image_ids: np.ndarray
    issues: Issues
    read: Callable[[int], dict]
    annotated: np.ndarray
    object_counts: np.ndarray
    labels: Sequence[str] | None = None
    sizes: np.ndarray | None = None
    read_objects: Callable[[int], dict] | None = None
    encoded: Callable[[int], bytes] | None = None

    def __post_init__(self):
        if self.sizes is None:
            self.sizes = np.zeros((len(self.image_ids), 2), np.int32)

    def __len__(self):
        return len(self.image_ids)

    def objects(self, index):
        """What is on an image, without decoding it where the source can do so.

        Args:
            index: int, 0…N-1.

        Returns:
            Dictionary of `"image_id"`, `"boxes"`, `"classes"`, `"is_crowd"` and `"area"`, as `read` gives them.

        Raises:
            ImageError: where the record cannot be read.

        Example:
            >>> source.objects(0)["classes"]
            array([1, 0, 0], dtype=int32)
        """
        if self.read_objects is not None:
            return self.read_objects(index)
        return {key: value for key, value in self.read(index).items() if key != "image"}

    def part(self, indices, split=None):
        """Some of the images as a source of their own, which shares this one's `issues`.

        Args:
            indices: int `(M,)`, which images, in the order they are to have; none twice.
            split: str or `None`, what the part is called. Defaults to this source's split.

        Returns:
            A `Source` of M images, which keep their image ids.

        Example:
            >>> every_tenth = source.part(range(0, len(source), 10))
        """
        indices = np.asarray(indices, np.int64).reshape(-1)  # (M,)

        def moved(function):
            return None if function is None else lambda index: function(int(indices[index]))

        return replace(
            self,
            split=self.split if split is None else split,
            image_ids=self.image_ids[indices],
            read=moved(self.read),
            annotated=self.annotated[indices],
            object_counts=self.object_counts[indices],
            labels=None if self.labels is None else [self.labels[index] for index in indices],
            sizes=self.sizes[indices],
            read_objects=moved(self.read_objects),
            encoded=moved(self.encoded),
        )

    def label(self, index):
        """The path of an image, or its id where it has none, to name it in messages."""
        if self.labels is not None:
            return str(self.labels[index])
        return f"image {self.image_ids[index]} of {self.name} ({self.split})"

    def read_or_report(self, index):
        """The example, or None where the image turns out unreadable; `issues` then says so.

        Args:
            index: int, 0…N-1.

        Returns:
            The example of `read`, or None.
        """
        try:
            return self.read(index)
        except ImageError as error:
            self.issues.add(error.kind, self.label(index), f"{error} It is left out.")
            return None

    def dataset(self):
        """The readable examples in the fixed order.

        Returns:
            A finite `tf.data.Dataset` of elements like `EXAMPLE_SIGNATURE`. An unreadable image is left out
            and reported in `issues`, so the dataset may hold fewer than `len(self)` examples.
        """
        return tf.data.Dataset.from_generator(self._readable, output_signature=EXAMPLE_SIGNATURE)

    def require_annotated(self):
        """Returns the source itself if it can be trained on.

        Raises:
            InputError: if not one image has a usable object.
        """
        if not np.any(self.annotated):
            found = self.issues.summary()
            raise InputError(
                f"Nothing to train on: none of the {len(self)} images of {self.name} ({self.split}) has a "
                "usable object. Check its annotations, or choose another source or split."
                + (f"\nFound there:\n{found}" if found else "")
            )
        return self

    def _readable(self):
        with ThreadPoolExecutor(_READERS, thread_name_prefix="pix2seq-read") as readers:
            ahead: deque = deque()
            for index in range(len(self)):
                ahead.append(readers.submit(self.read_or_report, index))
                if len(ahead) > _READERS:
                    example = ahead.popleft().result()
                    if example is not None:
                        yield example
            while ahead:
                example = ahead.popleft().result()
                if example is not None:
                    yield example
