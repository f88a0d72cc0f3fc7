# SPDX-License-Identifier: Apache-2.0
"""Graphs of several operators: what the planner fuses, shares and lays out."""

from onnx_writer import Tensor, chunk, floats, ints, node, positive, scalar

CASES = []


def case(name, nodes, inputs, constants=None, outputs=None, opset=13, scale=1.0):
    """Of the constants, only those that the nodes read are written."""
    read = {k: v for k, v in (constants or {}).items() if any(chunk(1, k) in n for n in nodes)}
    CASES.append((name, opset, nodes, inputs, read, outputs or ["y"], scale))


def norm(prefix, channels, seed):
    return {prefix + "s": floats([channels], seed), prefix + "b": floats([channels], seed + 1),
            prefix + "m": floats([channels], seed + 2), prefix + "v": positive([channels], seed + 3)}


def batch_norm(x, prefix, y):
    names = [x] + [prefix + part for part in "sbmv"]
    return node("BatchNormalization", names, [y], epsilon=0.001)


def conv(x, w, y, bias=None, pad=1, **attributes):
    return node("Conv", [x, w] + ([bias] if bias else []), [y], pads=[pad] * 4, **attributes)


PICTURE = {"x": [1, 3, 6, 7]}
W = {"w": floats([6, 3, 3, 3], 21, 0.5), "c": floats([6], 22), "v": floats([6, 6, 3, 3], 23, 0.3)}


def fusions():
    case("conv, norm, relu", [conv("x", "w", "a"), batch_norm("a", "n", "b"), node("Relu", "b", "y")],
         PICTURE, {**W, **norm("n", 6, 30)})
    case("conv with bias, norm, clip",
         [conv("x", "w", "a", "c"), batch_norm("a", "n", "b"), node("Clip", "b lo hi", "y")],
         PICTURE, {**W, **norm("n", 6, 30), "lo": scalar(0.0), "hi": scalar(0.5)})
    for order in ("b r", "r b"):
        for behind in ("Relu", "LeakyRelu", "Sigmoid", "Identity"):
            case("conv, norm, add %s, %s" % (order, behind),
                 [conv("x", "w", "r"), conv("r", "v", "a"), batch_norm("a", "n", "b"),
                  node("Add", order, "d"), node(behind, "d", "y")],
                 PICTURE, {**W, **norm("n", 6, 30)})
    case("conv output used twice",
         [conv("x", "w", "a"), node("Relu", "a", "b"), node("Sigmoid", "a", "d"),
          node("Add", "b d", "y")], PICTURE, W)
    case("add of two convs",
         [conv("x", "w", "a", "c"), conv("x", "u", "b", pad=0), node("Add", "a b", "d"),
          node("Relu", "d", "y")], PICTURE, {**W, "u": floats([6, 3, 1, 1], 24)})
    case("add of a conv to itself",
         [conv("x", "w", "a"), node("Add", "a a", "y")], PICTURE, W)
    case("residual is the input",
         [conv("x", "k", "a"), node("Add", "x a", "b"), node("Relu", "b", "y")], PICTURE,
         {"k": floats([3, 3, 3, 3], 25)})
    case("residual used later",
         [conv("x", "w", "r"), conv("r", "v", "a"), node("Add", "a r", "b"), node("Relu", "b", "d"),
          node("Add", "d r", "y")], PICTURE, W)
    case("norm, relu without conv",
         [node("Tanh", "x", "t"), batch_norm("t", "n", "b"), node("Relu", "b", "y")], PICTURE,
         norm("n", 3, 30))
    case("norm of a conv read twice",
         [conv("x", "w", "a"), batch_norm("a", "n", "b"), node("Add", "a b", "y")], PICTURE,
         {**W, **norm("n", 6, 30)})
    case("dropout, identity and cast between",
         [conv("x", "w", "a"), node("Dropout", "a", "b"), batch_norm("b", "n", "d"),
          node("Identity", "d", "e"), node("Cast", "e", "f", to=1), node("Relu", "f", "y")],
         PICTURE, {**W, **norm("n", 6, 30)})
    case("two activations", [conv("x", "w", "a"), node("Relu", "a", "b"), node("Tanh", "b", "y")],
         PICTURE, W)
    case("conv, leaky relu", [conv("x", "w", "a"), node("LeakyRelu", "a", "y", alpha=0.2)],
         PICTURE, W)
    case("conv, prelu", [conv("x", "w", "a"), node("PRelu", "a s", "y")], PICTURE,
         {**W, "s": floats([6, 1, 1], 26)})
    case("gemm, relu, gemm, sigmoid",
         [node("Gemm", "x a b", "h", transB=1), node("Relu", "h", "r"), node("MatMul", "r d", "l"),
          node("Sigmoid", "l", "y")], {"x": [("N", 3), 10]},
         {"a": floats([9, 10], 27), "b": floats([9], 28), "d": floats([9, 4], 29)})
    case("mul, relu in place", [node("Mul", "x s", "a"), node("Relu", "a", "b"),
                                node("Sub", "b t", "y")], PICTURE,
         {"s": floats([3, 1, 1], 31), "t": floats([1, 3, 1, 1], 32)})


def blocks():
    for batch in (1, 5):
        case("depthwise separable, batch %d" % batch,
             [conv("x", "w", "a", strides=[2, 2]), batch_norm("a", "n", "b"), node("Relu", "b", "d"),
              conv("d", "k", "e", group=6), batch_norm("e", "o", "f"), node("Relu", "f", "g"),
              conv("g", "p", "h", pad=0), batch_norm("h", "q", "i"), node("Relu", "i", "y")],
             {"x": [("N", batch), 3, ("H", 5), ("W", 6)]},
             {**W, **norm("n", 6, 30), **norm("o", 6, 34), **norm("q", 8, 38),
              "k": floats([6, 1, 3, 3], 42), "p": floats([8, 6, 1, 1], 43)})
        case("squeeze and excitation, batch %d" % batch,
             [conv("x", "w", "a"), node("GlobalAveragePool", "a", "b"), conv("b", "d", "e", pad=0),
              node("Relu", "e", "f"), conv("f", "u", "g", "c", pad=0), node("HardSigmoid", "g", "h"),
              node("Mul", "a h", "y")], {"x": [("N", batch), 3, 4, 5]},
             {**W, "d": floats([2, 6, 1, 1], 44), "u": floats([6, 2, 1, 1], 45)})
        case("squeeze and excitation, swapped, batch %d" % batch,
             [conv("x", "w", "a"), node("ReduceMean", "a", "b", axes=[2, 3]),
              node("Sigmoid", "b", "h"), node("Mul", "h a", "p"), node("Relu", "p", "y")],
             {"x": [("N", batch), 3, 4, 5]}, W)
        case("conv, flatten, gemm, batch %d" % batch,
             [conv("x", "w", "a"), node("Relu", "a", "r"), node("Flatten", "r", "f"),
              node("Gemm", "f g b", "l", transB=1), node("Softmax", "l", "y", axis=1)],
             {"x": [("N", batch), 3, 3, 2]},
             {**W, "g": floats([4, 36], 46, 0.3), "b": floats([4], 47)})
        case("shapes computed, batch %d" % batch,
             [conv("x", "w", "a"), node("Shape", "a", "s"), node("Gather", "s zero", "n", axis=0),
              node("Unsqueeze", "n axis", "u"), node("Concat", "u rest", "t", axis=0),
              node("Reshape", "a t", "y")], {"x": [("N", batch), 3, 3, 2]},
             {**W, "zero": scalar(0, 7), "axis": ints(0), "rest": ints(-1, 4)})
    case("concat of convs",
         [conv("x", "w", "a"), conv("x", "u", "b", pad=0), node("Concat", "a b x", "y", axis=1)],
         PICTURE, {**W, "u": floats([2, 3, 1, 1], 24)})
    case("concat, then conv",
         [conv("x", "w", "a"), node("Concat", "a x", "b", axis=1), conv("b", "u", "y", pad=0)],
         PICTURE, {**W, "u": floats([2, 9, 1, 1], 24)})
    case("concat with a constant picture",
         [conv("x", "w", "a"), node("Concat", "k a", "y", axis=1)], PICTURE,
         {**W, "k": floats([1, 2, 6, 7], 48)})
    case("nearest resize between convs",
         [conv("x", "w", "a", strides=[2, 2]),
          node("Resize", "a - s", "b", coordinate_transformation_mode="asymmetric",
               nearest_mode="floor"), conv("b", "v", "y")], PICTURE,
         {**W, "s": Tensor([4], [1.0, 1.0, 2.0, 2.0])})
    case("linear resize between convs",
         [conv("x", "w", "a", strides=[2, 2]), node("Resize", "a - s", "b", mode="linear"),
          conv("b", "v", "y")], PICTURE, {**W, "s": Tensor([4], [1.0, 1.0, 2.0, 1.5])})
    case("pad, conv, pool",
         [node("Pad", "x p", "a"), conv("a", "w", "b", pad=0),
          node("MaxPool", "b", "d", kernel_shape=[2, 2], strides=[2, 2]),
          node("AveragePool", "d", "y", kernel_shape=[2, 2])], PICTURE,
         {**W, "p": ints(0, 0, 0, 1, 0, 0, 1, 2)})
    case("residual through max pool",
         [conv("x", "w", "a"), node("MaxPool", "a", "p", kernel_shape=[3, 3], strides=[2, 2],
                                    pads=[1, 1, 1, 1]),
          conv("x", "w", "b", strides=[2, 2]), node("Add", "b p", "d"), node("Relu", "d", "y")],
         PICTURE, W)


def layouts():
    case("conv, transpose, reshape",
         [conv("x", "w", "a"), node("Transpose", "a", "t", perm=[0, 2, 3, 1]),
          node("Reshape", "t s", "r"), node("Sigmoid", "r", "y")], PICTURE,
         {**W, "s": ints(0, -1, 3)})
    case("channels last outside",
         [node("Transpose", "x", "a", perm=[0, 3, 1, 2]), conv("a", "w", "b"), node("Relu", "b", "d"),
          node("Transpose", "d", "y", perm=[0, 2, 3, 1])], {"x": [1, 6, 7, 3]}, W)
    case("channels last outside, read in both ways",
         [node("Transpose", "x", "a", perm=[0, 3, 1, 2]), conv("a", "w", "b"), node("Relu", "b", "d"),
          node("Transpose", "d", "t", perm=[0, 2, 3, 1]), node("Softmax", "t", "y"),
          node("Softmax", "d", "z", axis=1)], {"x": [1, 6, 7, 3]}, W, ["y", "z", "a"])
    case("softmax on four dimensions", [conv("x", "w", "a"), node("Softmax", "a", "y", axis=1)],
         PICTURE, W)
    case("an inner value is an output",
         [conv("x", "w", "a"), node("Relu", "a", "b"), conv("b", "v", "d"), node("Relu", "d", "y")],
         PICTURE, W, ["y", "b", "a"])
    case("the input is an output", [node("Relu", "x", "y")], PICTURE, {}, ["y", "x"])
    case("one value, two outputs", [node("Relu", "x", "y"), node("Identity", "y", "z")], PICTURE,
         {}, ["y", "z"])
    case("a constant is an output", [node("Relu", "x", "y"), node("Add", "k k", "z")], PICTURE,
         {"k": floats([1, 2, 2, 3], 49)}, ["y", "z"])
    case("a constant picture into a conv",
         [conv("k", "w", "a"), node("Add", "x a", "y")], {"x": [1, 6, 6, 7]},
         {**W, "k": floats([1, 3, 6, 7], 49)})
    case("a computed output", [node("Relu", "x", "a"), node("Reshape", "a s", "y")], PICTURE,
         {"s": ints(3, -1)}, ["y", "a"])
    case("add of two layouts",
         [conv("x", "w", "a"), node("Softmax", "a", "b", axis=3), node("Mul", "b a", "d"),
          node("Sub", "a b", "e"), node("Div", "d f", "g"), node("Add", "g e", "y")], PICTURE,
         {**W, "f": positive([1, 6, 6, 7], 50)})
    case("mul by a plane", [conv("x", "w", "a"), node("Mul", "a k", "y")], PICTURE,
         {**W, "k": floats([6, 7], 51)})
    case("mul by a row after conv", [conv("x", "w", "a"), node("Mul", "k a", "b"),
                                     conv("b", "v", "y")], PICTURE, {**W, "k": floats([7], 51)})
    case("mul by a number after conv", [conv("x", "w", "a"), node("Mul", "k a", "b"),
                                        conv("b", "v", "y")], PICTURE, {**W, "k": scalar(0.5)})
    case("flatten of one pixel",
         [conv("x", "w", "a"), node("GlobalAveragePool", "a", "b"), node("Flatten", "b", "f"),
          node("Concat", "f f", "d", axis=1), node("Relu", "d", "y")], {"x": [("N", 5), 3, 4, 4]}, W)
    case("squeeze, norm of a matrix, unsqueeze",
         [conv("x", "w", "a"), node("ReduceMean", "a", "b", axes=[2, 3], keepdims=0),
          batch_norm("b", "n", "d"), node("Relu", "d", "e"), node("Unsqueeze", "e ax", "f"),
          node("Add", "a f", "y")], {"x": [("N", 2), 3, 3, 4]},
         {**W, **norm("n", 6, 30), "ax": ints(2, 3)})
    case("slice, pad and concat of maps",
         [conv("x", "w", "a"), node("Slice", "a s e ax st", "b"), node("Slice", "a e f ax st", "d"),
          node("Concat", "d b", "g", axis=1), node("Pad", "g p", "y", mode="edge")], PICTURE,
         {**W, "s": ints(0), "e": ints(3), "f": ints(6), "ax": ints(1), "st": ints(1),
          "p": ints(0, 0, 1, 0, 0, 0, 0, 1)})


for build in (fusions, blocks, layouts):
    build()
