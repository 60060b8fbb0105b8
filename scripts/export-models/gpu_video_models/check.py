"""The written file, run by ONNX Runtime, against the torch module that it came from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

from .errors import ExportError

BATCHES = (1, 5)


@dataclass(frozen=True)
class Tolerance:
    """Differences allowed in the entries `rows` of the output's second axis: the largest one and the mean."""

    what: str
    rows: slice
    largest: float
    mean: float


@dataclass(frozen=True)
class Difference:
    batch: int
    what: str
    largest: float
    mean: float


def reference_outputs(model: nn.Module, pictures: Tensor) -> dict[int, np.ndarray]:
    """torch's outputs for each checked batch size."""
    with torch.no_grad():
        return {batch: model.eval()(pictures[:batch]).numpy() for batch in BATCHES}


def check_file(
    path: Path, pictures: Tensor, reference: dict[int, np.ndarray], tolerances: tuple[Tolerance, ...]
) -> list[Difference]:
    """The differences found; raises ExportError where one is above its tolerance or a value is not finite."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    differences: list[Difference] = []
    for batch, expected in reference.items():
        (found,) = session.run(None, {name: pictures[:batch].numpy()})
        if found.shape != expected.shape:
            raise ExportError(f"{path.name} at batch {batch}: shape {found.shape}, torch gives {expected.shape}")
        for tolerance in tolerances:
            gap = np.abs(found[:, tolerance.rows].astype(np.float64) - expected[:, tolerance.rows])
            if not np.isfinite(gap).all():
                raise ExportError(f"{path.name} at batch {batch}: {tolerance.what} has values that are not finite")
            difference = Difference(batch, tolerance.what, float(gap.max()), float(gap.mean()))
            if difference.largest > tolerance.largest or difference.mean > tolerance.mean:
                raise ExportError(
                    f"{path.name} at batch {batch}: {tolerance.what} differs from torch by {difference.largest:.3g} at "
                    f"most and {difference.mean:.3g} on average, allowed are {tolerance.largest:g} and {tolerance.mean:g}"
                )
            differences.append(difference)
    return differences
