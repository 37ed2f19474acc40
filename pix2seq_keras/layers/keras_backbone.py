"""Any functional Keras model as the image backbone: its features at a stride, trained or frozen."""

import collections

import keras
from keras import ops

from pix2seq_keras.errors import InputError

BATCH_NORM = ("train", "frozen")

# From images in [0, 1] to the inputs a model was trained on. The names are those of keras.applications, where it has
# one.
SCALINGS = {
    "unit": lambda images: images,
    "pixels": lambda images: images * 255.0,
    "tf": lambda images: images * 2.0 - 1.0,
    "torch": lambda images: (images - ops.array([0.485, 0.456, 0.406])) / ops.array([0.229, 0.224, 0.225]),
    "caffe": lambda images: ops.flip(images, -1) * 255.0 - ops.array([103.939, 116.779, 123.68]),  # BGR
}


@keras.saving.register_keras_serializable(package="pix2seq_keras")
class KerasBackbone(keras.layers.Layer):
    """The features of a functional Keras model at a stride; the layers after them are dropped.

    The features are those of the last tensor at that stride on which all later layers depend: the end of a stage, never
    the inside of a residual branch or of a squeeze-and-excite gate. If the model has no fixed input size, strides are
    determined for large images. The layers are shared with the model, not copied, and so are their weights and whether
    they are frozen.

    Args:
        model: functional `keras.Model` or built `keras.Sequential` with one input (B, H, W, 3), for example of
            `keras.applications` or a generic backbone of keras-cv (see `named_backbone` for both).
        stride: int, side in pixels of one position of the features, rounded as the model rounds. Defaults to 16.
        freeze: bool, whether no weight of the model trains. It then runs in inference mode, including batch norm and
            dropout. Defaults to False.
        batch_norm: str, `"train"` or `"frozen"`. Frozen batch norms keep their statistics, gamma and beta and use them
            in training too, while the other weights train; usual for small batches. Defaults to `"train"`.
        scaling: str, the inputs of the model: `"unit"` 0…1 (keras-cv with `include_rescaling=False`); `"pixels"` 0…255
            (models with their own preprocessing, keras-cv with `include_rescaling=True`); `"tf"` −1…1; `"torch"`
            standardised with ImageNet's mean and standard deviation; `"caffe"` 0…255 minus ImageNet's mean, in BGR
            order. There is no default, because the wrong one raises no error.

    `freeze` and `batch_norm` take precedence over `trainable`. The model computes in its own dtype policy; the features
    are cast to the layer's.

    Call arguments:
        images: float tensor (B, H, W, 3) in [0, 1].

    Returns:
        float tensor (B, h, w, C), h = ⌈H/stride⌉ or ⌊H/stride⌋, as the model rounds.

    Raises:
        InputError: if the model is not functional or has no features at that stride, an option is unknown, or the
            images do not have the input size of the model.

    Example:
        >>> mobile = keras.applications.MobileNetV3Small((64, 96, 3), include_top=False, weights=None)
        >>> KerasBackbone(mobile, stride=16, scaling="pixels")(keras.ops.ones((1, 64, 96, 3))).shape
        (1, 4, 6, 288)
    """

    def __init__(self, model, stride=16, freeze=False, batch_norm="train", *, scaling, **kwargs):
        # Without autocast, scaling does not reduce the precision of the images.
        super().__init__(**{"autocast": False, **kwargs})
        for name, value, known in (("batch_norm", batch_norm, BATCH_NORM), ("scaling", scaling, SCALINGS)):
            if value not in known:
                raise InputError(f"`{name}` must be one of {', '.join(known)}. Received: {name}={value!r}.")
        if int(stride) != stride or stride < 1:
            raise InputError(f"`stride` must be a whole number of at least 1. Received: stride={stride}.")
        self.stride = int(stride)
        self.freeze = freeze
        self.batch_norm = batch_norm
        self.scaling = scaling
        self.model = _cut(model, self.stride)
        # A subclass of Model (keras-cv's) is saved by its own config: some of its layers cannot be restored singly.
        plain = type(model) in (type(self.model), keras.Sequential)
        self._whole_config = None if plain else keras.saving.serialize_keras_object(model)
        self._freeze_layers()

    @property
    def trainable(self):
        return super().trainable

    @trainable.setter
    def trainable(self, value):
        # Keras passes the flag on to every layer: `pix2seq.trainable = True` would make the frozen ones trainable.
        keras.layers.Layer.trainable.fset(self, value)
        self._freeze_layers()

    def _freeze_layers(self):
        if self.freeze:
            self.model.trainable = False
        elif self.batch_norm == "frozen":
            for layer in self.model._flatten_layers():
                if isinstance(layer, keras.layers.BatchNormalization):
                    layer.trainable = False  # in Keras, such a batch norm also runs in inference mode

    def build(self, images_shape):
        self._check(images_shape)  # the model already has its weights

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
                f"`image_size` must be that of the backbone {self.model.name}, whose inputs have the shape "
                f"{tuple(wanted)}. Received: images of shape {tuple(images_shape)}. Make the backbone with the height "
                "and width of the canvas as its input_shape."
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
        # Keras imports keras-cv by itself if the configuration names one of its classes.
        return cls(**{**config, "model": keras.saving.deserialize_keras_object(config["model"])})


def _cut(model, stride):
    """The model up to its last features at a stride."""
    inputs = getattr(model, "inputs", None) or ()
    if len(inputs) != 1 or len(inputs[0].shape) != 4 or inputs[0].shape[-1] != 3:
        raise InputError(
            "`model` must be a functional Keras model with one input (B, H, W, 3). Received: "
            f"{type(model).__name__} with inputs {[tuple(tensor.shape) for tensor in inputs]}."
        )
    levels = _levels(model, stride)
    size = levels[0][1]
    for rounded in (lambda side: -(-side // stride), lambda side: side // stride):
        wanted = tuple(map(rounded, size))
        # Rounded up first: on a small canvas, the size rounded down can be that of the next level.
        matching = [tensor for tensor, (height, width) in levels if (height, width) == wanted]
        if matching and stride <= min(size):  # above that, every level has one position
            return keras.Model(inputs[0], matching[-1], name=model.name)
    sizes = dict.fromkeys(size for _, size in levels)
    offered = ", ".join(f"{round(size[0] / height)} ({height}×{width})" for height, width in sizes)
    raise InputError(
        f"`stride` must be one that {model.name} has for images of {size[0]}×{size[1]} pixels: {offered}. "
        f"Received: stride={stride}."
    )


def _levels(model, stride):
    """The 4-D tensors on which all later layers depend, from the input on: list of (tensor, (h, w))."""
    graph = keras.Function(model.inputs, model.outputs)
    # A node depends only on nodes of larger depth.
    nodes = [node for depth in sorted(graph._nodes_by_depth, reverse=True) for node in graph._nodes_by_depth[depth]]
    readers = collections.Counter(id(tensor) for node in nodes for tensor in node.input_tensors)
    pending = set()  # tensors that a later node still reads
    own = {id(tensor) for tensor in model.outputs}
    tensors = []
    for node in nodes:
        for tensor in node.input_tensors:
            readers[id(tensor)] -= 1
            if not readers[id(tensor)]:
                pending.discard(id(tensor))
        pending.update(id(tensor) for tensor in node.outputs if readers[id(tensor)])
        tensors += [
            tensor
            for tensor in node.outputs
            if len(tensor.shape) == 4 and (pending <= {id(tensor)} or id(tensor) in own)
        ]
    # With this size for a free input, no level down to 32 times the stride is rounded.
    size = tuple(side or 32 * stride for side in model.inputs[0].shape[1:3])
    if None in model.inputs[0].shape[1:3]:
        shapes = keras.Function(model.inputs, tensors).compute_output_shape([(None, *size, 3)])
    else:
        shapes = [tensor.shape for tensor in tensors]
    return [(tensor, tuple(shape[1:3])) for tensor, shape in zip(tensors, shapes, strict=True)]
