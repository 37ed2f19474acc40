"""The classes that Keras looks up by name when it loads a file, registered before their modules are imported.

After `import pix2seq_keras`, which imports neither Keras nor a model, `keras.saving.load_model("model.keras")` works.
"""

import importlib
import sys

from pix2seq_keras.import_hooks import around_import

PACKAGE = "pix2seq_keras"
# Every class decorated with `register_keras_serializable`, by its module.
REGISTERED = {
    "pix2seq_keras.categories": ["Categories"],
    "pix2seq_keras.layers.attention": ["Attention"],
    "pix2seq_keras.layers.bridge": ["Bridge"],
    "pix2seq_keras.layers.drop_path": ["DropPath"],
    "pix2seq_keras.layers.image_encoder": ["ImageEncoder"],
    "pix2seq_keras.layers.keras_backbone": ["KerasBackbone"],
    "pix2seq_keras.layers.mlp": ["MLP"],
    "pix2seq_keras.layers.residual_stem": ["ResidualBlock", "ResidualStem"],
    "pix2seq_keras.layers.resnet": ["Bottleneck", "ResNet"],
    "pix2seq_keras.layers.token_embedding": ["CoordinateInitializer", "TokenEmbedding"],
    "pix2seq_keras.layers.transformer_decoder": ["DecoderBlock", "TransformerDecoder"],
    "pix2seq_keras.layers.transformer_encoder": ["EncoderBlock", "TransformerEncoder"],
    "pix2seq_keras.layers.vision_transformer": ["VisionTransformer"],
    "pix2seq_keras.models.pix2seq": ["Pix2Seq"],
    "pix2seq_keras.training.schedules": ["WarmupSchedule"],
    "pix2seq_keras.vocabulary": ["Vocabulary"],
}


class DeferredClass:
    """Stands in Keras's registry until the class's own module registers the class itself.

    Args:
        module: str, path of the module.
        name: str, the class.
    """

    def __init__(self, module, name):
        self.module, self.name = module, name

    def from_config(self, config):
        return getattr(importlib.import_module(self.module), self.name).from_config(config)


def register_classes():
    """Registers the classes with Keras, now or when Keras is imported."""
    if "keras" in sys.modules:
        _register(sys.modules["keras"])
    else:
        around_import("keras", _import_and_register)


def _import_and_register(execute, module):
    execute(module)
    _register(module)


def _register(keras):
    registry = keras.saving.get_custom_objects()
    for module, names in REGISTERED.items():
        for name in names:
            registry.setdefault(f"{PACKAGE}>{name}", DeferredClass(module, name))
