"""Boxes on images, galleries and training curves."""

from pix2seq_keras.visualization.curves import save_curves
from pix2seq_keras.visualization.drawing import class_colour, draw_detections
from pix2seq_keras.visualization.gallery import detection_panels, save_gallery, save_image

__all__ = [
    "class_colour",
    "detection_panels",
    "draw_detections",
    "save_curves",
    "save_gallery",
    "save_image",
]
