"""Runs a SavedModel as a C++ server does: with TensorFlow's C library, without XLA and without Python TensorFlow.

    python export/saved_model/cpp_loader.py LIBRARY FOLDER PLAN.json INPUTS.npz OUTPUTS.npz

LIBRARY is libtensorflow_cc.so.2 of the installed wheel. PLAN is a list of calls: {"inputs": {tensor: key in INPUTS, or
a list of base64 strings}, "outputs": {tensor: key in OUTPUTS}}. `check.py` writes plans.
"""

import base64
import ctypes
import json
import sys
from ctypes import c_char_p, c_int, c_int64, c_size_t, c_uint8, c_void_p
from pathlib import Path

import numpy as np

FLOAT, INT32, UINT8, STRING, INT64 = 1, 3, 4, 7, 9  # values of TF_DataType
DTYPES = {FLOAT: np.float32, INT32: np.int32, UINT8: np.uint8, INT64: np.int64}
STRING_SIZE = 24  # bytes of a TF_TString
POINTER_FUNCTIONS = (  # they return pointers, which ctypes would truncate to 32 bits by default
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
    """The struct TF_Output."""

    _fields_ = [("operation", c_void_p), ("index", c_int)]


class Library:
    """The C library with the signatures of its functions, and the status that the functions report to."""

    def __init__(self, path):
        self.c = ctypes.CDLL(path)
        for name in POINTER_FUNCTIONS:
            getattr(self.c, name).restype = c_void_p
        self.c.TF_Message.restype = c_char_p
        self.c.TF_Dim.restype = c_int64
        self.c.TF_StringGetSize.restype = c_size_t
        # DisableXlaCompilation(), which TensorFlow Serving calls at its start by default.
        self.c._ZN10tensorflow21DisableXlaCompilationEv()
        self.status = c_void_p(self.c.TF_NewStatus())

    def check(self):
        """Raises a `RuntimeError` if the last call failed."""
        if self.c.TF_GetCode(self.status):
            raise RuntimeError(self.c.TF_Message(self.status).decode("utf-8", "replace"))

    def load(self, folder):
        """Loads the graph with the tag `serve` of a SavedModel: (session, graph)."""
        graph, options = c_void_p(self.c.TF_NewGraph()), c_void_p(self.c.TF_NewSessionOptions())
        tags = (c_char_p * 1)(b"serve")
        session = self.c.TF_LoadSessionFromSavedModel(
            options, None, str(folder).encode(), tags, c_int(1), graph, None, self.status
        )
        self.check()
        return c_void_p(session), graph

    def run(self, session, graph, inputs, outputs):
        """Runs the graph: inputs, dictionary of tensor name to array, and output names -> dictionary of arrays."""
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
        types = {np.dtype(dtype): number for number, dtype in DTYPES.items()}
        type_ = types.get(array.dtype, STRING)
        shape = (c_int64 * array.ndim)(*array.shape)
        size = array.size * STRING_SIZE if type_ == STRING else array.nbytes
        tensor = self.c.TF_AllocateTensor(c_int(type_), shape, c_int(array.ndim), c_size_t(size))
        data = self.c.TF_TensorData(c_void_p(tensor))
        if type_ == STRING:
            for index, text in enumerate(array.ravel().tolist()):
                self.c.TF_StringInit(c_void_p(data + index * STRING_SIZE))
                self.c.TF_StringCopy(c_void_p(data + index * STRING_SIZE), text, c_size_t(len(text)))
        else:
            ctypes.memmove(data, np.ascontiguousarray(array).ctypes.data, size)
        return tensor

    def _array(self, tensor):
        type_ = self.c.TF_TensorType(tensor)
        shape = [self.c.TF_Dim(tensor, c_int(axis)) for axis in range(self.c.TF_NumDims(tensor))]
        data, count = self.c.TF_TensorData(tensor), int(np.prod(shape))
        if type_ != STRING:
            dtype = np.dtype(DTYPES[type_])
            content = (c_uint8 * (count * dtype.itemsize)).from_address(data) if count else b""
            return np.frombuffer(bytes(content), dtype).reshape(shape)
        pointers = [c_void_p(data + index * STRING_SIZE) for index in range(count)]
        texts = [
            ctypes.string_at(self.c.TF_StringGetDataPointer(pointer), self.c.TF_StringGetSize(pointer))
            for pointer in pointers
        ]
        return np.array(texts, object).reshape(shape)


def main(library, folder, plan, inputs, outputs):
    """Runs the calls of a plan; the module's docstring describes the arguments."""
    lib, results = Library(library), {}
    session, graph = lib.load(folder)
    with np.load(inputs, allow_pickle=False) as arrays:
        for call in json.loads(Path(plan).read_text(encoding="utf-8")):
            feeds = {tensor: _value(entry, arrays) for tensor, entry in call["inputs"].items()}
            for tensor, value in lib.run(session, graph, feeds, call["outputs"]).items():
                # The dtype "S" drops zero bytes at the end, which names and JSON do not have.
                results[call["outputs"][tensor]] = value.astype("S") if value.dtype == object else value
    np.savez(outputs, **results)


def _value(entry, arrays):
    if isinstance(entry, str):
        return arrays[entry]
    return np.array([base64.b64decode(text) for text in entry], object)


if __name__ == "__main__":
    if len(sys.argv) != 6:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
