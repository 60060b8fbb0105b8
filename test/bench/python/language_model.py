"""Actions by a FastVLM: every label is scored after the picture and the question."""

import cv2
import numpy as np
from pictures import cut, planes, session
from tokenizers import Tokenizer


class ActionReader:
    """The label of one person; the part of the prompt before the picture was run once."""

    def __init__(self, folder, language, action):
        path = f"{folder}/{{}}".format
        self.encoder = session(path(language["visionEncoder"]["file"]["path"]))
        self.embedder = session(path(language["embedTokens"]["file"]["path"]))
        self.decoder = session(path(language["decoder"]["file"]["path"]))
        self.size = language["imageSize"]
        self.outputs = [output.name for output in self.decoder.get_outputs()]
        tokenizer = Tokenizer.from_file(path(language["tokenizer"]["path"]))
        text = language["template"].replace("{system}", language["system"]).replace("{question}", action["question"])
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        image = ids.index(language["imageTokenId"])
        kv = language["kv"]
        nothing = np.zeros((1, kv["heads"], 0, kv["headSize"]), np.float32)
        empty = {f"past_key_values.{i}.{part}": nothing for i in range(kv["layers"]) for part in ("key", "value")}
        self.prefix = self.decode(self.embed([ids[:image]]), empty)[1]
        self.after = self.embed([ids[image + 1 :]])
        self.labels = action["labels"]
        self.tokens = [tokenizer.encode(label, add_special_tokens=False).ids for label in self.labels]
        self.continuation = self.continuation_embeddings()

    def continuation_embeddings(self):
        """Of every label without its last token, filled up at the end: what stands there changes nothing before it."""
        length = max(len(tokens) for tokens in self.tokens) - 1
        rows = [(tokens[:-1] + [0] * length)[:length] for tokens in self.tokens]
        return self.embed(rows) if length > 0 else None

    def __call__(self, frame, box):
        crop, _ = cut(frame, box)
        (features,) = self.encoder.run(None, {self.encoder.get_inputs()[0].name: self.picture(crop)})
        logits, cache = self.decode(np.concatenate([features, self.after], axis=1), self.prefix)
        first = log_softmax(logits[0, -1])
        scores = [first[tokens[0]] for tokens in self.tokens]
        if self.continuation is not None:
            shared = {name: np.repeat(value, len(self.labels), axis=0) for name, value in cache.items()}
            following = log_softmax(self.decode(self.continuation, shared)[0])
            for row, tokens in enumerate(self.tokens):
                scores[row] += sum(following[row, place, token] for place, token in enumerate(tokens[1:]))
        return self.labels[int(np.argmax(scores))]

    def picture(self, crop):
        height, width = crop.shape[:2]
        side = max(height, width)
        left, top = (side - width) // 2, (side - height) // 2
        square = cv2.copyMakeBorder(
            crop, top, side - height - top, left, side - width - left, cv2.BORDER_CONSTANT, value=(0, 0, 0)
        )
        return planes(cv2.resize(square, (self.size, self.size), interpolation=cv2.INTER_CUBIC))[None]

    def embed(self, rows):
        return self.embedder.run(None, {self.embedder.get_inputs()[0].name: np.array(rows, np.int64)})[0]

    def decode(self, embeds, cache):
        rows, length = embeds.shape[:2]
        past = next(iter(cache.values())).shape[2]
        positions = np.tile(np.arange(past, past + length, dtype=np.int64), (rows, 1))
        feeds = {"inputs_embeds": embeds, "attention_mask": np.ones((rows, past + length), np.int64), **cache}
        results = dict(
            zip(self.outputs, self.decoder.run(self.outputs, {**feeds, "position_ids": positions}), strict=True)
        )
        present = {name: results[name.replace("past_key_values", "present")] for name in cache}
        return results["logits"], present


def log_softmax(logits):
    highest = logits.max(axis=-1, keepdims=True)
    return logits - highest - np.log(np.exp(logits - highest).sum(axis=-1, keepdims=True))
