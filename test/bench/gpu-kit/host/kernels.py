"""Which GPU kernels a stage runs and how long they take, by Nsight Compute. Its times are of kernels that run alone.

kernels.py NODE PACK STAGE BATCH
"""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

NODE, PACK, STAGE, BATCH = sys.argv[1:5]
TO_MS = {"ns": 1e-6, "nsecond": 1e-6, "us": 1e-3, "usecond": 1e-3, "ms": 1.0, "msecond": 1.0, "s": 1e3, "second": 1e3}
# The stage is run twice: once as the first of its shape, once timed.
RUNS = 2


def kind(name: str) -> str:
    """A kernel without its template arguments and sizes."""
    plain = re.sub(r"^void ", "", name)
    return re.split(r"[<(]", plain)[0][:90]


def main() -> None:
    profiler = shutil.which("ncu") or next(
        (str(path) for path in Path("/opt/nvidia").glob("nsight-compute/*/ncu")), None
    )
    if profiler is None:
        raise SystemExit("Nsight Compute is not on this host")
    stages = Path(__file__).with_name("stages.ts")
    command = [
        profiler,
        "--csv",
        "--clock-control",
        "none",
        "--metrics",
        "gpu__time_duration.sum",
        "--target-processes",
        "all",
    ]
    command += [NODE, "--disable-warning=ExperimentalWarning", str(stages), PACK, "cuda", "1", f"{STAGE}={BATCH}"]
    done = subprocess.run(command, capture_output=True, text=True)
    lines = done.stdout.splitlines()
    header = next((index for index, line in enumerate(lines) if line.startswith('"ID"')), None)
    if header is None:
        sys.stderr.write(done.stdout[-3000:] + done.stderr[-3000:])
        raise SystemExit("Nsight Compute wrote no table")
    found: dict[str, list[float]] = defaultdict(list)
    for row in csv.DictReader(line for line in lines[header:] if line.startswith('"')):
        try:
            found[kind(row["Kernel Name"])].append(
                float(row["Metric Value"].replace(",", "")) * TO_MS[row["Metric Unit"]]
            )
        except (KeyError, ValueError):
            continue
    total = sum(map(sum, found.values()))
    rows = sorted(((sum(times), len(times), name) for name, times in found.items()), reverse=True)
    kernels = [
        {"kernel": name, "perRun": count / RUNS, "msPerRun": round(ms / RUNS, 3), "share": round(ms / total, 3)}
        for ms, count, name in rows[:25]
    ]
    print(
        json.dumps(
            {
                "stage": STAGE,
                "batch": int(BATCH),
                "launchesPerRun": sum(map(len, found.values())) / RUNS,
                "msPerRun": round(total / RUNS, 2),
                "kernels": kernels,
            }
        )
    )


if __name__ == "__main__":
    main()
