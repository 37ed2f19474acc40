"""Any functional Keras model as the image backbone: its features at a stride, frozen or not."""

import collections

import keras
from keras import ops

from pix2seq_keras.errors import InputError

BATCH_NORM = ("train", "frozen")

# How images in [0, 1] become what a model was trained on; the names of keras.applications where it has one.
SCALINGS = {
    "unit": lambda images: images,
    "pixels": lambda images: images * 255.0,
    "tf": lambda images: images * 2.0 - 1.0,
    "torch": lambda images: (images - ops.array([0.485, 0.456, 0.406])) / ops.array([0.229, 0.224, 0.225]),
    "caffe": lambda images: ops.flip(images, -1) * 255.0 - ops.array([103.939, 116.779, 123.68]),  # blue first
}


@keras.saving.register_keras_serializable(package="pix2seq_keras")
class KerasBackbone(keras.layers.Layer):
    """The features of a functional Keras model at a stride; the layers after them are dropped.

    The level is the last point at that stride through which everything flows: the end of a stage, never the inside
    of a residual branch or of a squeeze-and-excite gate. A model without a fixed input size is looked at with large
    images. The layers are the model's own, not copies: the model shares their weights and what is frozen.

    Args:
        model: functional `keras.Model` or built `keras.Sequential` of one input (B, H, W, 3): of `keras.applications`
            (see `applications_backbone`), keras-cv's generic backbones, one's own.
        stride: int, pixels of the image to one place of the features, rounded up or down as the model does.
        freeze: bool, whether nothing of it trains; it then runs in inference mode, batch norm and dropout alike.
        batch_norm: `"train"`, or `"frozen"`: statistics, gamma and beta of batch norms stay as they are and are used
            in training too, while the other weights train. The usual choice for small batches.
        scaling: what the model reads, given images in [0, 1]: `"unit"` just those (keras-cv with
            `include_rescaling=False`); `"pixels"` 0…255 (models with their own preprocessing, keras-cv with
            `include_rescaling=True`); `"tf"` −1…1; `"torch"` standardised with ImageNet's mean and deviation;
            `"caffe"` 0…255 minus the mean, blue first. There is no default: a wrong one goes unnoticed.

    `freeze` and `batch_norm` hold whatever `trainable` is set to. The model computes in its own dtype policy; the
    features are cast to the layer's.

    Call arguments:
        images: float tensor (B, H, W, 3) in [0, 1].

    Returns:
        float tensor (B, h, w, C), h = ⌈H/stride⌉ or ⌊H/stride⌋, as the model rounds.

    Raises:
        InputError: if the model is not functional or has no features at that stride, an option is unknown, or the
            images are not of the size the model was made for.

    Example:
        >>> mobile = keras.applications.MobileNetV3Small((64, 96, 3), include_top=False, weights=None)
        >>> KerasBackbone(mobile, stride=16, scaling="pixels")(keras.ops.ones((1, 64, 96, 3))).shape
        (1, 4, 6, 288)
    """

    def __init__(self, model, stride=16, freeze=False, batch_norm="train", *, scaling, **kwargs):
        # Whatever precision the images come in, scaling does not coarsen them further.
        super().__init__(**{"autocast": False, **kwargs})
        for name, value, known in (("batch_norm", batch_norm, BATCH_NORM), ("scaling", scaling, SCALINGS)):
            if value not in known:
                raise InputError(f"Unknown {name}: use one of {', '.join(known)}. Received: {name}={value!r}")
        if int(stride) != stride or stride < 1:
            raise InputError(f"The stride must be a whole number of pixels, at least 1. Received: stride={stride}")
        self.stride = int(stride)
        self.freeze = freeze
        self.batch_norm = batch_norm
        self.scaling = scaling
        self.model = _cut(model, self.stride)
        # A class of its own (keras-cv's) describes itself best: some of its layers cannot be read back one by one.
        plain = type(model) in (type(self.model), keras.Sequential)
        self._whole_config = None if plain else keras.saving.serialize_keras_object(model)
        self._hold_frozen()

    @property
    def trainable(self):
        return super().trainable

    @trainable.setter
    def trainable(self, value):
        # Keras hands the flag down to every layer: `pix2seq.trainable = True` would wake the frozen ones.
        keras.layers.Layer.trainable.fset(self, value)
        self._hold_frozen()

    def _hold_frozen(self):
        if self.freeze:
            self.model.trainable = False
        elif self.batch_norm == "frozen":
            for layer in self.model._flatten_layers():
                if isinstance(layer, keras.layers.BatchNormalization):
                    layer.trainable = False  # for Keras's batch norm this means inference mode, too

    def build(self, images_shape):
        self._check(images_shape)  # the weights came with the model

    def call(self, images, training=False):
        images = SCALINGS[self.scaling](ops.cast(images, "float32"))
        features = self.model(images, training=False if self.freeze else training)
        return ops.cast(features, self.compute_dtype)  # (B, h, w, C)

    def compute_output_shape(self, images_shape):
        self._check(images_shape)
        return tuple(self.model.compute_output_shape(tuple(images_shape)))

    def _check(self, images_shape):
        wanted = self.model.inputs[0].shape
        if len(images_shape) != 4 or any(
            side is not None and side != given for side, given in zip(wanted[1:], images_shape[1:], strict=True)
        ):
            raise InputError(
                f"The backbone {self.model.name} was made for images of shape {tuple(wanted)}. Received: "
                f"{tuple(images_shape)}. Make it with the canvas's height and width as its input_shape."
            )

    def get_config(self):
        return {
            **super().get_config(),
            "model": self._whole_config or keras.saving.serialize_keras_object(self.model),
            "stride": self.stride,
            "freeze": self.freeze,
            "batch_norm": self.batch_norm,
            "scaling": self.scaling,
        }

    @classmethod
    def from_config(cls, config):
        # Keras imports keras-cv by itself where a configuration names one of its classes.
        return cls(**{**config, "model": keras.saving.deserialize_keras_object(config["model"])})


def _cut(model, stride):
    """The model up to its last features at a stride."""
    inputs = getattr(model, "inputs", None) or ()
    if len(inputs) != 1 or len(inputs[0].shape) != 4 or inputs[0].shape[-1] != 3:
        raise InputError(
            "A backbone must be a functional Keras model of one input (B, H, W, 3). Received: "
            f"{type(model).__name__} with inputs {[tuple(tensor.shape) for tensor in inputs]}"
        )
    levels = _levels(model, stride)
    size = levels[0][1]
    for rounded in (lambda side: -(-side // stride), lambda side: side // stride):
        wanted = tuple(map(rounded, size))
        # Up before down: on a small canvas the next level can have this one's size rounded down.
        matching = [tensor for tensor, (height, width) in levels if (height, width) == wanted]
        if matching and stride <= min(size):  # beyond that every level is one place
            return keras.Model(inputs[0], matching[-1], name=model.name)
    sizes = dict.fromkeys(size for _, size in levels)
    offered = ", ".join(f"{round(size[0] / height)} ({height}×{width})" for height, width in sizes)
    raise InputError(
        f"{model.name} has no features at stride {stride} of images of {size[0]}×{size[1]}. It has them at "
        f"{offered}. Received: stride={stride}"
    )


def _levels(model, stride):
    """The 4-D tensors everything flows through, from the input on, and their sizes: list of (tensor, (h, w))."""
    graph = keras.Function(model.inputs, model.outputs)
    # Nodes of one depth do not depend on each other, and only on those of larger depths.
    nodes = [node for depth in sorted(graph._nodes_by_depth, reverse=True) for node in graph._nodes_by_depth[depth]]
    readers = collections.Counter(id(tensor) for node in nodes for tensor in node.input_tensors)
    waiting = set()  # tensors that something further on still reads
    own = {id(tensor) for tensor in model.outputs}
    tensors = []
    for node in nodes:
        for tensor in node.input_tensors:
            readers[id(tensor)] -= 1
            if not readers[id(tensor)]:
                waiting.discard(id(tensor))
        waiting.update(id(tensor) for tensor in node.outputs if readers[id(tensor)])
        tensors += [
            tensor
            for tensor in node.outputs
            if len(tensor.shape) == 4 and (waiting <= {id(tensor)} or id(tensor) in own)
        ]
    # Where the size is free, all levels down to 32 times this stride come out even.
    size = tuple(side or 32 * stride for side in model.inputs[0].shape[1:3])
    if None in model.inputs[0].shape[1:3]:
        shapes = keras.Function(model.inputs, tensors).compute_output_shape([(None, *size, 3)])
    else:
        shapes = [tensor.shape for tensor in tensors]
    return [(tensor, tuple(shape[1:3])) for tensor, shape in zip(tensors, shapes, strict=True)]
