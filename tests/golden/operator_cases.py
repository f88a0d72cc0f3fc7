# SPDX-License-Identifier: Apache-2.0
"""Small models: every operator, with the attributes and opsets in which its meaning differs.

Each case: (name, opset, nodes, inputs, constants, options). inputs: {name: dims}; a dimension
("N", 3) is dynamic and 3 in this case.
"""

from onnx_writer import (BOOL, FLOAT, INT8, INT32, INT64, UINT8, Tensor, floats, ints, node, numbers,
                         positive, product, scalar)

X = {"x": [2, 3, 4, 5]}
SMALL = {"x": [1, 3, 2, 5]}
CASES = []


def case(name, opset, nodes, inputs=None, constants=None, outputs=None, scale=1.0):
    if isinstance(nodes, bytes):
        nodes = [nodes]
    CASES.append((name, opset, nodes, inputs or X, constants or {}, outputs or ["y"], scale))


def one(kind, opset, inputs=None, scale=1.0, label="", **attributes):
    case("%s %d %s" % (kind, opset, label), opset, node(kind, "x", "y", **attributes), inputs,
         scale=scale)


def activations():
    for kind in ("Relu", "LeakyRelu", "Elu", "Sigmoid", "HardSigmoid", "Tanh"):
        one(kind, 7, SMALL, scale=6.0)
        one(kind, 13, {"x": [3, 11]}, scale=6.0)
    one("LeakyRelu", 16, SMALL, scale=4.0, label="alpha", alpha=0.3)
    one("Elu", 13, SMALL, scale=4.0, label="alpha", alpha=0.7)
    one("HardSigmoid", 13, SMALL, scale=4.0, label="alpha beta", alpha=0.4, beta=0.3)
    one("HardSwish", 14, SMALL, scale=6.0)
    one("HardSwish", 21, {"x": [37]}, scale=6.0)
    one("Clip", 7, SMALL, scale=4.0, label="both", min=-1.0, max=2.0)
    one("Clip", 9, SMALL, scale=4.0, label="max", max=1.5)
    one("Clip", 10, SMALL, scale=4.0, label="none")
    low, high = {"a": scalar(-0.5)}, {"b": scalar(1.25)}
    case("Clip 11 both", 11, node("Clip", "x a b", "y"), None, {**low, **high}, scale=4.0)
    case("Clip 13 max", 13, node("Clip", "x - b", "y"), None, high, scale=4.0)
    case("Clip 13 min", 13, node("Clip", "x a", "y"), None, low, scale=4.0)
    case("Clip 12 min over max", 12, node("Clip", "x b a", "y"), None, {**low, **high}, scale=4.0)
    case("Clip 13 by Constant", 13,
         [node("Constant", "", "a", value=scalar(-1.0)), node("Constant", "", "b", value_float=1.0),
          node("Clip", "x a b", "y")], scale=4.0)
    for opset in (7, 9, 16):
        case("PRelu %d channel" % opset, opset, node("PRelu", "x s", "y"), None,
             {"s": floats([3, 1, 1], 5)})
    case("PRelu 13 one", 13, node("PRelu", "x s", "y"), None, {"s": floats([1], 6)})
    case("PRelu 13 full", 13, node("PRelu", "x s", "y"), None, {"s": floats([3, 4, 5], 6)})
    case("PRelu 13 row", 13, node("PRelu", "x s", "y"), {"x": [4, 6]}, {"s": floats([6], 6)})
    case("PRelu 13 rank 3", 13, node("PRelu", "x s", "y"), {"x": [2, 4, 6]},
         {"s": floats([4, 1], 6)})
    case("PRelu 13 scalar", 13, node("PRelu", "x s", "y"), {"x": [4, 1]}, {"s": scalar(0.3)})
    case("PRelu 13 slope computed", 13,
         [node("GlobalAveragePool", "s", "m"), node("PRelu", "x m", "y")],
         {"x": [2, 3, 2, 2], "s": [1, 3, 2, 2]})
    for axis in (0, 1, 2, 3, -1):
        one("Softmax", 13, SMALL, scale=3.0, label="axis %d" % axis, axis=axis)
        one("Softmax", 11, SMALL, scale=3.0, label="axis %d" % axis, axis=axis)
    one("Softmax", 7, {"x": [3, 5]}, label="default")
    one("Softmax", 13, {"x": [3, 5, 4]}, label="default")
    one("Softmax", 11, {"x": [3, 5, 4]}, label="default", scale=80.0)


def arithmetic():
    shapes = [([2, 3, 2, 5], [2, 3, 2, 5]), ([2, 3, 2, 5], [3, 1, 1]), ([3, 1, 1], [2, 3, 2, 5]),
              ([2, 3, 2, 5], [2, 3, 1, 1]), ([2, 3, 2, 5], [5]), ([2, 5], [2, 3, 2, 5]),
              ([2, 3, 2, 5], [1, 1, 2, 1]), ([2, 1, 2, 1], [1, 3, 1, 5]), ([6], [2, 6]),
              ([2, 3, 2, 5], [1, 1, 1, 1]), ([1, 3, 2, 2], [3, 3, 1, 1])]
    for number, (a, b) in enumerate(shapes):
        for kind in ("Add", "Sub", "Mul", "Div"):
            opset = (7, 13, 14, 21)[number % 4]
            if kind == "Div":
                case("%s %d constant %d" % (kind, opset, number), opset, node(kind, "x b", "y"),
                     {"x": a}, {"b": positive(b, 7)})
            else:
                case("%s %d %d" % (kind, opset, number), opset, node(kind, "x z", "y"),
                     {"x": a, "z": b})
    case("Sub 13 from constant", 13, node("Sub", "c x", "y"), None, {"c": floats([3, 1, 1], 9)})
    case("Div 13 of scalar", 13, [node("Mul", "x x", "q"), node("Add", "q c", "p"),
                                  node("Div", "c p", "y")], None, {"c": scalar(0.75)})
    # Two dying operands of one size class: only one may be written over.
    case("Add small operand dies", 13,
         [node("Relu", "x", "a"), node("Sigmoid", "z", "b"), node("Add", "a b", "c"),
          node("Mul", "a c", "y")], {"x": [3, 5], "z": [5]})
    case("PRelu slope dies", 13,
         [node("Relu", "z", "s"), node("Tanh", "x", "a"), node("PRelu", "a s", "p"),
          node("Add", "a p", "y")], {"x": [3, 5], "z": [5]})


def convolutions():
    def conv(label, opset, in_dims, w, bias=False, **attributes):
        constants = {"w": floats(w, 11)}
        if bias:
            constants["b"] = floats(w[:1], 12)
        case("Conv %d %s" % (opset, label), opset,
             node("Conv", "x w b" if bias else "x w", "y", **attributes), {"x": in_dims},
             constants)

    conv("3x3", 7, [1, 3, 6, 7], [4, 3, 3, 3])
    conv("3x3 bias pads", 11, [2, 3, 6, 7], [5, 3, 3, 3], True, pads=[1, 1, 1, 1])
    conv("asymmetric pads", 13, [1, 2, 6, 6], [3, 2, 3, 3], True, pads=[0, 1, 2, 0], strides=[2, 2])
    conv("dilation", 11, [1, 2, 9, 9], [3, 2, 3, 3], False, dilations=[2, 3], pads=[2, 3, 2, 3])
    conv("groups", 13, [1, 6, 5, 5], [9, 2, 3, 3], True, group=3, pads=[1, 1, 1, 1])
    conv("depthwise", 13, [1, 5, 6, 6], [5, 1, 3, 3], True, group=5, pads=[1, 1, 1, 1])
    conv("depthwise twice", 13, [1, 3, 6, 6], [6, 1, 3, 3], True, group=3)
    conv("depthwise 20", 13, [1, 20, 4, 4], [20, 1, 3, 3], True, group=20, strides=[2, 2],
         pads=[0, 0, 1, 1])
    conv("1x1", 21, [2, 9, 3, 4], [10, 9, 1, 1], True)
    conv("1x1 stride", 13, [1, 9, 5, 5], [4, 9, 1, 1], False, strides=[2, 2])
    conv("1 channel 5x5", 13, [1, 1, 8, 8], [9, 1, 5, 5], True, pads=[2, 2, 2, 2])
    conv("one row", 13, [1, 3, 1, 9], [4, 3, 1, 3], False, kernel_shape=[1, 3], pads=[0, 1, 0, 1])
    for size in (6, 7):
        for pad in ("SAME_UPPER", "SAME_LOWER", "VALID"):
            conv("%s %d" % (pad, size), 11, [1, 2, size, size], [2, 2, 3, 3], False, auto_pad=pad,
                 strides=[2, 2])
    conv("SAME_UPPER kernel 2", 11, [1, 2, 5, 5], [2, 2, 2, 2], False, auto_pad="SAME_UPPER")
    case("Conv 13 weights computed", 13,
         [node("Relu", "k", "w"), node("Conv", "x w", "y")], {"x": [1, 2, 4, 4], "k": [3, 2, 2, 2]})
    for opset in (7, 9, 14, 15):
        case("BatchNormalization %d" % opset, opset,
             node("BatchNormalization", "x s b m v", "y", epsilon=0.01), None,
             {"s": floats([3], 1), "b": floats([3], 2), "m": floats([3], 3), "v": positive([3], 4)})
    case("BatchNormalization 13 matrix", 13, node("BatchNormalization", "x s b m v", "y"),
         {"x": [4, 6]},
         {"s": floats([6], 1), "b": floats([6], 2), "m": floats([6], 3), "v": positive([6], 4)})
    case("BatchNormalization 13 rank 3, Relu", 13,
         [node("BatchNormalization", "x s b m v", "a"), node("Relu", "a", "y")], {"x": [2, 6, 4]},
         {"s": floats([6], 1), "b": floats([6], 2), "m": floats([6], 3), "v": positive([6], 4)})


def pools():
    for kind in ("MaxPool", "AveragePool"):
        for opset in (7, 10, 11, 12, 19):
            one(kind, opset, label="3x3", kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2])
        one(kind, 12, label="asymmetric", kernel_shape=[2, 3], pads=[0, 1, 1, 2], strides=[1, 2])
        for pad in ("SAME_UPPER", "SAME_LOWER", "VALID"):
            one(kind, 11, label=pad, kernel_shape=[2, 2], strides=[2, 2], auto_pad=pad)
        for size in (5, 6, 7, 8):
            one(kind, 11, {"x": [1, 2, size, size]}, label="ceil %d" % size, kernel_shape=[3, 3],
                strides=[2, 2], ceil_mode=1)
        one(kind, 19, {"x": [1, 1, 6, 6]}, label="ceil pads", kernel_shape=[3, 3],
            strides=[3, 3], pads=[1, 1, 1, 1], ceil_mode=1)
        one(kind, 11, {"x": [1, 1, 4, 4]}, label="ceil behind", kernel_shape=[1, 1], strides=[2, 2],
            pads=[0, 0, 0, 0], ceil_mode=1)
    one("MaxPool", 12, label="dilation", kernel_shape=[2, 2], dilations=[2, 3])
    one("AveragePool", 19, label="dilation", kernel_shape=[2, 2], dilations=[2, 3])
    for opset in (7, 11, 19):
        one("AveragePool", opset, label="padding counts", kernel_shape=[3, 3], pads=[1, 1, 1, 1],
            count_include_pad=1)
        one("AveragePool", opset, label="padding counts, asymmetric", kernel_shape=[3, 3],
            pads=[0, 2, 1, 0], strides=[2, 3], count_include_pad=1)
    for size in (5, 6, 7):
        one("AveragePool", 19, {"x": [1, 1, size, size]}, label="padding counts, ceil %d" % size,
            kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2], ceil_mode=1,
            count_include_pad=1)
    one("GlobalAveragePool", 7)
    one("GlobalAveragePool", 13, {"x": [2, 3, 4]})
    for opset in (7, 11, 13):
        one("ReduceMean", opset, label="2 3", axes=[2, 3], keepdims=0)
        one("ReduceMean", opset, label="1", axes=[1])
    one("ReduceMean", 13, label="all", keepdims=0)
    one("ReduceMean", 13, label="-1", axes=[-1, 0])
    case("ReduceMean 18 axes", 18, node("ReduceMean", "x a", "y", keepdims=0), None,
         {"a": ints(2, -1)})
    one("ReduceMean", 18, label="all")
    one("ReduceMean", 18, label="none", noop_with_empty_axes=1)


def matrices():
    c = {"none": None, "row": [5], "matrix": [4, 5], "column": [4, 1], "scalar": [], "one": [1, 5]}
    for opset in (7, 9, 11, 13):
        for label, dims in c.items():
            constants = {"b": floats([6, 5], 1)}
            if dims is not None:
                constants["c"] = floats(dims, 2)
            case("Gemm %d %s" % (opset, label), opset,
                 node("Gemm", "x b c" if dims is not None else "x b", "y", alpha=0.5, beta=2.0),
                 {"x": [4, 6]}, constants) if dims is not None or opset >= 11 else None
    case("Gemm 13 transB", 13, node("Gemm", "x b c", "y", transB=1), {"x": [4, 6]},
         {"b": floats([5, 6], 1), "c": floats([5], 2)})
    case("Gemm 13 transA", 13, node("Gemm", "x b", "y", transA=1), {"x": [6, 4]},
         {"b": floats([6, 5], 1)})
    case("Gemm 13 computed", 13, node("Gemm", "x z", "y", transB=1), {"x": [4, 6], "z": [5, 6]})
    case("Gemm 13 bias computed", 13, node("Gemm", "x b z", "y"), {"x": [4, 6], "z": [5]},
         {"b": floats([6, 5], 1)})
    for opset, a, b in ((7, [4, 6], [6, 5]), (9, [2, 4, 6], [6, 5]), (13, [2, 3, 4, 6], [6, 5]),
                        (13, [4, 6], [3, 6, 5])):
        case("MatMul %d %s" % (opset, a), opset, node("MatMul", "x b", "y"), {"x": a},
             {"b": floats(b, 1)})
    case("MatMul 13 broadcast", 13, node("MatMul", "x z", "y"),
         {"x": [2, 1, 3, 4], "z": [3, 4, 2]})


def shapes():
    for axis in (0, 1, 2, 4):
        one("Flatten", 9, label=str(axis), axis=axis)
    one("Flatten", 7)
    one("Flatten", 13, label="-1", axis=-1)
    for opset in (7, 13, 14):
        case("Reshape %d" % opset, opset, node("Reshape", "x s", "y"), None, {"s": ints(0, -1, 5)})
    case("Reshape 13 int64_data", 13, node("Reshape", "x s", "y"), None,
         {"s": Tensor([2], [-1, 3], INT64, raw=False)})
    one("Transpose", 7)
    for perm in ([0, 2, 3, 1], [0, 3, 1, 2], [1, 0, 3, 2], [0, 1, 3, 2]):
        one("Transpose", 13, label=str(perm), perm=perm)
    one("Transpose", 13, {"x": [2, 3, 2, 1, 2]}, label="rank 5", perm=[4, 0, 3, 1, 2])
    thin = {"x": [1, 3, 1, 4]}
    one("Squeeze", 7, thin)
    one("Squeeze", 11, thin, label="-2", axes=[-2])
    case("Squeeze 13", 13, node("Squeeze", "x a", "y"), thin, {"a": ints(0, 2)})
    one("Unsqueeze", 7, {"x": [3, 4]}, label="0 3", axes=[0, 3])
    one("Unsqueeze", 11, {"x": [3, 4]}, label="-1", axes=[-1])
    case("Unsqueeze 13", 13, node("Unsqueeze", "x a", "y"), {"x": [3, 4]}, {"a": ints(1, -1)})
    for opset, axis in ((7, 1), (9, 0), (11, -1), (13, 2)):
        case("Concat %d %d" % (opset, axis), opset, node("Concat", "x x z", "y", axis=axis),
             {"x": [2, 3, 4, 2], "z": [2, 3, 4, 2]})
    one("Slice", 9, label="all", starts=[0, 1], ends=[2, 3])
    one("Slice", 7, label="axes", starts=[1, -4], ends=[9, -1], axes=[2, 3])
    for opset in (10, 11, 13):
        case("Slice %d" % opset, opset, node("Slice", "x s e a t", "y"), None,
             {"s": ints(-1, 0), "e": ints(-100, 1000), "a": ints(3, 2), "t": ints(-2, 3)})
    case("Slice 13 no axes", 13, node("Slice", "x s e", "y"), None,
         {"s": ints(1, 0, 2), "e": ints(2, -1, 9)})
    one("Pad", 7, label="constant", pads=[0, 0, 1, 2, 0, 0, 3, 0], value=1.5)
    one("Pad", 10, label="reflect", mode="reflect", pads=[0, 0, 1, 2, 0, 0, 3, 2])
    for mode in ("constant", "reflect", "edge"):
        case("Pad 13 " + mode, 13, node("Pad", "x p", "y", mode=mode), None,
             {"p": ints(0, 1, 1, 2, 0, 2, 3, 2)})
    case("Pad 11 value", 11, node("Pad", "x p v", "y"), None,
         {"p": ints(1, 0, 0, 2, 0, 0, 3, 2), "v": scalar(-0.5)})
    case("Pad 18 axes", 18, node("Pad", "x p - a", "y"), None,
         {"p": ints(1, 2, 0, 1), "a": ints(3, -2)})
    case("Pad 21", 21, node("Pad", "x p", "y", mode="edge"), None,
         {"p": ints(0, 0, 1, 2, 0, 0, 3, 2)})
    one("Identity", 7)
    one("Identity", 21)
    one("Dropout", 7, label="ratio", ratio=0.3)
    one("Dropout", 10)
    case("Dropout 13", 13, node("Dropout", "x r t", "y"), None,
         {"r": scalar(0.4), "t": scalar(False, BOOL)})
    one("Cast", 9, label="float", to=1)
    case("Cast 13 constant", 13, [node("Cast", "c", "f", to=1), node("Mul", "x f", "y")], None,
         {"c": Tensor([5], range(-2, 3), INT32)})
    case("Gather 13", 13, node("Gather", "x i", "y", axis=2), None,
         {"i": Tensor([2, 2], [0, -1, 3, 1], INT64)})
    case("Gather 7 scalar", 7, node("Gather", "x i", "y", axis=1), None, {"i": scalar(2, INT64)})
    case("Shape 13", 13, [node("Shape", "x", "s"), node("Cast", "s", "f", to=1),
                          node("ReduceMean", "f", "m"), node("Mul", "x m", "y")])
    case("Shape 15 part", 15, [node("Shape", "x", "s", start=1, end=-1),
                               node("Reshape", "z s", "y")], {"x": [2, 3, 4, 7], "z": [12]})


def resizes():
    x = {"x": [1, 2, 4, 5]}

    def by_scales(label, opset, scales, inputs=None, **attributes):
        case("Resize %d %s" % (opset, label), opset,
             node("Resize", "x s" if opset == 10 else "x - s", "y", **attributes), inputs or x,
             {"s": Tensor([len(scales)], scales)})

    for mode in ("nearest", "linear"):
        by_scales(mode + " up", 10, [1, 1, 2, 3], mode=mode)
        by_scales(mode + " down", 10, [1, 1, 0.5, 0.6], mode=mode)
        by_scales(mode + " odd", 10, [1, 1, 1.5, 1.3], mode=mode)
        for transform in ("half_pixel", "pytorch_half_pixel", "asymmetric", "align_corners"):
            for scales in ([1, 1, 2, 3], [1, 1, 0.5, 0.6], [1, 1, 1.7, 0.25]):
                by_scales("%s %s %s" % (mode, transform, scales), 13, scales, mode=mode,
                          coordinate_transformation_mode=transform)
        case("Resize 11 sizes " + mode, 11, node("Resize", "x r e n", "y", mode=mode), x,
             {"r": Tensor([0], []), "e": Tensor([0], []), "n": ints(1, 2, 7, 3)})
        case("Resize 18 axes " + mode, 18, node("Resize", "x - - n", "y", mode=mode, axes=[3, 2]),
             x, {"n": ints(7, 3)})
    for rounding in ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil"):
        for transform in ("half_pixel", "asymmetric"):
            for scales in ([1, 1, 2, 3], [1, 1, 0.5, 0.6], [1, 1, 2.5, 1.2]):
                by_scales("%s %s %s" % (rounding, transform, scales), 13, scales,
                          nearest_mode=rounding, coordinate_transformation_mode=transform)
    by_scales("channels", 13, [1, 2, 1, 1], nearest_mode="floor",
              coordinate_transformation_mode="asymmetric")
    by_scales("0.7 of 10", 13, [1, 1, 0.7, 1], {"x": [1, 1, 10, 2]}, mode="linear")
    by_scales("0.7 of 10, nearest", 13, [1, 1, 0.7, 1], {"x": [1, 1, 10, 2]})
    by_scales("0.6 of 5", 13, [1, 1, 1, 0.6], mode="linear")
    by_scales("rank 2", 13, [2, 1.5], {"x": [3, 4]}, mode="linear")


def whole(dims, low, high, kind, seed):
    """Whole numbers low..high."""
    half, middle = (high - low) / 2, (high + low) / 2
    return Tensor(dims, [round(v * half + middle) for v in numbers(seed, product(dims))], kind)


def quantization():
    there_and_back = [node("QuantizeLinear", "x s z", "q"), node("DequantizeLinear", "q s z", "y")]
    case("Quantize 13 uint8", 13, there_and_back, None,
         {"s": scalar(0.0123), "z": scalar(117, UINT8)}, scale=2.0)
    case("Quantize 10 int8", 10, there_and_back, None,
         {"s": scalar(0.0123), "z": scalar(-7, INT8)}, scale=2.0)
    case("Quantize 13 halves to even", 13, there_and_back, {"x": [40]},
         {"s": scalar(2.0 ** -22), "z": scalar(128, UINT8)}, scale=2.0 ** -17)
    case("Quantize 13 no zero point", 13,
         [node("QuantizeLinear", "x s", "q"), node("DequantizeLinear", "q s", "y")], None,
         {"s": scalar(0.0071)})
    for axis in (1, -1):
        count = (3, 5)[axis < 0]
        case("Quantize 13 axis %d" % axis, 13,
             [node("QuantizeLinear", "x s z", "q", axis=axis),
              node("DequantizeLinear", "q s z", "y", axis=axis)], None,
             {"s": Tensor([count], [0.01 + 0.003 * i for i in range(count)]),
              "z": Tensor([count], [3 * i for i in range(count)], INT8)})
    constants = {"xs": scalar(0.0113), "xz": scalar(131, UINT8),
                 "w": whole([4, 3, 3, 3], -127, 127, INT8, 21),
                 "ws": Tensor([4], [0.0021, 0.0043, 0.0017, 0.0031]),
                 "wz": Tensor([4], [0, 0, 0, 0], INT8),
                 "ys": scalar(0.0372), "yz": scalar(119, UINT8),
                 "b": whole([4], -3000, 3000, INT32, 22),
                 "bs": Tensor([4], [0.0113 * s for s in (0.0021, 0.0043, 0.0017, 0.0031)])}
    quantize, back = node("QuantizeLinear", "x xs xz", "q"), node("DequantizeLinear", "r ys yz", "y")
    case("Conv between 13", 13,
         [quantize, node("DequantizeLinear", "q xs xz", "f"),
          node("DequantizeLinear", "w ws wz", "v", axis=0),
          node("DequantizeLinear", "b bs", "c", axis=0), node("Conv", "f v c", "d", pads=[1] * 4),
          node("Relu", "d", "e"), node("QuantizeLinear", "e ys yz", "r"), back], None, constants)
    case("QLinearConv 10", 10,
         [quantize, node("QLinearConv", "q xs xz w ws wz ys yz b", "r", pads=[1] * 4,
                         strides=[2, 1]), back], None, constants)
    case("QLinearConv 10 no bias", 10,
         [quantize, node("QLinearConv", "q xs xz w ws wz ys yz", "r"), back], None, constants)
    case("QLinearMatMul 10", 10,
         [quantize, node("QLinearMatMul", "q xs xz m ms mz ys yz", "r"), back], {"x": [3, 5]},
         {**constants, "m": whole([5, 4], -127, 127, INT8, 23), "ms": scalar(0.004),
          "mz": scalar(0, INT8)})


for build in (activations, arithmetic, convolutions, pools, matrices, shapes, resizes,
              quantization):
    build()
