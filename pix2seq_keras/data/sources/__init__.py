"""Sources of images and objects: one folder per data format, and what the formats share."""
