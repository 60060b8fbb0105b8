"""
Qwen2 as two graphs: token embeddings, and a decoder over embeddings with a key/value cache (arXiv 2407.10671: grouped-query
attention, rotary positions, RMS normalisation, SwiGLU). The module names are those of the published checkpoint.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .shapes import TextShape

# Far below any score. It replaces a score instead of being added to it: rows that see nothing stay finite.
MASKED = -1e9

# What stays in 32 bits in the 16-bit graph, by the modules that compute it (the empty name is the decoder itself): the
# normalisations, whose squares overflow; the sums of the layers, which grow with the depth; and the scores, since this family's
# queries and keys are known for products beyond 16 bits (huggingface/transformers#33317).
WIDE = r"^$|norm$|layers\.\d+$|self_attn\.weights$"


class EmbedTokens(nn.Module):
    """input_ids [batch, tokens] -> inputs_embeds [batch, tokens, hidden]."""

    def __init__(self, shape: TextShape) -> None:
        super().__init__()
        self.model = nn.Module()
        self.model.embed_tokens = nn.Embedding(shape.vocabulary, shape.hidden)

    def forward(self, input_ids: Tensor) -> Tensor:
        return self.model.embed_tokens(input_ids)


class RmsNorm(nn.Module):
    """x / sqrt(mean(x^2) + eps) * weight."""

    def __init__(self, size: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return x / torch.sqrt(x.pow(2).mean(-1, keepdim=True) + self.eps) * self.weight


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turns the pairs (x[i], x[i + half]) by the angle of their position."""
    first, second = x.split(cos.shape[-1], dim=-1)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)


def rotary_tables(shape: TextShape) -> tuple[Tensor, Tensor]:
    """cos and sin, each [positions, head size / 2], of position * theta^(-2i / head size)."""
    exponents = torch.arange(0, shape.head_size, 2, dtype=torch.float64) / shape.head_size
    angles = torch.arange(shape.max_positions, dtype=torch.float64)[:, None] * shape.rope_theta**-exponents
    return angles.cos().float(), angles.sin().float()


@dataclass(frozen=True)
class Run:
    """What all layers of one run share. Sizes are handed down, not read again: each reading would be nodes of the graph."""

    batch: int
    tokens: int
    total: int
    # [batch, 1, tokens, head size / 2]
    cos: Tensor
    sin: Tensor
    # [batch, 1, 1, tokens, total], true where a key may not be seen
    hidden: Tensor


class AttentionWeights(nn.Module):
    """query [batch, kv heads, group * tokens, size], key [batch, kv heads, total, size] -> their weights of the keys."""

    def __init__(self, shape: TextShape) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, query: Tensor, key: Tensor, at: Run) -> Tensor:
        shape = self.shape
        group = shape.heads // shape.kv_heads
        scores = (query * shape.head_size**-0.5) @ key.transpose(-2, -1)
        scores = scores.reshape(at.batch, shape.kv_heads, group, at.tokens, at.total).masked_fill(at.hidden, MASKED)
        return torch.softmax(scores, dim=-1).reshape(at.batch, shape.kv_heads, group * at.tokens, at.total)


class Attention(nn.Module):
    def __init__(self, shape: TextShape) -> None:
        super().__init__()
        self.shape = shape
        self.weights = AttentionWeights(shape)
        kv = shape.kv_heads * shape.head_size
        self.q_proj = nn.Linear(shape.hidden, shape.heads * shape.head_size)
        self.k_proj = nn.Linear(shape.hidden, kv)
        self.v_proj = nn.Linear(shape.hidden, kv)
        self.o_proj = nn.Linear(shape.heads * shape.head_size, shape.hidden, bias=False)

    def forward(self, x: Tensor, at: Run, past_key: Tensor, past_value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """
        x [batch, tokens, hidden]; past [batch, kv heads, past, head size].
        Returns the mixed rows and the cache with this run's positions.
        """
        shape = self.shape
        batch, tokens, cos, sin = at.batch, at.tokens, at.cos, at.sin
        query = self.q_proj(x).reshape(batch, tokens, shape.heads, shape.head_size).transpose(1, 2)
        key = self.k_proj(x).reshape(batch, tokens, shape.kv_heads, shape.head_size).transpose(1, 2)
        value = self.v_proj(x).reshape(batch, tokens, shape.kv_heads, shape.head_size).transpose(1, 2)
        key = torch.cat((past_key, rotate(key, cos, sin)), dim=2)
        value = torch.cat((past_value, value), dim=2)

        # The query heads of one key head become rows of one product: keys and values are never repeated in memory.
        group = shape.heads // shape.kv_heads
        query = rotate(query, cos, sin).reshape(batch, shape.kv_heads, group * tokens, shape.head_size)
        mixed = self.weights(query, key, at) @ value
        mixed = mixed.reshape(batch, shape.heads, tokens, shape.head_size).transpose(1, 2)
        return self.o_proj(mixed.reshape(batch, tokens, shape.heads * shape.head_size)), key, value


class FeedForward(nn.Module):
    def __init__(self, shape: TextShape) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(shape.hidden, shape.intermediate, bias=False)
        self.up_proj = nn.Linear(shape.hidden, shape.intermediate, bias=False)
        self.down_proj = nn.Linear(shape.intermediate, shape.hidden, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self, shape: TextShape) -> None:
        super().__init__()
        self.self_attn = Attention(shape)
        self.mlp = FeedForward(shape)
        self.input_layernorm = RmsNorm(shape.hidden, shape.norm_eps)
        self.post_attention_layernorm = RmsNorm(shape.hidden, shape.norm_eps)

    def forward(self, x: Tensor, at: Run, past_key: Tensor, past_value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mixed, key, value = self.self_attn(self.input_layernorm(x), at, past_key, past_value)
        x = x + mixed
        return x + self.mlp(self.post_attention_layernorm(x)), key, value


class Decoder(nn.Module):
    """
    inputs_embeds [batch, tokens, hidden], attention_mask [batch, past + tokens] of 0 and 1, position_ids [batch, tokens],
    num_logits_to_keep (scalar), then past key and value of every layer [batch, kv heads, past, head size]
    -> logits [batch, num_logits_to_keep, vocabulary] of the last positions, then the key and value of every layer.

    Scoring labels reads several positions of one run and a prefill only its last one, out of about 290: at 151,936 numbers a
    position the caller has to say how many it wants.
    """

    def __init__(self, shape: TextShape) -> None:
        super().__init__()
        self.shape = shape
        self.model = nn.Module()
        self.model.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.model.norm = RmsNorm(shape.hidden, shape.norm_eps)
        self.lm_head = nn.Linear(shape.hidden, shape.vocabulary, bias=False)
        cos, sin = rotary_tables(shape)
        self.register_buffer("rope_cos", cos)
        self.register_buffer("rope_sin", sin)

    def forward(
        self,
        inputs_embeds: Tensor,
        attention_mask: Tensor,
        position_ids: Tensor,
        num_logits_to_keep: Tensor,
        *past: Tensor,
    ) -> tuple[Tensor, ...]:
        batch, tokens, total = inputs_embeds.shape[0], inputs_embeds.shape[1], attention_mask.shape[1]
        keys = torch.arange(total, device=inputs_embeds.device)
        later = keys[None, :] > keys[total - tokens :][:, None]
        at = Run(
            batch=batch,
            tokens=tokens,
            total=total,
            cos=self.rope_cos[position_ids][:, None],
            sin=self.rope_sin[position_ids][:, None],
            hidden=(later[None] | (attention_mask == 0)[:, None, :])[:, None, None],
        )
        x = inputs_embeds
        present: list[Tensor] = []
        for index, layer in enumerate(self.model.layers):
            x, key, value = layer(x, at, past[2 * index], past[2 * index + 1])
            present += [key, value]
        kept = x[:, tokens - num_logits_to_keep :]
        return (self.lm_head(self.model.norm(kept)), *present)


def empty_cache(shape: TextShape, batch: int) -> list[Tensor]:
    """The cache before the first run."""
    return [torch.zeros(batch, shape.kv_heads, 0, shape.head_size) for _ in range(2 * shape.layers)]
