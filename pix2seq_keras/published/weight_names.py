"""The name of each weight of a `Pix2Seq` in a published checkpoint."""

import dataclasses
from typing import Any

from pix2seq_keras.errors import InputError
from pix2seq_keras.layers import ImageEncoder, ResNet, VisionTransformer


@dataclasses.dataclass(frozen=True)
class PublishedWeight:
    """One weight of a model, and its name and shape in a published checkpoint.

    Args:
        path: tuple of str, the attributes that lead to it from the checkpoint's root.
        variable: `keras.Variable`, the model's weight.
        shape: tuple of ints, its shape in the checkpoint; the values are the same in row-major order.
    """

    path: tuple
    variable: Any
    shape: tuple

    @property
    def name(self):
        """str, the path for messages."""
        return "/".join(self.path)


def published_weights(model):
    """Names all weights of a model as published checkpoints do.

    Args:
        model: `Pix2Seq` of the published architecture.

    Returns:
        List of `PublishedWeight`, every weight of the model exactly once.

    Raises:
        InputError: if the model has another architecture, or is quantised.

    Example:
        >>> published_weights(Pix2Seq.from_preset("vit_b_640", weights=None))[0].name
        'model/encoder/stem_conv/kernel'
    """
    if any(layer.quantization_mode for layer in model._flatten_layers()):
        raise InputError("Published checkpoints hold weights in floating point. Received: a quantised model.")
    found = [*_encoder(model.encoder), *_bridge(model.bridge), *_decoder(model)]
    mapped = [id(weight.variable) for weight in found]
    if sorted(mapped) != sorted(id(weight) for weight in model.weights):
        raise InputError(
            f"The model has weights that no published model has. Of its {len(model.weights)} weights, {len(found)} "
            "have a name in published checkpoints."
        )
    return found


def _encoder(encoder):
    root = ("model", "encoder")
    if isinstance(encoder, VisionTransformer):
        stem = [*_dense((*root, "stem_conv"), encoder.patches), *_norm((*root, "stem_ln"), encoder.patches_norm)]
    elif isinstance(encoder, ImageEncoder) and isinstance(encoder.backbone, ResNet):
        stem = [
            *_resnet((*root, "resnet"), encoder.backbone),
            *_dense((*root, "stem_projection"), encoder.projection),
            *_norm((*root, "stem_ln"), encoder.projection_norm),
        ]
    else:
        raise InputError(
            "Published checkpoints have a ViT or a ResNet as encoder. Received: a model with "
            f"{type(getattr(encoder, 'backbone', encoder)).__name__}"
        )
    blocks = []
    for index, block in enumerate(encoder.transformer.blocks):
        place = (*root, "transformer_encoder", "enc_layers", str(index))
        blocks += _norm((*place, "mha_ln"), block.attention_norm)
        blocks += _attention((*place, "mha"), block.attention)
        blocks += _mlp((*place, "mlp"), block.mlp_norm, block.mlp)
    return [*stem, *blocks, *_norm((*root, "output_ln"), encoder.transformer.output_norm)]


def _bridge(bridge):
    return [
        *_dense(("model", "proj"), bridge.projection),
        *_norm(("model", "proj_ln"), bridge.projection_norm),
        *_mlp(("model", "proj_mlp"), bridge.mlp_norm, bridge.mlp),
    ]


def _decoder(model):
    root = ("model", "decoder")
    embedding = model.embedding
    found = [
        _same((*root, "token_embedding"), embedding.embeddings),
        _same((*root, "seq_pos_emb"), embedding.positions),
        _same((*root, "outp_bias"), embedding.output_bias),
    ]
    for index, block in enumerate(model.decoder.blocks):
        place = (*root, "decoder", "dec_layers", str(index))
        found += _norm((*place, "self_ln"), block.self_norm)
        found += _attention((*place, "self_mha"), block.self_attention)
        found += _norm((*place, "cross_ln"), block.cross_norm)
        found += _attention((*place, "cross_mha"), block.cross_attention)
        found += _mlp((*place, "mlp"), block.mlp_norm, block.mlp)
    return [*found, *_norm((*root, "output_ln"), model.decoder.output_norm)]


def _resnet(root, resnet):
    stem = (*root, "initial_conv_relu_max_pool")
    found = [*_conv((*stem, "0"), resnet.conv), *_batch_norm((*stem, "2"), resnet.norm)]
    for index, group in enumerate(resnet.groups):
        for repeat, block in enumerate(group):
            place = (*root, "block_groups", str(index), "layers", str(repeat))
            if block.project:
                found += _conv((*place, "projection_layers", "0"), block.shortcut)
                found += _batch_norm((*place, "projection_layers", "1"), block.shortcut_norm)
            layers = ((block.conv_1, block.norm_1), (block.conv_2, block.norm_2), (block.conv_3, block.norm_3))
            for number, (conv, norm) in enumerate(layers):  # convolution, norm, ReLU; convolution, …
                found += _conv((*place, "conv_relu_dropblock_layers", str(3 * number)), conv)
                found += _batch_norm((*place, "conv_relu_dropblock_layers", str(3 * number + 1)), norm)
    return found


def _same(path, variable):
    return PublishedWeight(path, variable, tuple(variable.shape))


def _dense(path, layer):
    return [_same((*path, "kernel"), layer.kernel), _same((*path, "bias"), layer.bias)]


def _conv(path, layer):
    return [_same((*path, "conv2d", "kernel"), layer.kernel)]


def _norm(path, layer):
    return [_same((*path, "gamma"), layer.gamma), _same((*path, "beta"), layer.beta)]


def _batch_norm(path, layer):
    names = ("gamma", "beta", "moving_mean", "moving_variance")
    return [_same((*path, "bn", name), getattr(layer, name)) for name in names]


def _mlp(path, norm, mlp):
    layers = (*path, "mlp_layers", "0")
    return [
        *_norm((*path, "layernorms", "0"), norm),
        *_dense((*layers, "dense1"), mlp.hidden),
        *_dense((*layers, "dense2"), mlp.output_dense),
    ]


def _attention(path, attention):
    """Keras's MultiHeadAttention has an axis for the heads; our layer has them side by side in the last axis."""
    heads = (attention.num_heads, attention.dim // attention.num_heads)
    found = []
    for name in ("query", "key", "value"):
        layer, place = getattr(attention, name), (*path, f"_{name}_dense")
        found.append(PublishedWeight((*place, "kernel"), layer.kernel, (layer.kernel.shape[0], *heads)))
        found.append(PublishedWeight((*place, "bias"), layer.bias, heads))
    layer, place = attention.output_dense, (*path, "_output_dense")
    found.append(PublishedWeight((*place, "kernel"), layer.kernel, (*heads, attention.dim)))
    return [*found, _same((*place, "bias"), layer.bias)]
