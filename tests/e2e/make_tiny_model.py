#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/fixtures/tiny-classifier.onnx: a network of seven expressions for tests.

The weights are made up, so its answers mean nothing; they only depend on the picture. The writer of
ONNX files (protocol buffers, by hand) is shared with the tests, which damage models with it.

Usage: make_tiny_model.py FILE
"""

import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from protobuf import bytes_field, number_field

FLOAT, INT64 = 1, 7
CLASSES = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
SIDE = 48
FILTERS = 4


# ---- ONNX ----

def tensor(name, dims, values, raw=None, kind=FLOAT):
    """A TensorProto; raw replaces the bytes of the values, so that they can lie."""
    if raw is None:
        raw = struct.pack("<%d%s" % (len(values), "f" if kind == FLOAT else "q"), *values)
    return (b"".join(number_field(1, d) for d in dims) + number_field(2, kind)
            + bytes_field(8, name) + bytes_field(9, raw))


def value_info(name, dims):
    """A ValueInfoProto of floats; a text among the dims is an open dimension."""
    shape = b"".join(bytes_field(1, bytes_field(2, d) if isinstance(d, str) else number_field(1, d))
                     for d in dims)
    return bytes_field(1, name) + bytes_field(2, bytes_field(1, number_field(1, FLOAT)
                                                             + bytes_field(2, shape)))


def attribute(name, value):
    """An AttributeProto: an integer or a list of integers."""
    if isinstance(value, int):
        return bytes_field(1, name) + number_field(3, value) + number_field(20, 2)
    return bytes_field(1, name) + b"".join(number_field(8, v) for v in value) + number_field(20, 7)


def node(operator, inputs, outputs, name=None, **attributes):
    return (b"".join(bytes_field(1, i) for i in inputs)
            + b"".join(bytes_field(2, o) for o in outputs)
            + bytes_field(3, name or operator.lower()) + bytes_field(4, operator)
            + b"".join(bytes_field(5, attribute(k, v)) for k, v in attributes.items()))


def model(nodes, initializers, inputs, outputs, metadata, opset=13):
    graph = (b"".join(bytes_field(1, n) for n in nodes) + bytes_field(2, "tiny")
             + b"".join(bytes_field(5, t) for t in initializers)
             + b"".join(bytes_field(11, i) for i in inputs)
             + b"".join(bytes_field(12, o) for o in outputs))
    return (number_field(1, 8) + bytes_field(2, "mien tests") + bytes_field(7, graph)
            + bytes_field(8, bytes_field(1, "") + number_field(2, opset))
            + b"".join(bytes_field(14, bytes_field(1, k) + bytes_field(2, v))
                       for k, v in metadata.items()))


# ---- The network ----

def made_up(count, seed, scale):
    """count numbers in -scale..scale; the same for the same seed on every machine."""
    state, values = seed, []
    for _ in range(count):
        state = (state * 1103515245 + 12345) % (1 << 31)
        values.append((state / (1 << 30) - 1) * scale)
    return values


class TinyModel:
    """The parts of the network; a test changes some of them and calls encode()."""

    def __init__(self):
        self.metadata = {
            "mien.classes": ",".join(CLASSES),
            "mien.input.format": "gray",
            "mien.input.mean": "127.5",
            "mien.input.scale": "0.0078431372549",
            "mien.output": "probabilities",
            "mien.output.kind": "probabilities",
            "mien.unsure_below": "0.25",
        }
        self.inputs = [value_info("face", ["N", 1, SIDE, SIDE])]
        self.outputs = [value_info("probabilities", ["N", len(CLASSES)])]
        self.initializers = {
            "filters": tensor("filters", [FILTERS, 1, 3, 3], made_up(FILTERS * 9, 7, 1.0)),
            "filter_bias": tensor("filter_bias", [FILTERS], made_up(FILTERS, 11, 0.1)),
            "weights": tensor("weights", [len(CLASSES), FILTERS],
                              made_up(len(CLASSES) * FILTERS, 13, 3.0)),
            "bias": tensor("bias", [len(CLASSES)], made_up(len(CLASSES), 17, 0.1)),
        }
        self.nodes = {
            "conv": node("Conv", ["face", "filters", "filter_bias"], ["maps"],
                         kernel_shape=[3, 3], strides=[4, 4]),
            "relu": node("Relu", ["maps"], ["active"]),
            "pool": node("GlobalAveragePool", ["active"], ["means"]),
            "flatten": node("Flatten", ["means"], ["features"], axis=1),
            "gemm": node("Gemm", ["features", "weights", "bias"], ["logits"], transB=1),
            "softmax": node("Softmax", ["logits"], ["probabilities"], axis=1),
        }

    def encode(self):
        return model(self.nodes.values(), self.initializers.values(), self.inputs, self.outputs,
                     self.metadata)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with open(sys.argv[1], "wb") as file:
        file.write(TinyModel().encode())
