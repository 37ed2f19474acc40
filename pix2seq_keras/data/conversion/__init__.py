"""Any source written out as COCO, VOC, YOLO or TFRecord files."""

from pix2seq_keras.data.conversion.converting import FORMATS, Conversion, convert_source, open_splits

__all__ = ["FORMATS", "Conversion", "convert_source", "open_splits"]
