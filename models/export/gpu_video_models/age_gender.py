"""Stage `ageGender`: MiVOLO d1 for face and body, from its published checkpoint."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch

from .check import BATCHES, Tolerance
from .checkpoint import load_strictly, read_checkpoint, state_dict_of
from .errors import ExportError
from .folding import fold_batch_norms
from .mivolo import FULL, OUTPUTS, TINY, AgeGenderNetwork
from .official_layout import save_dict
from .onnx_file import Interface
from .random_weights import noise_pictures, randomise, settle_batch_norms
from .stage import IMAGENET, LoadedStage, VisionStage, normalised

_SHAPES = {"full": FULL, "tiny": TINY}
# Statistics of the training's feature smoothing: in some checkpoints, used by none when it reads a picture.
_TRAINING_ONLY = "fds."


def load(path: Path, scale: str) -> LoadedStage:
    shape = _SHAPES[scale]
    checkpoint = read_checkpoint(path)
    state = {
        name: tensor for name, tensor in state_dict_of(checkpoint, path).items() if not name.startswith(_TRAINING_ONLY)
    }
    ages = _ages(checkpoint, path)
    if "patch_embed.conv1.0.weight" not in state:
        raise ExportError(
            f"{path}: a model of faces alone; expected one of faces and bodies (model_imdb_cross_person_*)"
        )
    network = AgeGenderNetwork(shape)
    load_strictly(network, state, path)
    fold_batch_norms(network)
    size = shape.input_size
    pictures = noise_pictures(max(BATCHES), 6, size, size, seed=12)
    return LoadedStage(
        module=network,
        interface=Interface("input", (6, size, size), "output", (OUTPUTS,)),
        manifest={"adapter": "mivolo", **IMAGENET, **ages},
        sample=normalised(pictures),
        tolerances={
            "fp32": (Tolerance("logits and age", slice(None), mean=2e-4, largest=1e-3),),
            "fp16": (Tolerance("logits and age", slice(None), mean=0.02, largest=0.05),),
        },
    )


def _ages(checkpoint: Any, path: Path) -> dict[str, float]:
    if not isinstance(checkpoint, dict):
        raise ExportError(f"{path}: no dict inside; expected a checkpoint of MiVOLO")
    if bool(checkpoint.get("no_gender", False)):
        raise ExportError(f"{path}: a model of age alone; expected one of age and gender")
    ages = {}
    for field, key in (("minAge", "min_age"), ("maxAge", "max_age"), ("avgAge", "avg_age")):
        value = checkpoint.get(key)
        if isinstance(value, torch.Tensor) and value.numel() == 1:
            value = value.item()
        if not isinstance(value, (int, float)) or not math.isfinite(value):
            raise ExportError(f"{path}: {key} is {value!r}, expected a number; ages cannot be scaled without it")
        ages[field] = value
    if not ages["minAge"] < ages["avgAge"] < ages["maxAge"]:
        raise ExportError(f"{path}: ages {ages} are not in the order min, avg, max")
    return ages


def write_random(path: Path, scale: str, seed: int) -> None:
    shape = _SHAPES[scale]
    network = AgeGenderNetwork(shape)
    randomise(network, seed)
    generator = torch.Generator().manual_seed(seed)
    positions = network.patch_embed.map.pos_embed
    for tensor in (network.pos_embed, network.cls_token, positions.height_rel, positions.width_rel):
        tensor.data.normal_(0, 0.1, generator=generator)
    settle_batch_norms(network, normalised(noise_pictures(2, 6, shape.input_size, shape.input_size, seed)))
    for head in (network.head, network.aux_head):
        # Ages of a few dozen years around the average.
        head.weight.data[2] *= 0.1
        head.bias.data[2] = 0
    value = {
        "epoch": 1,
        "arch": "mivolo_d1_224",
        "state_dict": network.state_dict(),
        "min_age": 1,
        "max_age": 95,
        "avg_age": 48.0,
        "no_gender": False,
        "with_persons_model": True,
    }
    save_dict(value, path)


STAGE = VisionStage("age-gender", "ageGender", "age_gender.onnx", load, write_random)
