"""The digit scenes as a `tensorflow_datasets` builder: drawn once, then read like any TFDS data set.

TFDS prepares all splits of a configuration at once. So that 600 test scenes can be read without drawing 20,000 for
training, each split has its own configuration: `96_train`, `96_val`, `96_test`, and the same for `64`. `96` (the
default) and `64` have all three splits, as TFDS users expect. The scenes are the same in both.
"""

import contextlib
import io
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow_datasets as tfds
from PIL import Image
from tqdm.auto import tqdm

from pix2seq_keras.data.sources.digits.scenes import SIZES, draw_scene
from pix2seq_keras.errors import InputError
from pix2seq_keras.file_lock import file_lock

DIGIT_NAMES = tuple(str(label) for label in range(10))


@dataclass(eq=False)
class DigitScenesConfig(tfds.core.BuilderConfig):
    """A configuration: the scenes that are prepared together.

    Args:
        size: str, a key of `scenes.SIZES`. Defaults to "96".
        splits: tuple of str, the splits. Defaults to all three.
    """

    size: str = "96"
    splits: tuple[str, ...] = ("train", "val", "test")


def _configs():
    whole = [DigitScenesConfig(name=size, size=size, description=f"{size}×{size}, all splits") for size in SIZES]
    single = [
        DigitScenesConfig(name=f"{size}_{split}", size=size, splits=(split,), description=f"{size}×{size}, {split}")
        for size in SIZES
        for split in SIZES[size].num_scenes
    ]
    return whole + single


class DigitScenes(tfds.core.GeneratorBasedBuilder):
    """Handwritten digits scattered over textured backgrounds, with boxes.

    `scenes.py` describes the properties of all scenes. The features are those of TFDS's `coco`. Records are in the
    order of the scenes (record i is scene i, its "image/id" is i + 1) and written as ArrayRecord, which can be read at
    any index.

    Example:
        >>> builder = DigitScenes(config="64_test", data_dir="/tmp/data")
        >>> builder.download_and_prepare()
        >>> len(builder.as_data_source("test"))
        300
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}
    BUILDER_CONFIGS = _configs()
    DEFAULT_BUILDER_CONFIG_NAME = "96"
    url_infos = {}  # nothing is downloaded: TFDS then needs no file of checksums beside this one

    def _info(self):
        side = SIZES[self.builder_config.size].side_pixels
        objects = {
            "bbox": tfds.features.BBoxFeature(),
            "label": tfds.features.ClassLabel(names=list(DIGIT_NAMES)),
            "area": np.int64,
            "id": np.int64,
            "is_crowd": np.bool_,
        }
        return tfds.core.DatasetInfo(
            builder=self,
            description="Scenes of scikit-learn's handwritten digits over textured backgrounds.",
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(side, side, 3), encoding_format="png"),
                    "image/id": np.int64,
                    "objects": tfds.features.Sequence(objects),
                }
            ),
            homepage="https://scikit-learn.org/stable/modules/generated/sklearn.datasets.load_digits.html",
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager):
        return {split: self._generate_examples(split) for split in self.builder_config.splits}

    def _generate_examples(self, split):
        size = self.builder_config.size
        num_scenes = SIZES[size].num_scenes[split]
        for index in tqdm(range(num_scenes), desc=f"Drawing digits {size} {split}", unit=" scenes", mininterval=0.5):
            yield index, _as_features(draw_scene(size, split, index), index)

    def download_and_prepare(self, *, file_format="array_record", download_config=None, **kwargs):
        """Draws and writes the scenes, unless they exist. Nothing is downloaded.

        If the process is killed, no partial data set can be opened, and the next call deletes what it left. If two
        processes call this at the same time, one draws and the other waits.

        Args:
            file_format: str, as in TFDS; only the default can be read at any index. Defaults to "array_record".
            download_config: `tfds.download.DownloadConfig` or None, as in TFDS. Defaults to None.
            **kwargs: passed on to TFDS.

        Raises:
            InputError: if the data folder cannot be written.
        """
        if self.data_path.exists():
            # Another process may have written them, in any format, since this builder was made.
            self.info.read_from_directory(self.data_dir)
            return
        download_config = download_config or tfds.download.DownloadConfig(try_download_gcs=False)
        version_dir = Path(self.data_dir)
        try:
            with _only_this_process(version_dir.parent), _without_tfds_bars():
                if not version_dir.exists():  # another process may have drawn them meanwhile
                    for partial in version_dir.parent.glob(f"incomplete.*_{version_dir.name}"):
                        shutil.rmtree(partial)
                    super().download_and_prepare(file_format=file_format, download_config=download_config, **kwargs)
                    return
            self.info.read_from_directory(self.data_dir)
        except OSError as error:
            raise InputError(
                f"The digit scenes cannot be written to {version_dir}: {error.strerror or error}. "
                "Set PIX2SEQ_DATA_DIR to a folder that can be written."
            ) from error

    def _log_download_bytes(self):
        """Logs nothing: nothing is downloaded."""

    def _log_download_done(self):
        """Logs nothing: there was a progress bar."""


def _as_features(scene, index):
    encoded = io.BytesIO()
    # 2 is zlib's Z_HUFFMAN_ONLY. Noise has no repetitions: as small as with a search for them, in less time.
    Image.fromarray(scene.image).save(encoded, "png", compress_level=1, compress_type=2)
    objects = [
        {
            "bbox": tfds.features.BBox(*(float(edge) for edge in box)),
            "label": int(label),
            "area": int(area),
            "id": (index + 1) * 100 + order,
            "is_crowd": False,
        }
        for order, (box, label, area) in enumerate(zip(scene.boxes, scene.classes, scene.areas_pixels, strict=True))
    ]
    return {"image": encoded.getvalue(), "image/id": index + 1, "objects": objects}


@contextlib.contextmanager
def _only_this_process(folder):
    """Waits until no other process prepares data in the folder."""
    # TFDS writes to a temporary folder whose name comes from Python's global random state: two processes with the same
    # seed would write to the same one.
    folder.mkdir(parents=True, exist_ok=True)
    with file_lock(folder / ".preparing.lock"):
        yield


@contextlib.contextmanager
def _without_tfds_bars():
    """Hides TFDS's own progress bars, which do not know the total; ours does."""
    were_shown = getattr(tfds.core.utils.tqdm_utils, "_active", True)
    tfds.disable_progress_bar()
    try:
        yield
    finally:
        if were_shown:
            tfds.enable_progress_bar()
