#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the program with allocations that fail, wherever in the process they are made.

A sample of allocations fails one at a time, and again with every later one failing too. The program
must never die of a signal; it either succeeds with its whole output or says what happened and exits
with 1.

Environment: MIEN_PROGRAM, MIEN_SOURCE_ROOT, FAIL_MALLOC (the library to preload).
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(os.environ["MIEN_SOURCE_ROOT"])
FIXTURES = ROOT / "tests" / "fixtures"
ASTRONAUT = str(FIXTURES / "astronaut.jpg")
FER = ("emotion,pixels,Usage\n" + "".join(f"{i},{f'{i * 30} ' * 2303}9,Training\n"
                                          for i in range(3)))
RUNS = int(os.environ.get("MIEN_OOM_RUNS", "150"))


def run(arguments, at=0, on=False, own=False, count_file=""):
    environment = dict(os.environ, LD_PRELOAD=os.environ["FAIL_MALLOC"], FAIL_MALLOC_AT=str(at),
                       FAIL_MALLOC_ON=str(int(on)), FAIL_MALLOC_COUNT=count_file,
                       FAIL_MALLOC_OWN=str(int(own)),
                       MIEN_DATA=str(ROOT / "models"),
                       MIEN_MODEL=str(FIXTURES / "tiny-classifier.onnx"))
    return subprocess.run([os.environ["MIEN_PROGRAM"], *arguments], env=environment, timeout=30,
                          stdin=subprocess.DEVNULL, capture_output=True)


def sample(total, wanted):
    """Numbers 1..total: the first and the last few, and a spread between that never changes."""
    edges = set(range(1, 16)) | set(range(max(1, total - 40), total + 1))
    spread = {1 + (i * 2654435761 >> 7) % total for i in range(max(0, wanted - len(edges)))}
    return sorted(n for n in edges | spread if n <= total)


def judge(result, expected, same_output):
    """What is wrong with a run, or None."""
    if result.returncode < 0:
        return f"killed by signal {-result.returncode}"
    if result.returncode not in (0, 1):
        return f"exit status {result.returncode}"
    if result.returncode == 1 and not result.stderr.strip():
        return "failed without a message"
    if result.returncode == 0 and same_output and result.stdout != expected:
        return f"success, but with other output: {result.stdout[:200]!r}"
    return None


def check(name, arguments, wanted, same_output=True, written=None, own=False):
    """
    written: a file that the run writes, which must be the same when the run succeeds.
    own: only allocations of the program's own code fail, none of the libraries it uses.
    """
    with tempfile.NamedTemporaryFile() as count_file:
        good = run(arguments, own=own, count_file=count_file.name)
        total = int(Path(count_file.name).read_text())
    assert good.returncode == 0, good.stderr
    picture = written and written.read_bytes()
    numbers = sample(total, wanted)
    bad, survived = [], 0
    for number in numbers:
        for on in (False, True):
            result = run(arguments, number, on, own)
            survived += result.returncode == 0
            wrong = judge(result, good.stdout, same_output)
            if written and result.returncode == 0 and written.read_bytes() != picture:
                wrong = "success, but the file is another"
            if wrong:
                bad.append(f"allocation {number}{' and all later' if on else ''}: {wrong}; "
                           f"{result.stderr.decode(errors='replace').strip()}")
    print(f"{name}: {total} allocations, {2 * len(numbers)} runs, {survived} did without",
          *bad[:20], sep="\n  ")
    return len(bad)


RECIPE = """architecture = file
features = features
head = dense 4 relu
height = 16
width = 16
batch = 2
rate = 0.01
smote = pixels
settle = 1
average = 0.5
sam_rho = 0.1
island_weight = 0.1
tuplet_weight = 0.1
distill_weight = 0.5
sampler = balanced
class_weights = yes
clip_norm = 1
classes = sad, happy
"""


def training_arguments(folder):
    """A run with all that a run can have, on a dozen pictures; the model is made here too."""
    for i in range(12):
        for number, kind in enumerate(["happy", "sad", "angry"]):
            path = folder / "pictures" / kind / f"{'AB'[i % 2]}{i}.pgm"
            path.parent.mkdir(parents=True, exist_ok=True)
            if i < 12 - 4 * number:
                path.write_bytes(b"P5\n16 16\n255\n" + bytes((i * 20 + number) % 256
                                                             for _ in range(256)))
    model, recipe = folder / "fresh.onnx", folder / "recipe.txt"
    recipe.write_text(RECIPE)
    subprocess.run([os.environ["MIEN_PROGRAM"], "model", "new", "--architecture", "fcn",
                    "--classes", "happy,sad,angry", "--input", "16x16", str(model)], check=True)
    return ["train", "--threads", "1", "--anew", "--data", str(folder / "pictures"), "--hold-out",
            "A", "--initial", str(model), "--teacher", str(model), "--out", str(folder / "run"),
            str(recipe)]


def main():
    with tempfile.TemporaryDirectory() as folder:
        csv = Path(folder, "fer.csv")
        csv.write_text(FER)
        marked = str(Path(folder, "marked"))
        failures = check("analyze", ["analyze", "--json", ASTRONAUT], RUNS)
        failures += check("analyze, two threads",
                          ["analyze", "--json", "--threads", "2", "--detector", "none", ASTRONAUT,
                           ASTRONAUT], RUNS // 5)
        annotate = ["--detector", "none", "--annotate", marked,
                    str(FIXTURES / "astronaut-gray.pgm")]
        # Cairo itself overlooks a failure here and there, and then draws nothing.
        overlooked = 3
        failures += max(0, check("annotate boxes", ["detect", *annotate], RUNS // 3,
                                 written=Path(marked, "astronaut-gray.png")) - overlooked)
        # Text asks fontconfig for fonts, which waits for ever when its allocations fail.
        failures += check("annotate names", ["analyze", *annotate], RUNS // 3, own=True,
                          written=Path(marked, "astronaut-gray.png"))
        failures += check("eval", ["eval", "--json", "--data", str(csv)], RUNS // 3)
        # OpenMP, which the maps of what the network looked at use, ends the program by itself.
        page = Path(folder, "page")
        failures += check("eval --report", ["eval", "--json", "--data", str(csv), "--report",
                                            str(page)], RUNS // 2, own=True,
                          written=page / "report.html")
        # Text again.
        why = Path(folder, "why.png")
        failures += check("explain", ["explain", "--whole", "--out", str(why),
                                      str(FIXTURES / "astronaut-gray.pgm")], RUNS // 3, own=True,
                          written=why)
        recipe = Path(folder, "recipe.txt")
        recipe.write_text("architecture = dcnn32\nmixup = 1\n")
        sheet = Path(folder, "sheet.png")
        failures += check("data preview", ["data", "preview", "--data", str(csv), "--count", "3",
                                           "--versions", "2", "--out", str(sheet), str(recipe)],
                          RUNS // 3, own=True, written=sheet)
        # FFmpeg, whose own failures are its own; one picture is numbered as a film of one frame.
        (Path(folder) / "film-1.pgm").write_bytes((FIXTURES / "astronaut-gray.pgm").read_bytes())
        failures += check("live", ["live", "--no-window", "--csv", "--detector", "none",
                                   str(Path(folder, "film-%d.pgm"))], RUNS // 3, own=True)
        film, sessions = str(Path(folder, "film-%d.pgm")), str(Path(folder, "sessions.db"))
        failures += check("live --session", ["live", "--no-window", "--csv", "--detector", "none",
                                             "--session", "x", "--consent", "y", "--store",
                                             sessions, film], RUNS // 3, own=True)
        failures += check("session show", ["session", "show", "--json", "--store", sessions, "1"],
                          RUNS // 3, own=True)
        page = Path(folder) / "page.html"
        failures += check("report", ["report", "--store", sessions, "--out", str(page), "1"],
                          RUNS // 3, own=True, written=page)
        record = Path(folder) / "practice.jsonl"
        record.write_text('{"name":"Ann","expression":"happy","score":50}\n' * 7)
        failures += check("practice --progress", ["practice", "--progress", str(record)],
                          RUNS // 3, own=True)
        failures += check("model info", ["model", "info", "--json", "--layers",
                                         str(FIXTURES / "tiny-classifier.onnx")], RUNS // 3)
        failures += check("bench", ["bench", "--runs", "1", "--model",
                                    str(FIXTURES / "tiny-classifier.onnx")], RUNS // 5, False)
        # OpenMP and oneDNN end the program when their own allocations fail.
        failures += check("train", training_arguments(Path(folder)), RUNS // 3, own=True,
                          written=Path(folder, "run", "last.onnx"))
    sys.exit(failures != 0)


if __name__ == "__main__":
    main()
