"""FastVLM 0.5B: its architecture in plain PyTorch, and its export to the three ONNX graphs that the worker runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def export_parts(out_dir: Path, *, precision: str, scale: str, source: Path | None, seed: int) -> dict[str, Any]:
    """
    Writes vision encoder, embeddings, decoder and tokenizer into `out_dir`; returns the manifest's `language`, `action` and `scene`
    and, as `report`, the largest differences from PyTorch and notes on the source.

    precision: 'fp32' or 'fp16'; scale: 'full' or 'tiny'; source: folder or zip of the published stage-2 checkpoint, or None for
    random weights from `seed`. Raises ExportError where the source is not that checkpoint or a written graph differs from PyTorch.
    """
    # Here, so that the architectures can be imported with nothing but PyTorch installed.
    from .export import export

    return export(Path(out_dir), precision=precision, scale=scale, source=source, seed=seed)
