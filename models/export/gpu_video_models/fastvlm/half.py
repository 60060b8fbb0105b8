"""
A 32-bit graph in 16 bits, before its weights are attached: with them the decoder is more than protobuf can hold. The nodes of
the modules that are named wide stay in 32 bits with everything between them, so that no value on the way, such as a square, has to
fit into 16 bits. The graph is not run for this: PyTorch's CPU kernels lack 16-bit convolutions.
"""

from __future__ import annotations

import re

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper, shape_inference

from ..errors import ExportError


def to_half(
    model: onnx.ModelProto, float_weights: dict[str, tuple[int, ...]], wide: str | None, keep: set[str]
) -> dict[str, str]:
    """
    Rewrites the graph in place. `float_weights`: shapes of the float weights that are attached later; `wide`: expression for the
    names of modules whose own nodes stay in 32 bits, or None; `keep`: inputs and outputs that stay in 32 bits. Returns the element
    type of each float weight.
    """
    graph = model.graph
    stays = re.compile(wide) if wide is not None else None
    floats = float_names(model, float_weights)
    constants = {tensor.name: tensor for tensor in graph.initializer if tensor.data_type == TensorProto.FLOAT}
    outputs = {value.name for value in graph.output}
    types: dict[str, str] = {}
    constant_types: dict[str, set[str]] = {}
    nodes: list[onnx.NodeProto] = []
    casts: dict[tuple[str, str], str] = {}
    # The element type in which each float value comes into being.
    born = {value.name: "float32" if value.name in keep else "float16" for value in graph.input if value.name in floats}

    def cast(name: str, dtype: str) -> str:
        if (name, dtype) not in casts:
            casts[name, dtype] = f"{name}/{dtype}"
            nodes.append(cast_node(name, f"{name}/{dtype}", dtype))
        return casts[name, dtype]

    for node in graph.node:
        dtype = "float32" if stays is not None and stays.search(module_of(node.name)) else "float16"
        if node.op_type == "Cast":
            to_floats(node, dtype)
        for index, name in enumerate(node.input):
            # A shape is read from either type.
            if name not in floats or node.op_type == "Shape":
                continue
            if name in constants:
                constant_types.setdefault(name, set()).add(dtype)
                node.input[index] = f"{name}/{dtype}"
            elif name in float_weights:
                if types.setdefault(name, dtype) != dtype:
                    raise ExportError(f"{name} is used inside and outside of what stays in 32 bits")
            elif born[name] != dtype:
                node.input[index] = cast(name, dtype)
        nodes.append(node)
        for index, name in enumerate(node.output):
            if name not in floats:
                continue
            wanted = "float32" if name in keep else "float16"
            if name in outputs and wanted != dtype:
                node.output[index] = f"{name}/{dtype}"
                nodes.append(cast_node(node.output[index], name, wanted))
                born[name] = wanted
            else:
                born[name] = dtype
    del graph.node[:]
    graph.node.extend(nodes)
    replace_constants(graph, constants, constant_types)
    for value in (*graph.input, *graph.output):
        if value.name in floats and value.name not in keep:
            value.type.tensor_type.elem_type = TensorProto.FLOAT16
    return types


def module_of(node: str) -> str:
    """The module that a node belongs to: `/layers.0/mlp/up_proj/MatMul` is a node of `layers.0.mlp.up_proj`."""
    parts = node.strip("/").split("/")[:-1]
    # The tracer repeats the path inside of lists: `network/network.10/network.10.0`.
    afterwards = [*parts[1:], ""]
    return ".".join(part for part, after in zip(parts, afterwards, strict=False) if not after.startswith(f"{part}."))


def cast_node(name: str, output: str, dtype: str) -> onnx.NodeProto:
    to = TensorProto.FLOAT if dtype == "float32" else TensorProto.FLOAT16
    return helper.make_node("Cast", [name], [output], name=f"{output}/Cast", to=to)


def to_floats(node: onnx.NodeProto, dtype: str) -> None:
    """A cast to floats casts to the type of its surroundings."""
    for attribute in node.attribute:
        if attribute.name == "to" and attribute.i == TensorProto.FLOAT and dtype == "float16":
            attribute.i = TensorProto.FLOAT16


def replace_constants(
    graph: onnx.GraphProto, constants: dict[str, onnx.TensorProto], types: dict[str, set[str]]
) -> None:
    others = [tensor for tensor in graph.initializer if tensor.name not in constants]
    copies = []
    for name, wanted in types.items():
        for dtype in sorted(wanted):
            values = numpy_helper.to_array(constants[name])
            if dtype == "float16":
                values = np.clip(values, np.finfo(np.float16).min, np.finfo(np.float16).max).astype(np.float16)
            copies.append(numpy_helper.from_array(values, f"{name}/{dtype}"))
    del graph.initializer[:]
    graph.initializer.extend(others + copies)


def float_names(model: onnx.ModelProto, float_weights: dict[str, tuple[int, ...]]) -> set[str]:
    """Names of all float values of the graph, weights and constants included."""
    typed = type(model)()
    typed.CopyFrom(model)
    for name, shape in float_weights.items():
        typed.graph.input.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape)))
    inferred = shape_inference.infer_shapes(typed, strict_mode=True).graph
    values = (*inferred.input, *inferred.output, *inferred.value_info)
    names = {value.name for value in values if value.type.tensor_type.elem_type == TensorProto.FLOAT}
    names.update(tensor.name for tensor in inferred.initializer if tensor.data_type == TensorProto.FLOAT)
    known = {value.name for value in values} | {tensor.name for tensor in inferred.initializer}
    unknown = {name for node in inferred.node for name in node.output if name and name not in known}
    if unknown:
        raise ExportError(f"no element type is known for {sorted(unknown)[:3]}")
    return names
