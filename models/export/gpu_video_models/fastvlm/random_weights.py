"""Seeded weights for the true architectures: values mean nothing, but every layer passes a signal of ordinary size on."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from . import qwen2
from .vision_tower import AttentionBlock, ChannelNorm, DepthwiseMix, MixerBlock, UnusedHead


@torch.no_grad()
def fill_randomly(module: nn.Module, seed: int) -> nn.Module:
    """Overwrites every weight of the module, in the order of its names; the same seed gives the same weights."""
    random = torch.Generator().manual_seed(seed)

    def normal(tensor: Tensor, std: float, mean: float = 0.0) -> None:
        tensor.normal_(mean, std, generator=random)

    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            fan_in = part.weight[0].numel()
            normal(part.weight, math.sqrt(3.0 / fan_in))
            if part.bias is not None:
                normal(part.bias, 0.05)
        elif isinstance(part, nn.Linear):
            normal(part.weight, math.sqrt(1.0 / part.in_features))
            if part.bias is not None:
                normal(part.bias, 0.05)
        elif isinstance(part, nn.Embedding):
            normal(part.weight, 0.5)
        elif isinstance(part, (qwen2.RmsNorm, ChannelNorm, nn.BatchNorm2d)):
            normal(part.weight, 0.1, 1.0)
            if getattr(part, "bias", None) is not None:
                normal(part.bias, 0.1)
            if isinstance(part, nn.BatchNorm2d):
                normal(part.running_mean, 0.1)
                part.running_var.uniform_(0.5, 1.5, generator=random)
        elif isinstance(part, UnusedHead):
            normal(part.proj, 0.02)

    for part in module.modules():
        if isinstance(part, DepthwiseMix):
            # A shortcut inside the kernel and a little mixing, or dozens of these in a row would blur everything away.
            weight = part.reparam_conv.weight
            normal(weight, 0.1 / weight.shape[-1])
            weight[:, :, weight.shape[-2] // 2, weight.shape[-1] // 2] += 1.0
        elif isinstance(part, (MixerBlock, AttentionBlock)):
            for name, scale in part.named_parameters(recurse=False):
                if name.startswith("layer_scale"):
                    normal(scale, 0.005, 0.05)
        elif isinstance(part, qwen2.Attention):
            # Attention that chooses: an even mean over a hundred words of prompt would hide the picture.
            part.q_proj.weight.mul_(2.0)
            part.k_proj.weight.mul_(2.0)
    return module.requires_grad_(False).eval()
