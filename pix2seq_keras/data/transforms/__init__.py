"""Transforms of images and their boxes: pure TensorFlow functions, stateless, safe inside `tf.data`.

An example here is `{"image" float32 (h, w, 3) in [0, 1], "boxes" float32 (n, 4), "classes" int32 (n,),
"is_crowd" bool (n,), "area" float32 (n,)}`, with dynamic h, w and n (which may be 0). Boxes are `rel_yxyx`,
relative to the frame the image has at that stage. Every random transform derives its own stream from the
seed it is given, so all transforms of an example may be given the same seed.
"""

from pix2seq_keras.lazy_exports import lazy_exports

__all__ = lazy_exports(
    __name__,
    {
        "pix2seq_keras.data.transforms.color": ["color_jitter"],
        "pix2seq_keras.data.transforms.crop": ["random_crop"],
        "pix2seq_keras.data.transforms.erase": ["random_erase"],
        "pix2seq_keras.data.transforms.filter": ["drop_crowds_and_dead_boxes"],
        "pix2seq_keras.data.transforms.flip": ["random_horizontal_flip", "random_vertical_flip"],
        "pix2seq_keras.data.transforms.jitter_and_crop": ["jitter_and_crop"],
        "pix2seq_keras.data.transforms.mosaic": ["mosaic"],
        "pix2seq_keras.data.transforms.pad": ["pad_to_canvas"],
        "pix2seq_keras.data.transforms.resize": ["fit_to_canvas", "to_float"],
        "pix2seq_keras.data.transforms.rotate": ["random_rotation", "random_transpose"],
        "pix2seq_keras.data.transforms.scale_jitter": ["scale_jitter"],
    },
)
