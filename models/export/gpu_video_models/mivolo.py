"""MiVOLO d1 with six input channels: face and body are joined by cross attention, then read by a VOLO-D1.

Parameter names are those of the published checkpoints, so that they load strictly.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from .volo import ClassBlock, Downsample, Outlooker, Transformer

OUTPUTS = 3
_MLP_RATIO = 3


@dataclass(frozen=True)
class AgeGenderShape:
    layers: tuple[int, int, int, int] = (4, 4, 8, 2)
    channels: tuple[int, int] = (192, 384)
    heads: tuple[int, int] = (6, 12)
    stem: int = 64
    input_size: int = 224

    @property
    def map_size(self) -> int:
        return self.input_size // 8


FULL = AgeGenderShape()
TINY = AgeGenderShape(layers=(1, 1, 1, 1), channels=(16, 32), heads=(2, 4), stem=8)


class RelativePositions(nn.Module):
    """Logits of every query for each vertical and horizontal distance to a key (Ramachandran et al., 2019)."""

    index: Tensor

    def __init__(self, size: int, channels: int) -> None:
        super().__init__()
        self.size, self.channels = size, channels
        self.height_rel = nn.Parameter(torch.zeros(2 * size - 1, channels))
        self.width_rel = nn.Parameter(torch.zeros(2 * size - 1, channels))
        ticks = torch.arange(size)
        self.register_buffer("index", ticks[None, :] - ticks[:, None] + size - 1, persistent=False)

    def forward(self, query: Tensor) -> Tensor:
        """[batch, size * size, channels] to [batch, size * size, size * size]."""
        grid = query.reshape(-1, self.size, self.size, self.channels)
        # One matrix product per query row or column, each with the distances that are possible there.
        across = grid.permute(0, 2, 1, 3) @ self.width_rel[self.index].transpose(1, 2)
        down = grid @ self.height_rel[self.index].transpose(1, 2)
        across = across.permute(0, 2, 1, 3).reshape(-1, self.size, self.size, 1, self.size)
        logits = down.reshape(-1, self.size, self.size, self.size, 1) + across
        return logits.reshape(-1, self.size**2, self.size**2)


class ConvMlp(nn.Module):
    def __init__(self, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(inputs, hidden, 1)
        self.act = nn.GELU()
        self.fc2 = nn.Conv2d(hidden, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(self.act(self.fc1(x)))


class FaceBodyFusion(nn.Module):
    """The face's map asks the body's and the other way round; both answers become one map."""

    def __init__(self, channels: int, size: int) -> None:
        super().__init__()
        self.channels, self.size = channels, size
        self.scale = channels**-0.5
        self.qkv_f = nn.Conv2d(channels, 3 * channels, 1, bias=False)
        self.qkv_p = nn.Conv2d(channels, 3 * channels, 1, bias=False)
        self.pos_embed = RelativePositions(size, channels)
        self.norm = nn.LayerNorm([2 * channels, size, size])
        self.mlp = ConvMlp(2 * channels, 4 * channels, channels)

    def forward(self, face: Tensor, body: Tensor) -> Tensor:
        face_query, face_key, face_value = self._parts(self.qkv_f(face))
        body_query, body_key, body_value = self._parts(self.qkv_p(body))
        of_face = self._attend(face_query, body_key, body_value)
        of_body = self._attend(body_query, face_key, face_value)
        return self.mlp(self.norm(torch.cat([of_face, of_body], dim=1)))

    def _parts(self, x: Tensor) -> list[Tensor]:
        flat = x.reshape(-1, 3 * self.channels, self.size**2)
        return list(flat.split([self.channels] * 3, dim=1))

    def _attend(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        query = query.transpose(1, 2)
        weights = ((query @ key) * self.scale + self.pos_embed(query)).softmax(dim=-1)
        answer = weights @ value.transpose(1, 2)
        return answer.transpose(1, 2).reshape(-1, self.channels, self.size, self.size)


def _stem(hidden: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, hidden, 7, 2, 3, bias=False),
        nn.BatchNorm2d(hidden),
        nn.ReLU(),
        nn.Conv2d(hidden, hidden, 3, 1, 1, bias=False),
        nn.BatchNorm2d(hidden),
        nn.ReLU(),
        nn.Conv2d(hidden, hidden, 3, 1, 1, bias=False),
        nn.BatchNorm2d(hidden),
        nn.ReLU(),
    )


class PatchEmbedding(nn.Module):
    """Channels 0 to 2 are the face, 3 to 5 the body; each has a stem and a projection of its own."""

    def __init__(self, shape: AgeGenderShape) -> None:
        super().__init__()
        self.conv1, self.conv2 = _stem(shape.stem), _stem(shape.stem)
        self.proj1 = nn.Conv2d(shape.stem, shape.channels[0], 4, 4)
        self.proj2 = nn.Conv2d(shape.stem, shape.channels[0], 4, 4)
        self.map = FaceBodyFusion(shape.channels[0], shape.map_size)

    def forward(self, x: Tensor) -> Tensor:
        face, body = x.split([3, 3], dim=1)
        return self.map(self.proj1(self.conv1(face)), self.proj2(self.conv2(body)))


class AgeGenderNetwork(nn.Module):
    """[batch, 6, size, size], normalised, to [batch, 3]: logits of male and female, and the age on the checkpoint's scale."""

    def __init__(self, shape: AgeGenderShape) -> None:
        super().__init__()
        narrow, wide = shape.channels
        first, later = shape.heads
        side = shape.map_size // 2
        self.tokens, self.wide = side * side, wide
        self.patch_embed = PatchEmbedding(shape)
        outlookers = nn.Sequential(*(Outlooker(narrow, first, _MLP_RATIO) for _ in range(shape.layers[0])))
        transformers = (
            nn.Sequential(*(Transformer(wide, later, _MLP_RATIO) for _ in range(count))) for count in shape.layers[1:]
        )
        self.network = nn.ModuleList([outlookers, Downsample(narrow, wide), *transformers])
        self.pos_embed = nn.Parameter(torch.zeros(1, side, side, wide))
        self.cls_token = nn.Parameter(torch.zeros(1, 1, wide))
        self.post_network = nn.ModuleList(ClassBlock(wide, later, _MLP_RATIO) for _ in range(2))
        self.norm = nn.LayerNorm(wide)
        self.head = nn.Linear(wide, OUTPUTS)
        self.aux_head = nn.Linear(wide, OUTPUTS)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patch_embed(x).permute(0, 2, 3, 1)
        x = self.network[1](self.network[0](x)) + self.pos_embed
        for stage in list(self.network)[2:]:
            x = stage(x)
        x = x.reshape(-1, self.tokens, self.wide)
        # A zero row in front plus the class token there: the same as joining an expanded token, without asking for the batch.
        x = functional.pad(x, [0, 0, 1, 0]) + functional.pad(self.cls_token, [0, 0, 0, self.tokens])
        for block in self.post_network:
            x = block(x)
        x = self.norm(x)
        return self.head(x[:, 0]) + 0.5 * self.aux_head(x[:, 1:]).amax(dim=1)
