# SPDX-License-Identifier: Apache-2.0
"""mien train on folders, with networks to begin with and to learn from, on small sets made here."""

import json
import random
import time
import unittest

from check_train import pattern
from support import USAGE, ProgramTest, astronaut_gray, crop, pgm

RECIPE = """architecture = fcn
height = 16
width = 16
batch = 12
rate = 0.02
epochs = 3
"""
# Everything that keeps numbers of its own over an epoch.
RICH = RECIPE + """smote = pixels
sampler = balanced
average = 0.8
settle = 4
sam_rho = 0.05
distill_weight = 0.5
augment.mirror = 0.5
[body]
island_weight = 0.01
[head]
epochs = 4
freeze = body
triplet_weight = 0.1
tuplet_weight = 0.1
locality_weight = 0.1
"""
CLASSES = ["angry", "happy", "sad", "vexed"]


class Transfer(ProgramTest):
    def setUp(self):
        super().setUp()
        self.recipe = self.write("recipe.txt", RECIPE)

    def pictures(self, name="pictures"):
        """Three subjects, A to C, with ten pictures of each class; subject C lacks some."""
        generator = random.Random(4)
        for label, kind in enumerate(CLASSES):
            for i in range(30 - 3 * label):
                self.write(f"{name}/{kind}/{'ABC'[i % 3]}{i}.pgm",
                           pgm(48, 48, pattern(label, generator)))
        return self.folder / name

    def arguments(self, out, *more):
        return ["train", "--threads", "1", "--data", self.folder / "pictures", "--hold-out", "A",
                "--out", self.folder / out, *more, self.recipe]

    def train(self, out, *more):
        result = self.run_mien(*self.arguments(out, *more))
        self.assertEqual((result.status, result.out), (0, ""), result.err)
        return result

    def bytes_of(self, out, name="last.onnx"):
        return (self.folder / out / name).read_bytes()

    def setting(self, path, key):
        text = self.succeed("model", "info", "--json", path).out
        return json.loads(text)["settings"][key]

    # ---- Usage ----

    def test_wrong_usage(self):
        self.pictures()
        csv, folder = self.write("a.csv", "x"), self.folder / "pictures"
        for message, arguments in (
                ("--validate or --hold-out", ["--data", folder]),
                ("--validate or --hold-out", ["--data", folder, "--validate", folder,
                                              "--hold-out", "A"]),
                ("--votes", ["--data", folder, "--hold-out", "A", "--votes", csv]),
                ("not a CSV file", ["--data", csv, "--hold-out", "A"]),
                ("not a CSV file", ["--data", csv, "--detect"]),
                ("--workers", ["--data", csv, "--workers", "0"]),
                ("at most 16", ["--data", csv] + ["--teacher", "x"] * 17)):
            with self.subTest(arguments=arguments):
                self.fail_with(message, "train", *arguments, "--out", self.folder / "b",
                               self.recipe, status=USAGE)

    def test_what_does_not_go_together(self):
        self.pictures()
        self.fail_with("no stage of the recipe has distill_weight",
                       *self.arguments("run", "--teacher", self.recipe))
        self.fail_with("begins with 'Z'", "train", "--data", self.folder / "pictures",
                       "--hold-out", "Z", "--out", self.folder / "run", self.recipe)
        self.recipe.write_text(RECIPE + "classes = happy, bored\n")
        self.fail_with("no class 'bored', only angry, happy", *self.arguments("run"))
        self.recipe.write_text(RECIPE + "distill_weight = 0.5\n")
        self.fail_with("--teacher", *self.arguments("run"))
        self.recipe.write_text("architecture = file\nfeatures = x\n")
        self.fail_with("--initial", *self.arguments("run"))

    # ---- Data ----

    def test_classes_and_held_out_subject(self):
        self.pictures()
        self.recipe.write_text(RECIPE + "classes = sad, angry, happy\n")
        self.train("run")
        model = self.folder / "run" / "last.onnx"
        self.assertEqual(self.setting(model, "mien.classes"), "sad, angry, happy")

    def test_another_folder_to_score_on(self):
        self.pictures()
        self.pictures("others")
        result = self.run_mien("train", "--data", self.folder / "pictures", "--validate",
                               self.folder / "others", "--out", self.folder / "run", self.recipe)
        self.assertEqual(result.status, 0, result.err)
        figures = json.loads(self.succeed("eval", "--json", "--model",
                                          self.folder / "run" / "best.onnx", "--data",
                                          self.folder / "others").out)
        log = [json.loads(line) for line in self.bytes_of("run", "log.jsonl").splitlines()]
        self.assertAlmostEqual(figures["accuracy"],
                               max(entry["validation_accuracy"] for entry in log), delta=1e-5)

    def test_faces_are_found_first(self):
        face = astronaut_gray()
        for i in range(4):
            for kind in CLASSES[:2]:
                picture = crop(face, 2 * i, 0, 200, 180)
                self.write(f"pictures/{kind}/{'AB'[i % 2]}{i}.pgm", pgm(*picture))
        self.write("pictures/happy/B9.pgm", pgm(64, 64, [128] * 64 * 64))
        self.recipe.write_text(RECIPE.replace("12", "2"))
        result = self.train("run", "--detect", "--scale-factor", "1.3")
        self.assertIn("4 pictures to learn from, 4 to score on, 1 left out: no face found",
                      result.err)
        result = self.fail_with("cannot open", *self.arguments("other", "--detect=none.xml"))

    # ---- Networks ----

    def test_from_one_head_to_another(self):
        self.pictures()
        self.train("first")
        self.recipe.write_text(RECIPE + "classes = happy, sad\nfreeze = body\n")
        result = self.train("second", "--initial", self.folder / "first" / "best.onnx")
        self.assertRegex(result.err, r"15 of 17 parameters begin as in '.*', 2 begin fresh")
        self.recipe.write_text(RECIPE.replace("fcn", "file") + "features = features\n"
                               "head = dense 8 relu\n")
        result = self.train("third", "--initial", self.folder / "first" / "best.onnx")
        self.assertIn("a new head of 4 classes", result.err)
        self.succeed("eval", "--model", self.folder / "third" / "best.onnx", "--data",
                     self.folder / "pictures")

    # ---- Interruption ----

    def test_killed_runs_of_every_mode_end_the_same(self):
        self.pictures()
        self.train("teacher")
        teacher = self.folder / "teacher" / "last.onnx"
        self.recipe.write_text(RICH)
        more = ["--teacher", teacher, "--teacher", teacher, "--initial", teacher]
        start = time.monotonic()
        self.train("whole", *more)
        whole = time.monotonic() - start
        generator = random.Random(3)
        kills = 0
        while kills < 25 and not self.run_until_killed(
                self.arguments("killed", "--workers", 1 + kills % 3, *more),
                generator.uniform(0.1, 0.6) * whole):
            kills += 1
        if kills == 25:
            self.train("killed", *more)
        self.assertGreater(kills, 0)
        for name in ("last.onnx", "best.onnx", "checkpoint.bin"):
            self.assertEqual(self.bytes_of("killed", name), self.bytes_of("whole", name), name)
        log = [json.loads(line) for line in self.bytes_of("killed", "log.jsonl").splitlines()]
        self.assertEqual([entry["epoch"] for entry in log], [1, 2, 3, 3, 4, 5, 6, 7, 7])
        self.assertEqual([i for i, entry in enumerate(log) if "settled" in entry], [3, 8])
        self.fail_with("belongs to another", *self.arguments("killed", *more[2:]))


if __name__ == "__main__":
    unittest.main()
