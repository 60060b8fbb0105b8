"""Command line: checkpoints (or random weights) to model packs OUT/fp32 and OUT/fp16."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from . import detection
from .check import check_file, reference_outputs
from .errors import ExportError
from .half import to_half
from .manifest import describe_model
from .onnx_file import export_graph, save
from .stage import PRECISIONS, VisionStage

STAGES: tuple[VisionStage, ...] = (detection.STAGE,)


def export_stage(stage: VisionStage, checkpoint: Path, scale: str, out: Path) -> dict[str, dict]:
    loaded = stage.load(checkpoint, scale)
    graph = export_graph(loaded.module, loaded.interface)
    reference = reference_outputs(loaded.module, loaded.sample)
    entries = {}
    for precision in PRECISIONS:
        path = out / precision / stage.file_name
        save(graph if precision == "fp32" else to_half(graph, loaded.keep_single), path)
        for found in check_file(path, loaded.sample, reference, loaded.tolerances[precision]):
            print(f"{stage.key} {precision} batch {found.batch}: {found.what} within {found.largest:.2g}, on average {found.mean:.2g}", file=sys.stderr)
        entries[precision] = {**loaded.manifest, "model": describe_model(path.parent, stage.file_name)}
    return entries


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="export")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--random-weights", action="store_true")
    parser.add_argument("--scale", choices=("full", "tiny"), default="full")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    try:
        for stage in STAGES:
            checkpoint = options.out / "checkpoints" / f"{stage.key}.pt"
            stage.write_random(checkpoint, options.scale, options.seed)
            export_stage(stage, checkpoint, options.scale, options.out)
    except ExportError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
