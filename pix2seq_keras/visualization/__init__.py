"""Drawing: boxes on images, galleries of images, and training curves. Matplotlib is imported when it is first used."""

from pix2seq_keras.lazy_exports import lazy_exports

__all__ = lazy_exports(
    __name__,
    {
        "pix2seq_keras.visualization.curves": ["save_curves"],
        "pix2seq_keras.visualization.drawing": ["class_colour", "draw_detections"],
        "pix2seq_keras.visualization.gallery": ["detection_panels", "save_gallery", "save_image"],
    },
)
