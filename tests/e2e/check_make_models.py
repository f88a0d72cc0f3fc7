# SPDX-License-Identifier: Apache-2.0
"""mien model new, calibrate and quantize as their users run them."""

import json

from small_sets import SetMaker
from support import CLASSES, USAGE


class New(SetMaker):
    def new(self, *arguments):
        self.succeed("model", "new", "--architecture", "fcn", "--classes", ",".join(CLASSES),
                     *arguments)
        return self.folder / arguments[-1]

    def info(self, path):
        return json.loads(self.succeed("model", "info", "--json", path).out)

    def test_a_fresh_network_says_what_it_is(self):
        path = self.new("--seed", "3", self.folder / "fresh.onnx")
        settings = self.info(path)["settings"]
        self.assertEqual(settings["mien.classes"], ",".join(CLASSES))
        self.assertEqual(settings["mien.architecture"], "fcn")
        again = self.new("--seed", "3", self.folder / "again.onnx")
        other = self.new("--seed", "4", self.folder / "other.onnx")
        self.assertEqual(path.read_bytes(), again.read_bytes())
        self.assertNotEqual(path.read_bytes(), other.read_bytes())

    def test_wrong_words(self):
        out = self.folder / "x.onnx"
        self.fail_with("alexnet", "model", "new", "--architecture", "alexnet", "--classes", "a,b",
                       out)
        self.fail_with("--classes", "model", "new", "--architecture", "fcn", "--classes", "a",
                       out, status=USAGE)
        self.assertFalse(out.exists())


class Calibrate(SetMaker):
    """What is fitted is best on PublicTest, and changes no answer."""

    def test_calibration(self):
        fresh, out = self.folder / "fresh.onnx", self.folder / "calibrated.onnx"
        data = self.fer_csv()
        self.succeed("model", "new", "--architecture", "fcn", "--classes", ",".join(CLASSES),
                     fresh)
        said = self.succeed("model", "calibrate", "--data", data, "--out", out, fresh).out
        self.assertRegex(said, r"^temperature \d+\.\d+, floor 0\.\d+: NLL on PublicTest \d")
        settings = json.loads(self.succeed("model", "info", "--json", out).out)["settings"]
        self.assertEqual(settings["mien.unsure_below"], "0.5")
        for key, word in (("mien.temperature", 1), ("mien.floor", 3)):
            self.assertAlmostEqual(float(settings[key]), float(said.split()[word][:-1]), places=3)
        before, after = (self.evaluate("--model", path, "--data", data, "--split", "PublicTest")
                         for path in (fresh, out))
        self.assertLessEqual(after["nll"], before["nll"] + 1e-6)
        self.assertEqual(after["confusion_matrix"], before["confusion_matrix"])
        again = self.succeed("model", "calibrate", "--data", data, "--out",
                             self.folder / "again.onnx", out).out
        self.assertEqual(again, said)
        self.succeed("model", "calibrate", "--float16", "--data", data, "--out",
                     self.folder / "half.onnx", fresh)
        self.assertLess((self.folder / "half.onnx").stat().st_size,
                        0.7 * fresh.stat().st_size)

    def test_what_is_missing_is_named(self):
        self.fail_with("--out", "model", "calibrate", "--data", self.fer_csv(), "net.onnx",
                       status=USAGE)
        self.fail_with("none.onnx", "model", "calibrate", "--data", self.fer_csv(), "--out",
                       self.folder / "out.onnx", self.folder / "none.onnx")


class Quantize(SetMaker):
    """A quantised model is smaller and says what the model said."""

    def test_quantization(self):
        fresh, out = self.folder / "fresh.onnx", self.folder / "int8.onnx"
        data = self.fer_csv()
        self.succeed("model", "new", "--architecture", "mini_xception", "--classes",
                     ",".join(CLASSES), fresh)
        for how in ("percentile", "divergence", "largest"):
            said = self.succeed("model", "quantize", "--data", data, "--range", how, "--out", out,
                                fresh).out
            self.assertRegex(said, r"^\d+ convolutions and products in 8 bits, ranges from \d+ "
                                   r"pictures\nPublicTest: accuracy \d+.* before \d")
        self.assertLess(out.stat().st_size, 0.5 * fresh.stat().st_size)
        info = json.loads(self.succeed("model", "info", "--json", out).out)
        self.assertEqual(info["settings"]["mien.classes"], ",".join(CLASSES))
        self.assertGreater(info["operators"]["DequantizeLinear"], 20)

    def test_wrong_usage(self):
        data, out = self.fer_csv(), self.folder / "out.onnx"
        self.fail_with("divergence", "model", "quantize", "--data", data, "--out", out, "--range",
                       "widest", "net.onnx", status=USAGE)
        self.fail_with("--samples", "model", "quantize", "--data", data, "--out", out,
                       "--samples", "0", "net.onnx", status=USAGE)
        self.fail_with("none.onnx", "model", "quantize", "--data", data, "--out", out,
                       self.folder / "none.onnx")
        self.assertFalse(out.exists())
