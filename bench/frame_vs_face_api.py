#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Compares whole frames, from pixels to expressions, with face-api on the same two networks.

    bench/frame_vs_face_api.py --build build [--rounds N] [--json FILE]

The tiny detector at 416 pixels and face-api's expressions, 640x480 pixels, one face and four, one
thread. face-api (npm @vladmandic/face-api) runs under Node in WebAssembly with SIMD, as it does in a
browser without a GPU, and mien reads the same weights from $MIEN_SHARED (else ../shared beside the
repository). Both run in turn; the figures are medians of the processor time of a frame, mien's
without the decoding of the JPEG, since face-api is given pixels. Needs python3-opencv and npm, which
fetches face-api into the build folder; --packages names a folder where it is installed.
"""

import argparse
import datetime
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

import cv2

from frame_vs_python import HEIGHT, ROOT, SHARED, WIDTH, make_pictures, run_mien
from inference_vs_onnxruntime import processor

PACKAGES = ["@vladmandic/face-api@1.7.15", "@tensorflow/tfjs@4.22.0",
            "@tensorflow/tfjs-backend-wasm@4.22.0"]
DETECTOR = SHARED / "weights/face_api_tiny_detector.onnx"
EXPRESSION = SHARED / "weights/face_api_expression.onnx"
SIDE = 416
WARM_UP_FRAMES, TURN_FRAMES = 20, 10


def install_packages(build):
    """The folder that holds them, fetched when they are not there."""
    folder = build / "face-api"
    if not (folder / "node_modules/@vladmandic/face-api").exists():
        if shutil.which("npm") is None:
            sys.exit(f"npm, which fetches {PACKAGES[0]}, is not there; name --packages")
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund",
                        "--ignore-scripts", "--prefix", str(folder), *PACKAGES], check=True)
    return folder


class FaceApi:
    """face-api in a process of its own."""

    def __init__(self, packages):
        script = pathlib.Path(__file__).with_name("face_api.cjs")
        self.process = subprocess.Popen(
            ["node", script, packages.resolve(), str(SIDE), str(WIDTH), str(HEIGHT)], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run(self, path, frames):
        """The number of faces and the milliseconds of a frame: processor time, wall."""
        self.process.stdin.write(f"{frames} {path}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split()
        if not answer:
            sys.exit(self.process.stderr.read())
        return int(answer[0]), float(answer[1]), float(answer[2])

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def compare(options, peer, path):
    pixels = path.with_suffix(".rgb")
    cv2.imread(str(path))[:, :, ::-1].tofile(pixels)
    peer.run(pixels, WARM_UP_FRAMES)
    ours, theirs = [], []
    for _ in range(options.rounds):
        ours.append(run_mien(options, TURN_FRAMES, path, detector=DETECTOR))
        theirs.append(peer.run(pixels, TURN_FRAMES))
    mien = statistics.median(run["us"] - run["decode_us"] for run in ours) / 1e3
    face_api = statistics.median(run[1] for run in theirs)
    return {"mien_faces": ours[0]["faces"], "face_api_faces": theirs[0][0], "mien_ms": mien,
            "face_api_ms": face_api, "face_api_wall_ms": statistics.median(r[2] for r in theirs),
            "ratio": face_api / mien}


def print_rows(rows):
    print(f"{WIDTH}x{HEIGHT} pixels, one thread; {PACKAGES[0]} in WebAssembly")
    print(f"{'faces':>6}{'theirs':>8}{'mien ms':>9}{'theirs ms':>11}{'on the wall':>13}{'ratio':>7}")
    for row in rows:
        print(f"{row['mien_faces']:6}{row['face_api_faces']:8}{row['mien_ms']:9.2f}"
              f"{row['face_api_ms']:11.2f}{row['face_api_wall_ms']:13.2f}{row['ratio']:7.2f}")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build"))
    parser.add_argument("--packages", type=pathlib.Path, help="where face-api is installed")
    parser.add_argument("--rounds", type=int, default=7, help="turns of each (7)")
    parser.add_argument("--json", type=pathlib.Path, help="write the figures here")
    options = parser.parse_args()
    options.model = EXPRESSION
    return options


def main():
    options = parse_arguments()
    if not (DETECTOR.exists() and EXPRESSION.exists()):
        print(f"skipped: {DETECTOR.parent} has no weights of face-api")
        return
    os.environ.setdefault("MIEN_DATA", str(ROOT / "models"))
    peer = FaceApi(options.packages or install_packages(options.build))
    with tempfile.TemporaryDirectory() as folder:
        rows = [compare(options, peer, path) for path in make_pictures(options, folder).values()]
    peer.close()
    print_rows(rows)
    if options.json:
        document = {"peers": PACKAGES, "processor": processor(),
                    "date": datetime.date.today().isoformat(), "threads": 1, "rows": rows}
        options.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
