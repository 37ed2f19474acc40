"""Stores the weights of a TFLite model as float16, and leaves all other constants in float32.

TFLite's own conversion to float16 rounds every constant, scalars too: p = 0.4 becomes 0.3999, −10⁹ becomes −65504, and
2²² + 0.5, which turns a seed into uniform random numbers, becomes 65504. Here only large constants are rounded.
"""

import copy

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

# Constants with fewer numbers stay float32, as in TFLite's conversion to 8 bits.
MIN_WEIGHT_SIZE = 1024
_IDENTIFIER = b"TFL3"
_ALIGNMENT = 16  # bytes, of constants, required by TFLite's schema; flatbuffers' Python packer ignores it
_DEQUANTIZE_FLOAT16 = 3  # the version of the operator DEQUANTIZE that takes float16


def in_half_precision(content):
    """Rounds the weights of a TFLite model to float16. When the model runs, they are converted back to float32.

    Args:
        content: bytes, the model.

    Returns:
        bytes, the smaller model.
    """
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    half_weights = list(map(_to_half, model.buffers))  # by index of the buffer: float16, or None to leave it
    opcode = len(model.operatorCodes)
    model.operatorCodes.append(_dequantize_code())
    half_buffers = {}  # index of a float32 buffer -> index of its float16 buffer
    for graph in model.subgraphs:
        dequantized = []
        for index, tensor in enumerate(list(graph.tensors)):
            if tensor.type != schema.TensorType.FLOAT32 or half_weights[tensor.buffer] is None:
                continue
            if tensor.buffer not in half_buffers:  # the subgraphs of a loop share buffers
                half_buffers[tensor.buffer] = len(model.buffers)
                model.buffers.append(_AlignedBuffer(half_weights[tensor.buffer].view(np.uint8)))
            half = copy.copy(tensor)
            half.type, half.buffer = schema.TensorType.FLOAT16, half_buffers[tensor.buffer]
            half.name = tensor.name + b"/half"
            tensor.buffer = 0  # the schema's empty buffer: this tensor is computed now
            graph.tensors.append(half)
            dequantized.append(_dequantize_operator(opcode, len(graph.tensors) - 1, index))
        graph.operators = dequantized + graph.operators
    still_used = {tensor.buffer for graph in model.subgraphs for tensor in graph.tensors}
    still_used |= {entry.buffer for entry in model.metadata or ()}
    for index, buffer in enumerate(model.buffers):
        data = buffer.data if index in still_used else None
        model.buffers[index] = schema.BufferT() if data is None else _AlignedBuffer(data)
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), file_identifier=_IDENTIFIER)
    return bytes(builder.Output())


class _AlignedBuffer(schema.BufferT):
    """A constant that is stored at an aligned address, as vector instructions need it."""

    def __init__(self, data):
        super().__init__()
        self.data = np.asarray(data, np.uint8)

    def Pack(self, builder):  # noqa: N802  (flatbuffers' name)
        payload = self.data.tobytes()
        builder.StartVector(1, len(payload), _ALIGNMENT)
        builder.head -= len(payload)
        builder.Bytes[builder.head : builder.head + len(payload)] = payload
        data = builder.EndVector()
        schema.BufferStart(builder)
        schema.BufferAddData(builder, data)
        return schema.BufferEnd(builder)


def _to_half(buffer):
    """A buffer of float32 as float16; `None` if it is small, or a number overflows float16."""
    if buffer.data is None or len(buffer.data) < 4 * MIN_WEIGHT_SIZE or len(buffer.data) % 4:
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        half = np.asarray(buffer.data, np.uint8).view("<f4").astype("<f2")
    return half if np.isfinite(half).all() else None


def _dequantize_code():
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.DEQUANTIZE
    code.version = _DEQUANTIZE_FLOAT16
    return code


def _dequantize_operator(opcode, source, target):
    operator = schema.OperatorT()
    operator.opcodeIndex = opcode
    operator.inputs, operator.outputs = np.array([source], np.int32), np.array([target], np.int32)
    operator.builtinOptionsType = schema.BuiltinOptions.DequantizeOptions
    operator.builtinOptions = schema.DequantizeOptionsT()
    return operator
