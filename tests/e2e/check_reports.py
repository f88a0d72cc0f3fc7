# SPDX-License-Identifier: Apache-2.0
"""Report pages, explained faces, contact sheets: whole, self-contained, in agreement with figures."""

import base64
import json
import re
import xml.etree.ElementTree as ElementTree

from make_tiny_model import TinyModel, node
from small_sets import SetMaker
from support import (ASTRONAUT, CLASSES, USAGE, ProgramTest, astronaut_gray, crop, pgm,
                     read_png_rgb)

LOG = "".join(json.dumps({"stage": stage, "epoch": i + 1, "loss": 2 / (i + 1),
                          "validation_loss": 1.5, "validation_accuracy": accuracy, "rate": 0.1,
                          "images_per_second": 900}) + "\n"
              for i, (stage, accuracy) in enumerate([("first", .2), ("first", .4), ("then", .3)]))


class Page:
    """A report: well-formed, and nothing in it leads out of it."""

    def __init__(self, test, path):
        self.text = path.read_text("utf-8")
        self.tree = ElementTree.fromstring(self.text)
        test.assertLess(len(self.text), 3_000_000)
        test.assertNotRegex(self.text, r"(?i)https?:|src=\"(?!data:)|url\(|@import|<script|<link")

    def texts(self, tag):
        return ["".join(e.itertext()) for e in self.tree.iter(tag)]

    def headings(self):
        return self.texts("h2")

    def pictures(self):
        return [e.get("src") for e in self.tree.iter("img")]

    def figure(self, name):
        """The number above a name."""
        for box in self.tree.iter("div"):
            parts = {e.tag: e.text for e in box}
            if set(parts) == {"b", "span"} and parts["span"].startswith(name):
                return float(re.match(r"[\d.]+", parts["b"])[0])
        raise AssertionError(f"the page has no figure '{name}'")

    def tables(self):
        return [[["".join(c.itertext()) for c in row] for row in table.iter("tr")]
                for table in self.tree.iter("table")]


class Evaluations(SetMaker):
    def report(self, *arguments, data=None):
        out = self.succeed("eval", "--json", "--data", data or self.fer_csv(), "--report",
                           self.folder / "page", *arguments)
        return json.loads(out.out), Page(self, self.folder / "page" / "report.html")

    def check_figures(self, figures, page):
        self.assertEqual(page.figure("faces"), figures["n"])
        for name, key, scale in (("accuracy (95", "accuracy", 100), ("macro F1", "macro_f1", 100),
                                 ("macro recall", "balanced_accuracy", 100),
                                 ("macro ROC AUC", "macro_roc_auc", 1), ("log-loss", "nll", 1),
                                 ("Brier score", "brier", 1), ("expected calibration", "ece", 1)):
            self.assertAlmostEqual(page.figure(name), figures[key] * scale,
                                   delta=0.0051 if scale == 100 else 0.000051, msg=name)

    def test_the_page_says_what_the_command_says(self):
        figures, page = self.report()
        self.check_figures(figures, page)
        tables = page.tables()
        counts = [[int(c) for c in row[1:]] for row in tables[1][1:]]
        self.assertEqual(counts, figures["confusion_matrix"])
        shares = [[float(c) for c in row[1:]] for row in tables[2][1:]]
        for row, share_row in zip(counts, shares):
            for count, share in zip(row, share_row):
                self.assertAlmostEqual(share, 100 * count / sum(row), delta=0.051)
        for row, c in zip(tables[3][1:], figures["classes"]):
            self.assertEqual(row[:3], [c["name"], str(c["support"]), str(c["predicted"])])
            self.assertAlmostEqual(float(row[4].split("\u00a0")[0]), 100 * c["recall"], delta=.0051)
            self.assertAlmostEqual(float(row[7]), c["roc_auc"], delta=0.000051)

    def test_its_sections(self):
        _, page = self.report()
        self.assertEqual(page.headings(), [
            "Result", "What was scored", "Confusion matrix", "Classes", "ROC curves", "Calibration",
            "Data", "The most confident mistakes", "What the network looked at"])
        facts = dict(page.tables()[0])
        self.assertRegex(facts["model"], r"tiny-classifier\.onnx$")
        self.assertEqual(facts["mien.input.format"], "gray")
        self.assertIn("not what a person feels", page.text)
        for uri in page.pictures():
            self.assertTrue(base64.b64decode(uri.split(",")[1]).startswith(b"\x89PNG"))
        mistakes = sum("apparent" in text for text in page.texts("figcaption"))
        self.assertGreater(mistakes, 24)

    def test_what_it_prints_does_not_change(self):
        plain = self.succeed("eval", "--data", self.fer_csv())
        with_page = self.succeed("eval", "--data", self.fer_csv(), "--report", self.folder / "p")
        self.assertEqual(plain.out, with_page.out)

    def test_no_faces_when_none_are_wanted(self):
        _, page = self.report("--no-pictures")
        self.assertEqual(page.pictures(), [])
        self.assertEqual(page.headings()[-1], "Data")

    def test_the_mirror_image(self):
        plain = self.evaluate("--data", self.fer_csv())
        figures, page = self.report("--mirror")
        self.check_figures(figures, page)
        self.assertAlmostEqual(page.figure("accuracy without"), 100 * plain["accuracy"],
                               delta=0.0051)

    def test_names_that_mean_something_in_html(self):
        names = list(CLASSES)
        names[3] = "<b>&\"'"
        model = TinyModel()
        path = self.write("m.onnx", model.encode())
        sidecar = self.write("s.mien", "mien.classes = " + ",".join(names) + "\n")
        _, page = self.report("--model", path, "--sidecar", sidecar,
                              data=self.folder_per_class(names))
        self.assertIn("<b>&\"'", page.tables()[1][0])

    def test_a_network_without_gradients(self):
        model = TinyModel()
        model.nodes["relu"] = node("Softmax", ["maps"], ["active"], "inner", axis=1)
        path = self.write("m.onnx", model.encode())
        _, page = self.report("--model", path)
        self.assertIn("There are no maps: Softmax 'inner' cannot be explained", page.text)
        self.assertGreater(len(page.pictures()), 10)
        self.fail_with("Softmax 'inner' cannot be explained", "explain", "--model", path, "--out",
                       self.folder / "x.png", ASTRONAUT)

    def test_a_set_in_which_little_happens(self):
        self.pictures, self.labels = self.pictures[:1], self.labels[:1]
        figures, page = self.report()
        self.assertEqual((figures["n"], page.figure("faces")), (1, 1))

    def test_a_folder_that_cannot_be_written(self):
        blocked = self.write("file", "")
        self.fail_with("cannot (make|write).*file", "eval", "--data", self.fer_csv(), "--report",
                       blocked / "below")
        self.fail_with("report.html", "eval", "--data", self.fer_csv(), "--report", blocked)

    def test_no_pictures_without_a_page(self):
        self.fail_with("--no-pictures goes with", "eval", "--no-pictures", "--data", "x.csv",
                       status=USAGE)


class Runs(SetMaker):
    def run_folder(self, log=LOG):
        self.write("run/log.jsonl", log)
        self.write("run/recipe.txt", "architecture = <none> # & so on\n")
        self.write("run/best.onnx", TinyModel().encode())
        return self.folder / "run"

    def test_a_run(self):
        figures = json.loads(self.succeed("eval", "--json", "--run", self.run_folder(), "--data",
                                          self.fer_csv()).out)
        self.assertEqual((figures["split"], figures["n"]), ("PublicTest", self.COUNT // 3))
        page = Page(self, self.folder / "run" / "report.html")
        self.assertEqual((page.headings()[0], page.headings()[-1]), ("Training", "Recipe"))
        self.assertIn("3 epochs; best accuracy on the validation set 40.00", page.text)
        self.assertEqual(page.texts("pre"), ["architecture = <none> # & so on\n"])
        self.assertIn("then", page.texts("text"))

    def test_the_page_may_go_elsewhere(self):
        self.succeed("eval", "--run", self.run_folder(), "--data", self.fer_csv(), "--report",
                     self.folder / "p", "--split", "Training")
        self.assertTrue((self.folder / "p" / "report.html").exists())
        self.assertFalse((self.folder / "run" / "report.html").exists())

    def test_broken_runs(self):
        data = self.fer_csv()
        self.fail_with("best.onnx", "eval", "--run", self.folder, "--data", data)
        self.fail_with("log.jsonl, line 2", "eval", "--data", data, "--run",
                       self.run_folder("{}\nnonsense\n"))
        self.assertFalse((self.folder / "run" / "report.html").exists())
        self.fail_with("--run names the model", "eval", "--run", "x", "--model", "y", "--data",
                       data, status=USAGE)


class Explain(ProgramTest):
    def explain(self, *arguments, picture=ASTRONAUT):
        out = self.succeed("explain", "--out", self.folder / "why.png", *arguments, picture).out
        return out, read_png_rgb(self.folder / "why.png")

    def test_a_face(self):
        analyzed = self.succeed("analyze", "--json", ASTRONAUT).json_lines()[0]["faces"][0]
        out, (width, height, rows) = self.explain()
        self.assertRegex(out, rf"{analyzed['expression']} {100 * analyzed['confidence']:.1f} %; "
                              rf"maps for {analyzed['expression']}, Grad-CAM of 'active'")
        self.assertEqual((width, height), (16 + 3 * 304, 64 + 288 + 62))
        face = b"".join(row[3 * 16:3 * 304] for row in rows[64:352])
        cam = b"".join(row[3 * 320:3 * 608] for row in rows[64:352])
        guided = b"".join(row[3 * 624:3 * 912] for row in rows[64:352])
        self.assertTrue(face != cam and cam != guided)
        self.assertEqual(face[0::3], face[1::3])          # a grey network
        self.assertNotEqual(cam[0::3], cam[2::3])         # warm colours
        self.assertGreater(max(guided) - min(guided), 100)

    def test_methods(self):
        for method, panels in (("both", 3), ("gradcam", 2), ("guided", 2)):
            _, (width, _, _) = self.explain("--method", method)
            self.assertEqual(width, 16 + panels * 304)

    def test_another_class(self):
        first = self.explain("--class", "sad")
        second = self.explain("--class", "happy")
        self.assertIn("maps for sad", first[0])
        self.assertNotEqual(first[1], second[1])

    def test_the_whole_picture(self):
        face = self.write("face.pgm", pgm(*crop(astronaut_gray(), 90, 30, 48, 48)))
        answer = self.succeed("analyze", "--json", "--detector", "none", face).json_lines()[0]
        out, (_, _, rows) = self.explain("--whole", picture=face)
        self.assertIn(answer["faces"][0]["expression"], out)
        by_detector = self.explain("--detector", "none", picture=face)
        self.assertEqual(by_detector[0], out)

    def test_several_faces(self):
        picture = astronaut_gray()
        width, height, pixels = picture
        twice = b"".join(pixels[r * width:(r + 1) * width] * 2 for r in range(height))
        two = self.write("two.pgm", pgm(2 * width, height, twice))
        self.assertEqual(len(self.succeed("detect", "--json", two).json_lines()[0]["faces"]), 2)
        self.explain("--face", "1", picture=two)
        self.explain("--face", "2", picture=two)
        self.fail_with("no face 3: .*two.pgm' has 2", "explain", "--out", self.folder / "x.png",
                       "--face", "3", two)

    def test_the_same_twice(self):
        self.assertEqual(self.explain(), self.explain())

    def test_refusals(self):
        out = ("--out", self.folder / "x.png")
        gray = self.write("gray.pgm", pgm(64, 64, bytes(4096)))
        self.fail_with("no face found in .*gray.pgm.*--whole", "explain", *out, gray)
        self.fail_with("no class 'smug'; it has: angry, disgust", "explain", *out, "--class",
                       "smug", ASTRONAUT)
        self.fail_with("must end|unknown|ending", "explain", "--out", self.folder / "x.xyz",
                       ASTRONAUT)
        self.fail_with("cannot open", "explain", *out, self.folder / "nothing.png")
        self.assertFalse((self.folder / "x.png").exists())

    def test_wrong_usage(self):
        out = ("--out", "x.png")
        for message, arguments in (("one picture and --out", (ASTRONAUT,)),
                                   ("one picture and --out", out),
                                   ("one picture and --out", (*out, "a", "b")),
                                   ("--method is 'lime'", (*out, "--method", "lime", ASTRONAUT)),
                                   ("--face is '0'", (*out, "--face", "0", ASTRONAUT)),
                                   ("--whole goes without", (*out, "--whole", "--face", "1", "a"))):
            self.fail_with(message, "explain", *arguments, status=USAGE)


class Preview(SetMaker):
    RECIPE = "architecture = dcnn32\nmien.input.format = gray\n"

    def preview(self, *arguments, recipe=RECIPE, data=None):
        path = self.write("recipe.txt", recipe)
        self.succeed("data", "preview", "--data", data or self.fer_csv(), "--out",
                     self.folder / "sheet.png", *arguments, path)
        return read_png_rgb(self.folder / "sheet.png")

    @staticmethod
    def cell(sheet, row, column, caption=0):
        x, y = 92 + column * 104, 62 + row * (104 + caption)
        return [line[3 * x:3 * (x + 96)] for line in sheet[2][y:y + 96]]

    def test_without_augmentation_the_network_sees_the_picture(self):
        sheet = self.preview("--count", "7", "--versions", "2")
        self.assertEqual(sheet[:2], (92 + 3 * 104, 62 + 7 * 104))
        for row in range(7):
            self.assertEqual(self.cell(sheet, row, 0), self.cell(sheet, row, 1))
            self.assertEqual(self.cell(sheet, row, 0), self.cell(sheet, row, 2))
        self.assertNotEqual(self.cell(sheet, 0, 0), self.cell(sheet, 1, 0))

    def test_augmentation_differs_and_replays(self):
        recipe = self.RECIPE + "augment.rotation = 20\naugment.noise = 0.1\n"
        first = self.preview(recipe=recipe)
        cells = [self.cell(first, 0, column) for column in range(9)]
        self.assertTrue(all(cells[0] != c and cells[1] != c for c in cells[2:]))
        self.assertEqual(first, self.preview(recipe=recipe))
        self.assertNotEqual(first, self.preview("--seed", "9", recipe=recipe))

    def test_mixtures_have_their_shares_below(self):
        recipe = self.RECIPE + "mixup = 1\n"
        sheet = self.preview("--count", "4", recipe=recipe)
        self.assertEqual(sheet[1], 62 + 4 * (104 + 24))
        self.assertNotEqual(self.cell(sheet, 0, 0, 24), self.cell(sheet, 0, 1, 24))

    def test_stages(self):
        recipe = self.RECIPE + "[plain]\nepochs = 1\n[turned]\naugment.rotation = 40\n"
        plain = self.preview("--stage", "plain", recipe=recipe)
        turned = self.preview("--stage", "turned", recipe=recipe)
        self.assertEqual(self.cell(plain, 0, 0), self.cell(plain, 0, 1))
        self.assertNotEqual(self.cell(turned, 0, 0), self.cell(turned, 0, 1))
        self.fail_with("no stage 'x'; its first is 'plain'", "data", "preview", "--data",
                       self.fer_csv(), "--out", "s.png", "--stage", "x",
                       self.folder / "recipe.txt")

    def test_a_large_network(self):
        sheet = self.preview("--count", "1", "--versions", "1", recipe="architecture = "
                             "mobilenet_v1\nheight = 224\nwidth = 224\n")
        self.assertEqual(sheet[:2], (92 + 2 * 200, 62 + 200))

    def test_refusals(self):
        recipe = self.write("r.txt", self.RECIPE)
        out = ("data", "preview", "--out", self.folder / "s.png", "--data")
        self.fail_with("cannot open", *out, self.folder / "nothing.csv", recipe)
        self.fail_with("nothing.txt", *out, self.fer_csv(), self.folder / "nothing.txt")
        bad = self.write("bad.txt", "architecture = dcnn32\nnonsense = 3\n")
        self.fail_with("nonsense", *out, self.fer_csv(), bad)
        self.fail_with("resnet9999", *out, self.fer_csv(),
                       self.write("none.txt", "architecture = resnet9999\n"))
        fer_plus = self.write("plus.txt", self.RECIPE + "labels = fer+\n")
        self.fail_with("--votes", *out, self.fer_csv(), fer_plus)

    def test_wrong_usage(self):
        self.assertTrue(self.succeed("data", "--help").out.startswith("usage: mien data COMMAND"))
        self.assertIn("example: mien data preview", self.succeed("data", "preview", "--help").out)
        for message, arguments in (("say 'preview'", ()), ("say 'preview'", ("look",)),
                                   ("'--frobnicate' is not known", ("--frobnicate",)),
                                   ("--data, --out and one recipe", ("preview", "r.txt")),
                                   ("--count is '0'", ("preview", "--count", "0")),
                                   ("--versions is '51'", ("preview", "--versions", "51")),
                                   ("--seed is '-1'", ("preview", "--seed", "-1"))):
            self.fail_with(message, "data", *arguments, status=USAGE)
