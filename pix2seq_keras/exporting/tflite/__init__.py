"""TFLite files for devices."""
