"""The published architecture from its configuration: exact sizes, and values that are refused."""

import numpy as np
import pytest

from pix2seq_keras import Categories, InputError, Pix2Seq
from pix2seq_keras.presets import published_models
from pix2seq_keras.published.architecture import model_arguments


def dense(inputs, outputs):
    return (inputs + 1) * outputs


def attention(dim):
    return 4 * dense(dim, dim)


def mlp(dim, hidden):
    return 2 * dim + dense(dim, hidden) + dense(hidden, dim)  # with its LayerNorm


def resnet(depth, groups):
    """Convolutions without bias, batch norms with a scale and an offset."""
    conv = lambda kernel, inputs, outputs: kernel**2 * inputs * outputs + 2 * outputs
    total, channels = conv(7, 3, 64), 64
    for group, blocks in enumerate({50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}[depth][:groups]):
        width = 64 * 2**group
        for block in range(blocks):
            total += conv(1, channels, width) + conv(3, width, width) + conv(1, width, 4 * width)
            total += conv(1, channels, 4 * width) if block == 0 else 0
            channels = 4 * width
    return total, channels


def expected_weights(config):
    """Trainable weights by the arithmetic of the layers, from the configuration alone."""
    dim, decoder_dim = config["dim_att"], config["dim_att_dec"]
    if config["resnet_variant"] == "c1":
        stem = dense(16 * 16 * 3, dim)
    else:
        convolutions, channels = resnet(config["resnet_depth"], 3 if config["resnet_variant"] == "c4" else 4)
        stem = convolutions + dense(channels, dim)
    block = 2 * dim + attention(dim) + mlp(dim, config["dim_mlp"])
    encoder = stem + 2 * dim + config["num_encoder_layers"] * block + 2 * dim
    bridge = dense(dim, decoder_dim) + 2 * decoder_dim + mlp(decoder_dim, decoder_dim * config["dim_mlp"] // dim)
    # Two attentions and LayerNorms, for the keys and values come from the image in the decoder's width.
    decoder_block = 2 * (2 * decoder_dim + attention(decoder_dim)) + mlp(decoder_dim, config["dim_mlp_dec"])
    tokens = (config["vocab_size"] + config["max_seq_len"]) * decoder_dim + config["vocab_size"]
    return encoder + bridge + config["num_decoder_layers"] * decoder_block + 2 * decoder_dim + tokens


@pytest.mark.parametrize(
    "name, millions",
    [("resnet50_640", 36.59), ("resnet50_c4_640", 84.70), ("vit_b_640", 115.17), ("vit_l_640", 341.16)],
)
def test_the_arithmetic_gives_the_published_sizes(name, millions):
    assert round(expected_weights(published_models.get(name).config) / 1e6, 2) == millions


# vit_l would fill 1.4 GB.
@pytest.mark.parametrize("name", ["resnet50_640", "resnet50_c4_640", "vit_b_640", "resnet101_dc5_1333_scratch"])
def test_the_models_have_exactly_so_many_trainable_weights(name):
    record = published_models.get(name)

    model = Pix2Seq(**model_arguments(record.config, record.categories))

    counted = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    assert counted == expected_weights(record.config)
    assert model.vocabulary == record.vocabulary


@pytest.fixture
def config():
    return {**published_models.get("resnet50_640").config, "dim_att": 8, "num_heads": 2, "dim_att_dec": 8}


def test_initial_weights_have_the_published_spread():
    config = {**published_models.get("vit_b_640").config, "image_size": 32, "num_encoder_layers": 1}

    model = Pix2Seq(**model_arguments({**config, "num_decoder_layers": 1}))

    for weight in (model.embedding.embeddings, model.embedding.positions, model.embedding.output_bias):
        assert np.std(weight) == pytest.approx(0.02 * 0.88, rel=0.05)  # of a normal cut at two deviations
        assert np.abs(weight).max() < 0.0401
    assert model.decoder_config["embedding_scale"] == 1.0
    assert (model.decoder_config["dropout"], model.decoder_config["drop_path"]) == (0.1, 0.1)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"resnet_variant": "c9"}, "`resnet_variant` must be 'c1' for a ViT.*Received: resnet_variant='c9'"),
        ({"resnet_depth": 34}, "depth=34"),
        ({"use_cls_token": True}, "`use_cls_token` of .* must be False. Received: use_cls_token=True"),
        ({"dec_proj_mode": "linear"}, "`dec_proj_mode` of .* must be 'mlp'"),
        ({"pos_encoding": "learned"}, "`pos_encoding` of .* must be 'sin_cos'"),
        ({"drop_att": 0.1}, "`drop_att` of .* must be 0.0"),
        ({"image_size": "640"}, "`image_size` must be a positive integer or a pair"),
        ({"image_size": [640, 0]}, "`image_size` must be a positive integer or a pair"),
        ({"dim_mlp": -1}, "`dim_mlp` of .* must be a positive integer. Received: dim_mlp=-1"),
        ({"dim_mlp": 7}, "at least dim_att"),
        ({"num_heads": True}, "num_heads=True"),
        ({"drop_path": "a"}, "drop_path"),
        ({"drop_units": 1.0}, "drop_units=1.0"),
        ({"resnet_variant": ["c1"]}, "resnet_variant"),
        ({"resnet_width_multiplier": 0}, "resnet_width_multiplier=0"),
        ({"num_heads": 3}, "num_heads=3"),
        ({"coord_vocab_shift": 2500}, "`size` must be at least 3500.*size=3000"),
    ],
)
def test_values_that_no_published_model_has_are_refused(config, change, message):
    with pytest.raises(InputError, match=message):
        Pix2Seq(**model_arguments({**config, **change}))


def test_a_missing_size_is_named(config):
    del config["dim_mlp"], config["vocab_size"]

    with pytest.raises(InputError, match="lacks vocab_size, dim_mlp"):
        model_arguments(config)
    with pytest.raises(InputError, match=r"must be a dictionary\. Received: 'vit'"):
        model_arguments("vit")


def test_categories_beyond_the_label_slots_are_refused(config):
    with pytest.raises(InputError, match="`labels` must be in 0 … 899"):
        model_arguments(config, Categories(ids=(1, 900), names=("a", "b")))
