"""
FastViTHD with the projector, as a re-parameterised network: RepMixer stages, then attention stages, then an expansion with
squeeze-and-excitation. Papers: FastViT (arXiv 2303.14189), FastVLM (arXiv 2412.13303). The module names are those of the
published checkpoint, so that its tensors load without renaming.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .shapes import VisionShape

# What stays in 32 bits in the 16-bit graph, by the modules that compute it (the empty name is the encoder itself): everything
# from the last downsampling on whose size nothing limits. Values beyond 65504 have been reported there for the published 0.5B
# weights, and no normalisation follows before the projector. Attention and the feed-forward's first half read normalised values
# and stay in 16 bits: 3 % of the work is wide.
WIDE = (
    r"^$|network\.[89]|network\.10\.\d+$|network\.10\.\d+\.(norm|convffn\.conv|convffn\.fc2|token_mixer\.proj)"
    r"|conv_exp|mm_projector"
)


class Squeeze(nn.Module):
    """Channel gates from the mean over the map (arXiv 1709.01507)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        squeezed = channels // 16
        self.reduce = nn.Conv2d(channels, squeezed, 1)
        self.expand = nn.Conv2d(squeezed, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        gates = self.expand(F.relu(self.reduce(F.adaptive_avg_pool2d(x, 1))))
        return x * torch.sigmoid(gates)


class ConvBlock(nn.Module):
    """MobileOne block after re-parameterisation: one convolution, optional gates, GELU."""

    def __init__(
        self, channels_in: int, channels_out: int, kernel: int, stride: int = 1, groups: int = 1, gated: bool = False
    ) -> None:
        super().__init__()
        self.reparam_conv = nn.Conv2d(channels_in, channels_out, kernel, stride, kernel // 2, groups=groups)
        self.se = Squeeze(channels_out) if gated else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return F.gelu(self.se(self.reparam_conv(x)))


class LargeKernel(nn.Module):
    """7x7 convolution of each channel at half the resolution, widening the channels."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.lkb_reparam = nn.Conv2d(channels_in, channels_out, 7, 2, 3, groups=channels_in)

    def forward(self, x: Tensor) -> Tensor:
        return F.gelu(self.lkb_reparam(x))


class Downsample(nn.Module):
    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.proj = nn.Sequential(LargeKernel(channels_in, channels_out), ConvBlock(channels_out, channels_out, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.proj(x)


class DepthwiseMix(nn.Module):
    """One depthwise convolution with its shortcut already inside the kernel: RepMixer and the positional encoding."""

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.reparam_conv = nn.Conv2d(channels, channels, kernel, 1, kernel // 2, groups=channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.reparam_conv(x)


class NormedConv(nn.Module):
    """The feed-forward's depthwise 7x7 convolution. The checkpoint keeps its batch normalisation apart; `fold` joins them."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 7, 1, 3, groups=channels, bias=False)
        self.bn = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.bn(self.conv(x))

    def fold(self) -> None:
        scale = self.bn.weight.double() / torch.sqrt(self.bn.running_var.double() + self.bn.eps)
        bias = self.bn.bias.double() - self.bn.running_mean.double() * scale
        weight = self.conv.weight.double() * scale[:, None, None, None]
        self.conv.weight = nn.Parameter(weight.to(self.conv.weight.dtype), requires_grad=False)
        self.conv.bias = nn.Parameter(bias.to(self.conv.weight.dtype), requires_grad=False)
        self.bn = nn.Identity()


class FeedForward(nn.Module):
    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.conv = NormedConv(channels)
        self.fc1 = nn.Conv2d(channels, hidden, 1)
        self.fc2 = nn.Conv2d(hidden, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(self.conv(x))))


class MixerBlock(nn.Module):
    def __init__(self, channels: int, shape: VisionShape) -> None:
        super().__init__()
        self.token_mixer = DepthwiseMix(channels, 3)
        self.convffn = FeedForward(channels, shape.mlp_ratio * channels)
        self.layer_scale = nn.Parameter(torch.ones(channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        x = self.token_mixer(x)
        return x + self.layer_scale * self.convffn(x)


class ChannelNorm(nn.Module):
    """
    Normalisation over the channels of each position. Positions come as rows, so that it is one LayerNormalization node, which
    computes in 32 bits whatever the element type (its `stash_type`).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, rows: Tensor) -> Tensor:
        return F.layer_norm(rows, (self.weight.numel(),), self.weight, self.bias, 1e-5)


class Attention(nn.Module):
    """Self-attention over all positions; rows are [batch, positions, channels]."""

    def __init__(self, channels: int, head_size: int) -> None:
        super().__init__()
        self.heads = channels // head_size
        self.head_size = head_size
        self.qkv = nn.Linear(channels, 3 * channels, bias=False)
        self.proj = nn.Linear(channels, channels)

    def forward(self, rows: Tensor) -> Tensor:
        positions = rows.shape[1]
        query, key, value = self.qkv(rows).split(self.heads * self.head_size, dim=-1)

        def heads(x: Tensor) -> Tensor:
            return x.reshape(-1, int(positions), self.heads, self.head_size).transpose(1, 2)

        # The scale goes on the queries: products of 16-bit queries and keys stay far from their limit.
        scores = (heads(query) * self.head_size**-0.5) @ heads(key).transpose(-2, -1)
        mixed = torch.softmax(scores, dim=-1) @ heads(value)
        return self.proj(mixed.transpose(1, 2).reshape(-1, int(positions), self.heads * self.head_size))


class AttentionBlock(nn.Module):
    def __init__(self, channels: int, shape: VisionShape) -> None:
        super().__init__()
        self.norm = ChannelNorm(channels)
        self.token_mixer = Attention(channels, shape.head_size)
        self.convffn = FeedForward(channels, shape.mlp_ratio * channels)
        self.layer_scale_1 = nn.Parameter(torch.ones(channels, 1, 1))
        self.layer_scale_2 = nn.Parameter(torch.ones(channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        _, channels, height, width = (int(size) for size in x.shape)
        rows = x.reshape(-1, channels, height * width).transpose(1, 2)
        mixed = self.token_mixer(self.norm(rows)).transpose(1, 2).reshape(-1, channels, height, width)
        x = x + self.layer_scale_1 * mixed
        return x + self.layer_scale_2 * self.convffn(x)


class UnusedHead(nn.Module):
    """Holds the contrastive projection that the checkpoint carries."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.proj = nn.Parameter(torch.zeros(channels, width))


class FastViTHD(nn.Module):
    """[batch, 3, size, size], RGB 0..1 -> [batch, 2 * last width, size / 64, size / 64]."""

    def __init__(self, shape: VisionShape) -> None:
        super().__init__()
        first = shape.widths[0]
        self.patch_embed = nn.Sequential(
            ConvBlock(3, first, 3, stride=2),
            ConvBlock(first, first, 3, stride=2, groups=first),
            ConvBlock(first, first, 1),
        )
        stages: list[nn.Module] = []
        last = len(shape.widths) - 1
        for stage, (depth, width) in enumerate(zip(shape.depths, shape.widths, strict=True)):
            attends = stage >= 3
            if attends:
                stages.append(DepthwiseMix(width, 7))
            block = AttentionBlock if attends else MixerBlock
            stages.append(nn.Sequential(*(block(width, shape) for _ in range(depth))))
            if stage < last:
                stages.append(Downsample(width, shape.widths[stage + 1]))
        self.network = nn.Sequential(*stages)
        self.conv_exp = ConvBlock(shape.widths[-1], shape.features, 3, groups=shape.widths[-1], gated=True)
        if shape.unused_head > 0:
            self.head = UnusedHead(shape.features, shape.unused_head)

    def forward(self, pixels: Tensor) -> Tensor:
        return self.conv_exp(self.network(self.patch_embed(pixels)))


class TowerOuter(nn.Module):
    """The checkpoint's name for the network: `vision_tower.vision_tower.model`."""

    def __init__(self, shape: VisionShape) -> None:
        super().__init__()
        self.vision_tower = nn.Module()
        self.vision_tower.model = FastViTHD(shape)

    def forward(self, pixels: Tensor) -> Tensor:
        return self.vision_tower.model(pixels)


class VisionEncoder(nn.Module):
    """pixel_values [batch, 3, size, size], RGB 0..1 -> image_features [batch, (size / 64)^2, hidden], row by row."""

    def __init__(self, shape: VisionShape, hidden: int) -> None:
        super().__init__()
        self.shape = shape
        self.model = nn.Module()
        self.model.vision_tower = TowerOuter(shape)
        self.model.mm_projector = nn.Sequential(nn.Linear(shape.features, hidden), nn.GELU(), nn.Linear(hidden, hidden))

    def forward(self, pixel_values: Tensor) -> Tensor:
        features = self.model.vision_tower(pixel_values)
        _, channels, height, width = (int(size) for size in features.shape)
        return self.model.mm_projector(features.reshape(-1, channels, height * width).transpose(1, 2))


def fold_norms(encoder: VisionEncoder) -> VisionEncoder:
    """Joins every batch normalisation with its convolution and drops the unused head, in place: what runs is what remains."""
    for module in encoder.modules():
        if isinstance(module, NormedConv) and isinstance(module.bn, nn.BatchNorm2d):
            module.fold()
    network = encoder.model.vision_tower.vision_tower.model
    if hasattr(network, "head"):
        del network.head
    return encoder
