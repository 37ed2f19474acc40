"""What is known of presets: names, folders, published models. It builds no model: see `models.preset_loading`."""

from pix2seq_keras.presets.lookup import (
    CARD,
    CONFIG,
    WEIGHTS,
    exists,
    find,
    list_presets,
    packaged_names,
    suggest,
)

__all__ = ["CARD", "CONFIG", "WEIGHTS", "exists", "find", "list_presets", "packaged_names", "suggest"]
