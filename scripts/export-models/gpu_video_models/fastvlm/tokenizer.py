"""Qwen2's tokenizer as tokenizer.json: from the checkpoint's files, or a small one that is made here, without network."""

import json
import re
from pathlib import Path

from . import prompts

SPECIALS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<image>")
# Ids of the published tokenizer; `<image>` is the first free one after them.
OFFICIAL_IDS = {"<|endoftext|>": 151643, "<|im_start|>": 151644, "<|im_end|>": 151645, "<image>": 151646}

# How Qwen2 cuts a text into words before it looks for merges.
SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
FLAGS = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}


def byte_symbols():
    """The printable character that stands for each byte in a byte-level vocabulary."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    symbols = {byte: chr(byte) for byte in plain}
    others = (byte for byte in range(256) if byte not in symbols)
    symbols.update({byte: chr(256 + index) for index, byte in enumerate(others)})
    return [symbols[byte] for byte in range(256)]


def learn_words(words):
    """Merges that make each word one token: a word is cut by the merges so far, its pieces are joined from the left."""
    vocabulary = {symbol: index for index, symbol in enumerate(byte_symbols())}
    symbols = byte_symbols()
    ranks = {}
    for word in words:
        pieces = [symbols[byte] for byte in word.encode()]
        while pairs := [pair for pair in zip(pieces, pieces[1:]) if pair in ranks]:
            at = [*zip(pieces, pieces[1:])].index(min(pairs, key=ranks.__getitem__))
            pieces[at : at + 2] = [pieces[at] + pieces[at + 1]]
        joined = pieces[0]
        for piece in pieces[1:]:
            ranks[joined, piece] = len(ranks)
            joined += piece
            vocabulary.setdefault(joined, len(vocabulary))
    return vocabulary, [list(pair) for pair in ranks]


def prompt_words():
    """The words of the pack's own prompts, which the made tokenizer knows whole."""
    text = f"{prompts.TEMPLATE} {prompts.SYSTEM} {prompts.action_question()} {prompts.SCENE_QUESTION}"
    words = re.findall(r" ?[A-Za-z]+", text)
    return [*dict.fromkeys([*prompts.ACTIONS, *words])]


def made_tokenizer(vocabulary_size, official_ids):
    """A small valid tokenizer; its special tokens have the published ids, or follow its words where the model has fewer rows."""
    vocabulary, merges = learn_words(prompt_words())
    specials = OFFICIAL_IDS if official_ids else {token: len(vocabulary) + i for i, token in enumerate(SPECIALS)}
    last = max(specials.values())
    if last >= vocabulary_size:
        raise ValueError(f"the made tokenizer needs {last + 1} ids, the model has {vocabulary_size}")
    return tokenizer_json(vocabulary, merges, specials), tokenizer_config(specials)


def tokenizer_json(vocabulary, merges, specials):
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


def tokenizer_config(specials):
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


def sorted_by_id(specials):
    return sorted(specials.items(), key=lambda entry: entry[1])


def write_json(path, value):
    Path(path).write_text(json.dumps(value, ensure_ascii=False, indent=None, separators=(",", ":")) + "\n", encoding="utf-8")
