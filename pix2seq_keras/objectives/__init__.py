"""Training objectives, one file each. A file `NAME.py` is the objective `NAME`; it defines the class `Name`.

An objective is called with the model, a batch and the training flag:

    objective(model, batch, training) -> ObjectiveValue

`batch` is what `model.fit` reads: (x, targets, token weights). The objective calls the model itself, as often as it
needs to. The class has an attribute `metric_names`, a tuple of the names of the metrics it returns, and a method
`get_config()`, the parameters to make it again. The training step does the rest: it normalises the loss over all
replicas, computes gradients and updates the metrics, see `models/training_step.py`.
"""

from pix2seq_keras.lazy_exports import lazy_exports

__all__ = lazy_exports(
    __name__,
    {
        "pix2seq_keras.objectives.lookup": ["DEFAULT", "check", "get", "names", "serialize"],
        "pix2seq_keras.objectives.value": ["ObjectiveValue"],
    },
)
