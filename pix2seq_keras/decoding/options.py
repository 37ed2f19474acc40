"""Everything that decides how sequences are decoded: one object from the command line to the exported file."""

import dataclasses
import numbers
from typing import Any

from pix2seq_keras.decoding import samplers
from pix2seq_keras.errors import InputError
from pix2seq_keras.sequences.options import TOKENS_PER_OBJECT

DEFAULT_MAX_OBJECTS = 100
MAX_SAMPLES = 16
# Four bins of 192: the value that gains most on handwritten digits, and less than the distance between neighbouring
# blood cells (docs/learning-from-few.md).
DEFAULT_COORDINATE_WINDOW = 0.02


@dataclasses.dataclass(frozen=True)
class DecodingOptions:
    """How a model decodes images into objects.

    The same object is taken by `Pix2Seq.generate`, `detect`, `stream` and `export`, by `evaluate`, by a recipe's
    `evaluation.decoding`, and is written into exported files. Each field is also a flag of `pix2seq evaluate`,
    `predict` and `export`.

    Args:
        max_objects: int ≥ 1 or None, objects to decode, five tokens each. None means 100, or as many as the model's
            positions allow.
        sampler: str, dict or sampler: greedy, top_k, top_p or beam_search; with parameters a mapping such as
            {name: top_p, p: 0.8, temperature: 1}; in Python also an object of `samplers` or a hashable callable. The
            default, top_p with p 0.4, is the published one.
        constrained: bool, whether the grammar keeps every object well-formed. Scores are then normalised over classes,
            noise and end; False, the published way, normalises over the whole vocabulary.
        stop_at_end: bool, whether a sequence ends at its end token. False, the published way, always decodes
            5·max_objects tokens.
        end_bias: float, added to the end token's logit when tokens are chosen: negative values delay the end, for more
            objects and more recall (Pix2Seq, section 2.3).
        coordinate_window: float in [0, 1] or None, a share of the canvas's side. A coordinate is the mean of the bins
            that lie within it around the chosen bin, weighted by their probabilities (a local soft-argmax); tokens stay
            as they are. 0 takes the chosen bin, the published way. None means 0.02, or 0 if constrained is False.
        num_samples: int from 1 to 16, sequences to sample for every image, which is encoded once. Detections of all
            samples are merged: fewer misses and better scores, for num_samples times the decoding.
        flip_test: bool, whether half of the samples, an even number, are of the horizontally flipped image. It helps
            models that were trained with flipped images, for one more encoding.
        multi_label: bool or None. True gives the n best (object, class) pairs of an image, so that an ambiguous object
            comes with several labels, whose scores add up to at most 1. False gives every object its most likely class,
            the published way. None means the value of constrained.
        seed: int of 32 bits, seed of the sampling.

    Raises:
        InputError: if a value is out of range, or two options exclude each other.

    Example:
        >>> options = DecodingOptions(sampler={"name": "top_p", "p": 0.8}, num_samples=16, flip_test=True)
        >>> Pix2Seq.from_preset("digits_tiny").detect("image.png", options)
    """

    max_objects: int | None = None
    sampler: dict[str, Any] | str = "top_p"
    constrained: bool = True
    stop_at_end: bool = False
    end_bias: float = 0.0
    coordinate_window: float | None = None
    num_samples: int = 1
    flip_test: bool = False
    multi_label: bool | None = None
    seed: int = 0

    def __post_init__(self):
        self._set("sampler", samplers.get(self.sampler))
        for name in ("constrained", "stop_at_end", "flip_test", "multi_label"):
            self._check_bool(name, optional=name == "multi_label")
        self._check_integer("max_objects", 1, 2**31, "of at least 1", optional=True)
        self._check_integer("num_samples", 1, MAX_SAMPLES, f"from 1 to {MAX_SAMPLES}")
        self._check_integer("seed", -(2**31), 2**31 - 1, "of 32 bits")
        self._check_real("end_bias", -1e9, 1e9, "between -1e9 and 1e9")
        self._check_real("coordinate_window", 0, 1, "between 0 and 1, a share of the canvas's side", optional=True)
        if self.multi_label and not self.constrained:
            raise InputError(
                "`multi_label=True` requires `constrained=True`, which gives the probabilities of all classes. "
                "Received: multi_label=True, constrained=False. Leave one of them out."
            )
        if self.flip_test and self.num_samples % 2:
            raise InputError(
                "`flip_test=True` requires an even `num_samples`: half of the samples are of the flipped image. "
                f"Received: flip_test=True, num_samples={self.num_samples}. Use num_samples=2 or another even number."
            )
        of_one_image = self.num_samples // 2 if self.flip_test else self.num_samples
        if of_one_image > 1 and samplers.is_deterministic(self.sampler):
            raise InputError(
                "`num_samples` above 1 requires a sampler that draws, such as 'top_p': the samples of "
                f"{self.sampler!r} are all equal. Received: num_samples={self.num_samples}, flip_test={self.flip_test}."
            )

    @classmethod
    def resolve(cls, options=None, **overrides):
        """Options from an options object, keyword arguments, or both.

        Args:
            options: `DecodingOptions`, dict of their fields, or None for the defaults.
            **overrides: fields that replace those of `options`.

        Returns:
            `DecodingOptions`.

        Raises:
            InputError: if a field is unknown, or the result is not valid.
        """
        if isinstance(options, dict):
            options, overrides = None, {**options, **overrides}
        if options is not None and not isinstance(options, cls):
            raise InputError(f"`options` must be a DecodingOptions or a dict of its fields. Received: {options!r:.80}")
        known = [field.name for field in dataclasses.fields(cls)]
        if unknown := [name for name in overrides if name not in known]:
            raise InputError(
                f"Decoding options are {', '.join(known)}. Received: {', '.join(f'{name}=…' for name in unknown)}."
            )
        return cls(**overrides) if options is None else dataclasses.replace(options, **overrides)

    def complete(self, max_length):
        """The same options with every None replaced.

        Args:
            max_length: int, positions of the model.

        Returns:
            `DecodingOptions` whose fields are all set.

        Raises:
            InputError: if `max_objects` exceeds the model's positions.
        """
        most = max_length // TOKENS_PER_OBJECT
        max_objects = min(DEFAULT_MAX_OBJECTS, most) if self.max_objects is None else self.max_objects
        if max_objects > most:
            raise InputError(
                f"`max_objects` must be between 1 and {most}: the model has {max_length} positions, "
                f"{TOKENS_PER_OBJECT} an object. Received: max_objects={max_objects}. Use a smaller number."
            )
        window = self.coordinate_window
        if window is None:
            window = DEFAULT_COORDINATE_WINDOW if self.constrained else 0.0
        multi_label = self.constrained if self.multi_label is None else self.multi_label
        return dataclasses.replace(self, max_objects=max_objects, coordinate_window=window, multi_label=multi_label)

    def to_dict(self):
        """The options as values for JSON or YAML; `from_dict` brings them back."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {**values, "sampler": samplers.to_dict(self.sampler)}

    @classmethod
    def from_dict(cls, values):
        """The options that `to_dict` wrote: dict -> `DecodingOptions`."""
        return cls.resolve(**values)

    def _set(self, name, value):
        object.__setattr__(self, name, value)

    def _check_bool(self, name, optional=False):
        value = getattr(self, name)
        if optional and value is None:
            return
        if not (isinstance(value, bool) or type(value).__name__ in ("bool_", "bool")):  # NumPy's, without NumPy
            choices = "True, False or None" if optional else "True or False"
            raise InputError(f"`{name}` must be {choices}. Received: {name}={value!r}")
        self._set(name, bool(value))

    def _check_integer(self, name, low, high, rule, optional=False):
        value = getattr(self, name)
        if optional and value is None:
            return
        if isinstance(value, bool) or not isinstance(value, numbers.Integral) or not low <= value <= high:
            raise InputError(f"`{name}` must be a whole number {rule}. Received: {name}={value!r}")
        self._set(name, int(value))

    def _check_real(self, name, low, high, rule, optional=False):
        value = getattr(self, name)
        if optional and value is None:
            return
        if isinstance(value, bool) or not isinstance(value, numbers.Real) or not low <= value <= high:
            raise InputError(f"`{name}` must be a number {rule}. Received: {name}={value!r}")
        self._set(name, float(value))
