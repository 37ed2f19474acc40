"""Runs a SavedModel as a C++ server does: TensorFlow's C library alone, XLA switched off, no Python TensorFlow.

    python export/saved_model/cpp_loader.py LIBRARY FOLDER PLAN.json INPUTS.npz OUTPUTS.npz

LIBRARY is libtensorflow_cc.so.2 of the installed wheel. PLAN is a list of calls, which name their tensors: {"inputs":
{tensor: key in INPUTS, or for strings a list in base64}, "outputs": {tensor: key in OUTPUTS}}. `check.py` makes plans.
"""

import base64
import ctypes
import json
import sys
from ctypes import c_char_p, c_int, c_int64, c_size_t, c_uint8, c_void_p
from pathlib import Path

import numpy as np

FLOAT, INT32, UINT8, STRING, INT64 = 1, 3, 4, 7, 9  # of TF_DataType
NUMBERS = {FLOAT: np.float32, INT32: np.int32, UINT8: np.uint8, INT64: np.int64}
STRING_SIZE = 24  # of TF_TString
POINTERS = (  # what gives a pointer, which ctypes would cut to 32 bits
    "TF_NewStatus",
    "TF_NewGraph",
    "TF_NewSessionOptions",
    "TF_LoadSessionFromSavedModel",
    "TF_AllocateTensor",
    "TF_TensorData",
    "TF_GraphOperationByName",
    "TF_StringGetDataPointer",
)


class Output(ctypes.Structure):
    """TF_Output"""

    _fields_ = [("operation", c_void_p), ("index", c_int)]


class Library:
    """The functions of the C library that are needed, and the status that every one of them reports to."""

    def __init__(self, path):
        self.c = ctypes.CDLL(path)
        for name in POINTERS:
            getattr(self.c, name).restype = c_void_p
        self.c.TF_Message.restype = c_char_p
        self.c.TF_Dim.restype = c_int64
        self.c.TF_StringGetSize.restype = c_size_t
        # What TensorFlow Serving does when it starts, unless it is told otherwise.
        self.c._ZN10tensorflow21DisableXlaCompilationEv()
        self.status = c_void_p(self.c.TF_NewStatus())

    def check(self):
        if self.c.TF_GetCode(self.status):
            raise RuntimeError(self.c.TF_Message(self.status).decode("utf-8", "replace"))

    def load(self, folder):
        """The session of a SavedModel's `serve` graph, and the graph."""
        graph, options = c_void_p(self.c.TF_NewGraph()), c_void_p(self.c.TF_NewSessionOptions())
        tags = (c_char_p * 1)(b"serve")
        session = self.c.TF_LoadSessionFromSavedModel(
            options, None, str(folder).encode(), tags, c_int(1), graph, None, self.status
        )
        self.check()
        return c_void_p(session), graph

    def run(self, session, graph, inputs, outputs):
        """Tensor name -> array, and names of tensors -> arrays."""
        outputs = list(outputs)
        feeds = (Output * len(inputs))(*(self._output(graph, name) for name in inputs))
        values = (c_void_p * len(inputs))(*(self._tensor(value) for value in inputs.values()))
        fetches = (Output * len(outputs))(*(self._output(graph, name) for name in outputs))
        results = (c_void_p * len(outputs))()
        self.c.TF_SessionRun(
            *(session, None, feeds, values, c_int(len(inputs)), fetches, results, c_int(len(outputs))),
            *(None, c_int(0), None, self.status),
        )
        self.check()
        return {name: self._array(c_void_p(result)) for name, result in zip(outputs, results, strict=True)}

    def _output(self, graph, name):
        operation, _, index = name.partition(":")
        found = self.c.TF_GraphOperationByName(graph, operation.encode())
        if not found:
            raise RuntimeError(f"The graph has no operation {operation!r}.")
        return Output(found, int(index or 0))

    def _tensor(self, array):
        kinds = {np.dtype(kind): number for number, kind in NUMBERS.items()}
        kind = kinds.get(array.dtype, STRING)
        shape = (c_int64 * array.ndim)(*array.shape)
        size = array.size * STRING_SIZE if kind == STRING else array.nbytes
        tensor = self.c.TF_AllocateTensor(c_int(kind), shape, c_int(array.ndim), c_size_t(size))
        data = self.c.TF_TensorData(c_void_p(tensor))
        if kind == STRING:
            for place, text in enumerate(array.ravel().tolist()):
                self.c.TF_StringInit(c_void_p(data + place * STRING_SIZE))
                self.c.TF_StringCopy(c_void_p(data + place * STRING_SIZE), text, c_size_t(len(text)))
        else:
            ctypes.memmove(data, np.ascontiguousarray(array).ctypes.data, size)
        return tensor

    def _array(self, tensor):
        kind = self.c.TF_TensorType(tensor)
        shape = [self.c.TF_Dim(tensor, c_int(axis)) for axis in range(self.c.TF_NumDims(tensor))]
        data, count = self.c.TF_TensorData(tensor), int(np.prod(shape))
        if kind != STRING:
            dtype = np.dtype(NUMBERS[kind])
            content = (c_uint8 * (count * dtype.itemsize)).from_address(data) if count else b""
            return np.frombuffer(bytes(content), dtype).reshape(shape)
        places = [c_void_p(data + place * STRING_SIZE) for place in range(count)]
        texts = [
            ctypes.string_at(self.c.TF_StringGetDataPointer(place), self.c.TF_StringGetSize(place)) for place in places
        ]
        return np.array(texts, object).reshape(shape)


def main(library, folder, plan, inputs, outputs):
    """Makes the calls of a plan; arguments are as the module's text says."""
    lib, results = Library(library), {}
    session, graph = lib.load(folder)
    with np.load(inputs, allow_pickle=False) as arrays:
        for call in json.loads(Path(plan).read_text(encoding="utf-8")):
            feeds = {tensor: _value(given, arrays) for tensor, given in call["inputs"].items()}
            for tensor, value in lib.run(session, graph, feeds, call["outputs"]).items():
                # NumPy's own kind of bytes drops zeros at the end: names and JSON have none.
                results[call["outputs"][tensor]] = value.astype("S") if value.dtype == object else value
    np.savez(outputs, **results)


def _value(given, arrays):
    if isinstance(given, str):
        return arrays[given]
    return np.array([base64.b64decode(text) for text in given], object)


if __name__ == "__main__":
    if len(sys.argv) != 6:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
