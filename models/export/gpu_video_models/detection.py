"""Stage `detection`: YOLOv8x trained on persons and faces, from Ultralytics' checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .check import BATCHES, Tolerance
from .checkpoint import StandIn, load_strictly, module_state, read_checkpoint
from .errors import ExportError
from .folding import fold_batch_norms
from .official_layout import save_whole_model
from .onnx_file import Interface
from .random_weights import noise_pictures, randomise, settle_batch_norms
from .stage import LoadedStage, VisionStage
from .yolov8 import (
    FULL,
    TINY,
    BinsToDistance,
    Bottleneck,
    ConvBlock,
    DetectHead,
    Detector,
    DetectorExport,
    Join,
    PyramidPooling,
    SplitStage,
)

_SHAPES = {"full": FULL, "tiny": TINY}
_WANTED = ("person", "face")
# Where the classes live in the release that the checkpoint was saved with.
_PUBLISHED_CLASSES = {
    Detector: "ultralytics.nn.tasks.DetectionModel",
    ConvBlock: "ultralytics.nn.modules.conv.Conv",
    Join: "ultralytics.nn.modules.conv.Concat",
    Bottleneck: "ultralytics.nn.modules.block.Bottleneck",
    SplitStage: "ultralytics.nn.modules.block.C2f",
    PyramidPooling: "ultralytics.nn.modules.block.SPPF",
    BinsToDistance: "ultralytics.nn.modules.block.DFL",
    DetectHead: "ultralytics.nn.modules.head.Detect",
}


def load(path: Path, scale: str) -> LoadedStage:
    shape = _SHAPES[scale]
    model = _pickled_model(path)
    classes = _class_names(model, path)
    strides = _strides(model, path)
    network = Detector(shape, len(classes))
    load_strictly(network, module_state(model), path)
    exported = DetectorExport(network, shape, strides)
    fold_batch_norms(exported)
    size = shape.input_size
    anchors = sum((size // stride) ** 2 for stride in strides)
    return LoadedStage(
        module=exported,
        interface=Interface("images", (3, size, size), "output0", (4 + len(classes), anchors)),
        manifest={
            "adapter": "yolov8",
            "classes": classes,
            "letterboxFill": 114,
            "confidence": 0.4,
            "iou": 0.7,
            "maxDetections": 300,
        },
        sample=noise_pictures(max(BATCHES), 3, size, size, seed=11),
        tolerances={
            "fp32": (
                Tolerance("boxes (pixels)", slice(0, 4), mean=0.01, largest=0.5),
                Tolerance("scores", slice(4, None), mean=1e-4, largest=1e-3),
            ),
            # Single boxes may move by whole bins where two of them are equally likely.
            "fp16": (
                Tolerance("boxes (pixels)", slice(0, 4), mean=0.5, most=8),
                Tolerance("scores", slice(4, None), mean=0.003, most=0.05),
            ),
        },
        # Above 512 pixels fp16 knows every other half pixel only.
        keep_single=lambda name: name.startswith("/decode/"),
    )


def _pickled_model(path: Path) -> StandIn:
    checkpoint = read_checkpoint(path)
    found = (checkpoint.get("ema") or checkpoint.get("model")) if isinstance(checkpoint, dict) else None
    if not isinstance(found, StandIn) or not found.attribute("_modules"):
        raise ExportError(f"{path}: no model under `ema` or `model`; expected a detector's checkpoint from Ultralytics")
    return found


def _class_names(model: StandIn, path: Path) -> list[str]:
    names: Any = model.attribute("names")
    if isinstance(names, list):
        names = dict(enumerate(names))
    if not isinstance(names, dict) or sorted(names) != list(range(len(names))):
        raise ExportError(f"{path}: the checkpoint names no classes (names = {names!r})")
    ordered = [str(names[i]) for i in range(len(names))]
    if sorted(ordered) != sorted(_WANTED):
        raise ExportError(
            f"{path}: its classes are {', '.join(ordered[:5]) or 'none'}{', ...' if len(ordered) > 5 else ''}; expected "
            "person and face: this is another detector than yolov8x_person_face.pt"
        )
    return ordered


def _strides(model: StandIn, path: Path) -> tuple[int, ...]:
    stride = model.attribute("stride")
    if not isinstance(stride, Tensor) or stride.numel() != 3:
        raise ExportError(f"{path}: no stride for each of the three scales in the checkpoint")
    strides = tuple(int(value) for value in stride.float().tolist())
    if any(value <= 0 or value > 128 for value in strides):
        raise ExportError(f"{path}: strides {strides} are not those of a detector")
    return strides


def write_random(path: Path, scale: str, seed: int) -> None:
    shape = _SHAPES[scale]
    network = Detector(shape, len(_WANTED))
    randomise(network, seed)
    pictures = noise_pictures(2, 3, shape.input_size, shape.input_size, seed)
    settle_batch_norms(network, pictures)
    _spread_scores(network, pictures)
    attributes = {
        "names": dict(enumerate(_WANTED)),
        "nc": len(_WANTED),
        "stride": torch.tensor([8.0, 16.0, 32.0]),
        "yaml": {"nc": len(_WANTED)},
        "task": "detect",
    }
    save_whole_model(network, _PUBLISHED_CLASSES, attributes, path)


def _spread_scores(network: Detector, pictures: Tensor) -> None:
    """Scores as a trained detector has them: nearly everywhere near zero, at about one anchor of a hundred above 0.4."""
    head = network.model[22]
    assert isinstance(head, DetectHead)
    with torch.no_grad():
        logits = network(pictures)[:, -head.nc :]
        for branch in head.cv3:
            last = branch[-1]
            assert isinstance(last, torch.nn.Conv2d) and last.bias is not None
            for label in range(head.nc):
                factor = 1.2 / float(logits[:, label].std())
                last.weight[label] *= factor
                last.bias[label] = float(last.bias[label]) * factor - float(logits[:, label].mean()) * factor - 3.2


STAGE = VisionStage("detection", "detection", "detector.onnx", load, write_random)
