"""The model: encode the image, decode a sequence."""

import itertools

import keras

from pix2seq_keras.decoding import DecodingOptions
from pix2seq_keras.errors import InputError
from pix2seq_keras.layers import Bridge, CoordinateInitializer, ImageEncoder, TokenEmbedding, TransformerDecoder
from pix2seq_keras.models.detection import detect, detect_batches, keep_scores
from pix2seq_keras.models.function_cache import FunctionCache
from pix2seq_keras.models.generation import generate
from pix2seq_keras.models.inputs import checked_images, each_image
from pix2seq_keras.models.preset_loading import load_preset, save_preset
from pix2seq_keras.models.quantization import Quantization, in_floating_point
from pix2seq_keras.models.sealed_weights import SealedWeights
from pix2seq_keras.models.streaming import stream
from pix2seq_keras.models.training_step import ObjectiveTraining
from pix2seq_keras.ranges import require_share


@keras.saving.register_keras_serializable(package="pix2seq_keras")
class Pix2Seq(ObjectiveTraining, Quantization, SealedWeights, FunctionCache, keras.Model):
    """Object detection as language modelling (Pix2Seq, Chen et al., ICLR 2022).

    Args:
        vocabulary: `Vocabulary`, the token layout.
        image_size: (H, W), the canvas the model sees; `detect` brings images of any size to it.
        encoder: Keras layer or model: images (B, H, W, 3) in [0, 1] to vectors (B, N, any) with an attribute
            `grid` = (h, w), N = h·w, as `ImageEncoder` does; or any image backbone with features (B, h, w, any),
            which is given a Transformer encoder of the decoder's sizes.
        decoder_layers: int, decoder blocks.
        decoder_dim: int, their width.
        decoder_mlp_dim: int, width inside their MLPs.
        decoder_heads: int, attention heads, divides `decoder_dim`.
        bridge_mlp_dim: int or `None`, width inside the bridge's MLP; `None` means `decoder_mlp_dim`.
        max_length: int, learned positions: sequences may have that many tokens.
        dropout: float in [0, 1), after GELUs.
        drop_path: float in [0, 1), stochastic depth of every residual.
        embedding_scale: float or `None`, see `TokenEmbedding`; `None` is √decoder_dim. 1 is the published way.
        embedding_stddev: float, see `TokenEmbedding`; 0.02 is the published one.
        smooth_coordinates: bool, whether neighbouring coordinate bins start with like embeddings, see
            `CoordinateInitializer`; the published way is `False`.
        categories: `Categories` or `None`: the data set's ids and names of the classes, kept with the model.

    Call arguments:
        inputs: dictionary of `"images"` float (B, H, W, 3) in [0, 1] and `"tokens"` int (B, L), the start token first.

    Returns:
        Logits float32 (B, L, V): at position i, of the token that follows tokens 0 … i.

    Example:
        >>> vocabulary = Vocabulary(num_classes=10, num_bins=64)
        >>> backbone = keras.Sequential([keras.layers.Conv2D(64, 8, 8), keras.layers.ReLU()])
        >>> model = Pix2Seq(vocabulary, (64, 64), backbone, decoder_layers=2, decoder_dim=64, max_length=50)
        >>> model.compile(keras.optimizers.AdamW(1e-3))
        >>> model.fit(dataset)          # x={"images", "tokens"}, y=targets, sample_weight=token weights
        >>> model.detect(["image.jpg"])["boxes"]
    """

    def __init__(
        self,
        vocabulary,
        image_size,
        encoder,
        decoder_layers=6,
        decoder_dim=256,
        decoder_mlp_dim=None,
        decoder_heads=8,
        bridge_mlp_dim=None,
        max_length=512,
        dropout=0.1,
        drop_path=0.1,
        embedding_scale=1.0,
        embedding_stddev=0.02,
        smooth_coordinates=False,
        categories=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        decoder_mlp_dim = decoder_mlp_dim or 4 * decoder_dim
        if categories is not None and len(categories) != vocabulary.num_classes:
            raise InputError(
                "`categories` must be as many as the vocabulary's classes. "
                f"Received: {len(categories)} categories, vocabulary.num_classes={vocabulary.num_classes}"
            )
        # === The layers ===
        dtype = self.dtype_policy
        images_shape = (None, *image_size, 3)
        if len(encoder.compute_output_shape(images_shape)) == 4:
            sizes = (decoder_layers, decoder_dim, decoder_mlp_dim, decoder_heads)
            encoder = ImageEncoder(encoder, *sizes, dropout, drop_path, dtype=dtype, name="encoder")
        self.encoder = encoder
        if not encoder.built:
            encoder.build(images_shape)
        self.bridge = Bridge(
            decoder_dim, bridge_mlp_dim or decoder_mlp_dim, encoder.grid, dropout, drop_path, dtype=dtype
        )
        smooth = CoordinateInitializer(vocabulary.coord_shift, vocabulary.num_bins, embedding_stddev)
        self.embedding = TokenEmbedding(
            vocabulary.size,
            decoder_dim,
            max_length,
            decoder_dim**0.5 if embedding_scale is None else embedding_scale,
            embedding_stddev,
            smooth if smooth_coordinates else None,
            dtype=dtype,
        )
        self.decoder = TransformerDecoder(
            decoder_layers, decoder_dim, decoder_mlp_dim, decoder_heads, dropout, drop_path, dtype=dtype
        )
        # === The weights: the canvas is fixed, so they can be made at once ===
        self.bridge.build(encoder.compute_output_shape(images_shape))
        self.embedding.build()
        self.decoder.build((None, None, decoder_dim), (None, None, decoder_dim))
        self.built = True
        # === The configuration ===
        self.vocabulary = vocabulary
        self.image_size = tuple(int(side) for side in image_size)
        self.categories = categories
        self.max_length = max_length
        self.decoder_config = {
            "decoder_layers": decoder_layers,
            "decoder_dim": decoder_dim,
            "decoder_mlp_dim": decoder_mlp_dim,
            "decoder_heads": decoder_heads,
            "bridge_mlp_dim": bridge_mlp_dim,
            "max_length": max_length,
            "dropout": dropout,
            "drop_path": drop_path,
            "embedding_scale": embedding_scale,
            "embedding_stddev": embedding_stddev,
            "smooth_coordinates": smooth_coordinates,
        }

    def build(self, input_shape=None):
        """Nothing is left to build: the weights are made with the model."""

    def encode(self, images, training=False):
        """Encoded images, as the decoder attends to them: float (B, H, W, 3) in [0, 1] -> float (B, N, decoder_dim)."""
        return self.bridge(self.encoder(images, training=training), training=training)

    def call(self, inputs, training=False):
        encoded = self.encode(inputs["images"], training=training)  # (B, N, D)
        hidden = self.decoder(self.embedding(inputs["tokens"]), encoded, training=training)  # (B, L, D)
        return self.embedding.logits(hidden)  # (B, L, V)

    def cross_attention(self, images, tokens):
        """The decoder's cross-attention: where each token looks in the image.

        Args:
            images: array or tensor (B, H, W, 3) at the model's `image_size`, float in [0, 1] or uint8.
            tokens: int tensor (B, L), the start token first.

        Returns:
            float tensor (B, layers, heads, L, N): cross-attention weights of every block; N is the grid, row by row.
        """
        return self.decoder.cross_attention(self.embedding(tokens), self.encode(checked_images(self, images)))

    def generate(self, images, options=None, prompt=None, jit_compile=False, seed=None, **overrides):
        """Decodes images into sequences.

        Args:
            images: array or tensor (B, H, W, 3) at the model's `image_size`, float in [0, 1] or uint8.
            options: `DecodingOptions`, dict of its fields, or None for the defaults. `flip_test` requires `detect`, and
                `multi_label` has no effect here.
            prompt: int array (B, P) or None, tokens that every sequence begins with, without the start token. They are
                prefilled in one pass. Four coordinates with max_objects=1 ask for the class of a box.
            jit_compile: bool, whether XLA compiles the decoding. It runs faster, after seconds of compilation for each
                batch size; the tokens are the same but for near ties.
            seed: int or int array (B,) or None, the seed of each row instead of `options.seed`. A row's result does not
                depend on the other rows.
            **overrides: fields of `DecodingOptions`, in place of those of `options`.

        Returns:
            Dictionary of tensors with B·num_samples rows, those of an image one after the other: `"tokens"` int32
            (B, 5·max_objects), without the start token, 0 after the end; `"log_probs"` float32 of the same shape;
            `"classes"` int32 and `"class_scores"` float32 (B, max_objects): the best class of each object and its
            probability; `"coordinates"` float32 (B, max_objects, 4), `rel_yxyx` of the canvas; `"coordinate_scores"`
            float32 (B, max_objects), the geometric mean of the probabilities of its four coordinates; unless
            `constrained=False`, `"class_probabilities"` float32 (B, max_objects, K); and of a beam search
            `"beam_tokens"` and `"beam_scores"`, see `BeamSearchLoop.result`.

        Raises:
            InputError: if images are of another shape or type, an option is not valid, `max_objects` exceeds the
                positions, or the prompt is not valid.

        Example:
            >>> model.generate(images, sampler="greedy", max_objects=10)["tokens"].shape
            TensorShape([8, 50])
        """
        return generate(self, images, self._resolve_options(options, overrides), prompt, jit_compile, seed)

    def stream(self, image, options=None, **overrides):
        """Decodes one image and gives each object as soon as its five tokens are there.

        Args:
            image: one image as `detect` takes it, or a float array (H, W, 3) or (1, H, W, 3) in [0, 1] at the model's
                `image_size`.
            options: `DecodingOptions`, dict of its fields, or None for the defaults; with one sample, and without beam
                search. `multi_label` has no effect here.
            **overrides: fields of `DecodingOptions`, in place of those of `options`.

        Returns:
            Iterator of dictionaries in the order of decoding: `"box"` float32 (4,) `rel_yxyx` of the original image,
            `"class"` int, `"score"` float, `"tokens"` int32 (5,), and unless `constrained=False`
            `"class_probabilities"` float32 (K,).

        Raises:
            InputError: at once, if the image cannot be read, or as `generate`.

        Example:
            >>> for found in model.stream("image.jpg"):
            ...     print(found["class"], found["score"])
        """
        return stream(self, image, self._resolve_options(options, overrides))

    def detect(self, images, options=None, batch_size=8, jit_compile=None, seed=None, threshold=None, **overrides):
        """Detects objects in images of any size.

        Args:
            images: one image or an iterable of images, of any sizes: paths, bytes of files, files open in binary mode,
                PIL images, uint8 arrays (h, w, 3), a uint8 batch (B, h, w, 3); or a float batch (B, H, W, 3) in [0, 1]
                at the model's `image_size`.
            options: `DecodingOptions`, dict of its fields, or None for the defaults.
            batch_size: int ≥ 1, images that go through the model at once.
            jit_compile: bool or None, whether XLA compiles the decoding; None lets the number of images decide.
            seed: int or int array (B,) or None, the seed of each image instead of `options.seed`.
            threshold: float or None, detections of a lower score are dropped; None keeps all.
            **overrides: fields of `DecodingOptions`, in place of those of `options`.

        Returns:
            Dictionary of NumPy arrays sorted by score, n = max_objects·num_samples: `"boxes"` float32 (B, n, 4)
            `rel_yxyx` of each original image, `"classes"` int32 (B, n), −1 in unused rows, `"scores"` float32 (B, n)
            and `"num_detections"` int32 (B,).

        Raises:
            InputError: if an image cannot be read, or as `generate`.

        Example:
            >>> Pix2Seq.from_preset("digits_tiny").detect(["a.png", "b.jpg"], num_samples=8)["boxes"].shape
            (2, 80, 4)
        """
        return detect(self, images, self._resolve_options(options, overrides), batch_size, jit_compile, seed, threshold)

    def detect_each(
        self, images, options=None, batch_size=8, jit_compile=None, num_images=None, threshold=None, **overrides
    ):
        """Detects objects image by image, for runs that do not fit into memory.

        Args:
            images: iterable of images of any sizes, see `detect`.
            options: see `detect`.
            batch_size: see `detect`; so many images are read ahead.
            jit_compile: see `detect`.
            num_images: int or None, about how many images there are, where that is known: long runs repay compilation.
            threshold: see `detect`.
            **overrides: see `detect`.

        Yields:
            For each image the dictionary of `detect` without its first axis.

        Raises:
            InputError: as `detect`.
        """
        options = self._resolve_options(options, overrides)
        seeds = itertools.repeat(options.seed)
        require_share("threshold", threshold, optional=True)
        for batch in detect_batches(self, each_image(images), options, batch_size, num_images, jit_compile, seeds):
            batch = keep_scores(threshold, batch)
            for row in range(len(batch["scores"])):
                yield {name: values[row] for name, values in batch.items()}

    def export(self, filepath, format="tf_saved_model", verbose=None, input_signature=None, options=None, **kwargs):
        """Writes the model for inference elsewhere, with the decoding loop inside the graph.

        Args:
            filepath: path of the SavedModel's folder, or of the `.tflite` file; with `version`, the folder of versions.
            format: str, `"tf_saved_model"` or `"litert"`.
            verbose: bool or None, whether to print what was written; None means yes.
            input_signature: None: the signatures are those in docs/deployment.md.
            options: `DecodingOptions`, dict of its fields, or None for the defaults. They are fixed in the exported
                file (but for the signature `sample`).
            **kwargs: fields of `DecodingOptions`, in place of those of `options`; and the parameters of the format, see
                `exporting.saved_model.export_saved_model` and `exporting.tflite.export_tflite`.

        Returns:
            `pathlib.Path` of what was written.

        Raises:
            InputError: if an option is not valid, or the file cannot be written.

        Example:
            >>> model.export("served/digits", version="next")  # TensorFlow Serving serves the folder served/digits
            >>> tf.saved_model.load("served/digits/1").signatures["serving_default"](tf.constant([png]))
        """
        from pix2seq_keras.exporting.export import export  # above the model, as Keras's own exporters

        if input_signature is not None:
            raise InputError(f"`input_signature` must be None: the signatures are fixed. Received: {input_signature!r}")
        path = export(self, filepath, format, options, **kwargs)
        if verbose is None or verbose:
            print(f"Written: {path}")
        return path

    def _resolve_options(self, options, overrides):
        return DecodingOptions.resolve(options, **overrides).complete(self.max_length)

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            "vocabulary": serialize(self.vocabulary),
            "image_size": self.image_size,
            "encoder": in_floating_point(serialize(self.encoder)),
            **self.decoder_config,
            "categories": None if self.categories is None else serialize(self.categories),
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        for name in ("vocabulary", "encoder", "categories"):
            if isinstance(config.get(name), dict):
                config[name] = keras.saving.deserialize_keras_object(config[name], custom_objects)
        quantization = config.pop("quantization", None)
        return cls(**config).restore_quantization(quantization)

    @classmethod
    def from_preset(cls, preset, num_classes=None, weights="published", image_size=None, dtype=None):
        """Opens a preset, as `models.preset_loading.load_preset`. Published weights are downloaded once, into a cache.

        Args:
            preset: str or path, a name of `list_presets()` or a preset folder.
            num_classes: int or `None`, for another number of classes.
            weights: `"published"` the preset's own, `None` random ones, or the path or http(s) address of others.
            image_size: int, (H, W) or `None`, for another canvas in pixels.
            dtype: str or `None`, `"float32"`, `"mixed_bfloat16"` or `"mixed_float16"`.

        Returns:
            `Pix2Seq`.
        """
        return load_preset(cls, preset, num_classes, weights, image_size, dtype)

    def save_to_preset(self, directory):
        """Writes the model as a preset folder; see `pix2seq_keras.models.preset_loading.save_preset`."""
        save_preset(self, directory)
