"""Shared data and tiny things that several tests use."""

import json
import os
import zlib
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pytest
from PIL import Image

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_dir():
    """The folder with reference numbers and real pictures, beside the checkout or where PIX2SEQ_SHARED says."""
    folder = Path(os.environ.get("PIX2SEQ_SHARED", REPOSITORY.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"no shared data at {folder}: set PIX2SEQ_SHARED to run this test")
    return folder


@pytest.fixture(scope="session")
def bccd_dir(shared_dir):
    """BCCD blood cells in COCO layout: annotations/instances_{train,val,test}.json beside train/, val/, test/."""
    folder = shared_dir / "data" / "bccd"
    if not folder.is_dir():
        pytest.skip(f"no BCCD pictures at {folder}")
    return folder


RECTANGLES = [{"id": 1, "name": "red"}, {"id": 5, "name": "green"}, {"id": 9, "name": "blue"}]


@pytest.fixture(scope="session")
def write_rectangles():
    """Writes a COCO folder with the pictures 0, 1, … of `splits` = {"train": 6, …}.

    On each are a red, a green and a blue rectangle, side by side, over the grey level `background(index)`.
    """

    def write(folder, splits, size=(48, 40), background=lambda index: 0):
        folder = Path(folder)
        (folder / "annotations").mkdir(parents=True)
        for split, count in splits.items():
            (folder / split).mkdir()
            images, annotations = [], []
            for index in range(count):
                rng = np.random.default_rng([zlib.crc32(split.encode()), index])
                pixels = np.full((size[1], size[0], 3), background(index), np.uint8)
                column = size[0] // 3
                for place, channel in enumerate(rng.permutation(3)):
                    width, height = rng.integers((column // 2, size[1] // 3), (column - 2, size[1] - 4))
                    x = place * column + rng.integers(1, column - width)
                    y = rng.integers(1, size[1] - height)
                    pixels[y : y + height, x : x + width] = np.eye(3, dtype=np.uint8)[channel] * 255
                    record = {"id": len(annotations) + 1, "image_id": index + 1, "iscrowd": 0}
                    box = [int(x), int(y), int(width), int(height)]
                    category = RECTANGLES[channel]["id"]
                    annotations.append({**record, "category_id": category, "bbox": box, "area": box[2] * box[3]})
                Image.fromarray(pixels).save(folder / split / f"{index}.png")
                images.append({"id": index + 1, "file_name": f"{index}.png", "width": size[0], "height": size[1]})
            document = {"images": images, "annotations": annotations, "categories": RECTANGLES}
            (folder / "annotations" / f"instances_{split}.json").write_text(json.dumps(document))
        return folder

    return write


@pytest.fixture(scope="session")
def edit_annotations():
    """Calls `change(document)` on the annotations of a split and writes them back."""

    def edit(folder, split, change):
        path = folder / "annotations" / f"instances_{split}.json"
        document = json.loads(path.read_text())
        change(document)
        path.write_text(json.dumps(document))

    return edit


@pytest.fixture(scope="session")
def tiny_vocabulary():
    """Three classes and 16 bins in the compact layout: 22 tokens."""
    from pix2seq_keras import Vocabulary

    return Vocabulary(num_classes=3, num_bins=16)


@pytest.fixture(scope="session")
def build_tiny_model(tiny_vocabulary):
    """A function (seed, **options) -> a Pix2Seq of 32×32 pictures that reads at most four objects.

    Its decoder's weights are larger than fresh ones: what it reads then depends on the picture, the position and the
    tokens before, as with a trained model.
    """
    import keras

    from pix2seq_keras import Pix2Seq
    from pix2seq_keras.layers import ResidualStem

    def build(seed=0, **options):
        keras.utils.set_random_seed(seed)
        options = {"vocabulary": tiny_vocabulary, "encoder": ResidualStem((8, 8, 16)), **options}
        sizes = {"decoder_layers": 1, "decoder_dim": 16, "decoder_mlp_dim": 32, "decoder_heads": 2, "max_length": 20}
        model = Pix2Seq(image_size=(32, 32), **{**sizes, **options})
        model.embedding.embeddings.assign(model.embedding.embeddings * 20.0)
        model.embedding.positions.assign(model.embedding.positions * 100.0)
        for weight in model.decoder.trainable_weights:
            if weight.name == "kernel":
                weight.assign(weight * 3.0)
        return model

    return build


@pytest.fixture(scope="session")
def tiny_model(build_tiny_model):
    """One such model for all tests that leave its weights as they are."""
    return build_tiny_model(seed=0)


@pytest.fixture(scope="session")
def tiny_pictures():
    """Eight different pictures, float32 (8, 32, 32, 3): noise under a brightness and a ramp of their own."""
    import numpy as np

    rng = np.random.default_rng(0)
    ramp = np.linspace(0, 1, 32)[None, :, None, None] * rng.uniform(0, 1, (8, 1, 1, 3))
    return (0.5 * ramp + 0.5 * rng.uniform(0, 1, (8, 32, 32, 3))).astype("float32")
