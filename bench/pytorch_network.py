# SPDX-License-Identifier: Apache-2.0
"""A network in ONNX, as `mien model new` writes it, as a PyTorch module that trains."""

import onnx
import torch
from onnx import numpy_helper


def even_pads(attributes):
    """Padding as PyTorch's layers have it, the same on both sides.

    Where ONNX's is uneven (TensorFlow's behind a stride of 2), a layer of its own before would cost
    PyTorch a copy and its order of channels. With the larger of the two on both sides, the windows
    lie a pixel aside: the shapes (of pictures that the stride divides) and the work are the same,
    which is all that a measurement of speed wants. Raises ValueError without such a stride.
    """
    top, left, bottom, right = attributes.get("pads", [0, 0, 0, 0])
    strides = attributes.get("strides", [1, 1])
    pairs = ((top, bottom, strides[0]), (left, right, strides[1]))
    if any(abs(before - after) >= stride for before, after, stride in pairs):
        raise ValueError(f"padding {attributes['pads']} with strides {strides}")
    return max(top, bottom), max(left, right)


class Network(torch.nn.Module):
    """Runs the nodes in their order, which ONNX says is one in which they can be run."""

    def __init__(self, path):
        super().__init__()
        graph = onnx.load(path).graph
        self.constants = {t.name: torch.tensor(numpy_helper.to_array(t).copy())
                          for t in graph.initializer}
        self.input = next(i.name for i in graph.input if i.name not in self.constants)
        dims = next(i for i in graph.input if i.name == self.input).type.tensor_type.shape.dim
        self.input_shape = [d.dim_value for d in dims][1:]
        self.steps, self.layers = [], torch.nn.ModuleList()
        for node in graph.node:
            if node.op_type == "Softmax":  # behind the logits, which the loss takes
                continue
            self.add(node, {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute})
        self.output = "logits"

    def add(self, node, attributes):
        maker = getattr(self, "make_" + node.op_type)
        made = maker(node, attributes)
        if isinstance(made, torch.nn.Module):
            self.layers.append(made)
        inputs = [name for name in node.input if name not in self.constants]
        self.steps.append((made, inputs, node.output[0]))

    def parameter(self, node, index):
        return self.constants[node.input[index]] if len(node.input) > index else None

    def make_Conv(self, node, a):
        weight, bias = self.parameter(node, 1), self.parameter(node, 2)
        groups = a.get("group", 1)
        layer = torch.nn.Conv2d(weight.shape[1] * groups, weight.shape[0], tuple(weight.shape[2:]),
                                stride=tuple(a.get("strides", [1, 1])),
                                padding=even_pads(a), groups=groups,
                                bias=bias is not None)
        layer.weight.data.copy_(weight)
        if bias is not None:
            layer.bias.data.copy_(bias)
        return layer

    def make_Gemm(self, node, a):
        weight, bias = self.parameter(node, 1), self.parameter(node, 2)
        if not a.get("transB", 0):
            weight = weight.T
        layer = torch.nn.Linear(weight.shape[1], weight.shape[0])
        layer.weight.data.copy_(weight)
        layer.bias.data.copy_(bias)
        return layer

    def make_BatchNormalization(self, node, a):
        scale, shift = self.parameter(node, 1), self.parameter(node, 2)
        layer = torch.nn.BatchNorm2d(scale.shape[0], eps=a.get("epsilon", 1e-5))
        layer.weight.data.copy_(scale)
        layer.bias.data.copy_(shift)
        return layer

    def make_Relu(self, node, a):
        return torch.nn.ReLU(inplace=True)

    def make_Clip(self, node, a):
        return torch.nn.Hardtanh(float(self.parameter(node, 1)), float(self.parameter(node, 2)),
                                 inplace=True)

    def make_HardSigmoid(self, node, a):
        return torch.nn.Hardsigmoid()

    def make_MaxPool(self, node, a):
        return torch.nn.MaxPool2d(tuple(a["kernel_shape"]), tuple(a.get("strides", [1, 1])),
                                  padding=even_pads(a))

    def make_AveragePool(self, node, a):
        return torch.nn.AvgPool2d(tuple(a["kernel_shape"]), tuple(a.get("strides", [1, 1])))

    def make_GlobalAveragePool(self, node, a):
        return torch.nn.AdaptiveAvgPool2d(1)

    def make_Flatten(self, node, a):
        return torch.nn.Flatten()

    def make_Dropout(self, node, a):
        ratio = self.parameter(node, 1)
        return torch.nn.Dropout(float(ratio) if ratio is not None else a.get("ratio", 0.5))

    def make_Add(self, node, a):
        return torch.add

    def make_Mul(self, node, a):
        return torch.mul

    def forward(self, x):
        values = {self.input: x}
        for function, inputs, output in self.steps:
            values[output] = function(*[values[name] for name in inputs])
        return values[self.output]
