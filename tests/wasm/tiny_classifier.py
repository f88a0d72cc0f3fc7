# SPDX-License-Identifier: Apache-2.0
"""A very small expression network, written as ONNX bytes without any package.

(1, 1, 24, 24) -> Conv 3x3, stride 2, 6 channels -> Relu -> Conv 3x3, 6 channels -> Relu
-> GlobalAveragePool -> Flatten -> Gemm -> Softmax -> (1, 4). The weights are made up, large enough
that faces differ in their probabilities.
"""
import struct

SIDECAR = """mien.classes = calm, merry, cross, puzzled
mien.input.format = gray
mien.input.mean = 127.5
mien.input.scale = 0.00784313725
"""


def varint(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def number(field, value):
    return varint(field << 3) + varint(value)


def block(field, data):
    data = data.encode() if isinstance(data, str) else data
    return varint(field << 3 | 2) + varint(len(data)) + data


def weights(name, shape, seed, size):
    """A float TensorProto with numbers in -size..size from a linear congruential generator."""
    count = 1
    for side in shape:
        count *= side
    values = []
    for _ in range(count):
        seed = (seed * 1103515245 + 12345) % 2**31
        values.append((seed / 2**30 - 1) * size)
    dims = b"".join(number(1, side) for side in shape)
    return dims + number(2, 1) + block(8, name) + block(9, struct.pack(f"<{count}f", *values))


def integers(name, values):
    return block(5, block(1, name) + b"".join(number(8, v) for v in values) + number(20, 7))


def node(kind, inputs, output, attributes=b""):
    names = b"".join(block(1, name) for name in inputs)
    return block(1, names + block(2, output) + block(3, output) + block(4, kind) + attributes)


def value_info(name, shape):
    sides = b"".join(block(1, number(1, side)) for side in shape)
    return block(1, name) + block(2, block(1, number(1, 1) + block(2, sides)))


def onnx_bytes():
    graph = (
        node("Conv", ["x", "w1", "b1"], "c1",
             integers("strides", [2, 2]) + integers("pads", [1, 1, 1, 1]))
        + node("Relu", ["c1"], "r1")
        + node("Conv", ["r1", "w2"], "c2", integers("pads", [1, 1, 1, 1]))
        + node("Relu", ["c2"], "r2")
        + node("GlobalAveragePool", ["r2"], "g")
        + node("Flatten", ["g"], "f")
        + node("Gemm", ["f", "w3", "b3"], "l")
        + node("Softmax", ["l"], "p")
        + block(2, "tiny")
        + block(5, weights("w1", [6, 1, 3, 3], 1, 1.5))
        + block(5, weights("b1", [6], 2, 0.2))
        + block(5, weights("w2", [6, 6, 3, 3], 3, 1.0))
        + block(5, weights("w3", [6, 4], 4, 2.0))
        + block(5, weights("b3", [4], 5, 0.5))
        + block(11, value_info("x", [1, 1, 24, 24]))
        + block(12, value_info("p", [1, 4]))
    )
    return number(1, 7) + block(7, graph) + block(8, number(2, 13))
