#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Measures one picture from the start of the program: time, processor time and peak memory.

    bench/cold_start.py --mien build/mien [--runs N] [--json FILE] [PICTURE]

PICTURE is tests/fixtures/astronaut.jpg unless named. The parts of the start are shown by leaving
parts of the work out: the program alone, without a network, without a detector, with a small
network, and all of it. Each is started N times, in turn; the figures are the least time on the wall
and the medians of the others. A peak below Python's own, some 13 MiB, cannot be seen.
"""

import argparse
import datetime
import json
import os
import pathlib
import statistics
import time

from inference_vs_onnxruntime import processor

ROOT = pathlib.Path(__file__).resolve().parent.parent
MINI = ROOT / "models/mini-xception.onnx"


def starts(picture):
    yield "the program alone", ["--version"]
    yield "faces, no network", ["detect", "--json", picture]
    yield "network, no detector", ["analyze", "--json", "--detector", "none", picture]
    yield "all, mini-Xception", ["analyze", "--json", "--model", MINI, picture]
    yield "all, default network", ["analyze", "--json", picture]


def start(program, arguments):
    """Milliseconds on the wall and of processor time, and peak MiB."""
    command = [str(word) for word in (program, *arguments)]
    environment = {**os.environ, "MIEN_DATA": str(ROOT / "models")}
    silence = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    before = time.perf_counter()
    process = os.posix_spawn(command[0], command, environment, file_actions=silence)
    _, status, usage = os.wait4(process, 0)
    wall = (time.perf_counter() - before) * 1e3
    if status != 0:
        raise SystemExit(f"{' '.join(command)} failed")
    return wall, (usage.ru_utime + usage.ru_stime) * 1e3, usage.ru_maxrss / 1024


def measure(options):
    runs = {}
    for _ in range(options.runs):
        for name, arguments in starts(options.picture):
            runs.setdefault(name, []).append(start(options.mien.resolve(), arguments))
    return [{"start": name, "wall_ms": min(run[0] for run in values),
             "processor_ms": statistics.median(run[1] for run in values),
             "peak_mib": statistics.median(run[2] for run in values)}
            for name, values in runs.items()]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("picture", nargs="?", type=pathlib.Path,
                        default=ROOT / "tests/fixtures/astronaut.jpg")
    parser.add_argument("--mien", type=pathlib.Path, required=True, help="the program")
    parser.add_argument("--runs", type=int, default=15, help="starts of each (15)")
    parser.add_argument("--json", type=pathlib.Path, help="write the figures here")
    return parser.parse_args()


def main():
    options = parse_arguments()
    rows = measure(options)
    print(f"{'start':24}{'wall ms':>9}{'processor ms':>14}{'peak MiB':>10}")
    for row in rows:
        print(f"{row['start']:24}{row['wall_ms']:9.1f}{row['processor_ms']:14.1f}"
              f"{row['peak_mib']:10.1f}")
    if options.json:
        document = {"processor": processor(), "date": datetime.date.today().isoformat(),
                    "rows": rows}
        options.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
