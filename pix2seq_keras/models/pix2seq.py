"""The model: encode the image, read it out as a sequence."""

import keras
import tensorflow as tf

from pix2seq_keras.decoding import row_seeds
from pix2seq_keras.errors import InputError
from pix2seq_keras.exporting import export as exports
from pix2seq_keras.layers import Bridge, CoordinateInitializer, ImageEncoder, TokenEmbedding, TransformerDecoder
from pix2seq_keras.models import generation
from pix2seq_keras.models.detection import detect, repays_compilation
from pix2seq_keras.models.ensemble import checked_readings, seeds_of_readings
from pix2seq_keras.models.function_cache import FunctionCache
from pix2seq_keras.models.inputs import checked_images, checked_max_objects
from pix2seq_keras.models.streaming import stream
from pix2seq_keras.models.training_step import WeightedTokenTraining
from pix2seq_keras.presets import presets


@keras.saving.register_keras_serializable(package="pix2seq_keras")
class Pix2Seq(WeightedTokenTraining, FunctionCache, keras.Model):
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
                "The categories must be as many as the vocabulary's classes. "
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
        """The decoder's view of images: float (B, H, W, 3) in [0, 1] -> float (B, N, decoder_dim)."""
        return self.bridge(self.encoder(images, training=training), training=training)

    def call(self, inputs, training=False):
        encoded = self.encode(inputs["images"], training=training)  # (B, N, D)
        hidden = self.decoder(self.embedding(inputs["tokens"]), encoded, training=training)  # (B, L, D)
        return self.embedding.logits(hidden)  # (B, L, V)

    def attend(self, images, tokens):
        """Where the decoder looks while it reads.

        Args:
            images: float tensor (B, H, W, 3) in [0, 1].
            tokens: int tensor (B, L), the start token first.

        Returns:
            float tensor (B, layers, heads, L, N): cross-attention of every block; N is the grid, row by row.
        """
        return self.decoder.attend(self.embedding(tokens), self.encode(images))

    def generate(
        self,
        images,
        max_objects=None,
        sampler="top_p",
        seed=0,
        constrained=True,
        stop_at_end=False,
        end_bias=0.0,
        prompt=None,
        jit_compile=False,
        coordinate_window=None,
        readings=1,
    ):
        """Reads images out as sequences.

        Args:
            images: float array or tensor (B, H, W, 3) in [0, 1] at the model's `image_size`.
            max_objects: int, objects to read; `None` means 100, or as many as the learned positions allow.
            sampler: `"greedy"`, `"top_k"`, `"top_p"` (p 0.4), `"beam_search"` (4 beams) or an object of `samplers`.
            seed: int, or int array (B,): the seed of each row. A row's result does not depend on the other rows.
            constrained: bool, whether the grammar keeps every object well-formed; scores are then normalised over
                classes, noise and end. The published way is `False`: over the whole vocabulary.
            stop_at_end: bool, whether rows end at the end token; `False`, the published way, always reads
                5·max_objects tokens.
            end_bias: float, added to the end token's logit when tokens are chosen: negative values delay the end, for
                more objects and more recall (Pix2Seq, section 2.3 and its figure on the end token's likelihood).
            prompt: int array (B, P) or `None`: tokens that every sequence begins with, without the start token. They
                are read in one pass. Four coordinates with max_objects=1 ask for the class of a box.
            jit_compile: bool, whether XLA compiles the decoding. It runs faster, after seconds of compilation for each
                batch size; the tokens are the same but for near ties.
            coordinate_window: float, a share of the canvas's side, or `None`. A coordinate is the mean of the bins no
                further than that from the one chosen, each as likely as the model says; tokens stay as they are.
                0 is the published way, the chosen bin; `None` means 0.02 unless `constrained=False`.
            readings: int, sequences to draw of every image, which is encoded once. Results have B·readings rows,
                those of an image one after the other.

        Returns:
            Dictionary of tensors: `"tokens"` int32 (B, 5·max_objects), without the start token, 0 after the end;
            `"log_probs"` float32 of the same shape; `"classes"` int32 and `"class_scores"` float32 (B, max_objects):
            the best class of each object and its probability; `"coordinates"` float32 (B, max_objects, 4), `rel_yxyx`
            of the canvas, where an object was read; `"coordinate_scores"` float32 (B, max_objects), the
            geometric mean of the probabilities of its four coordinates; unless `constrained=False`,
            `"class_probabilities"` float32 (B, max_objects, K); and of a beam search `"beam_tokens"` and
            `"beam_scores"`, see `beam_search`.

        Raises:
            InputError: if images are of another shape or type, `max_objects` exceeds the positions, the sampler is
                unknown, the prompt is none, or there are several readings of a sampler that does not draw.
        """
        choices = max_objects, sampler, constrained, stop_at_end, end_bias, coordinate_window
        options = generation.make_options(self, *choices)
        readings = checked_readings(readings, options.sampler)
        images = checked_images(self, images)
        prompt = generation.checked_prompt(self, prompt, images.shape[0], options)
        decoder = self.decoder_function(options, bool(jit_compile), prompt.shape[1])
        encoded, prompt = (tf.repeat(rows, readings, 0) for rows in (self.encoder_function()(images), prompt))
        return decoder(encoded, seeds_of_readings(row_seeds(seed, images.shape[0]), readings), prompt)

    def stream(self, image, seed=0, **options):
        """Reads one image out and gives each object as soon as its five tokens are there.

        Args:
            image: a path, a uint8 array (h, w, 3) of any size, or a float array (H, W, 3) or (1, H, W, 3) in [0, 1] at
                the model's `image_size`.
            seed: int, see `generate`.
            **options: `max_objects`, `sampler`, `constrained`, `stop_at_end`, `end_bias`, `coordinate_window` of
                `generate`.

        Returns:
            Iterator of dictionaries in the order of reading: `"box"` float32 (4,) `rel_yxyx` of the original image,
            `"class"` int, `"score"` float, `"tokens"` int32 (5,), and unless `constrained=False`
            `"class_probabilities"` float32 (K,).

        Raises:
            InputError: at once, if the image cannot be read, or as `generate`.

        Example:
            >>> for found in model.stream("image.jpg"):
            ...     print(found["class"], found["score"])
        """
        return stream(self, image, seed, generation.make_options(self, **options))

    def detect(self, images, batch_size=8, multi_label=None, jit_compile=None, mirror=False, **options):
        """Finds objects in images of any size.

        Args:
            images: a float batch (B, H, W, 3) in [0, 1] at the model's `image_size`; or a path, a uint8 array
                (h, w, 3), or a list of either, of any sizes.
            batch_size: int, images that go through the model at once.
            multi_label: bool or `None`. `True` gives the n best (object, class) pairs: an object that may be two
                things comes with both labels, whose scores add up to at most 1. `False` gives every object its most
                likely class only, the published way. `None` means `True` unless `constrained=False`.
            mirror: bool, whether half of the `readings` (an even number) are of the image mirrored from left to
                right, for models that learned from flipped images: they see it anew, for a second encoding.
            **options: of `generate`, but no prompt. Of several `readings` what overlaps is one object, whose score is
                the mean of what each reading gave it: rarer misses, better scores, for `readings` times the decoding.

        Returns:
            Dictionary of NumPy arrays sorted by score, n = max_objects·readings: `"boxes"` float32 (B, n, 4)
            `rel_yxyx` of each original image, `"classes"` int32 (B, n), −1 in unused rows, `"scores"` float32 (B, n)
            and `"num_detections"` int32 (B,).

        Raises:
            InputError: if an image cannot be read, half of the readings is no whole number, or as `generate`.
        """
        how = {"multi_label": multi_label, "jit_compile": jit_compile, "mirror": mirror}
        return detect(self, images, batch_size, **how, **options)

    def export(self, filepath, format="tf_saved_model", verbose=None, input_signature=None, **options):
        """Writes the model for inference elsewhere, with the reading loop inside.

        Args:
            filepath: path of the SavedModel's folder, or of the `.tflite` file; with `version`, the folder of versions.
            format: `"tf_saved_model"` or `"litert"`.
            verbose: bool or `None`, whether to print what was written; `None` means yes.
            input_signature: `None`: signatures are what docs/deployment.md says.
            **options: `max_objects`, `sampler`, `constrained`, `stop_at_end`, `end_bias`, `coordinate_window`, `seed`
                of `generate` and `multi_label` of `detect`, which cannot be chosen any more afterwards (but by the
                signature `sample`); `preset`, a name to remember. Of a SavedModel: `readings` and `mirror` of `detect`;
                `default`, `"image_bytes"` or `"tensor"`, what `serving_default` takes; `attend`, bool, for a
                signature that tells where the model looked; `max_pixels`, int, larger images are refused; `version`,
                int or `"next"`, the folder below `filepath` that is written. Of a `.tflite` file: `quantize`,
                `"none"`, `"float16"` or `"dynamic"`.

        Returns:
            `pathlib.Path` of what was written.

        Raises:
            InputError: if an option is wrong, or the file cannot be written.

        Example:
            >>> model.export("served/digits", version="next")  # TensorFlow Serving serves the folder served/digits
            >>> tf.saved_model.load("served/digits/1").signatures["serving_default"](tf.constant([png]))
        """
        if input_signature is not None:
            raise InputError("The signatures of an exported Pix2Seq are fixed: leave out input_signature.")
        path = exports.export(self, filepath, format, **options)
        if verbose is None or verbose:
            print(f"Written: {path}")
        return path

    def repays_compilation(self, num_batches, max_objects=None):
        """Whether XLA repays its compilation over so many whole batches, each read out to the end: bool."""
        return repays_compilation(num_batches, checked_max_objects(self, max_objects))

    def init_cache(self, encoded, max_length, cache_write="slice_update"):
        """The decoder's cache for an encoded image (B, N, D); see `TransformerDecoder.init_cache`."""
        return self.decoder.init_cache(encoded, max_length, cache_write)

    def step(self, token, position, cache, cache_write="slice_update"):
        """One position of decoding: token int (B,) -> logits float32 (B, V) and the new cache."""
        x = self.embedding(token[:, None], position=position)  # (B, 1, D)
        hidden, cache = self.decoder.step(x, position, cache, cache_write)
        return self.embedding.logits(hidden[:, 0]), cache

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            "vocabulary": serialize(self.vocabulary),
            "image_size": self.image_size,
            "encoder": serialize(self.encoder),
            **self.decoder_config,
            "categories": None if self.categories is None else serialize(self.categories),
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        for name in ("vocabulary", "encoder", "categories"):
            if isinstance(config.get(name), dict):
                config[name] = keras.saving.deserialize_keras_object(config[name], custom_objects)
        return cls(**config)

    @classmethod
    def from_preset(cls, preset, num_classes=None, weights="published", image_size=None, dtype=None):
        """Opens a preset; see `pix2seq_keras.presets.presets.load`."""
        return presets.load(cls, preset, num_classes, weights, image_size, dtype)

    def save_to_preset(self, directory):
        """Writes the model as a self-describing folder; see `pix2seq_keras.presets.presets.save`."""
        presets.save(self, directory)
