"""Command line: published checkpoints (or random weights) to the model packs OUT/fp32 and OUT/fp16."""

from __future__ import annotations

import argparse
import json
import platform
import resource
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import onnx
import onnxruntime
import torch

from . import age_gender, detection, orientation
from .check import Difference, check_file, reference_outputs
from .download import Downloads
from .errors import ExportError
from .half import LARGEST, to_half
from .manifest import describe_model, sha256_of, write_manifest
from .onnx_file import export_graph, operators, save
from .sources import LANGUAGE, SOURCES, Source
from .stage import PRECISIONS, VisionStage

VISION_STAGES: tuple[VisionStage, ...] = (detection.STAGE, age_gender.STAGE, orientation.STAGE)
_HERE = Path(__file__).resolve().parent.parent
_NAMES = {"full": "official", "tiny": "official-tiny"}


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


class Report:
    """What `report.json` says of an export: seconds, differences from torch, memory."""

    def __init__(self) -> None:
        self.parts: dict[str, Any] = {}

    def add(self, part: str, started: float, **facts: Any) -> None:
        seconds = round(time.monotonic() - started, 1)
        self.parts[part] = {"seconds": seconds, "peakMemoryMiB": _peak_memory(), **facts}
        say(f"{part}: {seconds} s")

    def write(self, path: Path) -> None:
        versions = {"python": platform.python_version(), "torch": torch.__version__, "onnx": onnx.__version__}
        versions["onnxruntime"] = onnxruntime.__version__
        path.write_text(json.dumps({"versions": versions, "parts": self.parts}, indent=2) + "\n", encoding="utf-8")


def _peak_memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def export_vision(stage: VisionStage, checkpoint: Path, scale: str, packs: dict[str, Path]) -> tuple[dict, dict]:
    """Writes and checks the stage's graph in each precision; the manifest's fields by precision, and facts for the report."""
    loaded = stage.load(checkpoint, scale)
    graph = export_graph(loaded.module, loaded.interface)
    reference = reference_outputs(loaded.module, loaded.sample)
    fields: dict[str, dict[str, Any]] = {}
    differences: list[dict[str, Any]] = []
    counts: dict[str, dict[str, int]] = {}
    if "fp16" in packs and reference.largest_value > LARGEST:
        # On a CPU half precision may be computed in float32 and show nothing of it.
        raise ExportError(
            f"{reference.largest_in} gives values up to {reference.largest_value:.3g}, fp16 ends at {LARGEST:.0f}: use --precision fp32"
        )
    for precision, pack in packs.items():
        path = pack / stage.file_name
        save(graph if precision == "fp32" else to_half(graph, loaded.keep_single), path)
        found = check_file(path, loaded.sample, reference, loaded.tolerances[precision])
        differences.extend(_described(precision, difference) for difference in found)
        counts[precision] = operators(onnx.load(str(path)))
        fields[precision] = {**loaded.manifest, "model": describe_model(pack, stage.file_name)}
    return fields, {
        "differences": differences,
        "largestValue": _three_digits(reference.largest_value),
        "operators": counts,
    }


def _described(precision: str, found: Difference) -> dict[str, Any]:
    return {
        "precision": precision,
        "batch": found.batch,
        "what": found.what,
        "mean": _three_digits(found.mean),
        "most": _three_digits(found.most),
        "largest": _three_digits(found.largest),
    }


def _three_digits(value: float) -> float:
    return float(f"{value:.3g}")


def random_origin(seed: int, scale: str) -> dict[str, str]:
    size = "the published architecture" if scale == "full" else "the published architecture, scaled down"
    return {"origin": f"{size}, random weights from seed {seed}: what it reads means nothing", "licence": "none needed"}


def checkpoint_origin(source: Source, path: Path) -> dict[str, str]:
    return {"origin": f"{source.title}, {source.page}, sha256 {sha256_of(path)}", "licence": source.licence}


def show_licences(sources: list[Source], accepted: bool) -> None:
    for source in sources:
        say(f"{source.title}\n  licence: {source.licence}\n  {source.terms}\n  {source.licence_page}")
    if not accepted:
        raise ExportError(
            "the exports are derivatives and bound by these licences; read them, then add --accept-licences"
        )


def run(options: argparse.Namespace) -> None:
    stages = [stage for stage in VISION_STAGES if not options.only or stage.key in options.only]
    with_language = not options.only or LANGUAGE.key in options.only
    packs = {precision: options.out / precision for precision in PRECISIONS if precision in options.precision}
    wanted = [SOURCES[stage.key] for stage in stages] + ([LANGUAGE] if with_language else [])
    if not options.random_weights:
        show_licences(wanted, options.accept_licences)
    report = Report()
    downloads = Downloads(cache=options.downloads, record=options.record, say=say)
    with ExitStack() as stack:
        entries: dict[str, dict[str, Any]] = {precision: {} for precision in packs}
        if options.random_weights:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            checkpoints = {stage.key: write_random_checkpoint(stage, folder, options) for stage in stages}
        else:
            given = {key: getattr(options, key.replace("-", "_")) for key in SOURCES}
            checkpoints = {source.key: downloads.obtain(source, given[source.key]) for source in wanted}
        for pack in packs.values():
            pack.mkdir(parents=True, exist_ok=True)
            # The manifest comes last: a folder with one is a whole pack.
            (pack / "manifest.json").unlink(missing_ok=True)
        for stage in stages:
            started = time.monotonic()
            path = checkpoints[stage.key]
            fields, facts = export_vision(stage, path, options.scale, packs)
            if options.random_weights:
                origin = random_origin(options.seed, options.scale)
            else:
                origin = checkpoint_origin(SOURCES[stage.key], path)
            for precision, entry in fields.items():
                entries[precision][stage.field] = {"adapter": entry.pop("adapter"), **origin, **entry}
            report.add(stage.key, started, **facts)
        if with_language:
            export_language(checkpoints.get(LANGUAGE.key), options, packs, entries, report)
        if not options.random_weights:
            for source in wanted:
                downloads.remember(source, checkpoints[source.key])
    if not options.only:
        for precision, pack in packs.items():
            write_manifest(pack, {**describe_pack(options, precision), **entries[precision]})
    report.write(options.out / "report.json")


def export_language(
    checkpoint: Path | None,
    options: argparse.Namespace,
    packs: dict[str, Path],
    entries: dict[str, dict[str, Any]],
    report: Report,
) -> None:
    from .fastvlm import export_parts

    for precision, pack in packs.items():
        started = time.monotonic()
        parts = dict(export_parts(pack, precision=precision, scale=options.scale, source=checkpoint, seed=options.seed))
        report.add(f"{LANGUAGE.key} {precision}", started, **parts.pop("report", {}))
        entries[precision].update(parts)


def write_random_checkpoint(stage: VisionStage, folder: Path, options: argparse.Namespace) -> Path:
    path = folder / SOURCES[stage.key].file_name
    stage.write_random(path, options.scale, options.seed)
    return path


def describe_pack(options: argparse.Namespace, precision: str) -> dict[str, Any]:
    name = _NAMES[options.scale] + ("-random" if options.random_weights else "")
    weights = "random weights: its readings mean nothing" if options.random_weights else "the published weights"
    size = "the published architectures" if options.scale == "full" else "scaled-down architectures"
    return {
        "format": 1,
        "name": f"{name}-{precision}",
        "description": f"{size}, {weights}; {precision}",
        "filesRoot": ".",
    }


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="export",
        description="Writes the model packs OUT/fp32 and OUT/fp16 from the published checkpoints, each graph checked against torch.",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the packs")
    parser.add_argument(
        "--accept-licences", action="store_true", help="the licences of the checkpoints are read and accepted"
    )
    parser.add_argument("--precision", nargs="+", choices=PRECISIONS, default=list(PRECISIONS))
    parser.add_argument(
        "--only", nargs="+", choices=list(SOURCES), help="graphs of these parts alone, without a manifest"
    )
    for source in SOURCES.values():
        helped = f"file or address of {source.file_name}"
        parser.add_argument(f"--{source.key}", metavar="FILE|URL", help=helped)
    parser.add_argument("--downloads", type=Path, default=_HERE / ".downloads", help="keeps what was downloaded")
    parser.add_argument("--record", type=Path, default=_HERE / "recorded-sha256.json", help="hashes seen on first use")
    parser.add_argument(
        "--random-weights", action="store_true", help="no downloads: the same architectures, seeded weights"
    )
    parser.add_argument("--scale", choices=tuple(_NAMES), default="full", help="tiny: narrow and shallow, for tests")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    if options.scale == "tiny" and not options.random_weights:
        parser.error("--scale tiny needs --random-weights: the published checkpoints are full-size")
    return options


def main(arguments: list[str] | None = None) -> int:
    try:
        run(parse(arguments))
    except ExportError as error:
        say(f"error: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
