"""`manifest.json` of a pack, format 1; its schema is src/packs/pack-manifest.ts."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import onnx
from onnx import TensorProto

_DTYPES = {
    TensorProto.FLOAT: "float32",
    TensorProto.FLOAT16: "float16",
    TensorProto.UINT8: "uint8",
    TensorProto.INT64: "int64",
}


def sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def describe_file(root: Path, name: str) -> dict[str, Any]:
    path = root / name
    return {"path": name, "sha256": sha256_of(path), "bytes": path.stat().st_size}


def describe_model(root: Path, name: str, external: tuple[str, ...] = ()) -> dict[str, Any]:
    """What the manifest says of a graph, read from the file itself; `external` names its weight files."""
    model = onnx.load_model(str(root / name), load_external_data=False)
    opset = next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
    weights = {tensor.name for tensor in model.graph.initializer}
    described: dict[str, Any] = {"file": describe_file(root, name)}
    if external:
        described["externalData"] = [describe_file(root, file) for file in external]
    described["opset"] = opset
    described["inputs"] = [_tensor(value) for value in model.graph.input if value.name not in weights]
    described["outputs"] = [_tensor(value) for value in model.graph.output]
    return described


def _tensor(value: onnx.ValueInfoProto) -> dict[str, Any]:
    kind = value.type.tensor_type
    shape = [dim.dim_value if dim.HasField("dim_value") else dim.dim_param for dim in kind.shape.dim]
    return {"name": value.name, "dtype": _DTYPES[kind.elem_type], "shape": shape}


def write_manifest(root: Path, manifest: dict[str, Any]) -> Path:
    path = root / "manifest.json"
    path.write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path
