"""Writing TFRecord shards that describe themselves: `tfds.builder_from_directory` opens them, and "tfrecord:DIR"."""

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds
from tensorflow_datasets.core.folder_dataset import write_metadata

from pix2seq_keras.data.sources.image_writer import images_out
from pix2seq_keras.data.sources.tfds.read import CATEGORIES_KEY

_SHARD_BYTES = 128 << 20  # large enough to stream, small enough to share out among workers
_NAME = "pix2seq"
_TEMPLATE = "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}"


def write_tfrecord(folder, splits, tally):
    """Writes splits as TFRecord files with the features of TFDS's `coco`. Nothing is lost.

    Args:
        folder: `pathlib.Path` of an empty folder.
        splits: `{name: Source}`.
        tally: `Tally`.
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
        images = images_out(source, split, tally, taken=set(), formats=("JPEG", "MPO", "PNG"))
        lengths, size = _write_shards(folder, split, (_serialised(features, p, split, tally) for p in images))
        infos.append(tfds.core.SplitInfo(name=split, shard_lengths=lengths, num_bytes=size, filename_template=template))
    if not sum(tally.images.values()):
        return  # and the caller says why
    write_metadata(
        data_dir=folder,
        features=features,
        split_infos=infos,
        version="1.0.0",
        filename_template=_TEMPLATE,
        check_data=False,
        metadata=tfds.core.MetadataDict({CATEGORIES_KEY: categories.get_config()}),
    )


def _serialised(features, image, split, tally):
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
    tally.add(split, len(objects))
    return features.serialize_example({"image": image.data, "image/id": int(found["image_id"]), "objects": objects})


def _write_shards(folder, split, records):
    """Writes records to shards; returns how many each holds, and their bytes in all."""
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
    for number in range(len(lengths)):  # only now is it known how many there are
        name = f"{_NAME}-{split}.tfrecord-{number:05d}-of-{len(lengths):05d}"
        (folder / f"{split}-{number}").rename(folder / name)
    return lengths, total
