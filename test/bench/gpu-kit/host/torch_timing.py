"""The same architectures in PyTorch on the same GPU, and the GPU's own ceilings. One JSON object a line.

torch_timing.py PROJECT cuda|cpu full|tiny
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

PROJECT, DEVICE, SCALE = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
sys.path.insert(0, str(PROJECT / "models/export"))
CUDA = DEVICE == "cuda"
BATCHES = (1, 8) if CUDA else (1,)
GIGAFLOPS = {"detection": 257.4, "ageGender": 17.31, "orientation": 17.77, "visionEncoder": 488.52, "prefill": 215.0}


def report(**facts: object) -> None:
    print(json.dumps(facts), flush=True)


def median_ms(run: Callable[[], object], rounds: int = 20) -> float:
    for _ in range(3):
        run()
    times = []
    for _ in range(rounds if CUDA else 1):
        if CUDA:
            begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            begin.record()
            run()
            end.record()
            torch.cuda.synchronize()
            times.append(begin.elapsed_time(end))
        else:
            began = time.perf_counter()
            run()
            times.append((time.perf_counter() - began) * 1000)
    return sorted(times)[len(times) // 2]


def ceilings() -> None:
    if not CUDA:
        return
    a = torch.randn(8192, 8192, device=DEVICE, dtype=torch.float16)
    b = torch.randn(8192, 8192, device=DEVICE, dtype=torch.float16)
    matrix = median_ms(lambda: a @ b, 10)
    big = torch.empty(2 << 30, dtype=torch.uint8, device=DEVICE)
    other = torch.empty_like(big)
    copy = median_ms(lambda: other.copy_(big), 10)
    facts: dict[str, object] = {
        "fp16Teraflops": round(2 * 8192**3 / matrix / 1e9, 1),
        "copyGBs": round(2 * big.numel() / copy / 1e6, 1),
    }
    for name, mib in (("frame", 6), ("batch", 48), ("cache", 128)):
        size = mib << 20
        for kind in ("pageable", "pinned"):
            host = torch.ones(size, dtype=torch.uint8, pin_memory=kind == "pinned")
            card = torch.ones(size, dtype=torch.uint8, device=DEVICE)
            for way, run in (("toGpu", partial(card.copy_, host)), ("toHost", partial(host.copy_, card))):
                torch.cuda.synchronize()
                times = []
                for _ in range(8):
                    began = time.perf_counter()
                    run()
                    torch.cuda.synchronize()
                    times.append(time.perf_counter() - began)
                facts[f"{name}{mib}MiB.{kind}.{way}GBs"] = round(size / sorted(times)[4] / 1e9, 2)
    report(
        what="ceilings",
        gpu=torch.cuda.get_device_name(),
        torch=torch.__version__,
        cudnn=torch.backends.cudnn.version(),
        **facts,
    )


class Prefill(nn.Module):
    """The prompt after the shared prefix, the last position's logits and the whole cache."""

    def __init__(self, decoder: nn.Module, past: list[Tensor], prefix: int) -> None:
        super().__init__()
        self.decoder, self.past, self.prefix = decoder, past, prefix

    def forward(self, embeds: Tensor) -> Tensor:
        rows, tokens = embeds.shape[:2]
        mask = torch.ones(rows, self.prefix + tokens, dtype=torch.int64, device=embeds.device)
        positions = torch.arange(self.prefix, self.prefix + tokens, device=embeds.device).repeat(rows, 1)
        past = [tensor.expand(rows, -1, -1, -1) for tensor in self.past]
        # On the host: a slice that waits for a number on the GPU could not be captured.
        keep = torch.tensor(1)
        return self.decoder(embeds, mask, positions, keep, *past)[0]


def models() -> dict[str, tuple[nn.Module, tuple[int, ...]]]:
    from gpu_video_models import mebow, mivolo, yolov8
    from gpu_video_models.fastvlm import qwen2, vision_tower
    from gpu_video_models.fastvlm.shapes import SHAPES
    from gpu_video_models.folding import fold_batch_norms

    # Half precision ends at 65,504.
    qwen2.MASKED = -60000.0
    pick = "FULL" if SCALE == "full" else "TINY"
    yolo, age, body = getattr(yolov8, pick), getattr(mivolo, pick), getattr(mebow, pick)
    shape = SHAPES[SCALE]
    detector = fold_batch_norms(yolov8.DetectorExport(yolov8.Detector(yolo, 2), yolo, (8, 16, 32)))
    encoder = vision_tower.VisionEncoder(shape.vision, shape.text.hidden).eval()
    vision_tower.fold_norms(encoder)
    decoder = qwen2.Decoder(shape.text).eval()
    prefix = 14
    past = [
        torch.randn(1, shape.text.kv_heads, prefix, shape.text.head_size, device=DEVICE).half()
        for _ in range(2 * shape.text.layers)
    ]
    size = shape.vision.image_size
    return {
        "detection": (detector, (3, yolo.input_size, yolo.input_size)),
        "ageGender": (fold_batch_norms(mivolo.AgeGenderNetwork(age)), (6, age.input_size, age.input_size)),
        "orientation": (fold_batch_norms(mebow.OrientationNetwork(body)), (3, body.height, body.input_width)),
        "visionEncoder": (encoder, (3, size, size)),
        "prefill": (
            Prefill(decoder, past if CUDA else [tensor.float() for tensor in past], prefix),
            (shape.vision.tokens + 101, shape.text.hidden),
        ),
    }


@torch.inference_mode()
def main() -> None:
    ceilings()
    for name, (model, row) in models().items():
        # Trying every algorithm pays for the two that take the time; the small ones have hundreds of shapes.
        torch.backends.cudnn.benchmark = name in ("detection", "visionEncoder")
        for form in ("channels last", "contiguous") if len(row) == 3 else ("contiguous",):
            layout = torch.channels_last if form == "channels last" else torch.contiguous_format
            try:
                module = model.eval().to(DEVICE)
                module = module.half() if CUDA else module
                if len(row) == 3:
                    module = module.to(memory_format=layout)
                for batch in BATCHES if form == "channels last" or len(row) == 2 else BATCHES[1:2]:
                    x = torch.randn(batch, *row, device=DEVICE).to(next(module.parameters()).dtype)
                    x = x.contiguous(memory_format=layout) if len(row) == 3 else x
                    milliseconds = median_ms(partial(module, x))
                    facts = {"model": name, "form": form, "batch": batch, "ms": round(milliseconds, 3)}
                    if SCALE == "full":
                        facts["teraflops"] = round(GIGAFLOPS[name] * batch / milliseconds, 1)
                    if CUDA:
                        facts["graphMs"] = graph_ms(module, x)
                    report(**facts)
            except Exception as error:  # noqa: BLE001  what one model cannot do must not end the rest
                report(model=name, form=form, error=f"{type(error).__name__}: {error}"[:600])
        model.to("cpu")


def graph_ms(module: nn.Module, x: Tensor) -> float | str:
    """The same without the cost of launching."""
    try:
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            module(x)
        return round(median_ms(graph.replay), 3)
    except Exception as error:  # noqa: BLE001
        torch.cuda.synchronize()
        return f"{type(error).__name__}: {error}"[:200]


if __name__ == "__main__":
    main()
