"""What a stage of the pack hands to the export: the module to trace and what the manifest says of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from .check import Tolerance
from .onnx_file import Interface

Scale = str
Precision = str
PRECISIONS = ("fp32", "fp16")
IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}


@dataclass(frozen=True)
class LoadedStage:
    module: nn.Module
    interface: Interface
    """Fields of the stage's manifest entry beside the model, its origin and licence."""
    manifest: dict[str, Any]
    """As many rows as the largest checked batch."""
    sample: Tensor
    tolerances: dict[Precision, tuple[Tolerance, ...]]
    """Whether a graph node of this name computes in float32 in the fp16 pack too."""
    keep_single: Callable[[str], bool] = field(default=lambda name: False)


@dataclass(frozen=True)
class VisionStage:
    key: str
    """The stage's field in the manifest."""
    field: str
    file_name: str
    load: Callable[[Path, Scale], LoadedStage]
    """Writes a checkpoint with random weights in the published layout."""
    write_random: Callable[[Path, Scale, int], None]


def normalised(pictures: Tensor) -> Tensor:
    """Pictures 0..1 of one or two RGB images a row, with ImageNet's mean and deviation taken out."""
    repeats = pictures.shape[1] // 3
    mean = torch.tensor(IMAGENET["mean"] * repeats)[:, None, None]
    return (pictures - mean) / torch.tensor(IMAGENET["std"] * repeats)[:, None, None]
