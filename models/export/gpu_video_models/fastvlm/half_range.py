"""
How large the values get that a 16-bit graph holds in 16 bits. The check of the written graph cannot see it: on a CPU ONNX Runtime
computes such nodes in 32 bits, and values beyond the range become infinite only on a GPU.
"""

from __future__ import annotations

import re
from types import TracebackType
from typing import Any

from torch import Tensor, nn

from ..errors import ExportError

LARGEST = 65504.0


class HalfRange:
    """Watches the runs of a module while it is entered: what its innermost parts read and give, except the wide ones."""

    def __init__(self, module: nn.Module, wide: str | None) -> None:
        stays = re.compile(wide) if wide is not None else None
        self.largest = 0.0
        self.where = ""
        self.parts = {
            name: part
            for name, part in module.named_modules()
            if not any(part.children()) and not (stays is not None and stays.search(name))
        }
        self.hooks: list[Any] = []

    def __enter__(self) -> HalfRange:
        for name, part in self.parts.items():
            self.hooks.append(
                part.register_forward_hook(lambda _part, read, given, name=name: self._look(name, (*read, given)))
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for hook in self.hooks:
            hook.remove()

    def _look(self, name: str, values: tuple[Any, ...]) -> None:
        for value in values:
            if isinstance(value, Tensor) and value.is_floating_point() and value.numel() > 0:
                largest = float(value.abs().max())
                if not largest <= self.largest:
                    self.largest, self.where = largest, name

    def assert_fits(self) -> None:
        """Raises ExportError where a value would have been infinite in 16 bits."""
        if not self.largest <= LARGEST:
            raise ExportError(
                f"{self.where} has values of {self.largest:.3g}, more than 16 bits can hold: export with fp32"
            )
