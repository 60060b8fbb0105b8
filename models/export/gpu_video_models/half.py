"""An fp32 graph to fp16 weights and arithmetic, with float32 inputs and outputs.

Done on the graph, not by `model.half()`: torch cannot run most half-precision operators on a CPU, and parts that lose
their meaning in 11 bits (pixel coordinates, for one) have to stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from .errors import ExportError

LARGEST = float(np.finfo(np.float16).max)
# Inputs that the operator wants in float32 (or does not read as numbers) whatever its data is.
_UNTOUCHED_INPUTS = {"Resize": (1, 2)}


def to_half(model: onnx.ModelProto, keep_single: Callable[[str], bool] = lambda name: False) -> onnx.ModelProto:
    """A copy whose nodes compute in fp16, except those whose name `keep_single` accepts; casts stand where the two meet."""
    inferred = onnx.shape_inference.infer_shapes(model)
    result = onnx.ModelProto()
    result.CopyFrom(model)
    graph = result.graph
    single = _float_values(inferred.graph)
    halved = {output for node in graph.node if not keep_single(node.name) for output in node.output if output in single}
    weights = {tensor.name: tensor for tensor in graph.initializer if tensor.data_type == TensorProto.FLOAT}
    nodes: list[onnx.NodeProto] = []
    made: dict[tuple[str, bool], str] = {}

    def in_precision(name: str, half: bool) -> str:
        """The value's name in the wanted precision; makes the cast or the converted weight where there is none yet."""
        if name not in single or (name in halved) == half:
            return name
        key = (name, half)
        if key not in made:
            made[key] = f"{name}{'_half' if half else '_single'}"
            if name in weights:
                graph.initializer.append(_half_tensor(weights[name], made[key]))
            else:
                to = TensorProto.FLOAT16 if half else TensorProto.FLOAT
                nodes.append(helper.make_node("Cast", [name], [made[key]], name=f"{made[key]}/Cast", to=to))
        return made[key]

    outputs = {value.name for value in graph.output}
    for original in list(graph.node):
        node = onnx.NodeProto()
        node.CopyFrom(original)
        half = not keep_single(node.name)
        for i, name in enumerate(node.input):
            if i not in _UNTOUCHED_INPUTS.get(node.op_type, ()):
                node.input[i] = in_precision(name, half)
            elif name in halved:
                raise ExportError(f"{node.name}: its input {name} must stay in float32")
        if half:
            _halve_attributes(node)
        for i, name in enumerate(node.output):
            if name in outputs and name in halved:
                node.output[i] = f"{name}_half"
        nodes.append(node)
        for name in original.output:
            if name in outputs and name in halved:
                nodes.append(
                    helper.make_node("Cast", [f"{name}_half"], [name], name=f"{name}/Cast", to=TensorProto.FLOAT)
                )
    del graph.node[:]
    graph.node.extend(nodes)
    _drop_unused_weights(graph)
    return result


def _float_values(graph: onnx.GraphProto) -> set[str]:
    values = {
        value.name
        for value in (*graph.input, *graph.output, *graph.value_info)
        if value.type.tensor_type.elem_type == TensorProto.FLOAT
    }
    known = {value.name for value in (*graph.input, *graph.output, *graph.value_info)}
    unknown = [name for node in graph.node for name in node.output if name and name not in known]
    if unknown:
        raise ExportError(f"the element type of {unknown[0]} cannot be told; the graph cannot be made fp16")
    return values | {tensor.name for tensor in graph.initializer if tensor.data_type == TensorProto.FLOAT}


def _half_tensor(tensor: onnx.TensorProto, name: str) -> onnx.TensorProto:
    values = numpy_helper.to_array(tensor)
    finite = np.isfinite(values)
    if float(np.max(np.abs(values[finite]), initial=0.0)) > LARGEST:
        raise ExportError(f"the weights {tensor.name} do not fit into fp16 (above {LARGEST:.0f}); use the fp32 pack")
    return numpy_helper.from_array(values.astype(np.float16), name)


def _halve_attributes(node: onnx.NodeProto) -> None:
    for attribute in node.attribute:
        if node.op_type == "Cast" and attribute.name == "to" and attribute.i == TensorProto.FLOAT:
            attribute.i = TensorProto.FLOAT16
        if attribute.type == onnx.AttributeProto.TENSOR and attribute.t.data_type == TensorProto.FLOAT:
            attribute.t.CopyFrom(_half_tensor(attribute.t, attribute.t.name))


def _drop_unused_weights(graph: onnx.GraphProto) -> None:
    used = {name for node in graph.node for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
