"""Reads checkpoints of torch.save without running any of their code.

Such files are pickles: loading one the ordinary way calls whatever it names. Here only tensors and plain values are rebuilt;
every other class or function becomes an inert stand-in that keeps its arguments and attributes and does nothing.
"""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from .errors import ExportError

_DTYPES = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C


class StandIn:
    """An instance of a class that was not loaded: what the pickle said of it, as data."""

    pickled_class = ""

    def __new__(cls, *args: Any, **kwargs: Any) -> StandIn:
        made = object.__new__(cls)
        made.__dict__["items"] = OrderedDict()
        made.__dict__["entries"] = []
        made.__dict__["attributes"] = {}
        return made

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, dict):
            self.__dict__["attributes"].update(state)

    def __setitem__(self, key: Any, value: Any) -> None:
        self.__dict__["items"][key] = value

    def append(self, value: Any) -> None:
        self.__dict__["entries"].append(value)

    def extend(self, values: Any) -> None:
        self.__dict__["entries"].extend(values)

    def __call__(self, *args: Any, **kwargs: Any) -> StandIn:
        return self

    def attribute(self, name: str) -> Any:
        return self.__dict__["attributes"].get(name)


class _Storage:
    """The bytes of one storage; filled after the pickle in the older format."""

    def __init__(self, dtype: torch.dtype, count: int) -> None:
        self.dtype = dtype
        self.count = count
        self.flat = torch.empty(0, dtype=dtype)

    def fill(self, data: bytes) -> None:
        size = torch.empty(0, dtype=self.dtype).element_size()
        if len(data) != self.count * size:
            raise ExportError(f"a storage has {len(data)} bytes, expected {self.count * size}: the file is damaged")
        self.flat = torch.frombuffer(bytearray(data), dtype=self.dtype) if data else self.flat


class _LazyTensor:
    """A view of a storage whose bytes may not be there yet."""

    def __init__(self, storage: _Storage, offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> None:
        self.storage, self.offset, self.size, self.stride = storage, offset, size, stride

    def read(self) -> Tensor:
        if 0 in self.size:
            return torch.empty(self.size, dtype=self.storage.dtype)
        last = self.offset + sum((n - 1) * step for n, step in zip(self.size, self.stride, strict=False))
        if min((self.offset, *self.stride), default=0) < 0 or last >= self.storage.count:
            raise ExportError("a tensor reaches outside its storage: the file is damaged")
        return torch.as_strided(self.storage.flat, self.size, self.stride, self.offset).clone()


def _rebuild_tensor(storage: Any, offset: int, size: Any, stride: Any, *_: Any) -> _LazyTensor:
    if not isinstance(storage, _Storage):
        raise ExportError("a tensor without a storage: the file is damaged")
    return _LazyTensor(storage, int(offset), tuple(int(n) for n in size), tuple(int(n) for n in stride))


def _rebuild_parameter(data: Any, *_: Any) -> Any:
    return data


class _NumpyType(StandIn):
    """numpy.dtype: keeps the code of the element type for a scalar."""

    def __new__(cls, code: Any = "", *args: Any, **kwargs: Any) -> _NumpyType:
        made = super().__new__(cls)
        made.__dict__["code"] = code.decode() if isinstance(code, bytes) else str(code)
        return made  # type: ignore[return-value]


def _numpy_scalar(dtype: Any, data: Any = b"") -> Any:
    formats = {"f8": "d", "f4": "f", "f2": "e", "i8": "q", "i4": "i", "i2": "h", "u1": "B", "b1": "?"}
    code = formats.get(dtype.__dict__.get("code", "").lstrip("<=|")) if isinstance(dtype, _NumpyType) else None
    raw = data.encode("latin1") if isinstance(data, str) else data
    if code is None or not isinstance(raw, bytes) or len(raw) != struct.calcsize(code):
        return StandIn()
    return struct.unpack(f"<{code}", raw)[0]


def _encode(text: Any, encoding: Any = "latin1", *_: Any) -> bytes:
    """How Python 2 pickles bytes; no other codec is wanted."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise ExportError("a pickle that encodes text in an unexpected way: refused")
    return text.encode("latin1")


def _plain_new(cls: Any, *_: Any) -> Any:
    """copyreg's constructor, for stand-ins only: a real class is never made here."""
    if isinstance(cls, type) and issubclass(cls, StandIn):
        return cls()
    return StandIn()


def _size(values: Any = ()) -> tuple[int, ...]:
    return tuple(values)


_KNOWN: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("builtins", "set"): set,
    ("__builtin__", "set"): set,
    ("torch._utils", "_rebuild_tensor"): _rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
    ("torch._utils", "_rebuild_parameter_with_state"): _rebuild_parameter,
    ("torch", "Size"): _size,
    ("_codecs", "encode"): _encode,
    ("copyreg", "_reconstructor"): _plain_new,
    ("copy_reg", "_reconstructor"): _plain_new,
    ("numpy", "dtype"): _NumpyType,
    ("numpy.core.multiarray", "scalar"): _numpy_scalar,
    ("numpy._core.multiarray", "scalar"): _numpy_scalar,
}


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: BinaryIO, storage: Callable[[tuple[Any, ...]], _Storage]) -> None:
        super().__init__(file, encoding="latin1")
        self._storage = storage

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _KNOWN:
            return _KNOWN[module, name]
        if module == "torch" and name in _DTYPES:
            return _DTYPES[name]
        return type(str(name), (StandIn,), {"pickled_class": f"{module}.{name}"})

    def persistent_load(self, pid: Any) -> Any:
        if isinstance(pid, tuple) and len(pid) >= 5 and pid[0] == "storage" and isinstance(pid[1], torch.dtype):
            return self._storage(pid)
        if isinstance(pid, tuple) and len(pid) >= 2 and pid[0] == "module":
            return pid[1]
        raise ExportError(f"a storage of an unknown kind: {pid!r}")


def read_checkpoint(path: Path) -> Any:
    """The checkpoint's value: dicts, lists, numbers, text, tensors and stand-ins. Raises ExportError where it is no such file."""
    try:
        with path.open("rb") as file:
            return _resolve(_read_zip(file) if zipfile.is_zipfile(file) else _read_legacy(file), {})
    except ExportError as error:
        raise ExportError(f"{path}: {error}") from error
    except OSError as error:
        raise ExportError(f"{path} cannot be read: {error.strerror or error}") from error
    except Exception as error:  # a damaged pickle raises anything
        raise ExportError(
            f"{path} is not a whole checkpoint of torch.save ({type(error).__name__}: {error}); download it again"
        ) from error


def _read_zip(file: BinaryIO) -> Any:
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        entry = next((name for name in names if name.endswith("/data.pkl") or name == "data.pkl"), None)
        if entry is None or any(name.endswith("/constants.pkl") for name in names):
            raise ExportError("a zip file, but not one of torch.save")
        root = entry[: -len("data.pkl")]
        if f"{root}byteorder" in names and archive.read(f"{root}byteorder") != b"little":
            raise ExportError("written on a big-endian machine; such files are not read")
        storages: dict[str, _Storage] = {}

        def storage(pid: tuple[Any, ...]) -> _Storage:
            key = str(pid[2])
            if key not in storages:
                made = _Storage(pid[1], int(pid[4]))
                made.fill(archive.read(f"{root}data/{key}"))
                storages[key] = made
            return storages[key]

        return _Unpickler(io.BytesIO(archive.read(entry)), storage).load()


def _read_legacy(file: BinaryIO) -> Any:
    """The format before torch 1.6: four pickles, the list of storages, then their bytes one after another."""
    file.seek(0)
    storages: dict[str, _Storage] = {}

    def storage(pid: tuple[Any, ...]) -> _Storage:
        if len(pid) > 5 and pid[5] is not None:
            raise ExportError(
                "a storage that is a view of another one; save the checkpoint again with torch 1.6 or newer"
            )
        return storages.setdefault(str(pid[2]), _Storage(pid[1], int(pid[4])))

    def load() -> Any:
        return _Unpickler(file, storage).load()

    if load() != _LEGACY_MAGIC:
        raise ExportError("neither a zip file nor the older format of torch.save")
    load()
    system = load()
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise ExportError("written on a big-endian machine; such files are not read")
    value = load()
    for key in load():
        made = storages.get(str(key))
        if made is None:
            raise ExportError("bytes of a storage that nothing uses: the file is damaged")
        (count,) = struct.unpack("<q", file.read(8))
        if count != made.count:
            raise ExportError("a storage of another size than its tensors say: the file is damaged")
        made.fill(file.read(count * torch.empty(0, dtype=made.dtype).element_size()))
    return value


def _resolve(value: Any, done: dict[int, Any]) -> Any:
    """Tensors in place of their promises, throughout; modules refer to each other in circles, so each is entered once."""
    if isinstance(value, _LazyTensor):
        if id(value) not in done:
            done[id(value)] = value.read()
        return done[id(value)]
    if id(value) in done:
        return done[id(value)]
    if isinstance(value, tuple):
        return tuple(_resolve(entry, done) for entry in value)
    if isinstance(value, dict):
        done[id(value)] = value
        for key in list(value):
            value[key] = _resolve(value[key], done)
    elif isinstance(value, list):
        done[id(value)] = value
        value[:] = [_resolve(entry, done) for entry in value]
    elif isinstance(value, StandIn):
        done[id(value)] = value
        for part in value.__dict__.values():
            _resolve(part, done)
    return value


def module_state(module: StandIn, prefix: str = "") -> dict[str, Tensor]:
    """What `state_dict()` of the pickled module would have given."""
    state: dict[str, Tensor] = {}
    for group in ("_parameters", "_buffers"):
        for name, tensor in (module.attribute(group) or {}).items():
            if isinstance(tensor, Tensor):
                state[f"{prefix}{name}"] = tensor
    for name, child in (module.attribute("_modules") or {}).items():
        if isinstance(child, StandIn):
            state.update(module_state(child, f"{prefix}{name}."))
    return state


def state_dict_of(checkpoint: Any, path: Path) -> dict[str, Tensor]:
    """The tensors of a checkpoint that is a state dict or a dict with one under `state_dict`, without `module.` prefixes."""
    state = checkpoint.get("state_dict", checkpoint) if isinstance(checkpoint, dict) else None
    if not isinstance(state, dict):
        raise ExportError(f"{path}: no state_dict inside")
    tensors = {str(name): value for name, value in state.items() if isinstance(value, Tensor)}
    if tensors and all(name.startswith("module.") for name in tensors):
        tensors = {name[len("module.") :]: value for name, value in tensors.items()}
    return tensors


def load_strictly(model: torch.nn.Module, state: dict[str, Tensor], path: Path) -> None:
    """Every parameter from the checkpoint, none left over; raises with the names that are missing, unknown or of another shape."""
    wanted = model.state_dict()
    missing = [name for name in wanted if name not in state and not name.endswith("num_batches_tracked")]
    unknown = [name for name in state if name not in wanted]
    other = [
        f"{name} is {list(state[name].shape)}, expected {list(wanted[name].shape)}"
        for name in wanted
        if name in state and state[name].shape != wanted[name].shape
    ]
    lines = [_listing("missing", missing), _listing("unknown", unknown), _listing("of another shape", other)]
    problems = [line for line in lines if line]
    if problems:
        raise ExportError(f"{path} does not fit the architecture: {'; '.join(problems)}")
    not_finite = [
        name for name, value in state.items() if value.is_floating_point() and not bool(value.isfinite().all())
    ]
    if not_finite:
        raise ExportError(f"{path} has NaN or infinite weights: {_some(not_finite)}")
    model.load_state_dict({**wanted, **{name: _as(value, wanted[name]) for name, value in state.items()}})


def _as(value: Tensor, like: Tensor) -> Tensor:
    return value.to(like.dtype)


def _listing(what: str, names: list[str]) -> str:
    return f"{len(names)} {what} ({_some(names)})" if names else ""


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
