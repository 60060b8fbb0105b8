"""Runs the written graphs in ONNX Runtime beside the PyTorch modules that they came from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

from ..check import BATCHES
from ..errors import ExportError
from .graphs import cache_names
from .qwen2 import empty_cache
from .shapes import FastVlmShape

# Largest difference, as a share of the largest value of the reference. In 16 bits the reference has the same rounded weights and
# computes in 32 bits, so what is left is the rounding of values on the way.
TOLERANCE = {"fp32": 1e-4, "fp16": 2e-2}


class Checker:
    """Collects the largest differences of a graph; raises ExportError where one is beyond the tolerance."""

    def __init__(self, path: Path, precision: str) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 3
        self.path = path
        self.tolerance = TOLERANCE[precision]
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.types = {value.name: value.type for value in self.session.get_inputs()}
        self.outputs = [value.name for value in self.session.get_outputs()]
        self.largest: dict[str, float] = {}

    def run(self, feeds: dict[str, Tensor]) -> dict[str, Tensor]:
        outputs = self.session.run(self.outputs, {name: self._as_input(name, value) for name, value in feeds.items()})
        return {name: torch.from_numpy(value) for name, value in zip(self.outputs, outputs, strict=True)}

    def _as_input(self, name: str, value: Tensor) -> np.ndarray:
        return value.numpy().astype(np.float16) if self.types[name] == "tensor(float16)" else value.numpy()

    def compare(self, what: str, found: Tensor, expected: Tensor) -> None:
        """`what` begins with the kind of value that the largest difference is kept for."""
        if found.shape != expected.shape:
            raise ExportError(
                f"{self.path.name}: {what} has the shape {list(found.shape)}, expected {list(expected.shape)}"
            )
        difference = float((found.float() - expected).abs().max() / expected.abs().max().clamp(min=1e-6))
        if not difference <= self.tolerance:
            raise ExportError(
                f"{self.path.name}: {what} differs by {difference:.2e} of its range, allowed {self.tolerance:.0e}"
            )
        kind = what.split(":")[0]
        self.largest[kind] = max(self.largest.get(kind, 0.0), difference)


def check_vision(path: Path, module: nn.Module, shape: FastVlmShape, precision: str, seed: int) -> dict[str, float]:
    checker = Checker(path, precision)
    size = shape.vision.image_size
    for batch in BATCHES:
        pixels = torch.rand(batch, 3, size, size, generator=torch.Generator().manual_seed(seed + batch))
        with torch.no_grad():
            expected = module(pixels)
        found = checker.run({"pixel_values": pixels})["image_features"]
        checker.compare(f"image_features: batch {batch}", found, expected)
    return checker.largest


def check_embed(path: Path, module: nn.Module, shape: FastVlmShape, precision: str, seed: int) -> dict[str, float]:
    checker = Checker(path, precision)
    for batch in BATCHES:
        random = torch.Generator().manual_seed(seed + batch)
        ids = torch.randint(0, shape.text.vocabulary, (batch, 7), generator=random)
        found = checker.run({"input_ids": ids})["inputs_embeds"]
        checker.compare(f"inputs_embeds: batch {batch}", found, module(ids))
    return checker.largest


def check_decoder(path: Path, module: nn.Module, shape: FastVlmShape, precision: str, seed: int) -> dict[str, float]:
    """
    The ways in which the chain calls it: a prefix alone, the prefix's cache repeated for every row, a continuation of several
    positions with all their logits; and the same prompt at once, and with left padding, which must give the same answers.
    """
    checker = Checker(path, precision)
    prefix_length, rest, label = 5, 9, 3
    for batch in BATCHES:
        random = torch.Generator().manual_seed(seed + batch)
        embeds = torch.randn(batch, prefix_length + rest + label, shape.text.hidden, generator=random)
        embeds[:, :prefix_length] = embeds[:1, :prefix_length].clone()
        whole = Step(checker, module, shape, batch)
        at_once = whole.run(embeds, keep=label + 1, what="whole prompt")

        prefix = Step(checker, module, shape, 1)
        prefix.run(embeds[:1, :prefix_length], keep=1, what="prefix")
        rows = prefix.repeated(batch)
        first = rows.run(embeds[:, prefix_length:-label], keep=1, what="prefill on a shared prefix")
        more = rows.run(embeds[:, -label:], keep=label, what="continuation")
        checker.compare("in steps and at once: prefill", first, at_once[:, :1])
        checker.compare("in steps and at once: continuation", more, at_once[:, 1:])

        padded = Step(checker, module, shape, batch, padding=4)
        filler = torch.randn(batch, 4, shape.text.hidden, generator=random)
        left = padded.run(torch.cat((filler, embeds), dim=1), keep=label + 1, what="left padding")
        checker.compare("left padding and none: all", left, at_once)
    return checker.largest


class Step:
    """A batch that goes on, in both implementations, each with its own cache."""

    def __init__(self, checker: Checker, module: nn.Module, shape: FastVlmShape, batch: int, padding: int = 0) -> None:
        self.checker, self.module, self.shape = checker, module, shape
        self.batch, self.padding, self.length = batch, padding, 0
        self.expected_cache = empty_cache(shape.text, batch)
        self.found_cache = list(self.expected_cache)

    def repeated(self, batch: int) -> Step:
        rows = Step(self.checker, self.module, self.shape, batch)
        rows.length = self.length
        rows.expected_cache = [value.expand(batch, -1, -1, -1) for value in self.expected_cache]
        rows.found_cache = [value.repeat_interleave(batch, dim=0) for value in self.found_cache]
        return rows

    def run(self, embeds: Tensor, keep: int, what: str) -> Tensor:
        """Logits of the graph after the next positions; both caches grow by them."""
        total = self.length + embeds.shape[1]
        mask = torch.ones(self.batch, total, dtype=torch.int64)
        mask[:, : self.padding] = 0
        positions = (torch.arange(self.length, total) - self.padding).clamp(min=0).repeat(self.batch, 1)
        with torch.no_grad():
            logits, *cache = self.module(embeds, mask, positions, torch.tensor(keep), *self.expected_cache)
        names = cache_names(self.shape)
        found = self.checker.run(
            {
                "inputs_embeds": embeds,
                "attention_mask": mask,
                "position_ids": positions,
                "num_logits_to_keep": torch.tensor(keep),
                **dict(zip(names, self.found_cache, strict=True)),
            }
        )
        detail = f"{what}, batch {self.batch}"
        self.checker.compare(f"logits: {detail}", found["logits"], logits)
        self.expected_cache, self.length = cache, total
        self.found_cache = [found[name.replace("past_key_values", "present")] for name in names]
        for name, value, expected in zip(names, self.found_cache, cache, strict=True):
            # What stands in padded places is never read.
            at = (slice(None), slice(None), slice(self.padding, None))
            self.checker.compare(f"cache: {name}, {detail}", value[at], expected[at])
        return found["logits"]


Check = Callable[[Path, nn.Module, FastVlmShape, str, int], "dict[str, float]"]

# By the graph's place in the manifest.
CHECKS: dict[str, Check] = {"visionEncoder": check_vision, "embedTokens": check_embed, "decoder": check_decoder}
