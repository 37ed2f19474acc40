"""COCO: JSON files beside folders of images."""
