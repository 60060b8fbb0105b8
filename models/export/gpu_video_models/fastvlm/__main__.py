"""The language model alone: `python -m gpu_video_models.fastvlm --out DIR`; prints its manifest entries as JSON."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from ..errors import ExportError
from . import export_parts


def main() -> int:
    parser = argparse.ArgumentParser(prog="fastvlm", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--precision", choices=("fp32", "fp16"), default="fp32")
    parser.add_argument("--scale", choices=("full", "tiny"), default="full")
    parser.add_argument(
        "--source", type=Path, help="folder or zip of the published checkpoint; without it: random weights"
    )
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    try:
        parts = export_parts(
            options.out, precision=options.precision, scale=options.scale, source=options.source, seed=options.seed
        )
    except ExportError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(json.dumps(parts))
    return 0


if __name__ == "__main__":
    sys.exit(main())
