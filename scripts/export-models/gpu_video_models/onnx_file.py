"""torch module to ONNX file: opset 17, dynamic batch, constants folded."""

from __future__ import annotations

import inspect
import io
import warnings
from dataclasses import dataclass
from pathlib import Path

import onnx
import torch
from torch import nn

OPSET = 17


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


def save(model: onnx.ModelProto, path: Path) -> None:
    onnx.checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save_model(model, str(path))

