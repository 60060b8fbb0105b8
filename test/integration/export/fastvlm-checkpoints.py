"""
Exports random weights in 16 bits, writes a checkpoint in the published layout, exports it, and breaks copies of it. Prints one JSON
object: the manifest entries of the 16-bit export, whether each file of the checkpoint's export is the same as from the same random
weights without a checkpoint, and the refusal of each broken copy.
Arguments: the folder of the 32-bit export without a checkpoint, its seed, the folder for the 16-bit one, a folder to work in.
"""

import contextlib
import io
import json
import shutil
import struct
import sys
from pathlib import Path

import torch
from gpu_video_models.errors import ExportError
from gpu_video_models.fastvlm import export_parts
from gpu_video_models.fastvlm.checkpoint_layout import write_checkpoint
from gpu_video_models.fastvlm.safetensors import SafetensorsFile, write_safetensors

FILES = (
    "vision_encoder.onnx",
    "embed_tokens.onnx",
    "decoder_model_merged.onnx",
    "tokenizer.json",
    "tokenizer_config.json",
)
FIRST, SECOND = (f"model-0000{shard}-of-00002.safetensors" for shard in (1, 2))


def export(source, out, precision="fp32"):
    with contextlib.redirect_stderr(io.StringIO()):
        return export_parts(out, precision=precision, scale="tiny", source=source, seed=seed)


def change_config(**fields):
    def change(folder):
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, **fields}))

    return change


def change_tensors(shards, changed):
    def change(folder):
        for shard in shards:
            file = SafetensorsFile(folder / shard)
            tensors = {name: file.read(name) for name in file.entries}
            changed(tensors)
            write_safetensors(folder / shard, tensors)

    return change


def cut_off(folder):
    data = (folder / SECOND).read_bytes()
    (folder / SECOND).write_bytes(data[:-100])


def long_header(folder):
    data = (folder / FIRST).read_bytes()
    (folder / FIRST).write_bytes(struct.pack("<Q", 1 << 60) + data[8:])


def without_special_token(folder):
    words = json.loads((reference / "tokenizer.json").read_text())
    words["added_tokens"] = [token for token in words["added_tokens"] if token["content"] != "<|im_end|>"]
    (folder / "tokenizer.json").write_text(json.dumps(words))


def not_finite(tensors):
    tensors[sorted(tensors)[0]].view(-1)[3] = float("nan")


def narrower(tensors):
    name = next(name for name in tensors if name.endswith("q_proj.weight"))
    tensors[name] = tensors[name][:, :-1]


BREAKS = {
    "wrong model": change_config(model_type="llava_llama"),
    "wrong size": change_config(hidden_size=65, mm_vision_tower="clip_large"),
    "cut off": cut_off,
    "no header": long_header,
    "missing shard": lambda folder: (folder / SECOND).unlink(),
    "missing tensor": change_tensors([FIRST], lambda tensors: tensors.pop("model.embed_tokens.weight")),
    "unknown tensor": change_tensors([FIRST], lambda tensors: tensors.update({"model.layers.9.q": torch.zeros(2)})),
    "other shape": change_tensors([FIRST], narrower),
    "not finite": change_tensors([FIRST], not_finite),
    "no special token": without_special_token,
    "no merges": lambda folder: (folder / "merges.txt").unlink(),
    "no config": lambda folder: (folder / "config.json").unlink(),
}


def scaled(factors):
    def change(tensors):
        for part, factor in factors.items():
            for name in [name for name in tensors if part in name]:
                tensors[name] *= factor

    return change


# What is infinite in 16 bits: early in the encoder, and after its last downsampling, where 32 bits are kept. There the feed-forward
# normalises what it reads, as training would have it.
LARGE = {
    "early": change_tensors([FIRST, SECOND], scaled({".patch_embed.2.": 2e4})),
    "late": change_tensors(
        [FIRST, SECOND], scaled({".network.8.proj.1.": 1e5, ".network.10.0.convffn.conv.bn.weight": 1e-5})
    ),
}


def refusal(change, checkpoint, work, precision="fp32"):
    broken = work / "broken"
    shutil.rmtree(broken, ignore_errors=True)
    shutil.copytree(checkpoint, broken)
    change(broken)
    try:
        export(broken, work / "refused", precision)
    except ExportError as error:
        return str(error)
    return "accepted"


def notes(checkpoint, work):
    """Notes on a checkpoint that stores its tied output once and whose configuration says otherwise, and does not pad."""
    tied = work / "tied"
    shutil.copytree(checkpoint, tied)
    change_config(image_aspect_ratio="square", vocab_size=7)(tied)
    change_tensors([FIRST], lambda tensors: tensors.pop("lm_head.weight"))(tied)
    (tied / "model.safetensors.index.json").unlink()
    return export(tied, work / "tied-out")["report"]["notes"]


torch.set_num_threads(1)
reference, seed, half, work = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4])
checkpoint = work / "checkpoint"
write_checkpoint(checkpoint, "tiny", seed, torch.float32)
archive = shutil.make_archive(str(work / "archive"), "zip", work, "checkpoint")
export(Path(archive), work / "out")
result = {
    "half": export(None, half, "fp16"),
    "same": {name: (work / "out" / name).read_bytes() == (reference / name).read_bytes() for name in FILES},
    "left": sorted(path.name for path in (work / "out").iterdir() if path.name not in FILES),
    "refusals": {name: refusal(change, checkpoint, work) for name, change in BREAKS.items()},
    "large": {name: refusal(change, checkpoint, work, "fp16") for name, change in LARGE.items()},
    "notes": notes(checkpoint, work),
}
print(json.dumps(result))
