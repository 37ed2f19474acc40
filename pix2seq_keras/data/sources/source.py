"""A source: images with their objects in a fixed order, the same for every format."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import tensorflow as tf

from pix2seq_keras.categories import Categories
from pix2seq_keras.data.images.read_image import ImageError
from pix2seq_keras.data.issues import Issues
from pix2seq_keras.data.prefetch import prefetch
from pix2seq_keras.errors import InputError

EXAMPLE_SIGNATURE = {
    "image": tf.TensorSpec((None, None, 3), tf.uint8),  # upright
    "image_id": tf.TensorSpec((), tf.int64),
    "boxes": tf.TensorSpec((None, 4), tf.float32),  # rel_yxyx of the upright image
    "classes": tf.TensorSpec((None,), tf.int32),
    "is_crowd": tf.TensorSpec((None,), tf.bool),
    "area": tf.TensorSpec((None,), tf.float32),  # pixels² of the image as read
}


@dataclass
class Source:
    """Images with their objects, addressed by index 0…N-1 in an order that never changes.

    Args:
        name: str, as the user wrote it, such as "coco:DIR".
        split: str, "train", "val", …
        categories: `Categories`, the classes, with the data set's own ids and names.
        image_ids: int64 array (N,), all different.
        issues: `Issues`, those found so far; `read` may add more.
        read: function of an index that returns an example with the keys of `EXAMPLE_SIGNATURE` as NumPy values, or
            raises `ImageError`. It may be called from several threads at once. Examples include crowds, which
            evaluation needs.
        annotated: bool array (N,), whether an image has a usable object that is no crowd.
        object_counts: int array (N,), usable objects that are no crowds.
        labels: sequence of N str, paths that name the images in messages. Defaults to None: names made of image ids.
        sizes: int32 array (N, 2), heights and widths of the upright images in pixels, 0 where they are unknown.
            Defaults to None: all zeros.
        read_objects: function of an index that returns the example without its `"image"` and decodes nothing.
            Defaults to None: `read` is used.
        encoded: function of an index that returns the bytes of the image's file, or raises `ImageError`. Defaults to
            None: there is no such file.
        advice: str, why there is no usable object and what to do, for the error of `require_annotated`. Defaults to
            "": the reason is not known.
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
    advice: str = ""

    def __post_init__(self):
        if self.sizes is None:
            self.sizes = np.zeros((len(self.image_ids), 2), np.int32)

    def __len__(self):
        return len(self.image_ids)

    def objects(self, index):
        """Reads the objects of an image, without decoding it if the source allows that.

        Args:
            index: int, 0…N-1.

        Returns:
            dict of `"image_id"`, `"boxes"`, `"classes"`, `"is_crowd"` and `"area"`, as `read` returns them.

        Raises:
            ImageError: if the record cannot be read.

        Example:
            >>> source.objects(0)["classes"]
            array([1, 0, 0], dtype=int32)
        """
        if self.read_objects is not None:
            return self.read_objects(index)
        return {key: value for key, value in self.read(index).items() if key != "image"}

    def part(self, indices, split=None):
        """Makes a source of some of the images. Both share one `issues`.

        Args:
            indices: int array (M,), the images in their new order, none twice.
            split: str or None, the split of the result. Defaults to None: this source's split.

        Returns:
            `Source` of M images, which keep their image ids.

        Example:
            >>> every_tenth = source.part(range(0, len(source), 10))
        """
        indices = np.asarray(indices, np.int64).reshape(-1)  # (M,)

        def by_place(function):
            return None if function is None else lambda index: function(int(indices[index]))

        return replace(
            self,
            split=self.split if split is None else split,
            image_ids=self.image_ids[indices],
            read=by_place(self.read),
            annotated=self.annotated[indices],
            object_counts=self.object_counts[indices],
            labels=None if self.labels is None else [self.labels[index] for index in indices],
            sizes=self.sizes[indices],
            read_objects=by_place(self.read_objects),
            encoded=by_place(self.encoded),
        )

    def label(self, index):
        """Names an image in messages.

        Args:
            index: int, 0…N-1.

        Returns:
            str, its path, or its id if it has none.
        """
        if self.labels is not None:
            return str(self.labels[index])
        return f"image {self.image_ids[index]} of {self.name} ({self.split})"

    def read_or_report(self, index):
        """Reads an example; an image that cannot be read is reported in `issues`.

        Args:
            index: int, 0…N-1.

        Returns:
            The example of `read`, or None if it cannot be read.
        """
        try:
            return self.read(index)
        except ImageError as error:
            self.issues.add(error.kind, self.label(index), f"{error} The image is left out.")
            return None

    def dataset(self):
        """The readable examples in the fixed order.

        Returns:
            A finite `tf.data.Dataset` of elements like `EXAMPLE_SIGNATURE`. An unreadable image is left out and
            reported in `issues`, so there may be fewer than `len(self)` examples.
        """
        return tf.data.Dataset.from_generator(self._readable, output_signature=EXAMPLE_SIGNATURE)

    def require_annotated(self):
        """Checks that the source can be trained on.

        Returns:
            The source itself.

        Raises:
            InputError: if no image has a usable object.
        """
        if not np.any(self.annotated):
            issues = self.issues.summary()
            raise InputError(
                f"A source for training must have at least one usable object. Received: {self.name} ({self.split}), "
                f"{len(self)} images without usable objects. "
                + (self.advice or "Check its annotations, or choose another source or split.")
                + (f"\nIssues:\n{issues}" if issues else "")
            )
        return self

    def _readable(self):
        for example in prefetch(self.read_or_report, len(self)):
            if example is not None:
                yield example
