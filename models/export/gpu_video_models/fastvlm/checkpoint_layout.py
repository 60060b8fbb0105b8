"""Writes random weights in the layout of the published checkpoint, so that reading one can be tried without the real one."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import Tensor

from . import tokenizer
from .graphs import GRAPHS
from .random_weights import fill_randomly
from .safetensors import write_safetensors
from .shapes import SHAPES, FastVlmShape
from .source import TABLES


def write_checkpoint(folder: Path, scale: str, seed: int, dtype: torch.dtype = torch.bfloat16) -> None:
    """A folder with config.json, two safetensors shards with their index, and the files of Qwen2's slow tokenizer."""
    shape = SHAPES[scale]
    folder.mkdir(parents=True, exist_ok=True)
    tensors: dict[str, Tensor] = {}
    for index, graph in enumerate(GRAPHS):
        module = fill_randomly(graph.make(shape), seed + index)
        tensors.update({name: value.to(dtype) for name, value in module.state_dict().items() if name not in TABLES})
    write_json(folder / "config.json", config(shape))
    write_shards(folder, tensors)
    write_slow_tokenizer(folder, shape, official_ids=scale == "full")


def config(shape: FastVlmShape) -> dict:
    text = shape.text
    return {
        "architectures": ["LlavaQwen2ForCausalLM"],
        "model_type": "llava_qwen2",
        "hidden_act": "silu",
        "hidden_size": text.hidden,
        "intermediate_size": text.intermediate,
        "num_hidden_layers": text.layers,
        "num_attention_heads": text.heads,
        "num_key_value_heads": text.kv_heads,
        "max_position_embeddings": text.max_positions,
        "rms_norm_eps": text.norm_eps,
        "rope_theta": text.rope_theta,
        "tie_word_embeddings": False,
        "use_sliding_window": False,
        "vocab_size": text.vocabulary,
        "mm_vision_tower": f"mobileclip_l_{shape.vision.image_size}",
        "mm_hidden_size": shape.vision.features,
        "mm_projector_type": "mlp2x_gelu",
        "mm_use_im_start_end": False,
        "image_aspect_ratio": "pad",
    }


def write_shards(folder: Path, tensors: dict[str, Tensor]) -> None:
    names = sorted(tensors)
    half = len(names) // 2
    shards = {"model-00001-of-00002.safetensors": names[:half], "model-00002-of-00002.safetensors": names[half:]}
    for file, own in shards.items():
        write_safetensors(folder / file, {name: tensors[name] for name in own})
    places = {name: file for file, own in shards.items() for name in own}
    write_json(folder / "model.safetensors.index.json", {"metadata": {}, "weight_map": places})


def write_slow_tokenizer(folder: Path, shape: FastVlmShape, official_ids: bool) -> None:
    whole, settings = tokenizer.made_tokenizer(shape.text.vocabulary, official_ids)
    added = {token["content"]: token["id"] for token in whole["added_tokens"] if token["content"] != "<image>"}
    write_json(folder / "vocab.json", whole["model"]["vocab"])
    merges = "".join(f"{left} {right}\n" for left, right in whole["model"]["merges"])
    (folder / "merges.txt").write_text(f"#version: 0.2\n{merges}", encoding="utf-8")
    write_json(folder / "added_tokens.json", added)
    write_json(folder / "tokenizer_config.json", {**settings, "added_tokens_decoder": {}})


def write_json(path: Path, value: dict) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
