#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes saliency_goldens.h beside this file: Grad-CAM and guided maps of a small network, by PyTorch.

The network is that of test_saliency.c: convolution, BatchNormalization, ReLU, max-pooling, a
depthwise convolution with hard swish beside a pointwise one with Clip, their sum joined to their
input, average pooling, a convolution with ReLU, channels scaled by what they say together (squeeze
and excitation), global average, dense. All in double (made with 1.13).
Run clang-format over it afterwards.
"""
import pathlib

import torch
import torch.nn.functional as F

from make_goldens import NOTE, doubles, floats

CHANNELS, SIDE, CLASSES, CLASS = 2, 8, 3, 1
SHAPES = [(4, 2, 3, 3), (4,),            # convolution
          (4,), (4,), (4,), (4,),        # norm: scale, shift, mean, variance
          (4, 1, 3, 3),                  # depthwise
          (4, 4, 1, 1), (4,),            # pointwise
          (6, 8, 2, 2), (6,),            # convolution
          (6, 6, 1, 1), (6,),            # excitation
          (CLASSES, 6), (CLASSES,)]      # dense


class GuidedReLU(torch.autograd.Function):
    @staticmethod
    def forward(context, x, high):
        context.save_for_backward(x)
        context.high = high
        return x.clamp(0, high)

    @staticmethod
    def backward(context, dy):
        x, = context.saved_tensors
        return dy * (x > 0) * (x < context.high) * (dy > 0), None


def run(parameters, x, guided):
    """(feature map, scores)"""
    p = iter(parameters)
    relu = (lambda v, high=float("inf"): GuidedReLU.apply(v, high)) if guided else (
        lambda v, high=float("inf"): v.clamp(0, high))
    v = F.conv2d(x, next(p), next(p), padding=1)
    scale, shift, mean, variance = next(p), next(p), next(p), next(p)
    v = relu(F.batch_norm(v, mean, variance, scale, shift, eps=1e-3))
    pooled = F.max_pool2d(v, 2)
    left = F.hardswish(F.conv2d(pooled, next(p), padding=1, groups=4))
    right = relu(F.conv2d(pooled, next(p), next(p)), 6.0)
    v = F.avg_pool2d(torch.cat([left + right, pooled], 1), 2, 1)
    v = relu(F.conv2d(v, next(p), next(p)))
    gate = F.hardsigmoid(F.conv2d(v.mean((2, 3), keepdim=True), next(p), next(p)))
    features = v * gate
    return features, F.linear(features.mean((2, 3)), next(p), next(p))


def main():
    torch.manual_seed(34)
    parameters = [torch.randn(shape) * 0.6 for shape in SHAPES]
    parameters[2], parameters[5] = parameters[2] + 1, parameters[5].abs() + 0.5
    x = torch.randn(1, CHANNELS, SIDE, SIDE)
    text = NOTE.replace("make_goldens", "make_saliency_goldens")
    text += (f"\nenum {{ GOLDEN_CHANNELS = {CHANNELS}, GOLDEN_SIDE = {SIDE}, "
             f"GOLDEN_CLASSES = {CLASSES}, GOLDEN_CLASS = {CLASS} }};\n\n")
    text += "/* Weights and biases in the order of the nodes. */\n"
    text += floats("golden_parameters", torch.cat([p.reshape(-1) for p in parameters]).numpy())
    text += floats("golden_input", x.numpy())
    parameters, x = [p.double() for p in parameters], x.double().requires_grad_()
    features, scores = run(parameters, x, False)
    gradient, = torch.autograd.grad(scores[0, CLASS], features, retain_graph=True)
    cam = F.relu((gradient.mean((2, 3), keepdim=True) * features).sum(1, keepdim=True))
    cam = F.interpolate(cam, (SIDE, SIDE), mode="bilinear", align_corners=False)
    assert cam.max() > 0 and (cam > 0).double().mean() < 1
    plain, = torch.autograd.grad(scores[0, CLASS], x)
    guided, = torch.autograd.grad(run(parameters, x, True)[1][0, CLASS], x)
    assert guided.abs().sum() > 0
    text += doubles("golden_scores", scores.detach().numpy())
    text += doubles("golden_cam", (cam / cam.max()).detach().numpy())
    text += doubles("golden_gradient", plain.numpy()) + doubles("golden_guided", guided.numpy())
    (pathlib.Path(__file__).parent / "saliency_goldens.h").write_text(text)


if __name__ == "__main__":
    main()
