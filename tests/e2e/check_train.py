# SPDX-License-Identifier: Apache-2.0
"""mien train on small sets made here: usage, faults in the data, interruption, and the model."""

import json
import random
import time

from support import USAGE, ProgramTest

HEADER = "emotion,pixels,Usage\n"
RECIPE = """# small and quick
architecture = fcn
height = 24
width = 24
mien.input.format = gray
batch = 20
rate = 0.05
average = 0.9
augment.mirror = 0.5
[first]
epochs = 3
[second]
epochs = 4
rate = 0.01
optimiser = adam
"""


def pattern(label, generator):
    """48 x 48 grey values: stripes of a direction and width of their own for each class."""
    across, down, width = [(1, 0, 6), (0, 1, 6), (1, 1, 8), (1, 2, 9), (1, 0, 12), (0, 1, 12),
                           (2, 1, 14)][label]
    dark, light = generator.randrange(20, 80), generator.randrange(150, 220)
    return [light if (across * x + down * y) // width % 2 else dark
            for y in range(48) for x in range(48)]


class Train(ProgramTest):
    def setUp(self):
        super().setUp()
        self.recipe = self.write("recipe.txt", RECIPE)

    def rows(self, training=140, validation=35):
        generator = random.Random(5)
        splits = ["Training"] * training + ["PublicTest"] * validation + ["PrivateTest"] * 7
        return [f"{i % 7},{' '.join(map(str, pattern(i % 7, generator)))},{split}\n"
                for i, split in enumerate(splits)]

    def csv(self):
        return self.write("fer.csv", HEADER + "".join(self.rows()))

    def arguments(self, folder, *more):
        return ["train", "--threads", "1", "--data", self.folder / "fer.csv", "--out",
                self.folder / folder, *more, self.recipe]

    def bytes_of(self, folder, name="last.onnx"):
        return (self.folder / folder / name).read_bytes()

    def train(self, folder, *more):
        result = self.run_mien(*self.arguments(folder, *more))
        self.assertEqual((result.status, result.out), (0, ""), result.err)
        return result

    def test_a_packed_set_trains_the_same_network(self):
        path = self.csv()
        said = self.succeed("data", "pack", "--data", path, "--out", self.folder / "fer.mien").out
        self.assertRegex(said, r"^182 pictures in \d+\.\d MB$")
        self.train("csv")
        (self.folder / "fer.mien").replace(path)
        self.train("packed")
        self.assertEqual(self.bytes_of("csv"), self.bytes_of("packed"))

    # ---- Usage ----

    def test_help(self):
        text = self.succeed("train", "--help").out
        for option in ("--data", "--votes", "--out", "--seed", "--threads", "--backend", "--anew",
                       "--stop-after", "--validate", "--hold-out", "--detect", "--initial",
                       "--teacher", "--workers", "--detector"):
            self.assertIn(option, text)
        self.assertLessEqual(max(map(len, text.splitlines())), 100)

    def test_wrong_usage(self):
        self.csv()
        for message, arguments in (
                ("name --data, --out and one recipe", ["--data", "a.csv", "recipe.txt"]),
                ("name --data, --out and one recipe", ["--data", "a", "--out", "b"]),
                ("name --data, --out and one recipe", ["--data", "a", "--out", "b", "c", "d"]),
                ("--threads", ["--threads", "0", "--data", "a", "--out", "b", "c"]),
                ("--seed", ["--seed", "x", "--data", "a", "--out", "b", "c"]),
                ("cuda", ["--backend", "cuda", "--data", "a", "--out", "b", "c"]),
                ("not known", ["--fast", "--data", "a", "--out", "b", "c"])):
            with self.subTest(arguments=arguments):
                self.fail_with(message, "train", *arguments, status=USAGE)

    def test_bad_recipes(self):
        self.csv()
        for message, text in (("'epoch'", RECIPE + "epoch = 3\n"),
                              ("many", RECIPE + "epochs = many\n"),
                              ("alexnet", "architecture = alexnet\n"),
                              ("architecture", "epochs = 3\n"),
                              ("mien.input.format", RECIPE.replace("gray", "sepia")),
                              ("--votes", "architecture = fcn\nlabels = fer+\n")):
            with self.subTest(message=message):
                self.recipe.write_text(text)
                self.fail_with(message, *self.arguments("run"))
        self.recipe.unlink()
        self.fail_with("recipe.txt", *self.arguments("run"))

    # ---- Data ----

    def test_a_bad_row_is_named(self):
        rows = self.rows()
        rows[9] = rows[9].replace(" ", " x", 1)
        self.write("fer.csv", HEADER + "".join(rows))
        result = self.fail_with(r"row 11\b", *self.arguments("run"))
        self.assertRegex(result.err, "column")
        self.assertFalse((self.folder / "run").exists())

    def test_a_bad_row_leaves_the_run_whole(self):
        self.csv()
        self.train("run", "--stop-after", "1")
        before = {path.name: path.read_bytes() for path in (self.folder / "run").iterdir()}
        self.write("fer.csv", HEADER + "".join(self.rows()[:9]) + "7,1 2 3,Training\n")
        self.fail_with(r"row 11\b", *self.arguments("run"))
        after = {path.name: path.read_bytes() for path in (self.folder / "run").iterdir()}
        self.assertEqual(before, after)

    def test_other_data_in_the_same_folder(self):
        self.csv()
        self.train("run", "--stop-after", "1")
        self.write("fer.csv", HEADER + "".join(self.rows(training=147)))
        self.fail_with("another recipe, seed or data set", *self.arguments("run"))
        self.train("run", "--anew", "--stop-after", "1")

    def test_a_folder_that_cannot_be(self):
        self.csv()
        self.write("file", "x")
        self.fail_with("file", *self.arguments("file"))
        self.fail_with("no/such", *self.arguments("no/such"))

    def test_a_gpu_that_is_not_there(self):
        """Without the module, the vendor's libraries or a GPU, the run says so and begins nothing."""
        self.csv()
        result = self.run_mien(*self.arguments("gpu", "--backend", "cudnn"))
        if result.status == 0:
            self.skipTest("there is a GPU")
        self.assertEqual(result.status, 1)
        self.assertRegex(result.err, "no GPU found|built without CUDA|cannot load the backend")
        self.assertFalse((self.folder / "gpu").exists())

    # ---- Runs ----

    def test_run(self):
        self.csv()
        result = self.train("run")
        self.assertEqual(len(result.err.splitlines()), 7)
        self.assertRegex(result.err, r"second 7/7  loss \d\.\d+ ")
        self.assertEqual(sorted(path.name for path in (self.folder / "run").iterdir()),
                         ["best.onnx", "checkpoint.bin", "last.onnx", "log.jsonl", "recipe.txt",
                          "report.html"])
        log = [json.loads(line) for line in self.bytes_of("run", "log.jsonl").splitlines()]
        self.assertEqual([entry["epoch"] for entry in log], [1, 2, 3, 4, 5, 6, 7])
        self.assertEqual(self.bytes_of("run", "recipe.txt").decode(), RECIPE)

        # The best model scores on PublicTest what the log says of its epoch.
        figures = json.loads(self.succeed("eval", "--json", "--model",
                                          self.folder / "run" / "best.onnx", "--split",
                                          "PublicTest", "--data", self.folder / "fer.csv").out)
        best = max(entry["validation_accuracy"] for entry in log)
        self.assertEqual(figures["n"], 35)
        self.assertAlmostEqual(figures["accuracy"], best, delta=1e-5)
        self.assertGreater(best, 0.8)

    def test_anew_forgets_the_old_run(self):
        self.csv()
        self.train("whole", "--stop-after", "2")
        self.train("run", "--seed", "9", "--stop-after", "2")
        self.fail_with("another recipe, seed", *self.arguments("run"))
        self.train("run", "--anew", "--stop-after", "2")
        self.assertEqual(self.bytes_of("run"), self.bytes_of("whole"))
        self.assertEqual(len(self.bytes_of("run", "log.jsonl").splitlines()), 2)

    def environment(self):
        environment = dict(os.environ)
        environment.pop("LD_PRELOAD", None)
        return environment

    def test_killed_runs_end_the_same(self):
        self.csv()
        start = time.monotonic()
        self.train("whole")
        whole = time.monotonic() - start
        generator = random.Random(3)
        kills = 0
        while kills < 40 and not self.run_until_killed(
                self.arguments("killed"), generator.uniform(0.2, 0.7) * whole):
            kills += 1
        if kills == 40:
            self.train("killed")
        self.assertGreater(kills, 0)
        for name in ("last.onnx", "best.onnx", "checkpoint.bin"):
            self.assertEqual(self.bytes_of("killed", name), self.bytes_of("whole", name), name)
        log = self.bytes_of("killed", "log.jsonl").splitlines()
        self.assertEqual([json.loads(line)["epoch"] for line in log], list(range(1, 8)))
