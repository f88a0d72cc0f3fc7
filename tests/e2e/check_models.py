# SPDX-License-Identifier: Apache-2.0
"""Damaged networks, cascades and settings files: refused with a message that says what is wrong."""

import math
import struct
from pathlib import Path

from make_tiny_model import (FLOAT, INT64, TinyModel, bytes_field, made_up, model as encode_model,
                             node, number_field, tensor, value_info)
from support import (ASTRONAUT, ASTRONAUT_GRAY, CLASSES, ROOT, TINY_MODEL, ProgramTest, pgm,
                     shared)

CASCADES = Path("/usr/share/opencv4/haarcascades")


class CommittedFile(ProgramTest):
    def test_it_is_what_the_script_makes(self):
        self.assertEqual(TINY_MODEL.read_bytes(), TinyModel().encode())


class BadModels(ProgramTest):
    def expect_refused(self, model, message):
        path = self.write("bad.onnx", model if isinstance(model, bytes) else model.encode())
        for command in (("analyze", "--json", ASTRONAUT_GRAY, "--model"), ("model", "info"),
                        ("bench", "--runs", "1", "--model")):
            result = self.fail_with(message, *command, path)
            self.assertRegex(result.err, r"^mien: .*bad\.onnx")
            self.assertEqual((result.out, result.err.count("\n")), ("", 1))

    def test_not_onnx(self):
        self.expect_refused(b"", "empty")
        for content in (b"not a network", ASTRONAUT_GRAY.read_bytes(), ASTRONAUT.read_bytes()):
            self.expect_refused(content, "ONNX")

    def test_cut_short_anywhere(self):
        whole = TINY_MODEL.read_bytes()
        for length in list(range(1, 12)) + list(range(12, len(whole), 61)):
            path = self.write("bad.onnx", whole[:length])
            self.fail_with("bad.onnx: ", "analyze", "--model", path, ASTRONAUT_GRAY)

    def test_unknown_operator(self):
        model = TinyModel()
        model.nodes["relu"] = node("Einsum", ["maps"], ["active"], name="the_odd_one")
        self.expect_refused(model, "'the_odd_one' uses operator Einsum, which is not supported")

    def test_operator_of_another_domain(self):
        model = TinyModel()
        model.nodes["relu"] += bytes_field(7, "com.example")
        self.expect_refused(model, "domain 'com.example'")

    def test_cycle(self):
        model = TinyModel()
        model.nodes["relu"] = node("Add", ["maps", "again"], ["active"])
        model.nodes["back"] = node("Identity", ["active"], ["again"])
        self.expect_refused(model, "cycle|circle|itself")

    def test_a_node_that_reads_itself(self):
        model = TinyModel()
        model.nodes["relu"] = node("Relu", ["active"], ["active"])
        self.expect_refused(model, "active|relu")

    def test_missing_tensor(self):
        model = TinyModel()
        del model.initializers["weights"]
        self.expect_refused(model, "'weights'")

    def test_two_nodes_that_make_one_value(self):
        model = TinyModel()
        model.nodes["twin"] = node("Relu", ["maps"], ["active"], name="twin")
        self.expect_refused(model, "'active'")

    def test_no_output(self):
        model = TinyModel()
        model.outputs = []
        self.expect_refused(model, "no output")
        model.outputs = [value_info("nobody", [1, 7])]
        self.expect_refused(model, "'nobody'")

    def test_shapes_that_overflow(self):
        for dims in ([1 << 62, 4], [1 << 32, 1 << 32], [1 << 21, 1 << 21, 1 << 21, 2], [-1, 4],
                     [(1 << 63) - 1] * 8):
            model = TinyModel()
            model.initializers["weights"] = tensor("weights", dims, [], raw=b"\0" * 16)
            self.expect_refused(model, "'weights'|a tensor has a dimension|more than 8 dimensions")
        model = TinyModel()
        model.inputs = [value_info("face", [1, 1, 1 << 40, 1 << 40])]
        self.expect_refused(model, str(1 << 40))

    def test_reshape_to_a_huge_size(self):
        model = TinyModel()
        model.initializers["target"] = tensor("target", [2], [1 << 40, 1 << 40], kind=INT64)
        model.nodes["flatten"] = node("Reshape", ["means", "target"], ["features"], name="huge")
        self.expect_refused(model, "'huge'")

    def test_a_pool_larger_than_memory(self):
        model = TinyModel()
        model.nodes["relu"] = node("MaxPool", ["maps"], ["active"], name="wide",
                                   kernel_shape=[1, 1], pads=[1 << 30] * 4)
        self.expect_refused(model, "'wide'")

    def test_strides_of_zero_and_below(self):
        for stride in (0, -1, 1 << 62):
            model = TinyModel()
            model.nodes["conv"] = node("Conv", ["face", "filters", "filter_bias"], ["maps"],
                                       kernel_shape=[3, 3], strides=[stride, stride])
            self.expect_refused(model, "'conv'")

    def test_weights_cut_short(self):
        values = struct.pack("<28f", *made_up(28, 13, 1.0))
        for raw in (b"", values[:-1], values[:-4], values + b"\0\0\0\0"):
            model = TinyModel()
            model.initializers["weights"] = tensor("weights", [7, 4], [], raw=raw)
            self.expect_refused(model, "'weights'.*(bytes|values|numbers)")

    def test_weights_that_are_no_numbers(self):
        values = made_up(28, 13, 1.0)
        values[20] = math.nan
        model = TinyModel()
        model.initializers["weights"] = tensor("weights", [7, 4], values)
        self.expect_refused(model, r"'weights'.*\(NaN\)")

    def test_weights_of_another_shape(self):
        model = TinyModel()
        model.initializers["weights"] = tensor("weights", [7, 5], made_up(35, 13, 1.0))
        self.expect_refused(model, "'gemm'")
        model.initializers["weights"] = tensor("weights", [7, 4], made_up(28, 13, 1.0))
        model.initializers["filters"] = tensor("filters", [4, 2, 3, 3], made_up(72, 13, 1.0))
        self.expect_refused(model, "'conv'")

    def test_weights_in_another_file(self):
        model = TinyModel()
        model.initializers["weights"] = (number_field(1, 7) + number_field(1, 4)
                                         + number_field(2, FLOAT) + bytes_field(8, "weights")
                                         + number_field(14, 1))
        self.expect_refused(model, "weights.*(external|another file|other file)")

    def test_opset_out_of_range(self):
        tiny = TinyModel()
        for opset in (1, 6, 22, 1000000):
            self.expect_refused(encode_model(tiny.nodes.values(), tiny.initializers.values(),
                                       tiny.inputs, tiny.outputs, tiny.metadata, opset), "opset")

    def test_infinite_answers_are_not_printed_as_numbers(self):
        """Weights may be large enough that the answer is none: that is an error, not 'null'."""
        model = TinyModel()
        model.initializers["weights"] = tensor("weights", [7, 4], [3e38] * 28)
        model.initializers["bias"] = tensor("bias", [7], [3e38] * 7)
        path = self.write("large.onnx", model.encode())
        result = self.fail_with("astronaut.*'angry' is not a finite number", "analyze", "--json",
                                "--model", path, ASTRONAUT_GRAY)
        self.assertEqual(list(result.json_lines()[0]), ["schema", "source", "error"])


class ForeignModels(ProgramTest):
    """Networks that run, but do not fit as models of expressions."""

    def expect_refused(self, change, message):
        model = TinyModel()
        change(model)
        path = self.write("odd.onnx", model.encode())
        self.fail_with("odd.onnx: .*" + message, "analyze", "--model", path, ASTRONAUT_GRAY)
        return path

    def test_no_classes(self):
        path = self.expect_refused(lambda m: m.metadata.clear(), 'mien.classes = ')
        self.succeed("model", "info", path)

    def test_more_classes_than_outputs(self):
        self.expect_refused(lambda m: m.metadata.update({"mien.classes": "a,b,c"}),
                            "no output .* of 3 numbers|3 classes")

    def test_empty_and_too_many_classes(self):
        for text in ("", ",", "a,,b", "x" * 40 + ",b", ",".join(map(str, range(65)))):
            self.expect_refused(lambda m, t=text: m.metadata.update({"mien.classes": t}),
                                "mien.classes")

    def test_a_class_given_twice(self):
        self.expect_refused(lambda m: m.metadata.update({"mien.classes": "a,b,c,a,e,f,g"}),
                            "mien.classes .*'a' twice")

    def test_names_that_are_not_utf8(self):
        model = TinyModel()
        encoded = model.encode().replace(b"angry", b"angr\xff")
        path = self.write("odd.onnx", encoded)
        face, = self.succeed("analyze", "--json", "--model", path,
                             ASTRONAUT_GRAY).json_lines()[0]["faces"]
        self.assertEqual(list(face["probabilities"])[0], "angr?")
        self.succeed("model", "info", "--json", path)

    def test_settings_out_of_range(self):
        for key, value in (("mien.input.format", "cmyk"), ("mien.temperature", "0"),
                           ("mien.temperature", "nan"), ("mien.unsure_below", "2"),
                           ("mien.floor", "-0.1"), ("mien.floor", "0.15"),
                           ("mien.input.scale", "1,2"), ("mien.input.mean", "x"),
                           ("mien.crop.margin", "-9"), ("mien.crop.align", "nose"),
                           ("mien.output.kind", "odds"), ("mien.input.width", "1e9")):
            self.expect_refused(lambda m, k=key, v=value: m.metadata.update({k: v}), key)

    def test_settings_that_do_not_fit_the_network(self):
        self.expect_refused(lambda m: m.metadata.update({"mien.input.width": "64"}), "48")
        self.expect_refused(lambda m: m.metadata.update({"mien.input.format": "rgb"}), "channels")
        self.expect_refused(lambda m: m.metadata.update({"mien.output": "logit"}), "'logit'")


class Sidecars(ProgramTest):
    CLASSES_LINE = "mien.classes = " + ", ".join(CLASSES) + "\n"

    def setUp(self):
        super().setUp()
        bare = TinyModel()
        bare.metadata = {}
        self.model = self.write("bare.onnx", bare.encode())
        self.arguments = ("analyze", "--json", "--model", self.model, ASTRONAUT_GRAY)

    def probabilities(self, *arguments, **options):
        return self.succeed(*(arguments or self.arguments),
                            **options).json_lines()[0]["faces"][0]["probabilities"]

    def test_beside_the_model(self):
        self.fail_with("sidecar", *self.arguments)
        self.write("bare.mien", "# a comment\n\n" + self.CLASSES_LINE + "mien.input.format = gray")
        with_sidecar = self.probabilities()
        built_in = self.probabilities("analyze", "--json", ASTRONAUT_GRAY)
        for name in CLASSES:
            self.assertAlmostEqual(with_sidecar[name], built_in[name], delta=2e-6)

    def test_named_and_in_the_data_folder(self):
        named = self.write("elsewhere/named.txt", self.CLASSES_LINE)
        by_name = self.probabilities(*self.arguments, "--sidecar", named)
        self.write("data/sidecars/bare.mien", self.CLASSES_LINE)
        by_folder = self.probabilities(env={"MIEN_DATA": str(self.folder / "data")})
        self.assertEqual(by_name, by_folder)
        self.fail_with("missing.mien", *self.arguments, "--sidecar", "missing.mien")

    def test_it_goes_before_the_metadata(self):
        swapped = self.write("swapped.mien", "mien.classes = a,b,c,d,e,f,g\n")
        self.assertEqual(list(self.probabilities("analyze", "--json", "--sidecar", swapped,
                                                 ASTRONAUT_GRAY)), list("abcdefg"))

    def test_wrong_lines_and_values(self):
        for text, message in (("mien.classes angry happy\n", "line 1.*key = value"),
                              (self.CLASSES_LINE + "= 5\n", "line 2"),
                              (self.CLASSES_LINE + "mien.temperature = warm\n",
                               "mien.temperature is 'warm'"),
                              ("mien.classes = a,b\n", "2 classes"),
                              (self.CLASSES_LINE + "mien.input.height = 64\n", "48"),
                              (b"mien.classes = a\0b,c\n", "not a text"),
                              (b"x" * 70000, "bytes")):
            self.write("bare.mien", text)
            self.fail_with(message, *self.arguments)

    def test_temperature_calms(self):
        self.write("bare.mien", self.CLASSES_LINE)
        plain = self.probabilities()
        self.write("bare.mien", self.CLASSES_LINE + "mien.temperature = 3\nmien.unsure_below = 1\n")
        result = self.succeed(*self.arguments).json_lines()[0]["faces"][0]
        calm = result["probabilities"]
        self.assertEqual(max(plain, key=plain.get), max(calm, key=calm.get))
        self.assertLess(max(calm.values()), max(plain.values()))
        self.assertTrue(result["unsure"])


    def test_a_floor_is_taken_off(self):
        self.write("bare.mien", self.CLASSES_LINE)
        plain = self.probabilities()
        self.write("bare.mien", self.CLASSES_LINE + "mien.floor = 0.05\n")
        expected = {name: max(p - 0.05, p / 10) for name, p in plain.items()}
        for name, p in self.probabilities().items():
            self.assertAlmostEqual(p, expected[name] / sum(expected.values()), delta=2e-6)


class NetworkDetectors(ProgramTest):
    """A made-up tiny YOLO that sees a face in each quarter of every picture."""

    def detector(self, size=0.0, score=8.0, **metadata):
        quiet = [0.0, 0.0, 0.0, 0.0, -20.0]
        bias = [0.0, 0.0, size, size, score] + quiet * 4
        settings = {"mien.detector": "tiny-yolo", "mien.input.format": "rgb",
                    "mien.detector.anchors": ",".join(["1"] * 10)}
        settings.update({"mien." + k.replace("_", "."): v for k, v in metadata.items()})
        return self.write("quarters.onnx", encode_model(
            [node("Conv", ["picture", "weights", "bias"], ["cells"], kernel_shape=[32, 32],
                  strides=[32, 32])],
            [tensor("weights", [25, 3, 32, 32], [0.0] * (25 * 3 * 32 * 32)),
             tensor("bias", [25], bias)],
            [value_info("picture", [1, 3, 64, 64])], [value_info("cells", [1, 25, 2, 2])],
            settings))

    def test_boxes_in_pixels_of_the_picture(self):
        path = self.write("picture.pgm", pgm(128, 128, bytes(128 * 128)))
        faces = self.succeed("analyze", "--json", "--detector", self.detector(),
                             path).json_lines()[0]["faces"]
        self.assertEqual([f["box"] for f in faces], [[0, 0, 64, 64], [0, 64, 64, 64],
                                                     [64, 0, 64, 64], [64, 64, 64, 64]])
        for face in faces:
            self.assertAlmostEqual(face["detection_score"], 1 / (1 + math.exp(-8)), delta=1e-4)
            self.assertNotIn("landmarks", face)

    def test_options(self):
        arguments = ("detect", "--json", "--detector", self.detector(score=1.0), ASTRONAUT_GRAY)
        count = lambda *more: len(self.succeed(*arguments, *more).json_lines()[0]["faces"])
        self.assertEqual((count(), count("--min-score", 0.9), count("--min-size", 200),
                          count("--max-size", 100)), (4, 0, 0, 0))

    def test_absurd_boxes_do_no_harm(self):
        for size in (30.0, 80.0, 88.0, 500.0):
            for more in ((), ("--annotate", self.folder / "marked")):
                for command in ("detect", "analyze"):
                    result = self.run_mien(command, "--json", *more, "--detector",
                                           self.detector(size), ASTRONAUT_GRAY)
                    self.assertEqual(result.status != 0, result.err != "")
                    result.json_lines()

    def test_what_is_no_detector(self):
        for change, message in (({"detector": "yolo9"}, "mien.detector is 'yolo9'"),
                                ({"detector": "yunet"}, "no YuNet"),
                                ({"detector_anchors": "1,2"}, "mien.detector.anchors"),
                                ({"detector_score": "7"}, "mien.detector.score")):
            self.fail_with(message, "detect", "--detector", self.detector(**change), ASTRONAUT_GRAY)
        self.fail_with("mien.detector = yunet", "detect", "--detector", TINY_MODEL, ASTRONAUT_GRAY)


class BadCascades(ProgramTest):
    def expect_refused(self, content, message=r"bad\.xml"):
        path = self.write("bad.xml", content)
        result = self.fail_with(r"^mien: .*bad\.xml", "detect", "--detector", path, ASTRONAUT_GRAY)
        self.assertRegex(result.err, message)
        self.assertEqual((result.out, result.err.count("\n")), ("", 1))

    def setUp(self):
        super().setUp()
        path = CASCADES / "haarcascade_smile.xml"
        if not path.exists():
            self.skipTest("OpenCV's cascades are not installed")
        self.good = path.read_bytes()

    def test_not_a_cascade(self):
        self.expect_refused(b"")
        self.expect_refused(b"<html><body>404</body></html>")
        self.expect_refused(b"\0" * 100)
        self.expect_refused(ASTRONAUT.read_bytes())
        self.expect_refused(b"<opencv_storage>" * 50000)

    def test_malformed_xml(self):
        for length in (100, 3000, len(self.good) // 2, len(self.good) - 30):
            self.expect_refused(self.good[:length])
        self.expect_refused(self.good.replace(b"</stages>", b"</stage>"))
        self.expect_refused(self.good.replace(b"<features>", b"<features", 1))

    def test_lying_numbers(self):
        for old, new in ((b"<height>", b"<height>-"), (b"<width>", b"<width>99999999999"),
                         (b"<stageThreshold>", b"<stageThreshold>abc"),
                         (b"<stageNum>", b"<stageNum>9999999"),
                         (b"<internalNodes>\n            0 -1 ",
                          b"<internalNodes>\n            0 -1 999999 ")):
            self.assertIn(old, self.good)
            self.expect_refused(self.good.replace(old, new, 1))


class RealMaterial(ProgramTest):
    """What the product promises on real photographs, where they are at hand."""

    def faces(self, detector):
        model, picture = shared("weights/mini_xception_fer2013.onnx", "samples/five-faces.jpg")
        return self.succeed("analyze", "--json", *detector, "--model", model,
                            picture).json_lines()[0]["faces"]

    def test_yunet_finds_five_faces_with_landmarks(self):
        faces = self.faces(("--detector", shared("weights/face_detection_yunet_2023mar.onnx")))
        self.assertEqual(len(faces), 5)
        for face in faces:
            x, y, width, height = face["box"]
            self.assertEqual(len(face["landmarks"]), 5)
            for point in face["landmarks"]:
                self.assertTrue(x <= point[0] <= x + width and y <= point[1] <= y + height)
            self.assertIn(face["expression"], CLASSES)

    def test_the_cascade_finds_at_least_four(self):
        self.assertGreaterEqual(len(self.faces(())), 4)

    def test_every_shipped_sidecar_fits_its_network(self):
        weights = shared("weights")
        for sidecar in sorted((ROOT / "models" / "sidecars").glob("*.mien")):
            network = weights / (sidecar.stem + ".onnx")
            with self.subTest(network.name):
                self.succeed("model", "info", network)
