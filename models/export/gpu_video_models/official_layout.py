"""Writes random weights the way the published checkpoints are written, so that an export without them takes the same road."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn


@contextmanager
def _foreign_classes(names: dict[type, str]) -> Iterator[dict[type, type]]:
    """Empty classes at the given import paths for as long as something is pickled; torch.save stores paths, not code."""
    made: dict[type, type] = {}
    modules: dict[str, types.ModuleType] = {}
    for own, path in names.items():
        module_name, class_name = path.rsplit(".", 1)
        parts = module_name.split(".")
        for depth in range(1, len(parts) + 1):
            modules.setdefault(".".join(parts[:depth]), types.ModuleType(".".join(parts[:depth])))
        foreign = type(class_name, (nn.Module,), {"__module__": module_name})
        setattr(modules[module_name], class_name, foreign)
        made[own] = foreign
    before = {name: sys.modules.get(name) for name in modules}
    sys.modules.update(modules)
    try:
        yield made
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


def _as_foreign(module: nn.Module, classes: dict[type, type]) -> nn.Module:
    twin = classes.get(type(module), type(module))
    copy = nn.Module.__new__(twin)
    copy.__dict__.update(module.__dict__)
    copy.__dict__["_modules"] = type(module._modules)(
        (name, _as_foreign(child, classes) if child is not None else None) for name, child in module._modules.items()
    )
    return copy


def save_whole_model(
    model: nn.Module, classes: dict[type, str], attributes: dict[str, Any], path: Path, half: bool = True
) -> None:
    """A checkpoint that pickles the module itself under foreign class names, as Ultralytics does, in fp16."""
    with _foreign_classes(classes) as foreign:
        twin = _as_foreign(model, foreign)
        twin.__dict__.update(attributes)
        value = {
            "epoch": -1,
            "best_fitness": None,
            "model": twin.half() if half else twin,
            "ema": None,
            "updates": None,
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save(value, str(path))


def save_dict(value: dict[str, Any], path: Path, older_format: bool = False) -> None:
    """A checkpoint of plain values and tensors; `older_format` is what torch wrote before 1.6."""
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(value, str(path), _use_new_zipfile_serialization=not older_format)
