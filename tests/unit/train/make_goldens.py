#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the golden values of the training tests as C headers beside this file, by PyTorch.

optimiser_goldens.h  values after some steps of torch.optim (made with 1.13)
schedule_goldens.h   learning rates of torch.optim.lr_scheduler
loss_goldens.h       losses and gradients by autograd in double

Run clang-format over them afterwards.
"""
import pathlib
import warnings

import numpy as np
import torch
import torch.nn.functional as F

FOLDER = pathlib.Path(__file__).parent
NOTE = "/* SPDX-License-Identifier: Apache-2.0 */\n/* Written by make_goldens.py; do not edit. */\n"


def numbers(values, suffix, per_line=6):
    texts = []
    for v in np.asarray(values).reshape(-1):
        text = "%.9g" % v
        texts.append(text + ("" if "." in text or "e" in text else ".0") + suffix)
    lines = [", ".join(texts[i:i + per_line]) for i in range(0, len(texts), per_line)]
    return ",\n    ".join(lines)


def floats(name, values):
    return "static const float %s[] = {\n    %s};\n" % (name, numbers(values, "f"))


def doubles(name, values):
    return "static const double %s[] = {\n    %s};\n" % (name, numbers(values, ""))


def integers(name, values):
    return "static const int %s[] = {%s};\n" % (name, ", ".join(str(v) for v in values))


# ---- Optimisers and schedules ----

STEPS, COUNT = 5, 6


def optimised(kind, start, gradients, **options):
    parameter = torch.nn.Parameter(torch.tensor(start))
    optimiser = kind([parameter], lr=0.05, **options)
    for gradient in gradients:
        parameter.grad = torch.tensor(gradient)
        optimiser.step()
    return parameter.detach().numpy()


def rates(make, steps):
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    schedule = make(optimiser)
    out = []
    for _ in range(steps):
        out.append(optimiser.param_groups[0]["lr"])
        schedule.step()
    return out


def optimiser_header():
    """The third parameter has no gradient, the fourth a tiny one."""
    random = np.random.default_rng(1)
    start = random.standard_normal(COUNT).astype(np.float32)
    gradients = random.standard_normal((STEPS, COUNT)).astype(np.float32)
    gradients[:, 2] = 0
    gradients[:, 3] *= 1e-6
    sgd, adam, adamw = torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW
    text = NOTE + "\nenum { GOLDEN_STEPS = %d, GOLDEN_COUNT = %d };\n\n" % (STEPS, COUNT)
    text += floats("golden_start", start) + floats("golden_gradients", gradients)
    text += "\n/* Values after all steps at the rate 0.05. */\n"
    for name, values in [
        ("sgd", optimised(sgd, start, gradients)),
        ("sgd_decay", optimised(sgd, start, gradients, weight_decay=0.1)),
        ("momentum", optimised(sgd, start, gradients, momentum=0.9, weight_decay=0.1)),
        ("nesterov", optimised(sgd, start, gradients, momentum=0.9, nesterov=True)),
        ("nesterov_decay",
         optimised(sgd, start, gradients, momentum=0.8, nesterov=True, weight_decay=0.1)),
        ("adam", optimised(adam, start, gradients)),
        ("adam_decay", optimised(adam, start, gradients, betas=(0.8, 0.99), eps=1e-3,
                                 weight_decay=0.1)),
        ("adamw", optimised(adamw, start, gradients, weight_decay=0.1)),
    ]:
        text += floats("golden_" + name, values)
    return text


def schedule_header():
    schedulers = torch.optim.lr_scheduler
    text = NOTE + "\n/* From 0.1 over 20 steps. */\n"
    for name, make in [
        ("cosine", lambda o: schedulers.CosineAnnealingLR(o, 20, eta_min=0.01)),
        ("step", lambda o: schedulers.StepLR(o, 6, gamma=0.3)),
        ("onecycle", lambda o: schedulers.OneCycleLR(o, 0.1, 20, pct_start=0.3, div_factor=25,
                                                     final_div_factor=40)),
    ]:
        text += floats("golden_" + name, rates(make, 20))
    return text


# ---- Losses ----

N, CLASSES, DIMS = 8, 4, 5


def smoothed(targets, smoothing):
    return (1 - smoothing) * targets + smoothing / CLASSES


def mean(values, sample_weights):
    return (values * sample_weights).sum() / sample_weights.sum()


def focal(logits, targets, gamma):
    log_p = F.log_softmax(logits, 1)
    return -(targets * (1 - log_p.exp()) ** gamma * log_p).sum(1)


def distill(logits, teacher, temperature):
    q = F.softmax(teacher / temperature, 1)
    log_p = F.log_softmax(logits / temperature, 1)
    return temperature ** 2 * F.kl_div(log_p, q, reduction="none").sum(1)


def island_pairs(centres):
    unit = F.normalize(centres, dim=1)
    return (unit @ unit.T + 1).sum() - 2 * len(centres)


def locality(features, labels, k):
    distances = torch.cdist(features, features).detach()
    losses = []
    for i in range(N):
        same = [j for j in range(N) if j != i and labels[j] == labels[i]]
        near = sorted(same, key=lambda j: distances[i, j].item())[:k]
        if not near:
            losses.append(features[i].sum() * 0)
            continue
        losses.append(0.5 * ((features[i] - features[near].mean(0).detach()) ** 2).sum())
    return torch.stack(losses)


def triplet(features, labels, margin, sample_weights):
    distances = ((features[:, None] - features[None]) ** 2).sum(2)
    losses, weights = [], []
    for i in range(N):
        positive = [distances[i, j] for j in range(N) if j != i and labels[j] == labels[i]]
        negative = [distances[i, j] for j in range(N) if labels[j] != labels[i]]
        if positive and negative:
            losses.append(F.relu(margin + torch.stack(positive).max() - torch.stack(negative).min()))
            weights.append(sample_weights[i])
    return mean(torch.stack(losses), torch.stack(weights))


def tuplet(features, labels, margin, sample_weights):
    losses, weights = [], []
    for label in range(CLASSES):
        own, others = (labels == label).nonzero()[:, 0], (labels != label).nonzero()[:, 0]
        if len(own) < 2 or len(others) == 0:
            continue
        centre = features[own].mean(0).detach()
        nearest = ((features[others] - centre) ** 2).sum(1).min()
        losses.append(F.relu(((features[own] - centre) ** 2).sum(1) + margin - nearest))
        weights.append(sample_weights[own])
    return mean(torch.cat(losses), torch.cat(weights))


def centres_after(centres, features, labels, alpha, lambda1):
    """The update rules of Wen et al. 2016 and Cai et al. 2018, written with autograd's gradient."""
    variable = centres.clone().requires_grad_(True)
    island_pairs(variable).backward()
    moved = centres.clone()
    for j in range(CLASSES):
        own = features[labels == j]
        moved[j] -= alpha * (centres[j] - own).sum(0) / (1 + len(own))
        moved[j] -= alpha * lambda1 * variable.grad[j] / 2 / (CLASSES - 1)
    return moved


def loss_golden(name, function, variable):
    variable = variable.clone().requires_grad_(True)
    value = function(variable)
    value.backward()
    text = "static const double golden_%s = %.12g;\n" % (name, value.item())
    return text + doubles("golden_%s_gradient" % name, variable.grad.numpy())


def loss_header():
    random = np.random.default_rng(2)

    def drawn(*shape, scale=1.0):
        return torch.tensor((scale * random.standard_normal(shape)).astype(np.float32)).double()

    labels = torch.tensor([0, 1, 0, 2, 1, 0, 3, 1])
    logits, teacher = drawn(N, CLASSES, scale=2), drawn(N, CLASSES, scale=2)
    features, centres = drawn(N, DIMS), drawn(CLASSES, DIMS)
    votes = torch.tensor(random.multinomial(8, [0.25] * CLASSES, N) / 8.0)
    weights = torch.tensor([1.0, 0.5, 2.0, 0.25], dtype=torch.float64)
    hard, ones, own = F.one_hot(labels, CLASSES).double(), torch.ones(N).double(), weights[labels]
    shift = (features - centres[labels]) ** 2

    text = NOTE + "\nenum { GOLDEN_N = %d, GOLDEN_CLASSES = %d, GOLDEN_DIMS = %d };\n\n" % (
        N, CLASSES, DIMS)
    text += integers("golden_labels", labels.tolist())
    for name, values in [("logits", logits), ("teacher", teacher), ("features", features),
                         ("start_centres", centres), ("votes", votes), ("weights", weights)]:
        text += floats("golden_" + name, values)
    text += loss_golden("softmax", lambda z: F.cross_entropy(z, labels), logits)
    text += loss_golden("softmax_smoothed", lambda z: F.cross_entropy(
        z, labels, label_smoothing=0.1), logits)
    text += loss_golden("softmax_votes", lambda z: mean(F.cross_entropy(
        z, smoothed(votes, 0.2), reduction="none"), own), logits)
    text += loss_golden("softmax_weighted", lambda z: F.cross_entropy(
        z, labels, weight=weights), logits)
    text += loss_golden("focal", lambda z: mean(focal(z, hard, 2.0), ones), logits)
    text += loss_golden("focal_votes", lambda z: mean(focal(z, votes, 0.5), own), logits)
    text += loss_golden("distill", lambda z: mean(distill(z, teacher, 3.0), own), logits)
    text += loss_golden("centre", lambda x: mean(
        0.5 * ((x - centres[labels]) ** 2).sum(1), own), features)
    text += "static const double golden_island = %.12g;\n" % (
        mean(0.5 * shift.sum(1), own) + 0.3 * island_pairs(centres))
    text += doubles("golden_centres_moved", centres_after(centres, features, labels, 0.5, 0))
    text += doubles("golden_island_moved", centres_after(centres, features, labels, 0.5, 0.3))
    text += loss_golden("locality", lambda x: mean(locality(x, labels, 1), own), features)
    text += loss_golden("triplet", lambda x: triplet(x, labels, 3.0, own), features)
    text += loss_golden("tuplet", lambda x: tuplet(x, labels, 3.0, own), features)
    return text


def main():
    warnings.simplefilter("ignore")
    (FOLDER / "optimiser_goldens.h").write_text(optimiser_header())
    (FOLDER / "schedule_goldens.h").write_text(schedule_header())
    (FOLDER / "loss_goldens.h").write_text(loss_header())


if __name__ == "__main__":
    main()
