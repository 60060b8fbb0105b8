"""Blocks of VOLO (Yuan et al., 2021) on channel-last maps [batch, height, width, channels].

Written for export: no operator depends on the batch size, and the outlook attention's unfold and fold are reshapes, shifts
and sums (fold's ONNX operator, Col2Im, has no GPU kernel in ONNX Runtime).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

_KERNEL = 3


def take_windows(x: Tensor) -> Tensor:
    """Unfold with kernel 3, stride 2, padding 1 of an even-sized map: [batch, h / 2, w / 2, 3 (rows), 3 (columns), channels]."""
    _, height, width, channels = (int(n) for n in x.shape)
    cells = x.reshape(-1, height // 2, 2, width // 2, 2, channels)
    rows = _windows_of_pairs(cells, cell_axis=1, pair_axis=2)
    columns = _windows_of_pairs(rows, cell_axis=3, pair_axis=4)
    return columns.permute(0, 1, 3, 2, 4, 5)


def put_windows(windows: Tensor) -> Tensor:
    """Fold, the sum of overlapping windows: the transpose of `take_windows`."""
    _, rows, columns, _, _, channels = (int(n) for n in windows.shape)
    cells = windows.permute(0, 1, 3, 2, 4, 5)
    cells = _pairs_of_windows(cells, cell_axis=1, window_axis=2)
    cells = _pairs_of_windows(cells, cell_axis=3, window_axis=4)
    return cells.reshape(-1, 2 * rows, 2 * columns, channels)


def _windows_of_pairs(x: Tensor, cell_axis: int, pair_axis: int) -> Tensor:
    """Window n of three holds elements 2n - 1, 2n and 2n + 1: the second of the cell before and both of its own."""
    second = x.narrow(pair_axis, 1, 1)
    return torch.cat([_shift(second, cell_axis, forward=True), x], dim=pair_axis)


def _pairs_of_windows(x: Tensor, cell_axis: int, window_axis: int) -> Tensor:
    """Element 2n is in window n alone; element 2n + 1 is the last of window n and the first of window n + 1."""
    first, middle, last = (x.narrow(window_axis, i, 1) for i in range(_KERNEL))
    return torch.cat([middle, last + _shift(first, cell_axis, forward=False)], dim=window_axis)


def _shift(x: Tensor, axis: int, forward: bool) -> Tensor:
    """Moves by one cell along the axis; zeros come in, the last cell falls out."""
    pads = [0] * (2 * x.dim())
    at = 2 * (x.dim() - 1 - axis)
    pads[at if forward else at + 1] = 1
    length = int(x.shape[axis])
    return functional.pad(x, pads).narrow(axis, 0 if forward else 1, length)


class Mlp(nn.Module):
    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(inputs, hidden)
        self.act = nn.GELU()
        self.fc2 = nn.Linear(hidden, inputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(self.act(self.fc1(x)))


class OutlookAttention(nn.Module):
    """Each 3x3 window is mixed by weights that are read from its centre's feature."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.channels, self.heads = channels, heads
        self.scale = (channels // heads) ** -0.5
        self.v = nn.Linear(channels, channels, bias=False)
        self.attn = nn.Linear(channels, _KERNEL**4 * heads)
        self.proj = nn.Linear(channels, channels)
        self.pool = nn.AvgPool2d(2, 2)

    def forward(self, x: Tensor) -> Tensor:
        rows, columns = int(x.shape[1]) // 2, int(x.shape[2]) // 2
        windows, places, size = rows * columns, _KERNEL**2, self.channels // self.heads
        values = take_windows(self.v(x)).reshape(-1, windows, places, self.heads, size).permute(0, 3, 1, 2, 4)
        centres = self.pool(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        weights = self.attn(centres).reshape(-1, windows, self.heads, places, places).permute(0, 2, 1, 3, 4)
        mixed = (weights * self.scale).softmax(dim=-1) @ values
        mixed = mixed.permute(0, 2, 3, 1, 4).reshape(-1, rows, columns, _KERNEL, _KERNEL, self.channels)
        return self.proj(put_windows(mixed))


class SelfAttention(nn.Module):
    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.channels, self.heads = channels, heads
        self.scale = (channels // heads) ** -0.5
        self.qkv = nn.Linear(channels, 3 * channels, bias=False)
        self.proj = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        height, width = int(x.shape[1]), int(x.shape[2])
        parts = self.qkv(x).split([self.channels] * 3, dim=-1)
        size = self.channels // self.heads
        q, k, v = (part.reshape(-1, height * width, self.heads, size).permute(0, 2, 1, 3) for part in parts)
        mixed = ((q * self.scale) @ k.transpose(-2, -1)).softmax(dim=-1) @ v
        return self.proj(mixed.permute(0, 2, 1, 3).reshape(-1, height, width, self.channels))


class ClassAttention(nn.Module):
    """The class token, row 0 of [batch, tokens, channels], asks all tokens."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.channels, self.heads = channels, heads
        self.scale = (channels // heads) ** -0.5
        self.kv = nn.Linear(channels, 2 * channels, bias=False)
        self.q = nn.Linear(channels, channels, bias=False)
        self.proj = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        tokens, size = int(x.shape[1]), self.channels // self.heads
        parts = self.kv(x).split([self.channels] * 2, dim=-1)
        k, v = (part.reshape(-1, tokens, self.heads, size).permute(0, 2, 1, 3) for part in parts)
        q = self.q(x[:, :1]).reshape(-1, 1, self.heads, size).permute(0, 2, 1, 3) * self.scale
        mixed = (q @ k.transpose(-2, -1)).softmax(dim=-1) @ v
        return self.proj(mixed.permute(0, 2, 1, 3).reshape(-1, 1, self.channels))


class _Block(nn.Module):
    """Attention and a multilayer perceptron, each after a norm and beside a shortcut."""

    def __init__(self, attention: nn.Module, channels: int, mlp_ratio: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(channels)
        self.attn = attention
        self.norm2 = nn.LayerNorm(channels)
        self.mlp = Mlp(channels, channels * mlp_ratio)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class Outlooker(_Block):
    def __init__(self, channels: int, heads: int, mlp_ratio: int) -> None:
        super().__init__(OutlookAttention(channels, heads), channels, mlp_ratio)


class Transformer(_Block):
    def __init__(self, channels: int, heads: int, mlp_ratio: int) -> None:
        super().__init__(SelfAttention(channels, heads), channels, mlp_ratio)


class ClassBlock(_Block):
    """Changes the class token and hands the others on."""

    def __init__(self, channels: int, heads: int, mlp_ratio: int) -> None:
        super().__init__(ClassAttention(channels, heads), channels, mlp_ratio)

    def forward(self, x: Tensor) -> Tensor:
        token = x[:, :1] + self.attn(self.norm1(x))
        token = token + self.mlp(self.norm2(token))
        return torch.cat([token, x[:, 1:]], dim=1)


class Downsample(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(inputs, outputs, 2, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.proj(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
