"""Transforms of images and their boxes: pure TensorFlow functions, stateless, safe inside `tf.data`.

An example here is `{"image" float32 (h, w, 3) in [0, 1], "boxes" float32 (n, 4), "classes" int32 (n,),
"is_crowd" bool (n,), "area" float32 (n,)}`, with dynamic h, w and n (which may be 0). Boxes are `rel_yxyx`,
relative to the frame the image has at that stage. Every random transform derives its own stream from the
seed it is given, so one seed of an example may be handed to all of them.
"""

from pix2seq_keras.data.transforms.color import color_jitter
from pix2seq_keras.data.transforms.crop import random_crop
from pix2seq_keras.data.transforms.erase import random_erase
from pix2seq_keras.data.transforms.filter import drop_crowds_and_dead_boxes
from pix2seq_keras.data.transforms.flip import random_horizontal_flip, random_vertical_flip
from pix2seq_keras.data.transforms.jitter_and_crop import jitter_and_crop
from pix2seq_keras.data.transforms.mosaic import mosaic
from pix2seq_keras.data.transforms.pad import pad_to_canvas, rescale_boxes
from pix2seq_keras.data.transforms.resize import boxes_from_canvas, boxes_to_canvas, fit_to_canvas, to_float
from pix2seq_keras.data.transforms.scale_jitter import scale_jitter
from pix2seq_keras.data.transforms.turn import random_quarter_turn, random_transpose

__all__ = [
    "boxes_from_canvas",
    "boxes_to_canvas",
    "color_jitter",
    "drop_crowds_and_dead_boxes",
    "fit_to_canvas",
    "jitter_and_crop",
    "mosaic",
    "pad_to_canvas",
    "random_crop",
    "random_erase",
    "random_horizontal_flip",
    "random_quarter_turn",
    "random_transpose",
    "random_vertical_flip",
    "rescale_boxes",
    "scale_jitter",
    "to_float",
]
