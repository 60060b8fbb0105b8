"""Weights -> three checked ONNX files, the tokenizer's files and their manifest entries."""

import gc
from pathlib import Path

import torch

from . import check, graphs, half, prompts, tokenizer
from .onnx_graph import OPSET, file_entry, save, trace, weight_arrays
from .qwen2 import Decoder, EmbedTokens
from .random_weights import fill_randomly
from .shapes import SHAPES
from .vision_tower import VisionEncoder, fold_norms

# Every node of the decoder's normalisations, by the module in its name.
NORM_ISLANDS = r"norm/"


def export_graph(module, example, ports, path, precision, islands=None):
    """Writes the graph of a module; returns its manifest entry. In 16 bits the module's own weights are rounded as well."""
    inputs, outputs = ports
    model = trace(module, example, inputs, outputs)
    weights = weight_arrays(model, module)
    types = {}
    if precision == "fp16":
        keep = {port.name for port in (*inputs, *outputs) if port.dtype == "float32"}
        shapes = {name: shape for name, (_, shape) in weights.items()}
        types = half.to_half(model, shapes, islands, keep)
        round_weights(module, types)
    files = save(model, weights, types, path)
    return {
        **files,
        "opset": OPSET,
        "inputs": [port.described() for port in inputs],
        "outputs": [port.described() for port in outputs],
    }


@torch.no_grad()
def round_weights(module, types):
    """Gives the module the weights that the 16-bit graph has, so that the check compares the arithmetic alone."""
    for name, value in module.state_dict().items():
        if "float16" in (types.get(name), types.get(f"{name}.transposed")):
            value.copy_(value.half().float())


def export_random(out_dir, precision, scale, seed):
    shape = SHAPES[scale]
    dtype = "float16" if precision == "fp16" else "float32"
    jobs = (
        (
            "visionEncoder",
            "vision_encoder.onnx",
            lambda: fold_norms(fill_randomly(VisionEncoder(shape.vision, shape.text.hidden), seed)),
            (graphs.vision_example(shape), graphs.vision_ports(shape), None),
            check.check_vision,
        ),
        (
            "embedTokens",
            "embed_tokens.onnx",
            lambda: fill_randomly(EmbedTokens(shape.text), seed + 1),
            (graphs.embed_example(shape), graphs.embed_ports(shape), None),
            check.check_embed,
        ),
        (
            "decoder",
            "decoder_model_merged.onnx",
            lambda: fill_randomly(Decoder(shape.text), seed + 2),
            (graphs.decoder_example(shape), graphs.decoder_ports(shape, dtype), NORM_ISLANDS),
            check.check_decoder,
        ),
    )
    entries, differences = {}, {}
    for field, name, make, (example, ports, islands), checked in jobs:
        module = make()
        path = Path(out_dir) / name
        entries[field] = export_graph(module, example, ports, path, precision, islands)
        differences[field] = checked(path, module, shape, precision, seed)
        # One model at a time: the full decoder alone is 2 GB.
        del module
        gc.collect()
    return shape, entries, differences


def export(out_dir, *, precision, scale, source, seed):
    """See `export_parts`."""
    if precision not in check.TOLERANCE:
        raise ValueError(f"precision is {precision!r}, expected one of {sorted(check.TOLERANCE)}")
    if scale not in SHAPES:
        raise ValueError(f"scale is {scale!r}, expected one of {sorted(SHAPES)}")
    if source is not None:
        raise ValueError("reading the published checkpoint is not written yet")
    out_dir = Path(out_dir)
    out_dir.mkdir(parents=True, exist_ok=True)
    shape, entries, differences = export_random(out_dir, precision, scale, seed)
    vocabulary, config = tokenizer.made_tokenizer(shape.text.vocabulary, official_ids=scale == "full")
    files = {"tokenizer": "tokenizer.json", "tokenizerConfig": "tokenizer_config.json"}
    tokenizer.write_json(out_dir / files["tokenizer"], vocabulary)
    tokenizer.write_json(out_dir / files["tokenizerConfig"], config)
    ids = {token["content"]: token["id"] for token in vocabulary["added_tokens"]}
    language = {
        "adapter": "fastvlm",
        "origin": f"the FastVLM 0.5B architecture ({scale}) with random weights, seed {seed}; its words are made up as well",
        "licence": "random numbers: none",
        **entries,
        **{field: file_entry(out_dir / name) for field, name in files.items()},
        "imageSize": shape.vision.image_size,
        "imageTokens": shape.vision.tokens,
        "imageTokenId": ids["<image>"],
        "stopTokenIds": [ids["<|im_end|>"], ids["<|endoftext|>"]],
        "kv": {"layers": shape.text.layers, "heads": shape.text.kv_heads, "headSize": shape.text.head_size},
        "template": prompts.TEMPLATE,
        "system": prompts.SYSTEM,
    }
    return {
        "language": language,
        "action": prompts.action_entry(),
        "scene": prompts.scene_entry(),
        "report": {"differences": differences, "notes": []},
    }
