"""
PyTorch module -> ONNX file. The graph is traced without its weights, which are then attached from the module tensor by tensor:
a tracer that carries them holds several copies of a 2 GB model at once.
"""

import hashlib
import inspect
import io
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

OPSET = 17

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
    shape: tuple

    def described(self):
        return {"name": self.name, "dtype": self.dtype, "shape": list(self.shape)}


def trace(module, example, inputs, outputs):
    """The module's graph; its weights are left out and stay free names in it."""
    dynamic = {
        port.name: {axis: size for axis, size in enumerate(port.shape) if isinstance(size, str)}
        for port in (*inputs, *outputs)
    }
    options = {}
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
        raise ValueError(f"the traced graph lacks the inputs {sorted(names.difference(found))}: nothing uses them")
    del graph.input[:]
    graph.input.extend(value_info(port) for port in inputs)
    del graph.output[:]
    graph.output.extend(value_info(port) for port in outputs)
    del graph.value_info[:]
    drop_identities(graph)
    constants_to_initializers(graph)
    merge_equal_nodes(graph)
    return model


def value_info(port):
    return helper.make_tensor_value_info(port.name, ONNX_TYPES[port.dtype], list(port.shape))


def drop_identities(graph):
    """Points the readers of every Identity at its source; outputs of the graph keep theirs."""
    outputs = {value.name for value in graph.output}
    source = {
        node.output[0]: node.input[0] for node in graph.node if node.op_type == "Identity" and node.output[0] not in outputs
    }
    kept = [node for node in graph.node if not (node.op_type == "Identity" and node.output[0] in source)]
    for node in kept:
        for index, name in enumerate(node.input):
            while name in source:
                name = source[name]
            node.input[index] = name
    del graph.node[:]
    graph.node.extend(kept)


def constants_to_initializers(graph):
    """Turns Constant nodes into initializers, which have no place in the order of the nodes and can be copied by type."""
    kept = []
    for node in graph.node:
        value = next((a.t for a in node.attribute if a.name == "value"), None) if node.op_type == "Constant" else None
        if value is None:
            kept.append(node)
            continue
        constant = graph.initializer.add()
        constant.CopyFrom(value)
        constant.name = node.output[0]
    del graph.node[:]
    graph.node.extend(kept)


def merge_equal_nodes(graph):
    """
    Leaves one of each set of nodes that compute the same from the same inputs. The tracer writes the few sizes of a run once per
    layer, which is more nodes than the layer itself has.
    """
    outputs = {value.name for value in graph.output}
    same, seen = {}, {}

    def canonical(kind, content, name):
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


def weight_arrays(model, module):
    """
    The weights that the graph uses, by the graph's name, as functions that make the array when it is written. Matrices that the
    graph transposes before every product are transposed here instead.
    """
    state = module.state_dict()
    graph = model.graph
    used = {name for node in graph.node for name in node.input if name in state}
    arrays = {name: (lambda t=state[name]: t.detach().cpu().contiguous().numpy()) for name in sorted(used)}
    shapes = {name: tuple(state[name].shape) for name in arrays}

    transposed, kept = {}, []
    for node in graph.node:
        if node.op_type == "Transpose" and node.input[0] in state:
            (perm,) = [tuple(a.ints) for a in node.attribute if a.name == "perm"]
            name = node.input[0]
            new = f"{name}.transposed"
            transposed[node.output[0]] = new
            arrays[new] = lambda t=state[name], p=perm: t.detach().cpu().permute(p).contiguous().numpy()
            shapes[new] = tuple(state[name].shape[axis] for axis in perm)
        else:
            kept.append(node)
    for node in kept:
        for index, name in enumerate(node.input):
            node.input[index] = transposed.get(name, name)
    del graph.node[:]
    graph.node.extend(kept)
    still = {name for node in kept for name in node.input}
    return {name: (arrays[name], shapes[name]) for name in sorted(arrays) if name in still}


def save(model, weights, types, path):
    """
    Writes graph and weights. `weights`: name -> (function giving the array, shape); `types`: element type by name, float32 where
    it names none. Returns the manifest's `file` and `externalData`.
    """
    path = Path(path)
    graph = model.graph
    size = sum(int(np.prod(shape)) * np.dtype(types.get(name, "float32")).itemsize for name, (_, shape) in weights.items())
    external = size > EMBEDDED_BYTES
    data_path = path.with_name(f"{path.name}_data")
    data_path.unlink(missing_ok=True)
    data = open(data_path, "wb") if external else None
    try:
        for name, (array, shape) in weights.items():
            dtype = types.get(name, "float32")
            values = as_type(array(), dtype, name)
            tensor = graph.initializer.add()
            tensor.name = name
            tensor.dims.extend(shape)
            tensor.data_type = ONNX_TYPES[dtype]
            if data is None or values.nbytes < PAGE:
                tensor.raw_data = values.tobytes()
                continue
            data.write(b"\0" * (-data.tell() % PAGE))
            tensor.data_location = TensorProto.EXTERNAL
            for key, value in (("location", data_path.name), ("offset", data.tell()), ("length", values.nbytes)):
                entry = tensor.external_data.add()
                entry.key, entry.value = key, str(value)
            values.tofile(data)
    finally:
        if data is not None:
            data.close()
    model.producer_name = "gpu_video_models"
    model.producer_version = ""
    path.write_bytes(model.SerializeToString())
    files = {"file": file_entry(path)}
    if external:
        files["externalData"] = [file_entry(data_path)]
    return files


def as_type(values, dtype, name):
    """The array in the element type; throws where a weight does not fit into 16 bits."""
    if values.dtype == np.dtype(dtype):
        return values
    if dtype == "float16" and values.size > 0 and np.abs(values).max() > np.finfo(np.float16).max:
        raise ValueError(f"{name} holds {np.abs(values).max():g}, more than 16 bits can: export with fp32")
    return values.astype(dtype)


def file_entry(path):
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return {"path": path.name, "sha256": digest.hexdigest(), "bytes": path.stat().st_size}


