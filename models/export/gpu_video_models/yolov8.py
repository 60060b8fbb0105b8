"""YOLOv8 detector. Parameter names are those of the published checkpoints, so that they load strictly."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

BOX_BINS = 16


@dataclass(frozen=True)
class DetectorShape:
    """Scaling of the published family: channels times `width` (at most `max_channels` before), repeats times `depth`."""

    width: float = 1.25
    depth: float = 1.0
    max_channels: int = 512
    input_size: int = 640

    def channels(self, base: int) -> int:
        scaled = min(base, self.max_channels) * self.width
        return max(8, -int(-scaled // 8) * 8)

    def repeats(self, base: int) -> int:
        return max(1, round(base * self.depth))


FULL = DetectorShape()
TINY = DetectorShape(width=1 / 64, depth=1 / 3, max_channels=512)


class ConvBlock(nn.Module):
    """Convolution, batch norm, SiLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.03)
        self.act = nn.SiLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.bn(self.conv(x)))


class Bottleneck(nn.Module):
    def __init__(self, channels: int, shortcut: bool) -> None:
        super().__init__()
        self.cv1 = ConvBlock(channels, channels, 3)
        self.cv2 = ConvBlock(channels, channels, 3)
        self.add = shortcut

    def forward(self, x: Tensor) -> Tensor:
        y = self.cv2(self.cv1(x))
        return x + y if self.add else y


class SplitStage(nn.Module):
    """Splits the channels, runs bottlenecks on one half and joins every intermediate result."""

    def __init__(self, inputs: int, outputs: int, repeats: int, shortcut: bool) -> None:
        super().__init__()
        self.c = outputs // 2
        self.cv1 = ConvBlock(inputs, 2 * self.c)
        self.cv2 = ConvBlock((2 + repeats) * self.c, outputs)
        self.m = nn.ModuleList(Bottleneck(self.c, shortcut) for _ in range(repeats))

    def forward(self, x: Tensor) -> Tensor:
        parts = list(torch.split(self.cv1(x), [self.c, self.c], dim=1))
        for block in self.m:
            parts.append(block(parts[-1]))
        return self.cv2(torch.cat(parts, dim=1))


class PyramidPooling(nn.Module):
    """Three 5x5 maxima, each of the one before, beside their source."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.cv1 = ConvBlock(inputs, inputs // 2)
        self.cv2 = ConvBlock(inputs // 2 * 4, outputs)
        self.m = nn.MaxPool2d(kernel_size=5, stride=1, padding=2)

    def forward(self, x: Tensor) -> Tensor:
        maps = [self.cv1(x)]
        for _ in range(3):
            maps.append(self.m(maps[-1]))
        return self.cv2(torch.cat(maps, dim=1))


class Join(nn.Module):
    """Concatenates two maps; a module of its own because the checkpoint numbers it as a layer."""

    def forward(self, x: Tensor, other: Tensor) -> Tensor:
        return torch.cat([x, other], dim=1)


class BinsToDistance(nn.Module):
    """Holds the weights (0, 1, ... 15) with which a distribution over bins becomes a distance."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(BOX_BINS, 1, 1, bias=False).requires_grad_(False)
        self.conv.weight.data = torch.arange(BOX_BINS, dtype=torch.float32).reshape(1, BOX_BINS, 1, 1)


class DetectHead(nn.Module):
    """Per scale: 4 x 16 logits of the box's distances and one logit per class."""

    def __init__(self, classes: int, inputs: tuple[int, ...]) -> None:
        super().__init__()
        box = max(16, inputs[0] // 4, 4 * BOX_BINS)
        label = max(inputs[0], min(classes, 100))
        self.nc = classes
        self.cv2 = nn.ModuleList(_branch(n, box, 4 * BOX_BINS) for n in inputs)
        self.cv3 = nn.ModuleList(_branch(n, label, classes) for n in inputs)
        self.dfl = BinsToDistance()

    def forward(self, maps: list[Tensor]) -> Tensor:
        """[batch, 64 + classes, anchors], scales from fine to coarse, rows of each map first."""
        levels = [torch.cat([box(x), label(x)], dim=1) for x, box, label in zip(maps, self.cv2, self.cv3, strict=True)]
        # Sizes as plain numbers: traced ones would become shape arithmetic in the graph.
        flat = [x.reshape(-1, int(x.shape[1]), int(x.shape[2]) * int(x.shape[3])) for x in levels]
        return torch.cat(flat, dim=2)


def _branch(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(ConvBlock(inputs, hidden, 3), ConvBlock(hidden, hidden, 3), nn.Conv2d(hidden, outputs, 1))


class Detector(nn.Module):
    """The network up to the raw head maps; `model.N` is layer N of the published configuration."""

    def __init__(self, shape: DetectorShape, classes: int) -> None:
        super().__init__()
        c64, c128, c256, c512, c1024 = (shape.channels(n) for n in (64, 128, 256, 512, 1024))
        n3, n6 = shape.repeats(3), shape.repeats(6)
        self.model = nn.Sequential(
            ConvBlock(3, c64, 3, 2),
            ConvBlock(c64, c128, 3, 2),
            SplitStage(c128, c128, n3, True),
            ConvBlock(c128, c256, 3, 2),
            SplitStage(c256, c256, n6, True),
            ConvBlock(c256, c512, 3, 2),
            SplitStage(c512, c512, n6, True),
            ConvBlock(c512, c1024, 3, 2),
            SplitStage(c1024, c1024, n3, True),
            PyramidPooling(c1024, c1024),
            nn.Upsample(scale_factor=2, mode="nearest"),
            Join(),
            SplitStage(c1024 + c512, c512, n3, False),
            nn.Upsample(scale_factor=2, mode="nearest"),
            Join(),
            SplitStage(c512 + c256, c256, n3, False),
            ConvBlock(c256, c256, 3, 2),
            Join(),
            SplitStage(c256 + c512, c512, n3, False),
            ConvBlock(c512, c512, 3, 2),
            Join(),
            SplitStage(c512 + c1024, c1024, n3, False),
            DetectHead(classes, (c256, c512, c1024)),
        )

    def forward(self, images: Tensor) -> Tensor:
        layers = self.model
        x = images
        kept: dict[int, Tensor] = {}
        for i in range(10):
            x = layers[i](x)
            kept[i] = x
        kept[12] = layers[12](layers[11](layers[10](x), kept[6]))
        fine = layers[15](layers[14](layers[13](kept[12]), kept[4]))
        middle = layers[18](layers[17](layers[16](fine), kept[12]))
        coarse = layers[21](layers[20](layers[19](middle), kept[9]))
        return layers[22]([fine, middle, coarse])


class DecodeBoxes(nn.Module):
    """Raw head maps to [batch, 4 + classes, anchors]: centre, width and height in input pixels, then class scores."""

    anchors: Tensor
    strides: Tensor
    bins: Tensor

    def __init__(self, head: DetectHead, input_size: int, strides: tuple[int, ...]) -> None:
        super().__init__()
        self.classes = head.nc
        centres, scales = [], []
        for stride in strides:
            side = input_size // stride
            ticks = torch.arange(side, dtype=torch.float32) + 0.5
            y, x = ticks[:, None].expand(side, side), ticks[None, :].expand(side, side)
            centres.append(torch.stack([x, y]).reshape(2, -1))
            scales.append(torch.full((1, side * side), float(stride)))
        self.register_buffer("anchors", torch.cat(centres, dim=1)[None], persistent=False)
        self.register_buffer("strides", torch.cat(scales, dim=1)[None], persistent=False)
        bins = head.dfl.conv.weight.detach().float().reshape(1, 1, BOX_BINS, 1)
        self.register_buffer("bins", bins.clone(), persistent=False)

    def forward(self, raw: Tensor) -> Tensor:
        anchors = int(self.anchors.shape[2])
        box, label = torch.split(raw, [4 * BOX_BINS, self.classes], dim=1)
        weights = box.reshape(-1, 4, BOX_BINS, anchors).softmax(dim=2)
        near, far = torch.split((weights * self.bins).sum(dim=2), [2, 2], dim=1)
        # Corners are anchor - near and anchor + far, so the centre lies at half their difference.
        centre = (self.anchors + (far - near) * 0.5) * self.strides
        return torch.cat([centre, (near + far) * self.strides, label.sigmoid()], dim=1)


class DetectorExport(nn.Module):
    """What is exported: `images` [batch, 3, size, size] RGB 0..1 to `output0`. `decode` stays in float32 in every precision."""

    def __init__(self, network: Detector, shape: DetectorShape, strides: tuple[int, ...]) -> None:
        super().__init__()
        self.network = network
        head = network.model[22]
        assert isinstance(head, DetectHead)
        self.decode = DecodeBoxes(head, shape.input_size, strides)

    def forward(self, images: Tensor) -> Tensor:
        return self.decode(self.network(images))
