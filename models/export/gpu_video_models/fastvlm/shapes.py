"""Sizes of the three graphs: the published FastVLM 0.5B, and a narrow one with the same operators."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class VisionShape:
    image_size: int
    depths: tuple[int, ...]
    widths: tuple[int, ...]
    mlp_ratio: int
    head_size: int
    # Width of the contrastive head, which the checkpoint holds and the language model does not use; 0 leaves it out.
    unused_head: int

    @property
    def features(self) -> int:
        return 2 * self.widths[-1]

    @property
    def tokens(self) -> int:
        return (self.image_size // 64) ** 2


@dataclass(frozen=True)
class TextShape:
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_size: int
    intermediate: int
    vocabulary: int
    max_positions: int
    rope_theta: float = 1_000_000.0
    norm_eps: float = 1e-6


@dataclass(frozen=True)
class FastVlmShape:
    vision: VisionShape
    text: TextShape


FULL = FastVlmShape(
    vision=VisionShape(
        image_size=1024,
        depths=(2, 12, 24, 4, 2),
        widths=(96, 192, 384, 768, 1536),
        mlp_ratio=4,
        head_size=32,
        unused_head=768,
    ),
    text=TextShape(
        hidden=896,
        layers=24,
        heads=14,
        kv_heads=2,
        head_size=64,
        intermediate=4864,
        vocabulary=151936,
        max_positions=32768,
    ),
)

# Every kind of layer at least once, an image of 16 positions, and several query heads for each key head.
TINY = FastVlmShape(
    vision=VisionShape(
        image_size=256, depths=(1, 1, 1, 1, 1), widths=(4, 8, 16, 32, 64), mlp_ratio=2, head_size=32, unused_head=0
    ),
    text=TextShape(
        hidden=64,
        layers=2,
        heads=8,
        kv_heads=2,
        head_size=16,
        intermediate=128,
        vocabulary=1024,
        max_positions=2048,
    ),
)

SHAPES = {"full": FULL, "tiny": TINY}
