#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Compares the speed and memory of mien train with PyTorch's on the same networks.

    bench/training_vs_pytorch.py --mien build/mien [--threads N] [--precision f32|bf16]
                                 [--backend onednn|cudnn] [--batch N] [--workers N]
                                 [--rounds N] [--json FILE] [ARCHITECTURE ...]

mien reads, augments and learns from made-up pictures in FER-2013's layout, in batches of 64 or as
told. PyTorch learns from one batch that is already in memory, channels last, with an allocator that
keeps large tensors; both use SGD with Nesterov momentum. They run in turn, and the ratio is that of
the medians. With the backend cudnn both compute on a GPU, PyTorch in CUDA graphs; the memory is still
that of the processor. Needs python3-torch and python3-onnx.
"""

import argparse
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

ARCHITECTURES = ["mini_xception", "mobilenet_v1", "mobilenet_v2", "sequential_cnn", "resnet18",
                 "mien"]
STEPS = 20  # of an epoch
ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": "2000000000", "MALLOC_TRIM_THRESHOLD_": "8000000000",
             "MALLOC_TOP_PAD_": "200000000"}
RECIPE = """architecture = {architecture}
height = 48
width = 48
precision = {precision}
mien.input.format = gray
augment.mirror = 0.5
augment.rotation = 10
augment.zoom = 0.1
augment.shift = 0.1
batch = {batch}
epochs = 3
rate = 0.01
schedule = constant
"""


def write_pictures(path, batch):
    generator = random.Random(1)
    with open(path, "w", encoding="ascii") as file:
        file.write("emotion,pixels,Usage\n")
        for i in range((STEPS + 1) * batch):
            pixels = " ".join(str(byte) for byte in generator.randbytes(48 * 48))
            usage = "Training" if i < STEPS * batch else "PublicTest"
            file.write(f"{i % 7},{pixels},{usage}\n")


def run_child(command, environment):
    """Its standard output, and resident MB at its most."""
    with tempfile.TemporaryFile("w+") as complaint:
        process = subprocess.Popen(command, env=os.environ | environment, stdout=subprocess.PIPE,
                                   stderr=complaint, text=True)
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        if status != 0:
            complaint.seek(0)
            sys.exit(f"{command[0]} failed: {complaint.read()}")
    return output, usage.ru_maxrss / 1024


def run_mien(options, architecture, folder):
    """Images per second over the epochs but the first, and resident MB at its most."""
    recipe = folder / "recipe.txt"
    recipe.write_text(RECIPE.format(architecture=architecture, precision=options.precision,
                                    batch=options.batch))
    command = [options.mien, "train", "--anew", "--no-report", "--threads", str(options.threads),
               "--backend", options.backend, "--data", str(folder / "pictures.csv"), "--out",
               str(folder / "run"), str(recipe)]
    if options.workers:
        command[2:2] = ["--workers", str(options.workers)]
    _, memory = run_child(command, {"OMP_WAIT_POLICY": "passive"} if options.threads == 1 else {})
    log = [json.loads(line) for line in (folder / "run/log.jsonl").read_text().splitlines()]
    return statistics.mean(entry["images_per_second"] for entry in log[1:]), memory


def run_pytorch(options, network):
    command = [sys.executable, __file__, "--step", str(network), "--threads",
               str(options.threads), "--precision", options.precision, "--backend",
               options.backend, "--batch", str(options.batch)]
    speed, memory = run_child(command, ALLOCATOR)
    return float(speed), memory


def graph_of(torch, optimiser, step):
    """The step as a CUDA graph, after some steps without, as PyTorch's manual says."""
    beside = torch.cuda.Stream()
    beside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(beside):
        for _ in range(3):
            optimiser.zero_grad(set_to_none=True)
            step()
    torch.cuda.current_stream().wait_stream(beside)
    graph = torch.cuda.CUDAGraph()
    optimiser.zero_grad(set_to_none=True)
    with torch.cuda.graph(graph):
        step()
    return graph


def pytorch_step(options):
    """The child: prints the mean images per second over some steps."""
    import torch
    from pytorch_network import Network

    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    device = "cuda" if options.backend == "cudnn" else "cpu"
    network = Network(options.step).to(device, memory_format=torch.channels_last)
    optimiser = torch.optim.SGD(network.parameters(), 0.01, momentum=0.9, nesterov=True)
    inputs = torch.randn(options.batch, *network.input_shape, device=device)
    inputs = inputs.to(memory_format=torch.channels_last)
    labels = torch.randint(0, 7, (options.batch,), device=device)
    loss = torch.nn.CrossEntropyLoss()
    bf16 = options.precision == "bf16"

    def step():
        with torch.autocast(device, torch.bfloat16, enabled=bf16, cache_enabled=device == "cpu"):
            logits = network(inputs)
        loss(logits.float(), labels).backward()
        optimiser.step()

    def step_from_zero():
        optimiser.zero_grad()
        step()

    graph = graph_of(torch, optimiser, step) if device == "cuda" else None
    times = []
    for _ in range(3 + STEPS):
        start = time.perf_counter()
        if graph is not None:
            graph.replay()
            torch.cuda.synchronize()
        else:
            step_from_zero()
        times.append(time.perf_counter() - start)
    # As mien's epoch is: the mean over its steps.
    print(options.batch / statistics.mean(times[3:]))


def compare(options, architecture, folder):
    network = folder / f"{architecture}.onnx"
    subprocess.run([options.mien, "model", "new", "--architecture", architecture, "--input",
                    "48x48", "--classes", "a,b,c,d,e,f,g", str(network)], check=True)
    mien, pytorch = [], []
    for _ in range(options.rounds):
        pytorch.append(run_pytorch(options, network))
        mien.append(run_mien(options, architecture, folder))
    row = {"architecture": architecture, "threads": options.threads,
           "backend": options.backend, "batch": options.batch,
           "precision": options.precision,
           "mien_images_per_second": statistics.median(speed for speed, _ in mien),
           "pytorch_images_per_second": statistics.median(speed for speed, _ in pytorch),
           "mien_mb": max(memory for _, memory in mien),
           "pytorch_mb": max(memory for _, memory in pytorch)}
    row["ratio"] = row["mien_images_per_second"] / row["pytorch_images_per_second"]
    row["memory_ratio"] = row["mien_mb"] / row["pytorch_mb"]
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mien", default="build/mien")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--precision", choices=["f32", "bf16"], default="f32")
    parser.add_argument("--backend", choices=["onednn", "cudnn"], default="onednn")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--workers", type=int, help="threads that make mien's batches")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json")
    parser.add_argument("--step", help=argparse.SUPPRESS)
    parser.add_argument("architectures", nargs="*", metavar="ARCHITECTURE",
                        default=ARCHITECTURES)
    options = parser.parse_args()
    if options.step:
        pytorch_step(options)
        return
    rows = []
    print(f"{'network':16} {'mien':>8} {'PyTorch':>8}  ratio   {'MB':>6} {'PyTorch':>8}  ratio")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_pictures(folder / "pictures.csv", options.batch)
        for architecture in options.architectures:
            row = compare(options, architecture, folder)
            rows.append(row)
            print(f"{architecture:16} {row['mien_images_per_second']:8.0f} "
                  f"{row['pytorch_images_per_second']:8.0f}  {row['ratio']:5.2f}   "
                  f"{row['mien_mb']:6.0f} {row['pytorch_mb']:8.0f}  {row['memory_ratio']:5.2f}",
                  flush=True)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
