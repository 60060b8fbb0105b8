"""The published stage-2 checkpoint, a LLaVA-style folder: config.json, safetensors files, Qwen2's tokenizer."""

from __future__ import annotations

import dataclasses
import json
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import ExportError
from .safetensors import SafetensorsFile
from .shapes import FastVlmShape

# Tensors that the export has no use for: the contrastive head, counters of the training, tables that are computed here.
UNUSED_ENDINGS = (".head.proj", ".num_batches_tracked", ".rotary_emb.inv_freq")
TABLES = ("rope_cos", "rope_sin")
WANTED_FILES = (".json", ".txt", ".safetensors")


@contextmanager
def unpacked(source: Path, scratch: Path) -> Iterator[Path]:
    """The checkpoint's folder; a zip is unpacked below `scratch` for as long as it is read."""
    if source.is_dir():
        yield folder_with_config(source)
        return
    if not zipfile.is_zipfile(source):
        raise ExportError(f"{source} is neither a folder nor a zip file: expected the FastVLM stage-2 checkpoint")
    with TemporaryDirectory(dir=scratch, prefix=".fastvlm-") as folder, zipfile.ZipFile(source) as archive:
        for entry in archive.infolist():
            parts = Path(entry.filename).parts
            if entry.is_dir() or "__MACOSX" in parts or not entry.filename.endswith(WANTED_FILES):
                continue
            # The archive's own folders say nothing that is needed, and a path of its choice is not followed.
            target = Path(folder) / parts[-1]
            if target.exists():
                raise ExportError(f"{source} holds several files named {parts[-1]}: unpack it and name the folder")
            with archive.open(entry) as data, target.open("wb") as file:
                shutil.copyfileobj(data, file, 1 << 20)
        yield folder_with_config(Path(folder))


def folder_with_config(folder: Path) -> Path:
    found = [folder] if (folder / "config.json").is_file() else sorted(p.parent for p in folder.glob("*/config.json"))
    if len(found) != 1:
        raise ExportError(
            f"{folder} has {len(found)} folders with a config.json, expected the one of the stage-2 checkpoint"
        )
    return found[0]


class Checkpoint:
    """Reads tensors by name and says, at the end, what nobody asked for."""

    def __init__(self, folder: Path, scale_shape: FastVlmShape) -> None:
        self.folder = folder
        self.notes: list[str] = []
        self.config = read_json(folder / "config.json")
        self.files: dict[str, SafetensorsFile] = {}
        paths = sorted(folder.glob("*.safetensors"))
        if not paths:
            raise ExportError(f"{folder} has no .safetensors file")
        for path in paths:
            file = SafetensorsFile(path)
            self.files.update(dict.fromkeys(file.entries, file))
        self._check_index()
        self.shape = self._checked_shape(scale_shape)
        self.left = set(self.files)

    def _check_index(self) -> None:
        index = self.folder / "model.safetensors.index.json"
        if not index.is_file():
            return
        places = read_json(index).get("weight_map", {})
        missing = sorted(name for name in places if name not in self.files)
        if missing:
            found = (
                f"{len(missing)} tensors are in no file, such as {missing[0]}, which belongs to {places[missing[0]]}"
            )
            raise ExportError(f"{self.folder} is not whole: {found}")

    def _checked_shape(self, wanted: FastVlmShape) -> FastVlmShape:
        """The sizes that the checkpoint has; raises where it is of another architecture."""
        text, vision = wanted.text, wanted.vision
        expected = {
            "model_type": "llava_qwen2",
            "hidden_size": text.hidden,
            "num_hidden_layers": text.layers,
            "num_attention_heads": text.heads,
            "num_key_value_heads": text.kv_heads,
            "intermediate_size": text.intermediate,
            "hidden_act": "silu",
            "rms_norm_eps": text.norm_eps,
            "rope_theta": text.rope_theta,
            "mm_projector_type": "mlp2x_gelu",
        }
        # Fields that older files leave out; where they stand they must not change what the graphs compute.
        optional = {
            "mm_hidden_size": vision.features,
            "mm_use_im_start_end": False,
            "use_sliding_window": False,
            "rope_scaling": None,
        }
        problems = [
            f"{name} is {self.config.get(name)!r}, expected {value!r}"
            for name, value in {**expected, **{k: v for k, v in optional.items() if k in self.config}}.items()
            if self.config.get(name) != value
        ]
        tower = str(self.config.get("mm_vision_tower", ""))
        size = tower.rsplit("_", 1)[-1]
        if not (tower.startswith("mobileclip_l_") and size.isdigit() and int(size) % 64 == 0 and int(size) > 0):
            problems.append(f"mm_vision_tower is {tower!r}, expected mobileclip_l_ and a multiple of 64")
        if problems:
            raise ExportError(f"{self.folder / 'config.json'} is not FastVLM 0.5B's: {'; '.join(problems)}")
        rows = self.tensor_shape("model.embed_tokens.weight")[0]
        self._note_config(rows)
        positions = min(int(self.config.get("max_position_embeddings", text.max_positions)), text.max_positions)
        return FastVlmShape(
            vision=dataclasses.replace(vision, image_size=int(size), unused_head=0),
            text=dataclasses.replace(text, vocabulary=rows, max_positions=positions),
        )

    def _note_config(self, rows: int) -> None:
        """What the configuration says and the weights or this worker do otherwise."""
        aspect = self.config.get("image_aspect_ratio")
        if aspect != "pad":
            said = f"config.json has image_aspect_ratio {aspect!r}"
            self.notes.append(f"{said}; the worker pads pictures to a square ('pad')")
        if self.config.get("vocab_size") != rows:
            self.notes.append(
                f"config.json has vocab_size {self.config.get('vocab_size')}; the embeddings have {rows} rows"
            )
        tied = "lm_head.weight" not in self.files
        if bool(self.config.get("tie_word_embeddings", False)) != tied:
            found = "no lm_head.weight: the embeddings are used" if tied else "its own lm_head.weight, which is used"
            said = self.config.get("tie_word_embeddings")
            self.notes.append(f"config.json has tie_word_embeddings {said}; the checkpoint has {found}")

    def tensor_shape(self, name: str) -> list[int]:
        if name not in self.files:
            raise ExportError(f"{self.folder} has no tensor {name}: it is not the FastVLM checkpoint")
        return list(self.files[name].entries[name]["shape"])

    @torch.no_grad()
    def fill(self, module: nn.Module) -> nn.Module:
        """Every weight of the module from the checkpoint, in 32 bits; raises with names, shapes and values that do not fit."""
        problems: list[str] = []
        for name, target in module.state_dict().items():
            if name in TABLES or name.endswith(UNUSED_ENDINGS):
                continue
            # Tied embeddings are stored once; the configuration's word on it has been wrong, the file's names have not.
            stored = "model.embed_tokens.weight" if name == "lm_head.weight" and name not in self.files else name
            if stored not in self.files:
                problems.append(f"{stored} is missing")
            elif self.tensor_shape(stored) != list(target.shape):
                problems.append(f"{stored} is {self.tensor_shape(stored)}, expected {list(target.shape)}")
            else:
                self._copy(stored, target, problems)
        if problems:
            more = f" and {len(problems) - 3} more" if len(problems) > 3 else ""
            raise ExportError(f"{self.folder} does not fit the architecture: {'; '.join(problems[:3])}{more}")
        return module.requires_grad_(False).eval()

    def _copy(self, name: str, target: Tensor, problems: list[str]) -> None:
        values = self.files[name].read(name)
        if not bool(torch.isfinite(values).all()):
            problems.append(f"{name} has values that are not finite")
        target.copy_(values)
        self.left.discard(name)

    def assert_used(self) -> None:
        """Raises where the checkpoint has weights that no graph took: an architecture that is almost this one."""
        left = sorted(name for name in self.left if not name.endswith(UNUSED_ENDINGS))
        if left:
            raise ExportError(
                f"{self.folder} has {len(left)} weights that FastVLM 0.5B does not have, such as {left[0]}"
            )


def read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ExportError(f"{path} cannot be read as JSON: {error}") from error
