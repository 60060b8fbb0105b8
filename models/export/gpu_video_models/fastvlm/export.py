"""Weights -> three checked ONNX files, the tokenizer's files and their manifest entries."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..errors import ExportError
from ..manifest import describe_file
from ..onnx_file import OPSET
from . import half, prompts, tokenizer
from .check import CHECKS, TOLERANCE
from .graphs import GRAPHS, LanguageGraph
from .half_range import HalfRange
from .onnx_graph import save, trace, weight_arrays
from .random_weights import fill_randomly
from .shapes import SHAPES, FastVlmShape
from .source import Checkpoint, unpacked
from .vision_tower import VisionEncoder, fold_norms

Fill = Callable[[nn.Module, LanguageGraph], nn.Module]

CHECKPOINT_ORIGIN = "FastVLM 0.5B, stage 2 (llava-fastvithd_0.5b_stage2), (c) Apple Inc., exported to ONNX"
CHECKPOINT_LICENCE = (
    "Apple Machine Learning Research Model Licence (apple-amlr): research only, also for what is made from it"
)


def export(out_dir: Path, *, precision: str, scale: str, source: Path | None, seed: int) -> dict[str, Any]:
    """See `export_parts`."""
    if precision not in TOLERANCE:
        raise ExportError(f"the precision is {precision!r}, expected one of {', '.join(TOLERANCE)}")
    if scale not in SHAPES:
        raise ExportError(f"the scale is {scale!r}, expected one of {', '.join(SHAPES)}")
    out_dir.mkdir(parents=True, exist_ok=True)
    if source is None:
        return export_random(out_dir, precision, scale, seed)
    with unpacked(source, out_dir) as folder:
        return export_checkpoint(out_dir, precision, folder, SHAPES[scale], seed)


def export_random(out_dir: Path, precision: str, scale: str, seed: int) -> dict[str, Any]:
    shape = SHAPES[scale]

    def fill(module: nn.Module, graph: LanguageGraph) -> nn.Module:
        return fill_randomly(module, seed + GRAPHS.index(graph))

    entries, differences = export_graphs(out_dir, precision, shape, fill, seed)
    words = tokenizer.made_tokenizer(shape.text.vocabulary, official_ids=scale == "full")
    # The published vocabulary is part of the checkpoint and cannot be had without it.
    origin = f"the FastVLM 0.5B architecture ({scale}) with random weights (seed {seed}) and a made-up vocabulary"
    source = {"origin": origin, "licence": "random numbers, no licence"}
    return parts(out_dir, shape, {**source, **entries}, words, {"differences": differences, "notes": []})


def export_checkpoint(out_dir: Path, precision: str, folder: Path, wanted: FastVlmShape, seed: int) -> dict[str, Any]:
    checkpoint = Checkpoint(folder, wanted)
    words = tokenizer.read_tokenizer(folder, checkpoint.shape.text.vocabulary)

    def fill(module: nn.Module, graph: LanguageGraph) -> nn.Module:
        filled = checkpoint.fill(module)
        if graph is GRAPHS[-1]:
            checkpoint.assert_used()
        return filled

    entries, differences = export_graphs(out_dir, precision, checkpoint.shape, fill, seed)
    origin = "; ".join([CHECKPOINT_ORIGIN, *checkpoint.notes])
    source = {"origin": origin, "licence": CHECKPOINT_LICENCE}
    report = {"differences": differences, "notes": checkpoint.notes}
    return parts(out_dir, checkpoint.shape, {**source, **entries}, words, report)


def export_graphs(
    out_dir: Path, precision: str, shape: FastVlmShape, fill: Fill, seed: int
) -> tuple[dict[str, Any], dict[str, dict[str, float]]]:
    """Manifest entries and largest differences of the three graphs. One model at a time: the full decoder alone is 2 GB."""
    entries: dict[str, Any] = {}
    differences: dict[str, dict[str, float]] = {}
    for graph in GRAPHS:
        started = time.monotonic()
        module = fill(graph.make(shape), graph)
        if isinstance(module, VisionEncoder):
            fold_norms(module)
        path = out_dir / graph.file_name
        entries[graph.field] = export_graph(module, graph, shape, path, precision)
        written = time.monotonic()
        with HalfRange(module, graph.wide) as values:
            try:
                differences[graph.field] = CHECKS[graph.field](path, module, shape, precision, seed)
            finally:
                # First, where both went wrong: it is the reason.
                if precision == "fp16":
                    values.assert_fits()
        del module
        gc.collect()
        say(graph, precision, (written - started, time.monotonic() - written), differences[graph.field], values)
    return entries, differences


def export_graph(
    module: nn.Module, graph: LanguageGraph, shape: FastVlmShape, path: Path, precision: str
) -> dict[str, Any]:
    """Writes the graph of a module; returns its manifest entry. In 16 bits the module's own weights are rounded as well."""
    model = trace(module, graph.example(shape), *graph.ports(shape, "float32"))
    inputs, outputs = graph.ports(shape, "float16" if precision == "fp16" else "float32")
    weights = weight_arrays(model, module)
    types: dict[str, str] = {}
    if precision == "fp16":
        keep = {port.name for port in (*inputs, *outputs) if port.dtype == "float32"}
        types = half.to_half(model, {weight.name: weight.shape for weight in weights}, graph.wide, keep)
    files = save(model, weights, types, path)
    round_weights(module, types)
    described = {"file": describe_file(path.parent, path.name)}
    if files[1:]:
        described["externalData"] = [describe_file(path.parent, name) for name in files[1:]]
    return {
        **described,
        "opset": OPSET,
        "inputs": [port.described() for port in inputs],
        "outputs": [port.described() for port in outputs],
    }


@torch.no_grad()
def round_weights(module: nn.Module, types: dict[str, str]) -> None:
    """Gives the module the weights that the 16-bit graph has, so that the check compares the arithmetic alone."""
    for name, value in module.state_dict().items():
        if "float16" in (types.get(name), types.get(f"{name}.transposed")):
            value.copy_(value.half().float())


def parts(
    out_dir: Path, shape: FastVlmShape, entries: dict[str, Any], words: tuple[dict, dict], report: dict[str, Any]
) -> dict[str, Any]:
    """Writes the tokenizer; returns the manifest's three entries and the report."""
    for name, content in zip(("tokenizer.json", "tokenizer_config.json"), words, strict=True):
        tokenizer.write_json(out_dir / name, content)
    ids = {token["content"]: token["id"] for token in words[0]["added_tokens"]}
    language = {
        "adapter": "fastvlm",
        **entries,
        "tokenizer": describe_file(out_dir, "tokenizer.json"),
        "tokenizerConfig": describe_file(out_dir, "tokenizer_config.json"),
        "imageSize": shape.vision.image_size,
        "imageTokens": shape.vision.tokens,
        "imageTokenId": ids["<image>"],
        "stopTokenIds": [ids["<|im_end|>"], ids["<|endoftext|>"]],
        "kv": {"layers": shape.text.layers, "heads": shape.text.kv_heads, "headSize": shape.text.head_size},
        "template": prompts.TEMPLATE,
        "system": prompts.SYSTEM,
    }
    return {"language": language, "action": prompts.action_entry(), "scene": prompts.scene_entry(), "report": report}


def say(
    graph: LanguageGraph, precision: str, seconds: tuple[float, float], differences: dict[str, float], values: HalfRange
) -> None:
    found = ", ".join(f"{what} within {value:.1e}" for what, value in differences.items())
    limit = f"; largest 16-bit value {values.largest:.3g} in {values.where}" if precision == "fp16" else ""
    timing = f"written in {seconds[0]:.1f} s, checked in {seconds[1]:.1f} s"
    print(f"{graph.field} {precision}: {found} of the range{limit} ({timing})", file=sys.stderr)
