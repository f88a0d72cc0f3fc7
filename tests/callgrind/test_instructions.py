#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Counts the instructions of the main paths and compares them with those kept in counts.json.

    tests/callgrind/test_instructions.py --paths build/tests/callgrind/paths --compiler "gcc 12"
                                         [--update]

Times on shared machines are not stable, instruction counts are. A path that takes more than
TOLERANCE over its kept count fails; one that takes as much less is only told: then --update, which
writes the counts of this compiler anew, keeps the gain. Skips (77) without valgrind, and with
compilers whose counts are not kept. Valgrind knows no AVX-512, so the sets are the others.
"""

import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
COUNTS = HERE / "counts.json"
PICTURE = ROOT / "tests/fixtures/astronaut-gray.pgm"
PATHS = {"cascade": "cascade", "mini-xception": ROOT / "models/mini-xception.onnx",
         "mien": ROOT / "models/mien.onnx"}
SETS = ["avx2", "generic"]
TOLERANCE = 0.05
SKIPPED = 77


def count(program, kernels, path):
    """The instructions of one run, or None when the processor lacks the set."""
    with tempfile.NamedTemporaryFile() as out:
        run = subprocess.run(
            ["valgrind", "--tool=callgrind", "--toggle-collect=measured",
             f"--callgrind-out-file={out.name}", program, kernels, PICTURE, path],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
        if run.returncode != 0:
            if "there are no kernels" in run.stderr:
                return None
            sys.exit(run.stderr)
        for line in pathlib.Path(out.name).read_text(encoding="utf-8").splitlines():
            if line.startswith("totals:"):
                return int(line.split()[1])
    sys.exit("callgrind wrote no totals")


def count_all(program):
    counts = {}
    for kernels in SETS:
        for name, path in PATHS.items():
            instructions = count(program, kernels, path)
            if instructions is not None:
                counts.setdefault(kernels, {})[name] = instructions
    return counts


def compare(counts, kept):
    """Prints a line for each path; whether none takes too many instructions."""
    fine = True
    for kernels, paths in counts.items():
        for name, instructions in paths.items():
            change = instructions / kept[kernels][name] - 1
            verdict = ("TOO MANY" if change > TOLERANCE else
                       "fewer: keep them with --update" if change < -TOLERANCE else "ok")
            fine = fine and change <= TOLERANCE
            print(f"{kernels:8} {name:14} {instructions:12,} {change:+7.1%}  {verdict}")
    return fine


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--paths", required=True, help="the program paths")
    parser.add_argument("--compiler", required=True, help="what built it, such as 'gcc 12'")
    parser.add_argument("--update", action="store_true", help="keep the counts of now")
    options = parser.parse_args()
    if shutil.which("valgrind") is None:
        print("skipped: valgrind is not here")
        return SKIPPED
    kept = json.loads(COUNTS.read_text(encoding="utf-8")) if COUNTS.exists() else {}
    if options.compiler not in kept and not options.update:
        print(f"skipped: there are no counts for {options.compiler}, only for {', '.join(kept)}")
        return SKIPPED
    counts = count_all(options.paths)
    if options.update:
        kept[options.compiler] = counts
        COUNTS.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    return 0 if compare(counts, kept[options.compiler]) else 1


if __name__ == "__main__":
    sys.exit(main())
