"""Stage `orientation`: MEBOW's HRNet-W32 with orientation head, from its published checkpoint."""

from __future__ import annotations

from pathlib import Path

import torch

from .check import BATCHES, Tolerance
from .checkpoint import load_strictly, read_checkpoint, state_dict_of
from .errors import ExportError
from .folding import fold_batch_norms
from .mebow import BINS, FULL, TINY, OrientationNetwork, without_heatmaps
from .official_layout import save_dict
from .onnx_file import Interface
from .random_weights import noise_pictures, randomise, settle_batch_norms
from .stage import IMAGENET, LoadedStage, VisionStage, normalised

_SHAPES = {"full": FULL, "tiny": TINY}
_HEAD = ("hoe_layer2.", "hoe_layer3.", "hoe_layer4.", "hoe_fc.")
_JOINTS = 17


def load(path: Path, scale: str) -> LoadedStage:
    shape = _SHAPES[scale]
    state = without_heatmaps(state_dict_of(read_checkpoint(path), path))
    missing = [part for part in _HEAD if not any(name.startswith(part) for name in state)]
    if missing:
        raise ExportError(
            f"{path}: no orientation head in it (nothing begins with {', '.join(missing)}). The pose network that MEBOW starts "
            "from looks like this; the trained one is model_hboe.pth"
        )
    network = OrientationNetwork(shape)
    load_strictly(network, state, path)
    fold_batch_norms(network)
    height, width = shape.height, shape.input_width
    return LoadedStage(
        module=network,
        interface=Interface("input", (3, height, width), "output", (BINS,)),
        manifest={"adapter": "mebow", "crop": "affine", "scale": 1.25, **IMAGENET, "bins": BINS},
        sample=normalised(noise_pictures(max(BATCHES), 3, height, width, seed=13)),
        tolerances={
            "fp32": (Tolerance("probabilities", slice(None), mean=1e-5, largest=1e-4),),
            "fp16": (Tolerance("probabilities", slice(None), mean=0.002, most=0.05),),
        },
    )


def write_random(path: Path, scale: str, seed: int) -> None:
    shape = _SHAPES[scale]
    network = OrientationNetwork(shape)
    randomise(network, seed)
    settle_batch_norms(network, normalised(noise_pictures(2, 3, shape.height, shape.input_width, seed)))
    # The pooled features differ little between bins otherwise, and the strongest one would hang on rounding.
    network.hoe_fc.weight.data *= 4
    heatmaps = {
        "final_layer.weight": torch.zeros(_JOINTS, shape.width, 1, 1),
        "final_layer.bias": torch.zeros(_JOINTS),
    }
    save_dict({**network.state_dict(), **heatmaps}, path, older_format=True)


STAGE = VisionStage("orientation", "orientation", "orientation.onnx", load, write_random)
