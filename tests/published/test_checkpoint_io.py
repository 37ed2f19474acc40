"""Checkpoints that do not fit or are damaged are refused, and the model is not changed."""

import numpy as np
import pytest
import tensorflow as tf

from pix2seq_keras import InputError
from pix2seq_keras.models import published
from pix2seq_keras.published.checkpoint_io import read_config
from pix2seq_keras.published.weight_names import published_weights


def rewritten(folder, target, change):
    """Saves the checkpoint of `folder` in `target`, after `change(dictionary of path -> values)`."""
    model = published.from_checkpoint(folder)
    values = {weight.path: np.reshape(weight.variable, weight.shape) for weight in published_weights(model)}
    change(values)
    root = tf.Module()
    for path, array in values.items():
        node = root
        for name in path[:-1]:
            if not hasattr(node, name):
                setattr(node, name, tf.Module())
            node = getattr(node, name)
        setattr(node, path[-1], tf.Variable(array))
    tf.train.Checkpoint(model=root.model).save(str(target / "ckpt"))
    return target


def refused(model, folder, *expected):
    """Loading is refused with an error that has the expected parts, and the model is not changed."""
    before = [np.array(weight) for weight in model.weights]
    with pytest.raises(InputError) as error:
        published.load_checkpoint(model, folder)
    for part in expected:
        assert part in str(error.value)
    for old, weight in zip(before, model.weights, strict=True):
        np.testing.assert_array_equal(old, weight)


BIAS = ("model", "encoder", "stem_conv", "bias")


def test_a_removed_weight_is_named(vit, fresh, tmp_path):
    folder = rewritten(vit, tmp_path, lambda values: values.pop(BIAS))

    refused(fresh, folder, "1 missing: model/encoder/stem_conv/bias")


def test_a_renamed_weight_is_missing_and_left_over(vit, fresh, tmp_path):
    def rename(values):
        values[(*BIAS[:-1], "offset")] = values.pop(BIAS)

    folder = rewritten(vit, tmp_path, rename)

    refused(fresh, folder, "1 missing: model/encoder/stem_conv/bias", "1 left over: model/encoder/stem_conv/offset")


def test_a_transposed_weight_is_named_with_both_shapes(vit, fresh, tmp_path):
    def transpose(values):
        path = ("model", "proj", "kernel")
        values[path] = values[path].T

    folder = rewritten(vit, tmp_path, transpose)

    refused(fresh, folder, "1 of another shape: model/proj/kernel is (48, 64), the model's (64, 48)")


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_truncated_data_are_detected_before_anything_is_changed(vit, fresh, share):
    data = vit / "ckpt-0.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[: int(share * data.stat().st_size)])

    refused(fresh, vit, "cannot be read", "truncated")


def test_a_saved_checkpoint_cut_in_half_is_refused(reference, fresh, tmp_path):
    """Its object graph comes before the weights, so that the damage is found there."""
    published.save_checkpoint(reference("vit")[2], tmp_path)
    data = tmp_path / "ckpt-1.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[: data.stat().st_size // 2])

    refused(fresh, tmp_path, "cannot be read", "truncated")


def test_a_flipped_bit_is_detected(vit, fresh):
    data = vit / "ckpt-0.data-00000-of-00001"
    content = bytearray(data.read_bytes())
    content[len(content) // 3] ^= 1
    data.write_bytes(content)

    refused(fresh, vit, "cannot be read")


def test_missing_files_are_reported(vit, fresh, tmp_path):
    (vit / "ckpt-0.data-00000-of-00001").unlink()
    refused(fresh, vit, "cannot be read")

    (vit / "ckpt-0.index").write_bytes(b"no index")
    refused(fresh, vit, "cannot be read")

    (vit / "ckpt-0.index").unlink()
    refused(fresh, vit, "There is no checkpoint at")
    refused(fresh, tmp_path / "nowhere", "There is no checkpoint at")


def test_a_wrong_configuration_is_refused(reference):
    folder = reference("vit")[0]
    config = read_config(folder / "config.json")

    with pytest.raises(InputError, match=r"missing: .*enc_layers/2.*Use the configuration"):
        published.from_checkpoint(folder, {**config, "num_encoder_layers": 3})
    with pytest.raises(InputError, match=r"left over: .*enc_layers/1"):
        published.from_checkpoint(folder, {**config, "num_encoder_layers": 1})
    with pytest.raises(InputError, match=r"token_embedding is \(420, 48\), the model's \(421, 48\)"):
        published.from_checkpoint(folder, {**config, "vocab_size": 421})
    with pytest.raises(InputError, match=r"missing: .*resnet"):
        published.from_checkpoint(folder, {**config, "resnet_variant": "standard"})


@pytest.mark.parametrize(
    "content, message",
    [("{", "is not JSON"), ("[]", "is not a JSON object"), (None, "cannot be read"), ("{}", "lacks image_size")],
)
def test_an_unusable_configuration_file_is_refused(vit, content, message):
    if content is None:
        (vit / "config.json").unlink()
    else:
        (vit / "config.json").write_text(content)

    with pytest.raises(InputError, match=message):
        published.from_checkpoint(vit)


def test_a_checkpoint_without_object_graph_is_refused(fresh, tmp_path):
    graph = tf.Graph()
    with graph.as_default(), tf.compat.v1.Session() as session:
        variable = tf.compat.v1.get_variable("weight", [2], initializer=tf.compat.v1.zeros_initializer())
        session.run(variable.initializer)
        tf.compat.v1.train.Saver().save(session, str(tmp_path / "old"))

    with pytest.raises(InputError, match="no object graph"):
        published.load_checkpoint(fresh, tmp_path)
