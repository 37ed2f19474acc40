"""Object-based TensorFlow checkpoints: a variable is found by the path of attributes that leads to it."""

from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import trackable_object_graph_pb2

from pix2seq_keras.errors import InputError

GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"


class Checkpoint:
    """A checkpoint on disk, opened to read its variables.

    A variable has one key in the file, but several paths may lead to it (tied weights). A path is a tuple of attribute
    names from the root; list elements are "0", "1", ….

    Args:
        location: path of a folder with one checkpoint (or a `checkpoint` file that names one), or of a checkpoint
            without its endings (`DIR/ckpt-100`).

    Raises:
        InputError: if there is none, or it cannot be read.

    Example:
        >>> checkpoint = Checkpoint("vit_b_640x640")
        >>> checkpoint.read(checkpoint.key(("model", "proj", "kernel"))).shape
        (768, 512)
    """

    def __init__(self, location):
        self.prefix = _prefix(Path(location))
        try:
            self._reader = tf.train.load_checkpoint(str(self.prefix))
            self._shapes = self._reader.get_variable_to_shape_map()
            if GRAPH not in self._shapes:
                raise InputError(f"{self.prefix} has no object graph: it was not written by tf.train.Checkpoint.")
            graph = trackable_object_graph_pb2.TrackableObjectGraph()
            graph.ParseFromString(self._reader.get_tensor(GRAPH))
        except InputError:
            raise
        except Exception as error:  # the C++ reader raises RuntimeError, ValueError, OpError or DecodeError
            raise InputError(
                f"The checkpoint {self.prefix} cannot be read: {_first_line(error)}. A file may be truncated: "
                "download it again."
            ) from error
        self._nodes = graph.nodes

    def key(self, path):
        """The key of the variable at a path (tuple of str), or `None` if none is there."""
        node = self._nodes[0]
        for name in path:
            child = next((child for child in node.children if child.local_name == name), None)
            if child is None:
                return None
            node = self._nodes[child.node_id]
        keys = [attribute.checkpoint_key for attribute in node.attributes]
        return next((key for key in keys if key.endswith(VALUE) and key in self._shapes), None)

    def keys(self, root):
        """Set of str: the keys of all variables under an attribute of the root, without optimizer slots."""
        found, seen = set(), set()
        waiting = [child.node_id for child in self._nodes[0].children if child.local_name == root]
        while waiting:
            index = waiting.pop()
            if index in seen:
                continue
            seen.add(index)
            node = self._nodes[index]
            found.update(attribute.checkpoint_key for attribute in node.attributes)
            waiting.extend(child.node_id for child in node.children)
        return {key for key in found if key.endswith(VALUE) and key in self._shapes}

    def shape(self, key):
        """Tuple of ints: the shape of a variable."""
        return tuple(self._shapes[key])

    def read(self, key):
        """The values of a variable as a NumPy array; an `InputError` where its check sum is wrong."""
        try:
            return np.asarray(self._reader.get_tensor(key))
        except Exception as error:
            raise InputError(
                f"The data of {readable(key)} in {self.prefix} cannot be read: {_first_line(error)}. The file may be "
                "truncated: download it again."
            ) from error


def readable(key):
    """A key without TensorFlow's ending, for messages."""
    return key.removesuffix(VALUE)


def _prefix(location):
    location = location.expanduser()
    if Path(f"{location}.index").is_file():
        return location
    found = sorted(location.glob("*.index")) if location.is_dir() else []
    if not found:
        raise InputError(
            f"There is no checkpoint at {location}. Give the folder of a checkpoint (checkpoint, NAME.index, "
            "NAME.data-…), or its path without the ending."
        )
    named = _named_in_state(location)
    if named is not None and (location / f"{named}.index").is_file():
        return location / named
    if len(found) > 1:
        names = ", ".join(path.stem for path in found)
        raise InputError(
            f"The folder {location} holds several checkpoints ({names}). Give the path of one without its ending, such "
            f"as {found[-1].with_suffix('')}."
        )
    return found[0].with_suffix("")


def _named_in_state(folder):
    """The newest checkpoint's name, without the folder where it was written: files may have been copied since."""
    try:
        state = tf.train.get_checkpoint_state(str(folder))
    except Exception:  # a damaged state file names no checkpoint
        return None
    return None if state is None else Path(state.model_checkpoint_path).name


def _first_line(error):
    return str(error).strip().split("\n")[0].rstrip(".")[:300]
