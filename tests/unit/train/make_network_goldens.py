#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes network_goldens.h beside this file: a small network and three steps of it, by PyTorch.

Convolution 3x3 (bias, padding 1), BatchNormalization, ReLU, max-pooling 2x2, Flatten, dense; mean
cross-entropy; SGD with momentum. All in double, so that float32 is what is tested (made with 1.13).
Run clang-format over it afterwards.
"""
import pathlib

import torch

from make_goldens import NOTE, doubles, floats, integers

BATCH, CHANNELS, SIDE, WIDE, CLASSES, STEPS = 4, 2, 6, 3, 3, 3


def gradients_of(module):
    return torch.cat([p.grad.reshape(-1) for p in module.parameters()]).numpy()


def values_of(module):
    norm = module[1]
    numbers = [p.detach().reshape(-1) for p in module.parameters()]
    return torch.cat(numbers + [norm.running_mean, norm.running_var]).numpy()


def main():
    torch.manual_seed(20)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(CHANNELS, WIDE, 3, padding=1), torch.nn.BatchNorm2d(WIDE, eps=1e-3),
        torch.nn.ReLU(), torch.nn.MaxPool2d(2), torch.nn.Flatten(),
        torch.nn.Linear(WIDE * (SIDE // 2) ** 2, CLASSES))
    torch.nn.init.uniform_(network[1].weight, 0.5, 1.5)
    torch.nn.init.uniform_(network[1].bias, -0.5, 0.5)
    inputs, labels = torch.randn(BATCH, CHANNELS, SIDE, SIDE), torch.randint(CLASSES, (BATCH,))
    start = values_of(network)
    network, inputs = network.double(), inputs.double()
    optimiser = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9, nesterov=True)
    losses = []
    for step in range(STEPS):
        optimiser.zero_grad()
        logits = network(inputs)
        loss = torch.nn.functional.cross_entropy(logits, labels)
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            first_logits, first_gradients = logits.detach().numpy(), gradients_of(network)
        optimiser.step()
    sizes = dict(BATCH=BATCH, CHANNELS=CHANNELS, SIDE=SIDE, WIDE=WIDE, CLASSES=CLASSES, STEPS=STEPS)
    text = NOTE.replace("make_goldens", "make_network_goldens") + "\nenum { "
    text += ", ".join(f"GOLDEN_{k} = {v}" for k, v in sizes.items()) + " };\n\n"
    text += floats("golden_input", inputs.numpy()) + integers("golden_labels", labels.tolist())
    text += "\n/* Weights and biases of convolution, norm and dense; then running mean, variance. */\n"
    text += floats("golden_start", start) + doubles("golden_logits", first_logits)
    text += doubles("golden_gradients", first_gradients) + doubles("golden_losses", losses)
    text += "\n/* After all steps, in the order of golden_start. */\n"
    text += doubles("golden_end", values_of(network))
    (pathlib.Path(__file__).parent / "network_goldens.h").write_text(text)


if __name__ == "__main__":
    main()
