#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes tests/golden/operators.bin: small models, and what ONNX Runtime computes for them.

    npm install --ignore-scripts onnxruntime-node@1.30     (anywhere)
    NODE_PATH=<there>/node_modules tests/golden/make_goldens.py

With --corpus FOLDER it writes the models as files instead, as seeds for the fuzzer.

The file, all numbers little-endian: "MIENGOLD", then case after case until the end:

    u8 length, name
    u32 length, ONNX model
    f32 scale       of the inputs
    u8 count        of inputs, each: u8 rank, u32 dims[rank]
    u8 count        of outputs, each: u8 rank, u32 dims[rank], f32 numbers[]

Number k of input i is that of onnx_writer.numbers(100 + i, ..., scale).
"""

import os
import struct
import subprocess
import sys
import tempfile

import network_cases
import operator_cases
from onnx_writer import model

HERE = os.path.dirname(os.path.abspath(__file__))


def actual(dim):
    return dim[1] if isinstance(dim, tuple) else dim


def declared(dim):
    return dim[0] if isinstance(dim, tuple) else dim


def build(case):
    _, opset, nodes, inputs, constants, outputs, _ = case
    return model(opset, nodes, {n: [declared(d) for d in dims] for n, dims in inputs.items()},
                 outputs, constants)


def encode(case):
    """The case without its outputs."""
    name, inputs, scale, content = case[0].encode(), case[3], case[6], build(case)
    out = struct.pack("<B", len(name)) + name + struct.pack("<I", len(content)) + content
    out += struct.pack("<fB", scale, len(inputs))
    for dims in inputs.values():
        out += struct.pack("<B%dI" % len(dims), len(dims), *[actual(d) for d in dims])
    return out


def write_corpus(folder, cases):
    for number, case in enumerate(cases):
        with open(os.path.join(folder, "golden-%03d.onnx" % number), "wb") as file:
            file.write(build(case))


def main():
    cases = operator_cases.CASES + network_cases.CASES
    if len(sys.argv) == 3 and sys.argv[1] == "--corpus":
        write_corpus(sys.argv[2], cases)
        return
    with tempfile.NamedTemporaryFile(suffix=".cases") as file:
        for case in cases:
            file.write(encode(case))
        file.flush()
        subprocess.run(["node", os.path.join(HERE, "run_ort.js"), "operators", file.name,
                        os.path.join(HERE, "operators.bin")], check=True)


if __name__ == "__main__":
    main()
