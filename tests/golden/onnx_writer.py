# SPDX-License-Identifier: Apache-2.0
"""Writes ONNX models by hand: protobuf needs no library for so little."""

import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from protobuf import bytes_field as chunk, number_field as integer, varint

FLOAT, UINT8, INT8, INT32, INT64, BOOL = 1, 2, 3, 6, 7, 9


def numbers(seed, count, scale=1.0):
    """Pseudo-random numbers in -scale..scale that float32 holds exactly; the C tests make the
    same ones."""
    state, values = seed & 0xFFFFFFFF, []
    for _ in range(count):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        values.append(((state >> 8) / 8388608.0 - 1.0) * scale)
    return values


def product(dims):
    total = 1
    for dim in dims:
        total *= dim
    return total


def real(number, value):
    return varint(number << 3 | 5) + struct.pack("<f", value)


class Tensor:
    """A constant. raw: its numbers as bytes, else as a list of the number's own type."""

    def __init__(self, dims, values, kind=FLOAT, raw=True):
        self.dims, self.values, self.kind, self.raw = list(dims), list(values), kind, raw

    def encode(self, name=""):
        out = b"".join(integer(1, dim) for dim in self.dims) + integer(2, self.kind)
        if self.raw:
            code = {FLOAT: "f", UINT8: "B", INT8: "b", INT32: "i", INT64: "q",
                    BOOL: "?"}[self.kind]
            out += chunk(9, struct.pack("<%d%s" % (len(self.values), code), *self.values))
        elif self.kind == FLOAT:
            out += chunk(4, struct.pack("<%df" % len(self.values), *self.values))
        else:
            out += chunk(7 if self.kind == INT64 else 5,
                         b"".join(varint(int(v)) for v in self.values))
        return out + (chunk(8, name) if name else b"")


def floats(dims, seed, scale=1.0):
    return Tensor(dims, numbers(seed, product(dims), scale))


def positive(dims, seed):
    return Tensor(dims, [abs(v) + 0.25 for v in numbers(seed, product(dims))])


def ints(*values):
    return Tensor([len(values)], values, INT64)


def scalar(value, kind=FLOAT):
    return Tensor([], [value], kind)


def attribute(name, value):
    out = chunk(1, name)
    if isinstance(value, Tensor):
        return out + chunk(5, value.encode()) + integer(20, 4)
    if isinstance(value, str):
        return out + chunk(4, value) + integer(20, 3)
    if isinstance(value, float):
        return out + real(2, value) + integer(20, 1)
    if isinstance(value, int):
        return out + integer(3, value) + integer(20, 2)
    if value and isinstance(value[0], float):
        return out + b"".join(real(7, v) for v in value) + integer(20, 6)
    return out + b"".join(integer(8, v) for v in value) + integer(20, 7)


def node(kind, inputs, outputs, **attributes):
    if isinstance(inputs, str):
        inputs = inputs.split()
    if isinstance(outputs, str):
        outputs = outputs.split()
    inputs = ["" if name == "-" else name for name in inputs]
    out = b"".join(chunk(1, name) for name in inputs)
    out += b"".join(chunk(2, name) for name in outputs) + chunk(4, kind)
    return out + b"".join(chunk(5, attribute(k, v)) for k, v in attributes.items())


def value_info(name, dims):
    kind = integer(1, FLOAT)
    if dims is not None:
        shape = b""
        for dim in dims:
            shape += chunk(1, chunk(2, dim) if isinstance(dim, str) else integer(1, dim))
        kind += chunk(2, shape)
    return chunk(1, name) + chunk(2, chunk(1, kind))


def model(opset, nodes, inputs, outputs, constants):
    """inputs: {name: dims}; a dimension given as a string is dynamic."""
    graph = b"".join(chunk(1, n) for n in nodes) + chunk(2, "g")
    graph += b"".join(chunk(5, t.encode(name)) for name, t in constants.items())
    graph += b"".join(chunk(11, value_info(name, dims)) for name, dims in inputs.items())
    graph += b"".join(chunk(12, value_info(name, None)) for name in outputs)
    return integer(1, 8) + chunk(7, graph) + chunk(8, integer(2, opset))
