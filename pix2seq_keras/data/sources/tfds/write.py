"""Writes TFRecord files that describe themselves: "tfrecord:DIR" and `tfds.builder_from_directory` open them."""

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds
from tensorflow_datasets.core.folder_dataset import write_metadata

from pix2seq_keras.data.sources.converted_images import converted_images
from pix2seq_keras.data.sources.tfds.read import CATEGORIES_KEY

_SHARD_BYTES = 128 << 20  # large enough for streaming, small enough to divide among workers
_NAME = "pix2seq"
_TEMPLATE = "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}"


def write_tfrecord(folder, splits, counts):
    """Writes splits as TFRecord files with the features of TFDS's `coco`. Nothing is lost.

    Args:
        folder: `Path`, an empty folder.
        splits: dict of name to `Source`.
        counts: `ConversionCounts`.
    """
    categories = next(iter(splits.values())).categories
    features = tfds.features.FeaturesDict(
        {
            "image": tfds.features.Image(shape=(None, None, 3)),
            "image/id": np.int64,
            "objects": tfds.features.Sequence(
                {
                    "bbox": tfds.features.BBoxFeature(),
                    "label": tfds.features.ClassLabel(names=list(categories.names)),
                    "area": np.float32,
                    "is_crowd": np.bool_,
                }
            ),
        }
    )
    template = tfds.core.ShardedFileTemplate(
        data_dir=folder, dataset_name=_NAME, filetype_suffix="tfrecord", template=_TEMPLATE
    )
    infos = []
    for split, source in splits.items():
        images = converted_images(source, split, counts, used_names={}, formats=("JPEG", "MPO", "PNG"))
        lengths, size = _write_shards(folder, split, (_serialised(features, image, split, counts) for image in images))
        infos.append(tfds.core.SplitInfo(name=split, shard_lengths=lengths, num_bytes=size, filename_template=template))
    if not sum(counts.images.values()):
        return  # the caller raises an error
    write_metadata(
        data_dir=folder,
        features=features,
        split_infos=infos,
        version="1.0.0",
        filename_template=_TEMPLATE,
        check_data=False,
        metadata=tfds.core.MetadataDict({CATEGORIES_KEY: categories.get_config()}),
    )


def _serialised(features, image, split, counts):
    found = image.objects
    objects = [
        {
            "bbox": tfds.features.BBox(*(float(edge) for edge in box)),
            "label": int(found["classes"][row]),
            "area": float(found["area"][row]),
            "is_crowd": bool(found["is_crowd"][row]),
        }
        for row, box in enumerate(found["boxes"])
    ]
    counts.add_image(split, len(objects))
    return features.serialize_example({"image": image.data, "image/id": int(found["image_id"]), "objects": objects})


def _write_shards(folder, split, records):
    """Writes records to shards: `(list of the number of records of each, bytes of all)`."""
    lengths, total, size, writer = [], 0, _SHARD_BYTES, None
    try:
        for record in records:
            if size >= _SHARD_BYTES:
                if writer is not None:
                    writer.close()
                writer, size = tf.io.TFRecordWriter(str(folder / f"{split}-{len(lengths)}")), 0
                lengths.append(0)
            writer.write(record)
            lengths[-1] += 1
            size, total = size + len(record), total + len(record)
    finally:
        if writer is not None:
            writer.close()
    for number in range(len(lengths)):  # their number is known only now
        name = f"{_NAME}-{split}.tfrecord-{number:05d}-of-{len(lengths):05d}"
        (folder / f"{split}-{number}").rename(folder / name)
    return lengths, total
