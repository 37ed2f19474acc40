"""Weights of a TFLite model in 16 bits, and nothing else in 16 bits.

TFLite's own conversion to float16 rounds every constant, single numbers too: p 0.4 becomes 0.3999, −10⁹ becomes −65504,
and 2²² + 0.5, which makes a seed's uniform numbers, 65504. Here only what is large is rounded, as weights are.
"""

import copy

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

# TFLite's conversion to 8 bits leaves smaller ones alone as well.
SMALLEST = 1024
_IDENTIFIER = b"TFL3"
_ALIGNMENT = 16  # of constants, by TFLite's schema; flatbuffers' Python does not heed it
_DEQUANTIZE_FLOAT16 = 3  # the version of the operator that reads them


def in_half_precision(content):
    """Rounds the weights of a TFLite model to float16; operators are given them in float32.

    Args:
        content: bytes of the model.

    Returns:
        bytes.
    """
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    kept = list(map(_half, model.buffers))  # float16 by the number of the buffer, or None
    opcode = len(model.operatorCodes)
    model.operatorCodes.append(_dequantize())
    halves = {}
    for graph in model.subgraphs:
        dequantized = []
        for place, tensor in enumerate(list(graph.tensors)):
            if tensor.type != schema.TensorType.FLOAT32 or kept[tensor.buffer] is None:
                continue
            if tensor.buffer not in halves:  # the graphs of a loop share buffers
                halves[tensor.buffer] = len(model.buffers)
                model.buffers.append(_AlignedBuffer(kept[tensor.buffer].view(np.uint8)))
            half = copy.copy(tensor)
            half.type, half.buffer, half.name = schema.TensorType.FLOAT16, halves[tensor.buffer], tensor.name + b"/half"
            tensor.buffer = 0  # which is empty by the schema: it is computed
            graph.tensors.append(half)
            dequantized.append(_operator(opcode, len(graph.tensors) - 1, place))
        graph.operators = dequantized + graph.operators
    still_used = {tensor.buffer for graph in model.subgraphs for tensor in graph.tensors}
    still_used |= {entry.buffer for entry in model.metadata or ()}
    for number, buffer in enumerate(model.buffers):
        data = buffer.data if number in still_used else None
        model.buffers[number] = schema.BufferT() if data is None else _AlignedBuffer(data)
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), file_identifier=_IDENTIFIER)
    return bytes(builder.Output())


class _AlignedBuffer(schema.BufferT):
    """A constant at a place in the file that vector instructions may load from."""

    def __init__(self, data):
        super().__init__()
        self.data = np.asarray(data, np.uint8)

    def Pack(self, builder):  # noqa: N802  (as flatbuffers calls it)
        payload = self.data.tobytes()
        builder.StartVector(1, len(payload), _ALIGNMENT)
        builder.head -= len(payload)
        builder.Bytes[builder.head : builder.head + len(payload)] = payload
        data = builder.EndVector()
        schema.BufferStart(builder)
        schema.BufferAddData(builder, data)
        return schema.BufferEnd(builder)


def _half(buffer):
    """A buffer as float16, were it of float32; `None` where it is small or would overflow."""
    if buffer.data is None or len(buffer.data) < 4 * SMALLEST or len(buffer.data) % 4:
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        half = np.asarray(buffer.data, np.uint8).view("<f4").astype("<f2")
    return half if np.isfinite(half).all() else None


def _dequantize():
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.DEQUANTIZE
    code.version = _DEQUANTIZE_FLOAT16
    return code


def _operator(opcode, source, target):
    operator = schema.OperatorT()
    operator.opcodeIndex = opcode
    operator.inputs, operator.outputs = np.array([source], np.int32), np.array([target], np.int32)
    operator.builtinOptionsType = schema.BuiltinOptions.DequantizeOptions
    operator.builtinOptions = schema.DequantizeOptionsT()
    return operator
