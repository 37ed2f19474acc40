"""Published checkpoints and configurations. This room builds no model: see `pix2seq_keras.models.published`."""
