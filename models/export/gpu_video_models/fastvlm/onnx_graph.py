"""
PyTorch module -> ONNX file. The graph is traced without its weights, which are then attached from the module tensor by tensor:
a tracer that carries them holds several copies of a 2 GB model at once.
"""

from __future__ import annotations

import inspect
import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper
from torch import Tensor, nn

from ..errors import ExportError
from ..onnx_file import OPSET, constants_to_weights

# The file format of ONNX 1.12, the one of opset 17.
IR_VERSION = 8

# Protobuf ends at 2 GiB; a graph with more weights than this keeps them in a file beside it.
EMBEDDED_BYTES = 1_500_000_000
# Readers map weight files into memory by pages.
PAGE = 4096

ONNX_TYPES = {"float32": TensorProto.FLOAT, "float16": TensorProto.FLOAT16, "int64": TensorProto.INT64}


@dataclass(frozen=True)
class Port:
    """An input or output of a graph: a number is a fixed size, a string a dynamic axis, no axis a scalar."""

    name: str
    dtype: str
    shape: tuple[int | str, ...]

    def described(self) -> dict[str, Any]:
        return {"name": self.name, "dtype": self.dtype, "shape": list(self.shape)}


def trace(module: nn.Module, example: list[Tensor], inputs: list[Port], outputs: list[Port]) -> onnx.ModelProto:
    """The module's graph; its weights are left out and stay free names in it."""
    dynamic = {
        port.name: {axis: size for axis, size in enumerate(port.shape) if isinstance(size, str)}
        for port in (*inputs, *outputs)
    }
    options: dict[str, Any] = {}
    if "dynamo" in inspect.signature(torch.onnx.export).parameters:
        options["dynamo"] = False
    traced = io.BytesIO()
    with torch.no_grad(), warnings.catch_warnings():
        # Sizes of the image are read as fixed numbers on purpose.
        warnings.filterwarnings("ignore", category=torch.jit.TracerWarning)
        torch.onnx.export(
            module,
            tuple(example),
            traced,
            export_params=False,
            do_constant_folding=False,
            opset_version=OPSET,
            input_names=[port.name for port in inputs],
            output_names=[port.name for port in outputs],
            dynamic_axes={name: axes for name, axes in dynamic.items() if axes},
            **options,
        )
    model = onnx.load_from_string(traced.getvalue())
    graph = model.graph
    names = {port.name for port in inputs}
    found = [value.name for value in graph.input]
    if not names.issubset(found):
        raise ExportError(f"the traced graph lacks the inputs {sorted(names.difference(found))}: nothing uses them")
    del graph.input[:]
    graph.input.extend(value_info(port) for port in inputs)
    del graph.output[:]
    graph.output.extend(value_info(port) for port in outputs)
    del graph.value_info[:]
    drop_identities(graph)
    constants_to_weights(model)
    merge_equal_nodes(graph)
    return model


def value_info(port: Port) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(port.name, ONNX_TYPES[port.dtype], list(port.shape))


def drop_identities(graph: onnx.GraphProto) -> None:
    """Points the readers of every Identity at its source; outputs of the graph keep theirs."""
    outputs = {value.name for value in graph.output}
    source = {
        node.output[0]: node.input[0]
        for node in graph.node
        if node.op_type == "Identity" and node.output[0] not in outputs
    }
    kept = [node for node in graph.node if not (node.op_type == "Identity" and node.output[0] in source)]
    for node in kept:
        for index, name in enumerate(node.input):
            while name in source:
                name = source[name]
            node.input[index] = name
    del graph.node[:]
    graph.node.extend(kept)


def merge_equal_nodes(graph: onnx.GraphProto) -> None:
    """
    Leaves one of each set of nodes that compute the same from the same inputs. The tracer writes the few sizes of a run once per
    layer, which is more nodes than the layer itself has.
    """
    outputs = {value.name for value in graph.output}
    same: dict[str, str] = {}
    seen: dict[tuple[str, bytes], str] = {}

    def canonical(kind: str, content: bytes, name: str) -> bool:
        key = (kind, content)
        if key in seen and name not in outputs:
            same[name] = seen[key]
            return False
        seen.setdefault(key, name)
        return True

    constants = []
    for tensor in graph.initializer:
        content = type(tensor)()
        content.CopyFrom(tensor)
        content.name = ""
        if canonical("constant", content.SerializeToString(deterministic=True), tensor.name):
            constants.append(tensor)
    nodes = []
    for node in graph.node:
        for index, name in enumerate(node.input):
            node.input[index] = same.get(name, name)
        content = type(node)()
        content.CopyFrom(node)
        content.name = ""
        del content.output[:]
        if len(node.output) > 1 or canonical("node", content.SerializeToString(deterministic=True), node.output[0]):
            nodes.append(node)
    del graph.initializer[:]
    graph.initializer.extend(constants)
    del graph.node[:]
    graph.node.extend(nodes)


@dataclass(frozen=True)
class Weight:
    """A weight of the graph; `values` makes the array when it is written, so that a model is not held twice."""

    name: str
    shape: tuple[int, ...]
    values: Callable[[], np.ndarray]


def weight_arrays(model: onnx.ModelProto, module: nn.Module) -> list[Weight]:
    """
    The module's weights that the graph uses, in the order of their names. A matrix that the graph transposes before every product
    is transposed here instead.
    """
    state = module.state_dict()
    graph = model.graph
    turned: dict[str, str] = {}
    weights: dict[str, Weight] = {}
    kept = []
    for node in graph.node:
        if node.op_type != "Transpose" or node.input[0] not in state:
            kept.append(node)
            continue
        perm = next(list(attribute.ints) for attribute in node.attribute if attribute.name == "perm")
        name = f"{node.input[0]}.transposed"
        turned[node.output[0]] = name
        weights[name] = weight_of(name, state[node.input[0]].permute(perm))
    for node in kept:
        for index, name in enumerate(node.input):
            node.input[index] = turned.get(name, name)
            if name in state:
                weights[name] = weight_of(name, state[name])
    del graph.node[:]
    graph.node.extend(kept)
    return [weights[name] for name in sorted(weights)]


def weight_of(name: str, tensor: Tensor) -> Weight:
    return Weight(name, tuple(tensor.shape), lambda: tensor.detach().cpu().contiguous().numpy())


def save(model: onnx.ModelProto, weights: list[Weight], types: dict[str, str], path: Path) -> list[str]:
    """
    Writes graph and weights; `types` names the element type of weights that are not float32. Returns the names of the written
    files: the graph, and its weights where they are too many for one file.
    """
    size = sum(int(np.prod(w.shape)) * np.dtype(types.get(w.name, "float32")).itemsize for w in weights)
    data_path = path.with_name(f"{path.name}_data")
    data_path.unlink(missing_ok=True)
    external = size > EMBEDDED_BYTES
    if external:
        with data_path.open("wb") as data:
            attach(model.graph, weights, types, data)
    else:
        attach(model.graph, weights, types, None)
    # The same bytes from every version of PyTorch that traces the same graph.
    model.ir_version = IR_VERSION
    model.producer_name, model.producer_version = "gpu_video_models", ""
    model.graph.name = path.stem
    path.write_bytes(model.SerializeToString(deterministic=True))
    onnx.checker.check_model(str(path))
    return [path.name, data_path.name] if external else [path.name]


def attach(graph: onnx.GraphProto, weights: list[Weight], types: dict[str, str], data: BinaryIO | None) -> None:
    for weight in weights:
        values = as_type(weight, types.get(weight.name, "float32"))
        tensor = graph.initializer.add()
        tensor.name = weight.name
        tensor.dims.extend(weight.shape)
        tensor.data_type = ONNX_TYPES[values.dtype.name]
        if data is None or values.nbytes < PAGE:
            tensor.raw_data = values.tobytes()
            continue
        data.write(b"\0" * (-data.tell() % PAGE))
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (("location", Path(data.name).name), ("offset", data.tell()), ("length", values.nbytes)):
            entry = tensor.external_data.add()
            entry.key, entry.value = key, str(value)
        data.write(values.data)


def as_type(weight: Weight, dtype: str) -> np.ndarray:
    """The array in the element type; raises where a weight does not fit into 16 bits."""
    values = weight.values()
    if dtype == "float16" and np.abs(values).max(initial=0) > np.finfo(np.float16).max:
        raise ExportError(f"{weight.name} holds {np.abs(values).max():g}, more than 16 bits can: export with fp32")
    return values.astype(dtype, copy=False)
