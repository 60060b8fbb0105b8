"""Qwen2's tokenizer as tokenizer.json: from the checkpoint's files, or a small one that is made here, without network."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

from ..errors import ExportError
from . import prompts
from .source import read_json

SPECIALS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<image>")
# Ids of the published tokenizer; `<image>` is the first free one after them.
OFFICIAL_IDS = {"<|endoftext|>": 151643, "<|im_start|>": 151644, "<|im_end|>": 151645, "<image>": 151646}

# How Qwen2 cuts a text into words before it looks for merges.
SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
FLAGS = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}


def byte_symbols() -> list[str]:
    """The printable character that stands for each byte in a byte-level vocabulary."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    symbols = {byte: chr(byte) for byte in plain}
    others = (byte for byte in range(256) if byte not in symbols)
    symbols.update({byte: chr(256 + index) for index, byte in enumerate(others)})
    return [symbols[byte] for byte in range(256)]


def learn_words(words: list[str]) -> tuple[dict[str, int], list[list[str]]]:
    """Merges that make each word one token: a word is cut by the merges so far, its pieces are joined from the left."""
    vocabulary = {symbol: index for index, symbol in enumerate(byte_symbols())}
    symbols = byte_symbols()
    ranks: dict[tuple[str, str], int] = {}
    for word in words:
        pieces = [symbols[byte] for byte in word.encode()]
        while pairs := [pair for pair in pairwise(pieces) if pair in ranks]:
            at = [*pairwise(pieces)].index(min(pairs, key=ranks.__getitem__))
            pieces[at : at + 2] = [pieces[at] + pieces[at + 1]]
        joined = pieces[0]
        for piece in pieces[1:]:
            ranks[joined, piece] = len(ranks)
            joined += piece
            vocabulary.setdefault(joined, len(vocabulary))
    return vocabulary, [list(pair) for pair in ranks]


def prompt_words() -> list[str]:
    """
    The words of the pack's own prompts, which the made tokenizer knows whole after a space. The labels as answers, without one, are
    a stem and an ending, as the published vocabulary cuts some of them: labels of several tokens take another way in scoring.
    """
    text = f"{prompts.TEMPLATE} {prompts.SYSTEM} {prompts.action_question()} {prompts.SCENE_QUESTION}"
    words = re.findall(r" ?[A-Za-z]+", text)
    stems = [label.removesuffix("ing") for label in prompts.ACTIONS]
    return ["ing", *stems, *dict.fromkeys(words)]


def made_tokenizer(vocabulary_size: int, official_ids: bool) -> tuple[dict, dict]:
    """A small valid tokenizer; its special tokens have the published ids, or follow its words where the model has fewer rows."""
    vocabulary, merges = learn_words(prompt_words())
    specials = OFFICIAL_IDS if official_ids else {token: len(vocabulary) + i for i, token in enumerate(SPECIALS)}
    assert_room(specials, vocabulary_size)
    return tokenizer_json(vocabulary, merges, specials), tokenizer_config(specials)


def read_tokenizer(folder: Path, vocabulary_size: int) -> tuple[dict, dict]:
    """
    The checkpoint's tokenizer with `<image>` as the first free id, as its own code adds it. Checkpoints of this kind may come
    without tokenizer.json: then it is put together from the files that the slow tokenizer reads.
    """
    config = read_json(folder / "tokenizer_config.json") if (folder / "tokenizer_config.json").is_file() else {}
    if (folder / "tokenizer.json").is_file():
        whole = read_json(folder / "tokenizer.json")
        added = whole.setdefault("added_tokens", [])
        specials = {token["content"]: token["id"] for token in added}
        highest = max([*whole["model"]["vocab"].values(), *specials.values()])
    else:
        vocabulary, merges = read_json(folder / "vocab.json"), read_merges(folder / "merges.txt")
        specials = special_ids(folder, config, len(vocabulary))
        whole = tokenizer_json(vocabulary, merges, specials)
        added = whole["added_tokens"]
        highest = max([*vocabulary.values(), *specials.values()])
    if "<image>" not in specials:
        specials["<image>"] = highest + 1
        added.append({"id": highest + 1, "content": "<image>", **FLAGS})
    missing = [token for token in SPECIALS if token not in specials]
    if missing:
        raise ExportError(f"{folder}: the tokenizer has no {', '.join(missing)}: it is not Qwen2's")
    assert_room({token: specials[token] for token in SPECIALS}, vocabulary_size)
    decoder = {**config.get("added_tokens_decoder", {}), **tokenizer_config(specials)["added_tokens_decoder"]}
    return whole, {**tokenizer_config(specials), **config, "added_tokens_decoder": decoder}


def special_ids(folder: Path, config: dict, words: int) -> dict[str, int]:
    """Ids of the special tokens: where the files name them, or the first ones after the words, in Qwen2's order."""
    ids = {token: words + index for index, token in enumerate(SPECIALS) if token != "<image>"}
    if (folder / "added_tokens.json").is_file():
        ids.update(read_json(folder / "added_tokens.json"))
    ids.update({entry["content"]: int(index) for index, entry in config.get("added_tokens_decoder", {}).items()})
    return ids


def read_merges(path: Path) -> list[list[str]]:
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except OSError as error:
        raise ExportError(f"{path} cannot be read: {error}") from error
    merges = [line.split(" ") for line in lines if line and not line.startswith("#version")]
    wrong = next((merge for merge in merges if len(merge) != 2), None)
    if wrong is not None:
        raise ExportError(f"{path}: a line has {len(wrong)} parts, expected the two sides of a merge")
    return merges


def assert_room(specials: dict[str, int], vocabulary_size: int) -> None:
    last = max(specials.values())
    if last >= vocabulary_size:
        raise ExportError(f"the tokenizer has the id {last}, the model only {vocabulary_size} embeddings")


def tokenizer_json(vocabulary: dict[str, int], merges: list[list[str]], specials: dict[str, int]) -> dict[str, Any]:
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": index, "content": token, **FLAGS} for token, index in sorted_by_id(specials)],
        "normalizer": {"type": "NFC"},
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                {"type": "Split", "pattern": {"Regex": SPLIT}, "behavior": "Isolated", "invert": False},
                byte_level,
            ],
        },
        "post_processor": byte_level,
        "decoder": byte_level,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "",
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": vocabulary,
            "merges": merges,
        },
    }


def tokenizer_config(specials: dict[str, int]) -> dict[str, Any]:
    return {
        "tokenizer_class": "Qwen2Tokenizer",
        "add_prefix_space": False,
        "clean_up_tokenization_spaces": False,
        "model_max_length": 32768,
        "bos_token": None,
        "eos_token": "<|im_end|>",
        "pad_token": "<|endoftext|>",
        "unk_token": None,
        "errors": "replace",
        "split_special_tokens": False,
        "added_tokens_decoder": {str(index): {"content": token, **FLAGS} for token, index in sorted_by_id(specials)},
    }


def sorted_by_id(specials: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(specials.items(), key=lambda entry: entry[1])


def write_json(path: Path, value: dict) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
