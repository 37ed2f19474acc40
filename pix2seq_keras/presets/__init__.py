"""What is known of presets: names, folders, published models. It builds no model: see `models.preset_loading`."""

from pix2seq_keras.lazy_exports import lazy_exports

__all__ = lazy_exports(
    __name__,
    {
        "pix2seq_keras.presets.lookup": [
            "CARD",
            "CONFIG",
            "WEIGHTS",
            "exists",
            "find",
            "list_presets",
            "packaged_names",
            "suggest",
        ],
    },
)
