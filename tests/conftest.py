"""Shared data and tiny things that several tests use."""

import gc
import io
import json
import os
import zlib
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["PIX2SEQ_PUBLISHED_URL"] = "http://127.0.0.1:1"  # no test downloads published weights

import numpy as np
import pytest
from PIL import Image

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True, scope="module")
def fewer_objects_to_search():
    """Keeps what a module leaves, such as TensorFlow's own objects, out of later searches for garbage.

    They are millions of objects after some modules, and a tenth of the time of the tests was spent on searching them.
    """
    gc.freeze()  # what was imported for the first module
    yield
    gc.collect()
    gc.freeze()


@pytest.fixture
def eagerly():
    """Runs every tf.function operation by operation: for tests of a few steps, whose tracing would take longer."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="session")
def shared_dir():
    """The folder with reference numbers and real images, beside the checkout or where PIX2SEQ_SHARED says."""
    folder = Path(os.environ.get("PIX2SEQ_SHARED", REPOSITORY.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"no shared data at {folder}: set PIX2SEQ_SHARED to run this test")
    return folder


@pytest.fixture(scope="session")
def bccd_dir(shared_dir):
    """BCCD blood cells in COCO layout: annotations/instances_{train,val,test}.json beside train/, val/, test/."""
    folder = shared_dir / "data" / "bccd"
    if not folder.is_dir():
        pytest.skip(f"no BCCD images at {folder}")
    return folder


RECTANGLES = [{"id": 1, "name": "red"}, {"id": 5, "name": "green"}, {"id": 9, "name": "blue"}]


@pytest.fixture(scope="session")
def write_rectangles():
    """Writes a COCO folder with the images 0, 1, … of `splits` = {"train": 6, …}.

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
def jpeg_with_scans():
    """A function (count) -> a valid progressive JPEG of 48×40 pixels with so many scans: its last one is repeated."""

    def make(count):
        pixels = np.random.default_rng(0).integers(0, 256, (5, 6, 3), np.uint8)
        file = io.BytesIO()
        Image.fromarray(pixels).resize((48, 40)).save(file, "JPEG", progressive=True)
        data = file.getvalue()
        usual, last = data.count(b"\xff\xda"), data[data.rindex(b"\xff\xda") : -2]
        return data[:-2] + last * (count - usual) + data[-2:]

    return make


@pytest.fixture(scope="session")
def tiny_vocabulary():
    """Three classes and 16 bins in the compact layout: 22 tokens."""
    from pix2seq_keras import Vocabulary

    return Vocabulary(num_classes=3, num_bins=16)


@pytest.fixture(scope="session")
def build_tiny_model(tiny_vocabulary):
    """A function (seed, **options) -> a Pix2Seq of 32×32 images that decodes at most four objects.

    Its decoder's weights are larger than initial ones, so that its tokens depend on the image, the position and the
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
    """One such model for all tests that do not change its weights."""
    return build_tiny_model(seed=0)


@pytest.fixture(scope="session")
def tiny_images():
    """Eight different images, float32 (8, 32, 32, 3): noise and a ramp, each of another brightness."""
    import numpy as np

    rng = np.random.default_rng(0)
    ramp = np.linspace(0, 1, 32)[None, :, None, None] * rng.uniform(0, 1, (8, 1, 1, 3))
    return (0.5 * ramp + 0.5 * rng.uniform(0, 1, (8, 32, 32, 3))).astype("float32")


@pytest.fixture(scope="session")
def served_toy(tmp_path_factory):
    """A SavedModel with the signatures of an exported model, versions 3 and 12, that is quick to make.

    In an image it detects a "cat" (id 7) in the upper half, whose score is the mean of red; and if the mean of blue is
    above one half, a "dog" (id 2) as wide as the mean of green, whose score is a quarter of the mean of red. Version 3
    halves the scores, and its description has format 1.
    """
    import tensorflow as tf

    from pix2seq_keras import Categories, DecodingOptions, Vocabulary
    from pix2seq_keras.exporting.image_decoding.decode import decode_image

    description = {
        "format": "pix2seq_keras",
        "format_version": 2,
        "package_version": "0.2.0",
        "preset": None,
        "image_size": [32, 32],
        "categories": Categories((2, 7), ("dog", "cat")).get_config(),
        "vocabulary": Vocabulary(2, 16).get_config(),
        "options": DecodingOptions(max_objects=3).complete(max_length=15).to_dict(),
        "max_pixels": 100_000,
    }
    options_1 = {"max_objects": 3, "sampler": "TopP(p=0.4, temperature=1.0)", "constrained": True, "seed": 0}
    format_1 = {**description, "format_version": 1, "package_version": "0.1.0", "options": options_1}
    base = tmp_path_factory.mktemp("served") / "toy"
    for version in (3, 12):
        module = tf.Module()
        text = base.parent / "pix2seq.json"
        described = json.dumps(format_1 if version == 3 else description)
        text.write_text(described)
        module.asset = tf.saved_model.Asset(str(text))
        module.weight = tf.Variable(0.5 if version == 3 else 1.0)

        def one(data, weight=module.weight):
            red, green, blue = tf.unstack(
                tf.reduce_mean(tf.cast(decode_image(data, 100_000), tf.float32), [0, 1]) / 255
            )
            both = tf.cast(blue > 0.5, tf.float32)
            boxes = tf.stack([[0, 0, 0.5, 1], tf.stack([0.0, 0.0, 1.0, green]) * both, [0, 0, 0, 0]])
            scores = tf.stack([red, red * both / 4, 0.0]) * weight
            return boxes, tf.stack([7, 2 * both, 0]), scores, 1 + both

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="image_bytes")])
        def detect(image_bytes, one=one):
            boxes, classes, scores, count = tf.map_fn(one, image_bytes, fn_output_signature=(tf.float32,) * 4)
            names = tf.gather(["", "dog", "", "", "", "", "", "cat"], tf.cast(classes, tf.int32))
            return {
                "detection_boxes": tf.ensure_shape(boxes, [None, 3, 4]),
                "detection_classes": classes,
                "detection_scores": scores,
                "num_detections": count,
                "detection_names": names,
            }

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="keys")])
        def describe(keys, described=described):
            return {"description": tf.fill(tf.shape(keys), tf.constant(described))}

        signatures = {"serving_default": detect, "describe": describe}
        tf.saved_model.save(module, str(base / str(version)), signatures=signatures)
    return base


@pytest.fixture(scope="session")
def exported_tiny(build_tiny_model, tmp_path_factory):
    """A tiny model with the categories of the rectangles, and the folder of versions it was exported to."""
    from pix2seq_keras import Categories

    model = build_tiny_model(seed=0, categories=Categories.from_coco(RECTANGLES))
    base = tmp_path_factory.mktemp("exported") / "tiny"
    model.export(base, version=1, verbose=False, sampler="greedy")
    return model, base


@pytest.fixture(scope="session")
def tiny_server(exported_tiny):
    """A server of that model, in this process, under the name "shapes"."""
    from pix2seq_keras.serving import ModelServer

    with ModelServer(exported_tiny[1], "shapes", grpc_port=0, rest_port=0) as server:
        yield server


@pytest.fixture(scope="session")
def tiny_tflite(build_tiny_model, tmp_path_factory):
    """A tiny model with the categories of the rectangles, and the `.tflite` file it was exported to."""
    from pix2seq_keras import Categories

    model = build_tiny_model(seed=0, categories=Categories.from_coco(RECTANGLES))
    path = tmp_path_factory.mktemp("tflite") / "folder" / "tiny.tflite"
    return model, model.export(path, "litert", verbose=False, preset="tiny", seed=3)
