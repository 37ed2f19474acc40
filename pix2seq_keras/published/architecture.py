"""The published architecture: from a published configuration to the arguments of `Pix2Seq`."""

from pix2seq_keras.canvas import canvas_size
from pix2seq_keras.errors import InputError
from pix2seq_keras.layers import ImageEncoder, ResNet, VisionTransformer
from pix2seq_keras.layers.resnet import STRIDES
from pix2seq_keras.vocabulary import Vocabulary

# Options of the published code; every published model has these values.
FIXED = {
    "name": "encoder_ar_decoder",
    "use_cls_token": False,
    "shared_decoder_embedding": True,
    "decoder_output_bias": True,
    "dec_proj_mode": "mlp",
    "pos_encoding": "sin_cos",
    "pos_encoding_dec": "learned",
    "drop_att": 0.0,
    "resnet_sk_ratio": 0.0,
}
DEFAULTS = {"patch_size": 16, "drop_path": 0.1, "drop_units": 0.1, "resnet_width_multiplier": 1.0, "resnet_depth": 50}
SIZES = (
    "image_size",
    "max_seq_len",
    "vocab_size",
    "coord_vocab_shift",
    "quantization_bins",
    "dim_att",
    "dim_mlp",
    "num_heads",
    "num_encoder_layers",
    "dim_att_dec",
    "dim_mlp_dec",
    "num_heads_dec",
    "num_decoder_layers",
)
VIT = "c1"  # the value of resnet_variant that means a ViT


def model_arguments(config, categories=None):
    """The keyword arguments that make a `Pix2Seq` of the published architecture.

    Args:
        config: dictionary with the keys of the published model configuration: `image_size` (int or pair),
            `resnet_variant` ("c1" for ViT, "standard", "c4", "dc5"), `dim_att`, `dim_mlp`, `num_heads`,
            `num_encoder_layers`, the same with `_dec`/`num_decoder_layers` for the decoder, `max_seq_len`,
            `vocab_size`, `coord_vocab_shift`, `quantization_bins`; and, where they differ from the defaults,
            `patch_size`, `drop_units`, `drop_path`, `resnet_depth`, `resnet_width_multiplier`.
        categories: `Categories` or `None`: class i has the label slot `categories.ids[i]`; `None` gives every slot but
            0 a class.

    Returns:
        Dictionary. The encoder in it is a new layer with random weights: use it for one model only.

    Raises:
        InputError: if a key is missing or has a value that this architecture does not support.

    Example:
        >>> config = json.loads(Path("config.json").read_text())
        >>> model = Pix2Seq(**model_arguments(config))
    """
    if not isinstance(config, dict):
        raise InputError(f"The published configuration must be a dictionary. Received: {config!r:.80}")
    missing = [key for key in (*SIZES, "resnet_variant") if key not in config]
    if missing:
        raise InputError(f"The published configuration lacks {', '.join(missing)}.")
    for key, value in FIXED.items():
        if config.get(key, value) != value:
            raise InputError(
                f"`{key}` of the published configuration must be {value!r}. Received: {key}={config[key]!r}"
            )
    config = {**DEFAULTS, **config}
    _check_values(config)
    return {
        "vocabulary": Vocabulary.published(
            config["quantization_bins"],
            config["coord_vocab_shift"],
            config["vocab_size"],
            None if categories is None else categories.ids,
        ),
        "image_size": canvas_size(config["image_size"]),
        "encoder": _encoder(config),
        "decoder_layers": config["num_decoder_layers"],
        "decoder_dim": config["dim_att_dec"],
        "decoder_mlp_dim": config["dim_mlp_dec"],
        "decoder_heads": config["num_heads_dec"],
        "bridge_mlp_dim": config["dim_att_dec"] * (config["dim_mlp"] // config["dim_att"]),
        "max_length": config["max_seq_len"],
        "dropout": config["drop_units"],
        "drop_path": config["drop_path"],
        "categories": categories,
        "name": "pix2seq",
    }


def _check_values(config):
    """Raises an `InputError` for the first key with an invalid value; the layers check the rest."""
    whole = lambda value: isinstance(value, int) and not isinstance(value, bool) and value > 0
    number = lambda value: isinstance(value, int | float) and not isinstance(value, bool)
    rules = [
        *((key, whole, "a positive integer") for key in (*SIZES[1:], "patch_size", "resnet_depth")),
        *((key, lambda value: number(value) and 0 <= value < 1, "in [0, 1)") for key in ("drop_path", "drop_units")),
        ("resnet_width_multiplier", lambda value: number(value) and value > 0, "a positive number"),
        ("resnet_variant", lambda value: isinstance(value, str), "a string"),
        ("dim_mlp", lambda value: value >= config["dim_att"], "at least dim_att"),
    ]
    for key, holds, wanted in rules:
        if not holds(config[key]):
            raise InputError(
                f"`{key}` of the published configuration must be {wanted}. Received: {key}={config[key]!r}"
            )


def _encoder(config):
    sizes = {
        "num_layers": config["num_encoder_layers"],
        "dim": config["dim_att"],
        "mlp_dim": config["dim_mlp"],
        "num_heads": config["num_heads"],
        "dropout": config["drop_units"],
        "drop_path": config["drop_path"],
        "name": "encoder",
    }
    variant = config["resnet_variant"]
    if variant == VIT:
        return VisionTransformer(config["patch_size"], **sizes)
    if variant not in STRIDES:
        raise InputError(
            f"`resnet_variant` must be {VIT!r} for a ViT, or one of {', '.join(map(repr, STRIDES))}. "
            f"Received: resnet_variant={variant!r}"
        )
    return ImageEncoder(ResNet(config["resnet_depth"], variant, config["resnet_width_multiplier"]), **sizes)
