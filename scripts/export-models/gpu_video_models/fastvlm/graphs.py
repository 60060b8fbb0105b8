"""The three graphs of the language model: what goes in, what comes out, how each is traced and checked."""

import torch

from .onnx_graph import Port

# What the caller computes with stays in 32 bits in both precisions; the cache, which it only moves, is in the graph's own type.
BOUNDARY = "float32"


def vision_ports(shape):
    size = shape.vision.image_size
    return (
        [Port("pixel_values", BOUNDARY, ("batch", 3, size, size))],
        [Port("image_features", BOUNDARY, ("batch", shape.vision.tokens, shape.text.hidden))],
    )


def embed_ports(shape):
    return (
        [Port("input_ids", "int64", ("batch", "tokens"))],
        [Port("inputs_embeds", BOUNDARY, ("batch", "tokens", shape.text.hidden))],
    )


def decoder_ports(shape, dtype):
    text = shape.text

    def cache(prefix, length):
        return [
            Port(f"{prefix}.{layer}.{kind}", dtype, ("batch", text.kv_heads, length, text.head_size))
            for layer in range(text.layers)
            for kind in ("key", "value")
        ]

    inputs = [
        Port("inputs_embeds", BOUNDARY, ("batch", "tokens", text.hidden)),
        Port("attention_mask", "int64", ("batch", "past_and_tokens")),
        Port("position_ids", "int64", ("batch", "tokens")),
        Port("num_logits_to_keep", "int64", ()),
        *cache("past_key_values", "past"),
    ]
    outputs = [Port("logits", BOUNDARY, ("batch", "positions", text.vocabulary)), *cache("present", "past_and_tokens")]
    return inputs, outputs


def vision_example(shape):
    return [torch.zeros(1, 3, shape.vision.image_size, shape.vision.image_size)]


def embed_example(shape):
    return [torch.zeros(2, 3, dtype=torch.int64)]


def decoder_example(shape):
    text = shape.text
    past = [torch.zeros(2, text.kv_heads, 3, text.head_size) for _ in range(2 * text.layers)]
    positions = torch.arange(3, 7).repeat(2, 1)
    return [torch.zeros(2, 4, text.hidden), torch.ones(2, 7, dtype=torch.int64), positions, torch.tensor(2), *past]
