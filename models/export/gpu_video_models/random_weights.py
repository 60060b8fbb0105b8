"""Seeded weights with sane activations, for exports where no checkpoint is at hand."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def randomise(model: nn.Module, seed: int) -> None:
    """New weights from the seed: He-like convolutions, small linear layers, and batch norms that are no identity."""
    generator = torch.Generator().manual_seed(seed)
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)) and module.weight.requires_grad:
            fan_in = module.weight[0].numel()
            module.weight.data.normal_(0, fan_in**-0.5, generator=generator)
            if module.bias is not None:
                module.bias.data.normal_(0, 0.05, generator=generator)
        elif isinstance(module, (nn.BatchNorm2d, nn.LayerNorm)):
            module.weight.data.uniform_(0.7, 1.3, generator=generator)
            module.bias.data.normal_(0, 0.1, generator=generator)


def settle_batch_norms(model: nn.Module, sample: Tensor) -> None:
    """Takes the running statistics from one forward pass, so that depth neither blows up nor dampens what the layers carry."""
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    kept = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 1.0
    model.train()
    with torch.no_grad():
        model(sample)
    model.eval()
    for norm, momentum in zip(norms, kept, strict=True):
        norm.momentum = momentum


def noise_pictures(batch: int, channels: int, height: int, width: int, seed: int) -> Tensor:
    """Pictures 0..1 with structure at two scales: flat noise would average out within a few layers."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(batch, channels, max(1, height // 32), max(1, width // 32), generator=generator)
    fine = torch.rand(batch, channels, height, width, generator=generator)
    grown = nn.functional.interpolate(coarse, size=(height, width), mode="bilinear", align_corners=False)
    return (0.7 * grown + 0.3 * fine).clamp(0, 1)
