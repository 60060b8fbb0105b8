"""MEBOW: HRNet-W32 (Sun et al., 2019) with a head that reads the body's orientation as a distribution over 72 bins.

The pose network's heatmap branch (`final_layer`) is not built: nothing of the orientation depends on it.
Parameter names are those of the published checkpoint, so that it loads strictly.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

BINS = 72
_HEAT_BRANCH = "final_layer."


@dataclass(frozen=True)
class OrientationShape:
    width: int = 32
    stem: int = 64
    """Bottlenecks after the stem, residual blocks a branch, and modules of the stages with two, three and four branches."""
    first_blocks: int = 4
    branch_blocks: int = 4
    modules: tuple[int, int, int] = (1, 4, 3)
    head: tuple[int, int, int] = (128, 256, 512)
    height: int = 256
    input_width: int = 192

    @property
    def branches(self) -> tuple[int, int, int, int]:
        return self.width, 2 * self.width, 4 * self.width, 8 * self.width


FULL = OrientationShape()
TINY = OrientationShape(width=4, stem=8, first_blocks=1, branch_blocks=1, modules=(1, 1, 1), head=(8, 16, 32))


def _conv_norm(inputs: int, outputs: int, kernel: int, stride: int = 1) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(outputs)]


class BasicBlock(nn.Module):
    def __init__(self, inputs: int, channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1, self.bn1 = _conv_norm(inputs, channels, 3, stride)
        self.conv2, self.bn2 = _conv_norm(channels, channels, 3)
        self.relu = nn.ReLU()
        changes = stride != 1 or inputs != channels
        self.downsample = nn.Sequential(*_conv_norm(inputs, channels, 1, stride)) if changes else None

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return self.relu(y + (x if self.downsample is None else self.downsample(x)))


class BottleneckBlock(nn.Module):
    def __init__(self, inputs: int, channels: int) -> None:
        super().__init__()
        outputs = 4 * channels
        self.conv1, self.bn1 = _conv_norm(inputs, channels, 1)
        self.conv2, self.bn2 = _conv_norm(channels, channels, 3)
        self.conv3, self.bn3 = _conv_norm(channels, outputs, 1)
        self.relu = nn.ReLU()
        self.downsample = nn.Sequential(*_conv_norm(inputs, outputs, 1)) if inputs != outputs else None

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn3(self.conv3(self.relu(self.bn2(self.conv2(y)))))
        return self.relu(y + (x if self.downsample is None else self.downsample(x)))


class Exchange(nn.Module):
    """Branches of halving resolution side by side, then each the sum of all, brought to its size."""

    def __init__(self, channels: tuple[int, ...], blocks: int, outputs: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(nn.Sequential(*(BasicBlock(n, n) for _ in range(blocks))) for n in channels)
        self.fuse_layers = nn.ModuleList(
            nn.ModuleList(_exchange(channels, source, target) for source in range(len(channels)))
            for target in range(outputs)
        )
        self.relu = nn.ReLU()

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        maps = [branch(x) for branch, x in zip(self.branches, maps, strict=True)]
        fused = []
        for paths in self.fuse_layers:
            total = paths[0](maps[0])
            for path, x in zip(list(paths)[1:], maps[1:], strict=True):
                total = total + path(x)
            fused.append(self.relu(total))
        return fused


def _exchange(channels: tuple[int, ...], source: int, target: int) -> nn.Module:
    """From a coarser map: 1x1 and nearest neighbours; from a finer one: 3x3 with stride 2 as often as needed."""
    if source == target:
        return nn.Identity()
    if source > target:
        grow = nn.Upsample(scale_factor=2 ** (source - target), mode="nearest")
        return nn.Sequential(*_conv_norm(channels[source], channels[target], 1), grow)
    steps = []
    for step in range(target - source):
        last = step == target - source - 1
        layers = _conv_norm(channels[source], channels[target] if last else channels[source], 3, 2)
        steps.append(nn.Sequential(*layers) if last else nn.Sequential(*layers, nn.ReLU()))
    return nn.Sequential(*steps)


def _stage(channels: tuple[int, ...], blocks: int, modules: int, finest_only: bool = False) -> nn.Sequential:
    return nn.Sequential(
        *(Exchange(channels, blocks, 1 if finest_only and i == modules - 1 else len(channels)) for i in range(modules))
    )


def _start_branch(inputs: int, outputs: int) -> nn.Sequential:
    """A new branch at half the resolution of the coarsest one."""
    return nn.Sequential(nn.Sequential(*_conv_norm(inputs, outputs, 3, 2), nn.ReLU()))


def _residual_layer(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(BasicBlock(inputs, outputs, 2), BasicBlock(outputs, outputs))


class OrientationNetwork(nn.Module):
    """[batch, 3, 256, 192], normalised, to [batch, 72]: probabilities of bins of 5 degrees."""

    def __init__(self, shape: OrientationShape) -> None:
        super().__init__()
        w1, w2, w3, w4 = shape.branches
        self.conv1, self.bn1 = _conv_norm(3, shape.stem, 3, 2)
        self.conv2, self.bn2 = _conv_norm(shape.stem, shape.stem, 3, 2)
        self.relu = nn.ReLU()
        wide = 4 * shape.stem
        later = (BottleneckBlock(wide, shape.stem) for _ in range(shape.first_blocks - 1))
        self.layer1 = nn.Sequential(BottleneckBlock(shape.stem, shape.stem), *later)
        narrowed = nn.Sequential(*_conv_norm(wide, w1, 3), nn.ReLU())
        self.transition1 = nn.ModuleList([narrowed, _start_branch(wide, w2)])
        self.stage2 = _stage((w1, w2), shape.branch_blocks, shape.modules[0])
        self.transition2 = nn.ModuleList([nn.Identity(), nn.Identity(), _start_branch(w2, w3)])
        self.stage3 = _stage((w1, w2, w3), shape.branch_blocks, shape.modules[1])
        self.transition3 = nn.ModuleList([nn.Identity(), nn.Identity(), nn.Identity(), _start_branch(w3, w4)])
        self.stage4 = _stage((w1, w2, w3, w4), shape.branch_blocks, shape.modules[2], finest_only=True)
        h2, h3, h4 = shape.head
        self.hoe_layer2 = _residual_layer(3 * w1, h2)
        self.hoe_layer3 = _residual_layer(h2, h3)
        self.hoe_layer4 = _residual_layer(h3, h4)
        self.hoe_avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.hoe_fc = nn.Linear(h4, BINS)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.layer1(self.relu(self.bn2(self.conv2(x))))
        maps = self.stage2([branch(x) for branch in self.transition1])
        finest = [maps[0]]
        for transition, stage in ((self.transition2, self.stage3), (self.transition3, self.stage4)):
            maps = stage([*maps, transition[len(maps)](maps[-1])])
            finest.append(maps[0])
        y = self.hoe_layer4(self.hoe_layer3(self.hoe_layer2(torch.cat(finest, dim=1))))
        return self.hoe_fc(self.hoe_avgpool(y).flatten(1)).softmax(dim=1)


def without_heatmaps(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The checkpoint's tensors without those of the heatmap branch."""
    return {name: tensor for name, tensor in state.items() if not name.startswith(_HEAT_BRANCH)}
