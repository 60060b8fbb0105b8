"""torch module to ONNX file: opset 17, dynamic batch, constants folded."""

from __future__ import annotations

import inspect
import io
import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator
from torch import nn

from .errors import ExportError

OPSET = 17

# What the exports may consist of: each has a kernel for float32 and float16 in ONNX Runtime's CUDA provider at this opset.
GPU_OPERATORS = frozenset(
    "Add AveragePool Cast Concat Conv Div Erf Flatten Gather Gemm GlobalAveragePool LayerNormalization MatMul MaxPool Mul Pad "
    "ReduceMax ReduceSum Relu Reshape Resize Sigmoid Slice Softmax Split Sub Transpose".split()
)


@dataclass(frozen=True)
class Interface:
    """Names and per-row shapes of a graph with one input and one output; the batch comes before both."""

    input_name: str
    input_shape: tuple[int, ...]
    output_name: str
    output_shape: tuple[int, ...]


def export_graph(model: nn.Module, interface: Interface) -> onnx.ModelProto:
    """The traced graph. Two rows are traced: a batch of one would let an axis of size one pass for the batch."""
    sample = torch.zeros(2, *interface.input_shape)
    options = {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
    buffer = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model.eval(),
            (sample,),
            buffer,
            opset_version=OPSET,
            input_names=[interface.input_name],
            output_names=[interface.output_name],
            dynamic_axes={interface.input_name: {0: "batch"}, interface.output_name: {0: "batch"}},
            do_constant_folding=True,
            **options,
        )
    graph = onnx.load_from_string(buffer.getvalue())
    _name_shape(graph.graph.input[0], interface.input_shape)
    _name_shape(graph.graph.output[0], interface.output_shape)
    _drop_inferred_shapes(graph)
    constants_to_weights(graph)
    fold_constants(graph)
    return graph


def _name_shape(value: onnx.ValueInfoProto, row: tuple[int, ...]) -> None:
    shape = value.type.tensor_type.shape
    del shape.dim[:]
    shape.dim.add().dim_param = "batch"
    for size in row:
        shape.dim.add().dim_value = size


def _drop_inferred_shapes(model: onnx.ModelProto) -> None:
    """The tracer's guesses hold the traced batch in places; what reads the file infers them again."""
    del model.graph.value_info[:]


def constants_to_weights(model: onnx.ModelProto) -> None:
    """Constant nodes as initializers, so that every weight of the graph is found in one place."""
    kept = []
    for node in model.graph.node:
        value = next((a.t for a in node.attribute if a.name == "value"), None) if node.op_type == "Constant" else None
        if value is None:
            kept.append(node)
        else:
            tensor = model.graph.initializer.add()
            tensor.CopyFrom(value)
            tensor.name = node.output[0]
    del model.graph.node[:]
    model.graph.node.extend(kept)


def fold_constants(model: onnx.ModelProto) -> None:
    """Computes every node that depends on weights alone: torch leaves how a padding or an index comes about in the graph."""
    graph = model.graph
    weights = {tensor.name: tensor for tensor in graph.initializer}
    results = {value.name for value in graph.output}
    kept = []
    for node in graph.node:
        known = all(name in weights for name in node.input if name) and not results.intersection(node.output)
        if not known or not any(node.input):
            kept.append(node)
            continue
        feeds = {name: numpy_helper.to_array(weights[name]) for name in node.input if name}
        outputs = ReferenceEvaluator(_single_node_model(node, model)).run(list(node.output), feeds)
        weights.update(
            (name, numpy_helper.from_array(value, name)) for name, value in zip(node.output, outputs, strict=True)
        )
    used = {name for node in kept for name in node.input}
    del graph.node[:]
    graph.node.extend(kept)
    del graph.initializer[:]
    graph.initializer.extend(tensor for name, tensor in weights.items() if name in used)


def _single_node_model(node: onnx.NodeProto, model: onnx.ModelProto) -> onnx.ModelProto:
    untyped = [onnx.helper.make_empty_tensor_value_info(name) for name in node.input if name]
    outputs = [onnx.helper.make_empty_tensor_value_info(name) for name in node.output]
    graph = onnx.helper.make_graph([node], "constant", untyped, outputs)
    return onnx.helper.make_model(graph, opset_imports=model.opset_import)


def operators(model: onnx.ModelProto) -> dict[str, int]:
    """How often the graph has each operator; those of other domains than ONNX's own carry its name."""
    return dict(sorted(Counter(f"{node.domain}.{node.op_type}".lstrip(".") for node in model.graph.node).items()))


def save(model: onnx.ModelProto, path: Path) -> None:
    """Writes the file; raises ExportError where an operator is in it that would leave the GPU."""
    foreign = sorted(set(operators(model)) - GPU_OPERATORS)
    if foreign:
        raise ExportError(
            f"{path.name} would hold {', '.join(foreign)}, which has no kernel on the GPU that is known here"
        )
    onnx.checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save_model(model, str(path))
