# SPDX-License-Identifier: Apache-2.0
"""mien eval on small sets made here, against the answers of mien analyze, and on the real ones."""

import json
import math
import os
import unittest

from make_tiny_model import TinyModel
from small_sets import HEADER, SPLITS, SetMaker
from support import CLASSES, USAGE, ProgramTest, pgm, shared

VOTES_HEADER = ("Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,"
                "unknown,NF\n")


class Sets(SetMaker):
    def answers(self):
        """The probabilities of each picture as mien analyze gives them."""
        paths = [self.write(f"one/{i:03}.pgm", pgm(48, 48, p)) for i, p in enumerate(self.pictures)]
        lines = self.succeed("analyze", "--json", "--detector", "none", *paths).json_lines()
        return [list(line["faces"][0]["probabilities"].values()) for line in lines]

    def check_figures(self, figures, indices):
        answers = self.answers()
        confusion = [[0] * 7 for _ in range(7)]
        for i in indices:
            confusion[self.labels[i]][answers[i].index(max(answers[i]))] += 1
        right = sum(confusion[c][c] for c in range(7))
        self.assertEqual(figures["n"], len(indices))
        self.assertAlmostEqual(figures["accuracy"], right / len(indices), delta=1e-5)
        self.assertEqual(figures["confusion_matrix"], confusion)
        nll = -sum(math.log(answers[i][self.labels[i]]) for i in indices) / len(indices)
        self.assertAlmostEqual(figures["nll"], nll, delta=1e-3)
        low, high = figures["accuracy_ci95"]
        self.assertTrue(low <= figures["accuracy"] <= high)

    def test_a_csv_and_its_splits(self):
        path = self.fer_csv()
        self.check_figures(self.evaluate("--data", path), range(self.COUNT))
        for s, split in enumerate(SPLITS):
            figures = self.evaluate("--data", path, "--split", split)
            self.assertEqual(figures["split"], split)
            self.check_figures(figures, range(s, self.COUNT, 3))

    def test_a_folder_per_class_gives_the_same(self):
        self.check_figures(self.evaluate("--data", self.folder_per_class()), range(self.COUNT))

    def test_the_answers_vary(self):
        self.assertGreater(len({a.index(max(a)) for a in self.answers()}), 1)

    def test_threads_change_nothing(self):
        path = self.fer_csv()
        for more in ((), ("--mirror",)):
            one = self.succeed("eval", "--json", "--data", path, *more)
            three = self.succeed("eval", "--json", "--threads", 3, "--data", path, *more)
            self.assertEqual(one.out, three.out)

    def test_mirror_is_the_mean_of_both(self):
        pixels = self.pictures[5]
        flipped = b"".join(pixels[y * 48:y * 48 + 48][::-1] for y in range(48))
        self.pictures, self.labels = [pixels, flipped], [2, 2]
        plain, turned = self.answers()
        figures = self.evaluate("--mirror", "--data", self.fer_csv())
        self.assertTrue(figures["mirror"])
        expected = -math.log((plain[2] + turned[2]) / 2)
        self.assertAlmostEqual(figures["nll"], expected, delta=1e-4)

    def test_votes(self):
        def row(i, *votes, name="x.png"):
            return f"{SPLITS[i % 3]},{name}," + ",".join(map(str, votes)) + "\n"
        rows = [row(i, 1, 9, 0, 0, 0, 0, 0, 0, 0, 0) for i in range(self.COUNT)]
        rows[3] = row(3, 5, 5, 0, 0, 0, 0, 0, 0, 0, 0)                 # a tie
        rows[4] = row(4, 0, 9, 0, 0, 0, 0, 0, 0, 0, 1, name="")        # no face
        rows[5] = row(5, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0)                # contempt: not in the model
        votes = self.write("votes.csv", VOTES_HEADER + "".join(rows))
        figures = self.evaluate("--data", self.fer_csv(), "--votes", votes)
        self.assertEqual((figures["n"], figures["left_out"], figures["not_in_model"]),
                         (self.COUNT - 3, 2, 1))
        self.assertEqual(sum(figures["confusion_matrix"][CLASSES.index("happy")]), self.COUNT - 3)
        packed = self.folder / "fer.mien"
        self.succeed("data", "pack", "--data", self.fer_csv(), "--votes", votes, "--out", packed)
        again = self.evaluate("--data", packed, "--votes", packed)
        self.assertEqual(dict(again, data=0), dict(figures, data=0))

    def test_packing(self):
        data, packed = self.fer_csv(), self.folder / "fer.mien"
        self.succeed("data", "pack", "--without-private", "--data", data, "--out", packed)
        self.assertEqual(self.evaluate("--data", packed)["n"], self.COUNT - self.COUNT // 3)
        self.fail_with("no sample of the split", "eval", "--data", packed, "--split", "PrivateTest")
        self.fail_with("has no FER\\+ votes", "eval", "--data", packed, "--votes", packed)
        self.fail_with("name it for both", "eval", "--data", packed, "--votes", data)
        self.fail_with("name --data and --out", "data", "pack", "--data", data, status=USAGE)
        self.fail_with("none.csv", "data", "pack", "--data", "none.csv", "--out", packed)

    def test_for_people(self):
        out = self.succeed("eval", "--data", self.fer_csv()).out
        self.assertRegex(out, r"(?i)accuracy +\d")
        for name in CLASSES:
            self.assertIn(name, out)

    def test_classes_that_the_model_does_not_have(self):
        names = list(CLASSES)
        names[3] = "smug"
        out = self.succeed("eval", "--data", self.folder_per_class(names)).out
        self.assertRegex(out, r"classes that the model does not have: 6")
        figures = self.evaluate("--data", self.folder / "set")
        self.assertEqual((figures["n"], figures["not_in_model"]), (36, 6))

    def test_no_class_in_common(self):
        data = self.folder_per_class([f"class{c}" for c in range(7)])
        self.fail_with("none of the classes.*'class0'.*'angry'", "eval", "--data", data)

    def test_with_a_detector_nothing_is_found_in_stripes(self):
        self.fail_with("no (sample|face)|0 samples", "eval", "--detect", "--data", self.fer_csv())

    def test_the_model_is_named(self):
        path = self.write("named.onnx", TinyModel().encode())
        data = self.fer_csv()
        self.assertEqual(self.evaluate("--data", data, "--model", path)["model"], str(path))
        self.assertRegex(self.evaluate("--data", data)["model"], r"tiny-classifier\.onnx$")


class BadSets(ProgramTest):
    def expect_refused(self, message, content, *arguments):
        path = self.write("set.csv", content)
        result = self.fail_with(message, "eval", "--data", path, *arguments)
        self.assertIn("set.csv", result.err)
        self.assertEqual(result.out, "")

    def row(self, label="3", count=2304, usage="Training", last="7"):
        return f"{label},{'7 ' * (count - 1)}{last},{usage}\n"

    def test_files(self):
        self.fail_with("cannot open 'missing.csv'", "eval", "--data", "missing.csv")
        self.expect_refused("xz", b"\xfd7zXZ\0 packed")
        self.expect_refused("empty", b"")
        self.expect_refused("no sample", HEADER)
        self.expect_refused("column|emotion", "label,picture\n1,2\n")

    def test_rows(self):
        for bad, message in ((self.row(label="7"), "row 3.*emotion.*'7'"),
                             (self.row(label="x"), "row 3.*emotion.*'x'"),
                             (self.row(count=2303), "row 3.*2303 values"),
                             (self.row(count=2305), "row 3.*more than 2304"),
                             (self.row(last="256"), "row 3.*'256'"),
                             (self.row(usage="Test"), "row 3.*'Test'"),
                             ("3,7 7 7", "row 3")):
            self.expect_refused(message, HEADER + self.row() + bad)

    def test_no_sample_of_the_split(self):
        self.expect_refused("no sample of the split 'PublicTest'", HEADER + self.row(),
                            "--split", "PublicTest")

    def test_votes_that_belong_elsewhere(self):
        votes = self.write("votes.csv", VOTES_HEADER + "PublicTest,x.png,0,9,0,0,0,0,0,0,0,1\n")
        self.expect_refused("votes.csv", HEADER + self.row(), "--votes", votes)
        self.fail_with("cannot open 'missing.csv'", "eval", "--data", self.folder / "set.csv",
                       "--votes", "missing.csv")

    def test_folders(self):
        (self.folder / "set").mkdir()
        self.fail_with("no sub-folders", "eval", "--data", self.folder / "set")
        self.write("set/happy/broken.pgm", b"P5 9 9 255\nx")
        self.fail_with("broken.pgm", "eval", "--data", self.folder / "set")


class RealFigures(ProgramTest):
    """The figures that prove preparation and operators end to end."""

    def accuracy(self, network, split):
        data = os.environ.get("MIEN_FER2013_CSV")
        if not data:
            raise unittest.SkipTest("MIEN_FER2013_CSV does not name an unpacked fer2013.csv")
        return json.loads(self.succeed("eval", "--json", "--threads", 2, "--data", data, "--split",
                                       split, "--model", shared("weights/" + network)).out)

    def test_mini_xception(self):
        private = self.accuracy("mini_xception_fer2013.onnx", "PrivateTest")
        self.assertEqual(private["n"], 3589)
        self.assertAlmostEqual(private["accuracy"], 0.6576, delta=0.0015)
        public = self.accuracy("mini_xception_fer2013.onnx", "PublicTest")
        self.assertAlmostEqual(public["accuracy"], 0.6531, delta=0.0015)

    def test_face_api_expression(self):
        figures = self.accuracy("face_api_expression.onnx", "PrivateTest")
        self.assertAlmostEqual(figures["accuracy"], 0.5876, delta=0.003)
