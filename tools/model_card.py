#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the card of a model that mien ships, from the figures of tools/make_model.sh.

model_card.py RUNS MODEL NAME [BEFORE ...]: RUNS/NAME holds public, private, mirrored and apart.json
(mien eval --json), bench.json (mien bench --json), info.json and log.jsonl; BEFORE are the runs that
came before it. The card goes to standard output.
"""

import json
import pathlib
import sys

WORDS = """\
It reads **apparent expressions**: what a face shows to people who label pictures, not what a person
feels. It was trained on photographs found on the web by words for expressions, mostly of adults, posed
or caught by the press; a good part of the labels are wrong. It will be worse on children, on faces that
are turned far, covered or lit oddly, and on people who are rare in such pictures; nobody has measured
by how much.

Use it to give pictures a first label that people then check, to drive a game, or in therapy and
research with consent. Do not use it to judge, hire, watch or grade people. In the EU the law forbids
inferring emotions at work and in education, save for medical or safety reasons.
"""


def percent(share):
    return f"{100 * share:.2f} %"


def scored(figures):
    low, high = figures["accuracy_ci95"]
    return (
        f"{percent(figures['accuracy'])} ({100 * low:.1f} to {100 * high:.1f})"
        f" | {figures['n']} | {percent(figures['balanced_accuracy'])}"
        f" | {figures['macro_f1']:.3f} | {figures['ece']:.3f} | {figures['nll']:.3f}"
    )


def score_table(run):
    rows = [
        ("PublicTest, on which every choice was made", "public"),
        ("**PrivateTest**, scored once", "private"),
        ("PrivateTest, mean of picture and mirrored picture", "mirrored"),
        ("PrivateTest without pictures that look like one of Training", "apart"),
    ]
    yield "| FER-2013 | accuracy (95 %) | n | balanced accuracy | macro F1 | ECE | log loss |"
    yield "|---|---|---|---|---|---|---|"
    for title, name in rows:
        yield f"| {title} | {scored(run(name))} |"


def figure(value):
    """A class that is never predicted has no precision."""
    return "-" if value is None else f"{value:.3f}"


def class_table(figures):
    yield "| class | n | precision | recall | F1 | ROC AUC |"
    yield "|---|---|---|---|---|---|"
    for c in figures["classes"]:
        cells = " | ".join(figure(c[key]) for key in ("precision", "recall", "f1", "roc_auc"))
        yield f"| {c['name']} | {c['support']} | {cells} |"


def confusion_table(figures):
    names = [c["name"] for c in figures["classes"]]
    yield "| is, is called | " + " | ".join(names) + " |"
    yield "|---" * (len(names) + 1) + "|"
    for name, row in zip(names, figures["confusion_matrix"]):
        yield f"| {name} | " + " | ".join(str(count) for count in row) + " |"


def trained(runs, name):
    lines = (runs / name / "log.jsonl").read_text().splitlines()
    return f"{len(lines)} epochs by [recipes/{name}.txt](recipes/{name}.txt)"


def main():
    runs, model = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    name, before = sys.argv[3], sys.argv[4:]
    folder = runs / name

    def run(part):
        return json.loads((folder / f"{part}.json").read_text())

    info, bench = run("info"), run("bench")
    settings = info["settings"]
    shape = info["inputs"][0]["shape"]
    private = run("private")
    lines = [
        f"# {model.name}",
        "",
        WORDS,
        "| | |",
        "|---|---|",
        f"| network | {info['parameters']:,} parameters, {info['multiply_adds'] / 1e6:.1f} M multiply-adds,"
        f" input {shape[2]}x{shape[3]}, {'grey' if shape[1] == 1 else 'colour'} |",
        f"| file | {model.stat().st_size:,} bytes, weights as float16 |",
        f"| time | {bench['median_us']:,.0f} us a face, one thread, median (Zen 4 server, shared) |",
        f"| classes | {settings['mien.classes']} |",
        f"| confidences | temperature {settings.get('mien.temperature', '1')}, floor"
        f" {settings.get('mien.floor', '0')}, fitted on PublicTest; under {settings.get('mien.unsure_below', '0')} a face is marked unsure |",
        f"| data | FER-2013: 28,709 pictures of Training to learn from, PublicTest to choose by."
        " Research use; web photographs |",
        f"| training | {', then '.join(trained(runs, part) for part in [*before, name])} |",
        f"| made by | `tools/make_model.sh {name} fer2013.csv` |",
        "",
        "## Figures",
        "",
        *score_table(run),
        "",
        "One seed; the spread over seeds has not been measured. The interval is that of the n pictures"
        " (Wilson).",
        "",
        "## By class, PrivateTest",
        "",
        *class_table(private),
        "",
        *confusion_table(private),
    ]
    print("\n".join(lines))


if __name__ == "__main__":
    main()
