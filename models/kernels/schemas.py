"""Writes the operator schemas that an installed ONNX Runtime knows as JSON: python schemas.py > schemas.json

Needs the package onnxruntime in the version that package.json names for onnxruntime-node.
"""

import json
import re
import sys

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as state

DOMAINS = {"": "ai.onnx", "com.microsoft": "com.microsoft"}
OPTION = {0: "", 1: "?", 2: "*"}
TENSOR = re.compile(r"^tensor\((\w+)\)$")


def element(allowed):
    """The one element type of a type variable, None where it has several or is no tensor."""
    found = [TENSOR.match(text) for text in allowed]
    return found[0].group(1) if len(found) == 1 and found[0] else None


def token(parameter, fixed):
    text = parameter.typeStr
    concrete = TENSOR.match(text)
    if concrete:
        return "=" + concrete.group(1)
    return "=" + fixed[text] if fixed.get(text) else text


schemas = []
for schema in state.get_all_operator_schema():
    if schema.domain not in DOMAINS:
        continue
    fixed = {c.type_param_str: element(c.allowed_type_strs) for c in schema.type_constraints}
    schemas.append(
        {
            "domain": DOMAINS[schema.domain],
            "op": schema.name,
            "since": schema.since_version,
            "inputs": [token(p, fixed) + OPTION[int(p.option)] for p in schema.inputs],
            "outputs": [token(p, fixed) + OPTION[int(p.option)] for p in schema.outputs],
        }
    )
json.dump({"version": onnxruntime.__version__, "schemas": schemas}, sys.stdout)
