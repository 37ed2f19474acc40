"""What every source of pictures hands on: the same examples in a fixed order, however they were stored."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from pix2seq_keras.categories import Categories
from pix2seq_keras.data.findings import Findings
from pix2seq_keras.data.pictures import PictureError
from pix2seq_keras.errors import InputError

EXAMPLE_SIGNATURE = {
    "image": tf.TensorSpec((None, None, 3), tf.uint8),  # upright
    "image_id": tf.TensorSpec((), tf.int64),
    "boxes": tf.TensorSpec((None, 4), tf.float32),  # rel_yxyx of the upright picture
    "classes": tf.TensorSpec((None,), tf.int32),
    "is_crowd": tf.TensorSpec((None,), tf.bool),
    "area": tf.TensorSpec((None,), tf.float32),  # pixels² of the picture as read
}
_READERS = 4  # decoding releases Python's lock; more threads only hold more pictures in memory


@dataclass
class Source:
    """Pictures with their objects, addressed by index 0…N-1 in an order that never changes.

    Args:
        name: what the user wrote to get it, such as "coco:DIR".
        split: "train", "val", …
        categories: the classes, with the dataset's own ids and names.
        image_ids: int64 `(N,)`, all different.
        findings: what was irregular so far; reading may add to it.
        read: index -> example with the keys of `EXAMPLE_SIGNATURE` as NumPy values; raises `PictureError`.
            It may be called from several threads at once. Crowds are in the example: evaluation needs them.
        annotated: bool `(N,)`: has at least one usable object that is no crowd.
        object_counts: int `(N,)`: usable objects that are no crowds.
        labels: `(N,)` paths that name the pictures in messages. Defaults to names made of the image ids.
    """

    name: str
    split: str
    categories: Categories
    image_ids: np.ndarray
    findings: Findings
    read: Callable[[int], dict]
    annotated: np.ndarray
    object_counts: np.ndarray
    labels: Sequence[str] | None = None

    def __len__(self) -> int:
        return len(self.image_ids)

    def label(self, index: int) -> str:
        """The path of a picture, or its id where it has none, to name it in messages."""
        if self.labels is not None:
            return str(self.labels[index])
        return f"picture {self.image_ids[index]} of {self.name} ({self.split})"

    def read_or_report(self, index: int) -> dict | None:
        """The example, or None where the picture turns out unreadable; `findings` then says so.

        Args:
            index: 0…N-1.

        Returns:
            The example of `read`, or None.
        """
        try:
            return self.read(index)
        except PictureError as error:
            self.findings.add(error.kind, self.label(index), f"{error} It is left out.")
            return None

    def dataset(self) -> tf.data.Dataset:
        """The readable examples in the fixed order.

        Returns:
            A finite `tf.data.Dataset` of elements like `EXAMPLE_SIGNATURE`. An unreadable picture is left out
            and reported in `findings`, so the dataset may hold fewer than `len(self)` examples.
        """
        return tf.data.Dataset.from_generator(self._readable, output_signature=EXAMPLE_SIGNATURE)

    def require_annotated(self) -> "Source":
        """Returns the source itself if it can be trained on.

        Raises:
            InputError: if not one picture has a usable object.
        """
        if not np.any(self.annotated):
            found = self.findings.summary()
            raise InputError(
                f"Nothing to train on: none of the {len(self)} pictures of {self.name} ({self.split}) has a "
                "usable object. Check its annotations, or choose another source or split."
                + (f"\nFound there:\n{found}" if found else "")
            )
        return self

    def _readable(self) -> Iterator[dict]:
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
