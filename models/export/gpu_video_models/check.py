"""The written file, run by ONNX Runtime, against the torch module that it came from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

from .errors import ExportError

BATCHES = (1, 5)
_MOST = 0.99


@dataclass(frozen=True)
class Tolerance:
    """
    Differences allowed in the entries `rows` of the output's second axis: on average, in ninety-nine of a hundred values, at all.
    """

    what: str
    rows: slice
    mean: float
    most: float = math.inf
    largest: float = math.inf


@dataclass(frozen=True)
class Difference:
    batch: int
    what: str
    mean: float
    most: float
    largest: float


@dataclass(frozen=True)
class Reference:
    """torch's outputs for each checked batch size, and the largest value that any layer gave for them."""

    outputs: dict[int, np.ndarray]
    largest_value: float
    largest_in: str


def reference_outputs(model: nn.Module, sample: Tensor) -> Reference:
    largest = {"": 0.0}
    hooks = [
        module.register_forward_hook(
            lambda _, __, output, name=name: largest.__setitem__(name, float(output.detach().abs().max()))
        )
        for name, module in model.named_modules()
        if not list(module.children()) and not isinstance(module, nn.Identity)
    ]
    try:
        with torch.no_grad():
            outputs = {batch: model.eval()(sample[:batch]).numpy() for batch in BATCHES}
    finally:
        for hook in hooks:
            hook.remove()
    name = max(largest, key=lambda key: largest[key])
    return Reference(outputs, largest[name], name)


def check_file(path: Path, sample: Tensor, reference: Reference, tolerances: tuple[Tolerance, ...]) -> list[Difference]:
    """The differences found; raises ExportError where one is above its tolerance or a value is not finite."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    differences: list[Difference] = []
    for batch, expected in reference.outputs.items():
        (found,) = session.run(None, {name: sample[:batch].numpy()})
        if found.shape != expected.shape:
            raise ExportError(f"{path.name} at batch {batch}: shape {found.shape}, torch gives {expected.shape}")
        for tolerance in tolerances:
            difference = _compare(found[:, tolerance.rows], expected[:, tolerance.rows], batch, tolerance.what)
            differences.append(difference)
            for measure in ("mean", "most", "largest"):
                found_value, limit = getattr(difference, measure), getattr(tolerance, measure)
                # NaN is within nothing.
                if not found_value <= limit:
                    raise ExportError(
                        f"{path.name} at batch {batch}: {tolerance.what} differs from torch by {difference.mean:.3g} on average, "
                        f"{difference.most:.3g} in 99 of 100 values and {difference.largest:.3g} at most; allowed are "
                        f"{tolerance.mean:g}, {tolerance.most:g} and {tolerance.largest:g}"
                    )
    return differences


def _compare(found: np.ndarray, expected: np.ndarray, batch: int, what: str) -> Difference:
    gap = np.abs(found.astype(np.float64) - expected)
    return Difference(batch, what, float(gap.mean()), float(np.quantile(gap, _MOST)), float(gap.max()))
