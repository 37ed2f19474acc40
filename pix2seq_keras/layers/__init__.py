"""The parts of the network, in `keras.ops` only, so that they run on every Keras backend."""

from pix2seq_keras.lazy_exports import lazy_exports

__all__ = lazy_exports(
    __name__,
    {
        "pix2seq_keras.layers.attention": ["Attention"],
        "pix2seq_keras.layers.bridge": ["Bridge"],
        "pix2seq_keras.layers.drop_path": ["DropPath"],
        "pix2seq_keras.layers.image_encoder": ["ImageEncoder"],
        "pix2seq_keras.layers.keras_backbone": ["KerasBackbone"],
        "pix2seq_keras.layers.mlp": ["MLP"],
        "pix2seq_keras.layers.named_backbone": ["named_backbone"],
        "pix2seq_keras.layers.position_codes": ["sine_code_2d"],
        "pix2seq_keras.layers.residual_stem": ["ResidualBlock", "ResidualStem"],
        "pix2seq_keras.layers.resnet": ["Bottleneck", "ResNet"],
        "pix2seq_keras.layers.token_embedding": ["CoordinateInitializer", "TokenEmbedding"],
        "pix2seq_keras.layers.transformer_decoder": ["DecoderBlock", "TransformerDecoder"],
        "pix2seq_keras.layers.transformer_encoder": ["EncoderBlock", "TransformerEncoder"],
        "pix2seq_keras.layers.vision_transformer": ["VisionTransformer"],
    },
)
