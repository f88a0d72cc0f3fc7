#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Compares the time of one picture through a network with ONNX Runtime's.

    bench/inference_vs_onnxruntime.py --build build [--seconds S] [--kernels NAME] [--json FILE]
                                      [--bf16] [--data fer2013.csv] [--threads N] [NETWORK ...]

The networks are those of the zoo with random weights, and the files of $MIEN_SHARED/weights (else
../shared/weights beside the repository) that are there. Both run in one process in turns of 20 ms;
the ratio is ONNX Runtime's median over mien's. With --data the zoo's networks are quantised too:
their 8-bit files in mien against the float files and against the same files in ONNX Runtime; these
outputs differ as 8-bit numbers do. With --bf16 mien computes them in BF16 too, against ONNX
Runtime's float. With --threads N as many threads share a picture, in both; beside it stands how much
faster mien is than on one thread, and the round trip of a word from core to core, measured at that
time: on a virtual machine it has a fast and a slow state, which decides what threads can gain. The
default is one thread. Needs npm, which fetches the package
onnxruntime-node into the build folder; --library names a libonnxruntime.so instead.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PACKAGE = "onnxruntime-node@1.30.0"
ZOO = [("mini_xception", 48), ("mini_xception", 64), ("mobilenet_v1", 48), ("mobilenet_v1", 224),
       ("mobilenet_v2", 48), ("mobilenet_v2", 224), ("sequential_cnn", 48), ("resnet18", 48),
       ("mien", 48)]
FILES = [("face_detection_yunet_2023mar", 640), ("face_api_landmark68", 112),
         ("face_api_expression", 112), ("face_api_tiny_detector", 416)]


def find_library(build):
    """libonnxruntime.so of this machine, fetched when it is not there."""
    folder = build / "onnxruntime"
    machine = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    pattern = f"node_modules/onnxruntime-node/bin/napi-*/linux/{machine}/libonnxruntime.so*"
    if not list(folder.glob(pattern)):
        if shutil.which("npm") is None:
            sys.exit(f"npm, which fetches {PACKAGE}, is not there; name a library with --library")
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund",
                        "--ignore-scripts", "--prefix", str(folder), PACKAGE], check=True)
    found = sorted(folder.glob(pattern))
    if not found:
        sys.exit(f"{PACKAGE} has no library for {machine}; name one with --library")
    return found[0]


def zoo_network(build, architecture, side):
    """Colour for what came from photographs of 224 pixels, grey for faces."""
    folder = build / "networks"
    folder.mkdir(exist_ok=True)
    path = folder / f"{architecture}_{side}.onnx"
    subprocess.run([build / "mien", "model", "new", "--architecture", architecture, "--input",
                    f"{side}x{side}", "--channels", "3" if side == 224 else "1", "--classes",
                    "a,b,c,d,e,f,g", path], check=True)
    return path


def quantised(options, path):
    """The same network in 8-bit numbers."""
    out = path.with_name(path.stem + "-int8.onnx")
    subprocess.run([options.build / "mien", "model", "quantize", "--no-score", "--samples", "16",
                    "--range", "largest", "--data", options.data, "--out", out, path], check=True,
                   stdout=subprocess.DEVNULL)
    return out


def networks(options):
    """Names, mien's files, ONNX Runtime's files, sides and mien's precision of what is there."""
    build, wanted = options.build, options.network
    shared = pathlib.Path(os.environ.get("MIEN_SHARED", ROOT.parent / "shared"))
    for architecture, side in ZOO:
        name = f"{architecture}_{side}"
        if wanted and name not in wanted:
            continue
        path = zoo_network(build, architecture, side)
        yield name, path, path, side, "f32"
        if options.bf16:
            yield name + " bf16 / f32", path, path, side, "bf16"
        if options.data:
            small = quantised(options, path)
            yield name + " int8 / f32", small, path, side, "f32"
            yield name + " int8 / int8", small, small, side, "f32"
    for stem, side in FILES:
        path = shared / "weights" / f"{stem}.onnx"
        if path.exists() and (not wanted or stem in wanted):
            yield stem, path, path, side, "f32"
            if options.bf16:
                yield stem + " bf16 / f32", path, path, side, "bf16"


def compare(options, library, ours, theirs, side, precision):
    command = [options.build / "bench/inference_peer", library, ours, theirs, str(side), str(side),
               str(options.seconds), precision, str(options.threads)]
    command += [options.kernels] if options.kernels else []
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    mien, peer, difference, *shared = map(float, output.split())
    row = {"mien_us": mien, "onnxruntime_us": peer, "ratio": peer / mien, "difference": difference}
    if shared:
        row |= {"mien_one_thread_us": shared[0], "round_trip_ns": shared[1]}
    return row


def print_header(options):
    print(f"{'network':30}{'mien us':>10}{'ORT us':>10}{'ratio':>7}{'difference':>12}", end="")
    print(f"{'one thread':>12}{'gain':>6}{'round trip':>12}" if options.threads > 1 else "")


def print_row(row):
    print(f"{row['network']:30}{row['mien_us']:10.1f}{row['onnxruntime_us']:10.1f}"
          f"{row['ratio']:7.2f}{row['difference']:12.1e}", end="")
    if "round_trip_ns" in row:
        alone = row["mien_one_thread_us"]
        print(f"{alone:12.1f}{alone / row['mien_us']:6.2f}{row['round_trip_ns']:9.0f} ns", end="")
    print(flush=True)


def processor():
    lines = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", nargs="*", help="mini_xception_48, ... (default: all)")
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build"))
    parser.add_argument("--library", type=pathlib.Path, help="libonnxruntime.so")
    parser.add_argument("--seconds", type=float, default=3, help="for each network (3)")
    parser.add_argument("--data", type=pathlib.Path, help="FER-2013's CSV file: 8-bit rows too")
    parser.add_argument("--bf16", action="store_true", help="BF16 rows too")
    parser.add_argument("--threads", type=int, default=1, help="that share a picture (1)")
    parser.add_argument("--kernels", help="avx512, avx2 or generic (default: the best here)")
    parser.add_argument("--json", type=pathlib.Path, help="write the figures here")
    return parser.parse_args()


def main():
    options = parse_arguments()
    library = options.library or find_library(options.build)
    rows = []
    print_header(options)
    for name, ours, theirs, side, precision in networks(options):
        row = {"network": name, **compare(options, library, ours, theirs, side, precision)}
        rows.append(row)
        print_row(row)
    if options.json:
        document = {"peer": PACKAGE, "processor": processor(),
                    "date": datetime.date.today().isoformat(), "threads": options.threads, "rows": rows}
        options.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
