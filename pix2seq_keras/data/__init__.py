"""Images and objects: sources, transforms, the training pipeline."""

from pix2seq_keras.lazy_exports import lazy_exports

__all__ = lazy_exports(
    __name__,
    {
        "pix2seq_keras.data.augmentation_options": ["Augmentation"],
        "pix2seq_keras.data.images.image_cache": ["ImageCache"],
        "pix2seq_keras.data.images.read_image": ["ImageError", "read_image"],
        "pix2seq_keras.data.issues": ["Issues"],
        "pix2seq_keras.data.open_source": ["load", "open_source"],
        "pix2seq_keras.data.pipeline": ["training_dataset"],
        "pix2seq_keras.data.sources.source": ["Source"],
    },
)
