"""Models whose dense layers keep their weights in 8 or 4 bits."""

import contextlib
import gc
import warnings

import keras
from keras.quantizers import Int4QuantizationConfig, Int8QuantizationConfig

from pix2seq_keras.errors import InputError

MODES = {"int8": Int8QuantizationConfig, "int4": Int4QuantizationConfig}


class Quantization:
    """`quantize`, mixed into `keras.Model`.

    Only the weights are quantised. With quantised activations, which are Keras's default for 8 bits, a sequence
    decoded with the KV cache would not be that of `call`.
    """

    _quantization = None

    def __new__(cls, *args, **kwargs):
        model = super().__new__(cls, *args, **kwargs)
        # Keras hides the method of a layer behind a wrapper that gives `config` its own default first.
        vars(model).pop("quantize", None)
        return model

    def quantize(self, mode=None, config=None, filters=None, **kwargs):
        """Replaces the weights of the dense layers by integers of 8 or 4 bits with a scale, in place.

        The model detects, saves, loads and exports as before. All else stays floating point: activations, embeddings,
        norms and convolutions.

        Args:
            mode: str, `"int8"` or `"int4"`; None takes that of `config`.
            config: `keras.quantizers.Int8QuantizationConfig` or `Int4QuantizationConfig` with
                `activation_quantizer=None`, or None for the defaults.
            filters: regex of layer names, list of them, or function of a layer -> bool: which layers. None means all.
            **kwargs: of `keras.Model.quantize`.

        Raises:
            InputError: if the mode is none of these, activations would be quantised, no layer is chosen, or the model
                is quantised already.

        Example:
            >>> model.quantize("int8")
            >>> model.save("small.keras")
        """
        if isinstance(config, str):
            mode, config = config, None
        mode = getattr(config, "mode", None) if mode is None else mode
        _check(mode, config)
        if self._quantization is not None:
            raise InputError(
                f"`quantize` requires a model in floating point. Received: mode={mode!r} for a model that is quantised "
                f"to {self._quantization['mode']} already."
            )
        config = MODES[mode](activation_quantizer=None) if config is None else config
        with _quick_collections(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # one for every layer that has nothing to quantise
            try:
                super().quantize(mode, config=config, filters=filters, **kwargs)
            except ValueError as error:  # such as 8 bits under mixed_float16
                raise InputError(f"The model cannot be quantised to {mode}: {error}") from error
        layers = [index for index, layer in enumerate(self._flatten_layers()) if is_quantized(layer)]
        if not layers:
            raise InputError(
                f"`filters` must choose at least one dense layer. Received: filters={filters!r}, which choose none."
            )
        self._quantization = {
            "mode": mode,
            "config": keras.saving.serialize_keras_object(config),
            "layers": layers,
        }
        self._functions.clear()  # their graphs hold the weights from before

    def restore_quantization(self, quantization):
        """Makes the layers of a new model ready for quantised weights.

        Args:
            quantization: dictionary of `get_config()["quantization"]` of the model that was saved, or None.

        Returns:
            The model.
        """
        if quantization is not None:
            chosen = set(quantization["layers"])
            chosen = {id(layer) for index, layer in enumerate(self._flatten_layers()) if index in chosen}
            config = keras.saving.deserialize_keras_object(quantization["config"])
            self.quantize(quantization["mode"], config, filters=lambda layer: id(layer) in chosen)
        return self

    def get_config(self):
        quantized = self._quantization is not None
        return {**super().get_config(), **({"quantization": self._quantization} if quantized else {})}


def is_quantized(layer):
    """Whether a layer itself keeps quantised weights: bool."""
    return getattr(layer, "quantization_mode", None) is not None


def in_floating_point(config):
    """A serialised layer as it was before its quantisation, which `Quantization.restore_quantization` then repeats.

    Keras writes the quantisation of some layers into their configuration, but not that of the parts of our layers.

    Args:
        config: dictionary of `keras.saving.serialize_keras_object`, or a part of it.

    Returns:
        The same without policies of quantised layers, at any depth.
    """
    if isinstance(config, dict):
        if str(config.get("class_name", "")).startswith(("QuantizedDTypePolicy", "Int4DTypePolicy")):
            source = config["config"]["source_name"]
            return {**config, "class_name": "DTypePolicy", "config": {"name": source}}
        return {
            key: None if key == "quantization_config" else in_floating_point(value) for key, value in config.items()
        }
    return [in_floating_point(value) for value in config] if isinstance(config, list | tuple) else config


@contextlib.contextmanager
def _quick_collections():
    """Leaves all older objects out of the search for garbage that Keras starts after each layer; each takes 0.2 s."""
    had_frozen = gc.get_freeze_count() > 0
    gc.freeze()
    try:
        yield
    finally:
        if not had_frozen:  # otherwise those of the caller would thaw too
            gc.unfreeze()


def _check(mode, config):
    if mode not in MODES:
        raise InputError(
            f"`mode` must be one of {', '.join(MODES)}: the cached decoding reads no other weights. "
            f"Received: mode={mode!r}"
        )
    if config is not None and not isinstance(config, MODES[mode]):
        raise InputError(f"`config` must be a {MODES[mode].__name__} for mode={mode!r}. Received: {config!r}")
    if getattr(config, "activation_quantizer", None) is not None:
        raise InputError(
            "`config` must have activation_quantizer=None: only weights are quantised. "
            f"Received: activation_quantizer={config.activation_quantizer!r}"
        )
