"""The safetensors format: 8 bytes of header length, a JSON header with type, shape and place of each tensor, the data."""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path

import torch
from torch import Tensor

from ..errors import ExportError

DTYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "F64": torch.float64, "I64": torch.int64}
# More than any model's header; a file that says more is not one.
LARGEST_HEADER = 100_000_000


class SafetensorsFile:
    """One file; the header is checked at once, data is read when a tensor is asked for. Raises ExportError with file and tensor."""

    def __init__(self, path: Path) -> None:
        self.path = path
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(8)
            length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
            if not 2 <= length <= min(LARGEST_HEADER, size - 8):
                raise ExportError(f"{path} is no safetensors file: {size} bytes with a header of {length}")
            try:
                header = json.loads(file.read(length))
            except ValueError as error:
                raise ExportError(f"{path} is no safetensors file: its header is not JSON") from error
        self.start = 8 + length
        self.entries: dict[str, dict] = {name: entry for name, entry in header.items() if name != "__metadata__"}
        for name, entry in self.entries.items():
            self._check(name, entry, size - self.start)

    def _check(self, name: str, entry: dict, data_bytes: int) -> None:
        dtype = DTYPES.get(entry.get("dtype", ""))
        if dtype is None:
            raise ExportError(
                f"{self.path}: {name} has the type {entry.get('dtype')}, expected one of {', '.join(DTYPES)}"
            )
        begin, end = entry["data_offsets"]
        expected = math.prod(entry["shape"]) * torch.empty(0, dtype=dtype).element_size()
        if end - begin != expected:
            raise ExportError(
                f"{self.path}: {name} has {end - begin} bytes, its shape {entry['shape']} needs {expected}"
            )
        if not 0 <= begin <= end <= data_bytes:
            raise ExportError(f"{self.path} ends before {name}: the file is cut off, fetch it again")

    def read(self, name: str) -> Tensor:
        entry = self.entries[name]
        begin, end = entry["data_offsets"]
        with self.path.open("rb") as file:
            file.seek(self.start + begin)
            data = bytearray(file.read(end - begin))
        return (
            torch.frombuffer(data, dtype=DTYPES[entry["dtype"]]).reshape(entry["shape"])
            if data
            else torch.empty(entry["shape"])
        )


def write_safetensors(path: Path, tensors: dict[str, Tensor]) -> None:
    names = {dtype: name for name, dtype in DTYPES.items()}
    header: dict[str, dict] = {}
    offset = 0
    for name, tensor in tensors.items():
        size = tensor.numel() * tensor.element_size()
        header[name] = {
            "dtype": names[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [offset, offset + size],
        }
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors.values():
            # Bytes of any element type: numpy has no bfloat16.
            file.write(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
