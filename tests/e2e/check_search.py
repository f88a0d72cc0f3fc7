# SPDX-License-Identifier: Apache-2.0
"""mien search, mien difficulty and mien eval --without-near on small sets made here."""

import csv
import json
import random

from check_train import RECIPE, pattern
from small_sets import HEADER, SetMaker
from support import USAGE, ProgramTest

SPACE = """search.trials = 4
search.keep = 2
rate = log 0.01 0.2   # evenly in the logarithm
average = choice 0 0.9
"""


SHORT = """architecture = fcn
height = 24
width = 24
mien.input.format = gray
batch = 5
rate = 0.02
epochs = 4
"""


class Search(ProgramTest):
    def csv(self, wrong_every=1000):
        """With a wrong label on one picture in so many."""
        generator = random.Random(5)
        splits = ["Training"] * 140 + ["PublicTest"] * 35
        return self.write("fer.csv", HEADER + "".join(
            f"{(i + (i % wrong_every == 1)) % 7},"
            f"{' '.join(map(str, pattern(i % 7, generator)))},{split}\n"
            for i, split in enumerate(splits)))

    def finish(self, *arguments):
        """Runs a command that tells people on standard error how far it is."""
        result = self.run_mien(*arguments)
        self.assertEqual(result.status, 0, result.err)
        return result.out

    def search(self):
        return ["search", "--threads", "1", "--data", self.csv(), "--space",
                self.write("space.txt", SPACE), "--out", self.folder / "search",
                self.write("recipe.txt", RECIPE)]

    def test_table_and_going_on(self):
        first = self.finish(*self.search())
        rows = list(csv.DictReader(first.splitlines()))
        self.assertEqual(sorted(int(row["trial"]) for row in rows), [0, 1, 2, 3])
        self.assertEqual([int(row["epochs"]) for row in rows], sorted(
            (int(row["epochs"]) for row in rows), reverse=True))
        self.assertEqual(int(rows[0]["epochs"]), 7)
        self.assertTrue(all(0.01 <= float(row["rate"]) <= 0.2 for row in rows))
        self.assertEqual((self.folder / "search/results.csv").read_text(), first)
        best = (self.folder / "search/best-recipe.txt").read_text()
        self.assertIn(f"average = {rows[0]['average']}", best)
        self.assertEqual(self.finish(*self.search()), first)

    def test_what_is_wrong_is_named(self):
        self.fail_with("--space", "search", "--data", self.csv(), "--out",
                       self.folder / "search", "recipe.txt", status=USAGE)
        arguments = self.search()
        self.write("space.txt", "rat = log 1 2\n")
        self.fail_with("'rat'", *arguments)

    def test_difficulty(self):
        found = json.loads(self.finish(
            "difficulty", "--json", "--threads", "1", "--folds", "2", "--repeats", "1",
            "--threshold", "1", "--data", self.csv(wrong_every=4), "--out", self.folder / "ease",
            self.write("short.txt", SHORT)))
        self.assertEqual(found["easy"] + found["difficult"], 140)
        ease = list(csv.DictReader((self.folder / "ease/ease.csv").read_text().splitlines()))
        self.assertEqual(len(ease), 140)
        mean = sum(float(row["ease"]) for row in ease) / len(ease)
        self.assertAlmostEqual(mean, found["mean_ease"], places=4)
        self.assertEqual(sum(float(row["ease"]) < 1 for row in ease), found["difficult"])


class WithoutNear(SetMaker):
    """Every third picture is in PublicTest; one of them is in Training too, a little brighter."""

    def test_near_pictures_are_left_out(self):
        self.pictures[1] = bytes(min(p + 3, 255) for p in self.pictures[0])
        arguments = ("--data", self.fer_csv(), "--split", "PublicTest")
        whole = self.evaluate(*arguments)
        apart = self.evaluate(*arguments, "--without-near", "Training")
        self.assertGreaterEqual(apart["near"], 1)
        self.assertEqual(apart["n"], whole["n"] - apart["near"])

    def test_wrong_name(self):
        self.fail_with("--without-near", "eval", "--data", self.fer_csv(), "--without-near",
                       "Test", status=USAGE)
