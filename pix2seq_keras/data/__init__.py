"""Images and objects: sources, transforms, the training pipeline."""

from pix2seq_keras.data.images.image_cache import ImageCache
from pix2seq_keras.data.images.read_image import ImageError, read_image
from pix2seq_keras.data.issues import Issues
from pix2seq_keras.data.open_source import open_source
from pix2seq_keras.data.pipeline import Augmentation, training_dataset
from pix2seq_keras.data.sources.source import Source


def load(source, split):
    """The examples of a source, in a fixed order.

    Args:
        source: str, as `open_source` takes it: `"coco:DIR"`, `"coco:FILE.json+DIR"`, `"voc:DIR"`, `"yolo:data.yaml"`,
            `"tfds:NAME[/CONFIG]"`, `"tfrecord:DIR"`, `"digits"`, `"digits:64"`, or several of them as
            `"mix:0.7*[SOURCE]+0.3*[SOURCE]"`.
        split: str, a split's name, or a slice of it such as `"train[:80%]"`, see `open_source`.

    Returns:
        A finite `tf.data.Dataset` of dictionaries `"image"` uint8 (H, W, 3), `"image_id"` int64, `"boxes"` float32
        (n, 4) `rel_yxyx`, `"classes"` int32 (n,), `"is_crowd"` bool (n,), `"area"` float32 (n,) pixels². Images
        that cannot be read are left out; `open_source(...)` gives the source, whose `issues` say which.

    Raises:
        InputError: if the source cannot be opened.
    """
    return open_source(source, split).dataset()


__all__ = [
    "Augmentation",
    "ImageCache",
    "ImageError",
    "Issues",
    "Source",
    "load",
    "open_source",
    "read_image",
    "training_dataset",
]
