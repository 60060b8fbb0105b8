"""A trial: the action model as one graph, from the pictures' bytes to the labels' log-probabilities. The prepared vision
encoder, the rest of the prompt, the decoder over it and the decoder again over every label's path; both decoders share their
weights, and the cache never leaves the GPU. Made from a prepared pack's own files, without changing them.

    action_graph.py FOLDER-OF-action-dump.ts OUT.onnx
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Graph:
    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: dict[str, onnx.TensorProto] = {}

    def constant(self, name: str, values: np.ndarray) -> str:
        self.weights[name] = numpy_helper.from_array(values, name)
        return name

    def ints(self, *values: int) -> str:
        return self.constant(f"ints/{'_'.join(map(str, values))}", np.array(values, np.int64))

    def node(self, kind: str, inputs: list[str], output: str | None = None, **attributes: object) -> str:
        name = output or f"{kind}/{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def size(self, *parts: str) -> str:
        return self.node("Concat", list(parts), axis=0)

    def embed(self, model: onnx.ModelProto, prefix: str, shared: str, given: dict[str, str]) -> dict[str, str]:
        """The model's nodes under a prefix, its weights under a name that a second copy shares."""
        graph = model.graph
        weights = {tensor.name for tensor in graph.initializer}
        for tensor in graph.initializer:
            if shared + tensor.name not in self.weights:
                copy = onnx.TensorProto()
                copy.CopyFrom(tensor)
                copy.name = shared + tensor.name
                self.weights[copy.name] = copy

        def renamed(name: str) -> str:
            return given.get(name) or ("" if name == "" else (shared if name in weights else prefix) + name)

        for node in graph.node:
            copy = onnx.NodeProto()
            copy.CopyFrom(node)
            copy.name = prefix + node.name
            copy.input[:] = [renamed(name) for name in node.input]
            copy.output[:] = [prefix + name for name in node.output]
            self.nodes.append(copy)
        return {value.name: prefix + value.name for value in graph.output}


def main() -> None:
    folder, out = Path(sys.argv[1]), Path(sys.argv[2])
    facts = json.loads((folder / "facts.json").read_text())
    paths, length, prefix, after, hidden = (facts[key] for key in ("paths", "pathLength", "prefix", "after", "hidden"))
    layers, heads, size = (facts["kv"][key] for key in ("layers", "heads", "headSize"))
    tokens = facts["imageTokens"] + after
    encoder, decoder = onnx.load(facts["encoder"]), onnx.load(facts["decoder"])
    half = any(value.type.tensor_type.elem_type == TensorProto.FLOAT16 for value in decoder.graph.input)
    stored = lambda name, *shape: np.fromfile(folder / f"{name}.bin", np.float16 if half else np.float32).reshape(shape)  # noqa: E731
    floats = lambda name, *shape: np.fromfile(folder / f"{name}.bin", np.float32).reshape(shape)  # noqa: E731
    caches = [f"past_key_values.{layer}.{kind}" for layer in range(layers) for kind in ("key", "value")]

    graph = Graph()
    one = helper.make_tensor("one", TensorProto.INT64, [1], [1])
    ones = lambda shape: graph.node("ConstantOfShape", [shape], value=one)  # noqa: E731
    positions = lambda name, start, count, rows: graph.node(  # noqa: E731
        "Expand",
        [
            graph.constant(name, np.arange(start, start + count, dtype=np.int64)[None]),
            graph.size(rows, graph.ints(count)),
        ],
    )
    features = graph.embed(encoder, "encoder/", "encoder/", {value.name: value.name for value in encoder.graph.input})[
        facts["features"]
    ]
    rows = graph.node("Slice", [graph.node("Shape", [features]), graph.ints(0), graph.ints(1)])
    rest = graph.node(
        "Expand",
        [graph.constant("after", floats("after", 1, after, hidden)), graph.size(rows, graph.ints(after, hidden))],
    )
    shape = graph.size(rows, graph.ints(heads, prefix, size))
    prompt = graph.embed(decoder, "prompt/", "decoder/", {
        "inputs_embeds": graph.node("Concat", [features, rest], axis=1),
        "attention_mask": ones(graph.size(rows, graph.ints(prefix + tokens))),
        "position_ids": positions("prompt positions", prefix, tokens, rows),
        "num_logits_to_keep": graph.constant("one position", np.array(1, np.int64)),
        **{
            name: graph.node("Expand", [graph.constant(f"prefix/{name}", stored(name, 1, heads, prefix, size)), shape])
            for name in caches
        },
    })  # fmt: skip
    many = graph.node("Mul", [rows, graph.ints(paths)])
    wide = graph.size(rows, graph.ints(paths, heads, prefix + tokens, size))
    spread = lambda name: graph.node("Expand", [graph.node("Unsqueeze", [name, graph.ints(1)]), wide])  # noqa: E731
    words = graph.node(
        "Expand",
        [
            graph.constant("paths", floats("paths", 1, paths, length, hidden)),
            graph.size(rows, graph.ints(paths, length, hidden)),
        ],
    )
    answers = graph.embed(decoder, "answers/", "decoder/", {
        "inputs_embeds": graph.node("Reshape", [words, graph.ints(-1, length, hidden)]),
        "attention_mask": ones(graph.size(many, graph.ints(prefix + tokens + length))),
        "position_ids": positions("answer positions", prefix + tokens, length, many),
        "num_logits_to_keep": graph.constant("all positions", np.array(length, np.int64)),
        **{
            name: graph.node(
                "Reshape",
                [
                    spread(prompt[name.replace("past_key_values", "present")]),
                    graph.ints(-1, heads, prefix + tokens, size),
                ],
            )
            for name in caches
        },
    })  # fmt: skip
    first = graph.node(
        "LogSoftmax", [graph.node("Reshape", [prompt["logits"], graph.size(rows, graph.ints(-1))])], axis=1
    )
    later = graph.node(
        "LogSoftmax",
        [graph.node("Reshape", [answers["logits"], graph.size(rows, graph.ints(paths * length, -1))])],
        axis=2,
    )
    columns = []
    for label, places in zip(facts["labels"], facts["places"], strict=True):
        score = graph.node("Gather", [first, graph.ints(label[0])], axis=1)
        for token, place in zip(label[1:], places, strict=True):
            at = graph.node("Gather", [later, graph.ints(place["path"] * length + place["position"])], axis=1)
            score = graph.node(
                "Add",
                [
                    score,
                    graph.node("Reshape", [graph.node("Gather", [at, graph.ints(token)], axis=2), graph.ints(-1, 1)]),
                ],
            )
        columns.append(score)
    graph.node("Concat", columns, "scores", axis=1)
    outputs = [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["rows", len(columns)])]
    whole = helper.make_graph(
        graph.nodes, "action", list(encoder.graph.input), outputs, initializer=list(graph.weights.values())
    )
    model = helper.make_model(whole, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    out.write_bytes(model.SerializeToString())
    print(json.dumps({"nodes": len(graph.nodes), "bytes": out.stat().st_size}))


if __name__ == "__main__":
    main()
