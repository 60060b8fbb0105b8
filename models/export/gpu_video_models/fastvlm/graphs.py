"""The three graphs of the language model: what goes in, what comes out, and an example to trace each with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from . import qwen2, vision_tower
from .onnx_graph import Port
from .shapes import FastVlmShape

# What the worker computes with stays in 32 bits in both precisions: to turn one picture into 16 bits takes JavaScript tens of
# milliseconds, the graph nothing. The cache, which the worker only moves, is in the graph's own type.
BOUNDARY = "float32"

Ports = tuple[list[Port], list[Port]]


@dataclass(frozen=True)
class LanguageGraph:
    """One of the graphs; `field` is its place in the manifest, `ports` takes the cache's element type."""

    field: str
    file_name: str
    make: Callable[[FastVlmShape], nn.Module]
    ports: Callable[[FastVlmShape, str], Ports]
    example: Callable[[FastVlmShape], list[Tensor]]
    # Expression for the modules that compute in 32 bits in the 16-bit graph.
    wide: str | None = None


def vision_ports(shape: FastVlmShape, dtype: str) -> Ports:
    size = shape.vision.image_size
    return (
        [Port("pixel_values", BOUNDARY, ("batch", 3, size, size))],
        [Port("image_features", BOUNDARY, ("batch", shape.vision.tokens, shape.text.hidden))],
    )


def embed_ports(shape: FastVlmShape, dtype: str) -> Ports:
    return (
        [Port("input_ids", "int64", ("batch", "tokens"))],
        [Port("inputs_embeds", BOUNDARY, ("batch", "tokens", shape.text.hidden))],
    )


def decoder_ports(shape: FastVlmShape, dtype: str) -> Ports:
    text = shape.text

    def cache(prefix: str, length: str) -> list[Port]:
        size = ("batch", text.kv_heads, length, text.head_size)
        return [Port(name.replace("past_key_values", prefix), dtype, size) for name in cache_names(shape)]

    inputs = [
        Port("inputs_embeds", BOUNDARY, ("batch", "tokens", text.hidden)),
        Port("attention_mask", "int64", ("batch", "past_and_tokens")),
        Port("position_ids", "int64", ("batch", "tokens")),
        Port("num_logits_to_keep", "int64", ()),
        *cache("past_key_values", "past"),
    ]
    outputs = [Port("logits", BOUNDARY, ("batch", "positions", text.vocabulary)), *cache("present", "past_and_tokens")]
    return inputs, outputs


def cache_names(shape: FastVlmShape) -> list[str]:
    """Inputs of the cache, in the order in which the decoder takes them."""
    return [f"past_key_values.{layer}.{kind}" for layer in range(shape.text.layers) for kind in ("key", "value")]


def vision_example(shape: FastVlmShape) -> list[Tensor]:
    # Two rows: a batch of one would let an axis of size one pass for the batch.
    return [torch.zeros(2, 3, shape.vision.image_size, shape.vision.image_size)]


def embed_example(shape: FastVlmShape) -> list[Tensor]:
    return [torch.zeros(2, 3, dtype=torch.int64)]


def decoder_example(shape: FastVlmShape) -> list[Tensor]:
    text = shape.text
    past = [torch.zeros(2, text.kv_heads, 3, text.head_size) for _ in cache_names(shape)]
    positions = torch.arange(3, 7).repeat(2, 1)
    return [torch.zeros(2, 4, text.hidden), torch.ones(2, 7, dtype=torch.int64), positions, torch.tensor(2), *past]


GRAPHS = (
    LanguageGraph(
        field="visionEncoder",
        file_name="vision_encoder.onnx",
        make=lambda shape: vision_tower.VisionEncoder(shape.vision, shape.text.hidden),
        ports=vision_ports,
        example=vision_example,
        wide=vision_tower.WIDE,
    ),
    LanguageGraph(
        field="embedTokens",
        file_name="embed_tokens.onnx",
        make=lambda shape: qwen2.EmbedTokens(shape.text),
        ports=embed_ports,
        example=embed_example,
    ),
    LanguageGraph(
        field="decoder",
        file_name="decoder_model_merged.onnx",
        make=lambda shape: qwen2.Decoder(shape.text),
        ports=decoder_ports,
        example=decoder_example,
        wide=qwen2.WIDE,
    ),
)
