# SPDX-License-Identifier: Apache-2.0
"""Help, wrong usage, exit status, where models come from, standard output that fails."""

import json
import os

from support import ASTRONAUT, CLASSES, TINY_MODEL, USAGE, ProgramTest

COMMANDS = ("analyze", "detect", "eval", "model", "bench", "explain", "data", "live")


class Help(ProgramTest):
    def test_every_command_explains_itself_with_an_example(self):
        for command in COMMANDS:
            out = self.succeed(command, "--help").out
            self.assertTrue(out.startswith(f"usage: mien {command}"), out)
            self.assertIn("example: mien " + command, out)
            self.assertLessEqual(max(map(len, out.splitlines())), 100)

    def test_the_program_lists_its_commands(self):
        for ask in ("--help", "-h", "help"):
            out = self.succeed(ask).out
            for command in COMMANDS:
                self.assertRegex(out, rf"(?m)^  {command} ")
            self.assertIn("not what a person feels", out)

    def test_version(self):
        self.assertRegex(self.succeed("--version").out, r"^mien \d+\.\d+\.\d+\n$")


class WrongUsage(ProgramTest):
    def expect(self, message, *arguments):
        result = self.fail_with(message, *arguments, status=USAGE)
        self.assertEqual(result.out, "")
        return result

    def test_no_arguments(self):
        self.expect("usage: mien COMMAND")

    def test_unknown_command(self):
        self.expect("no command 'frobnicate'", "frobnicate")

    def test_unknown_option(self):
        for command in COMMANDS:
            self.expect(f"'mien {command} --help' shows how", command, "--frobnicate")

    def test_missing_value(self):
        for command, option in (("analyze", "--model"), ("detect", "--threads"),
                                ("eval", "--data"), ("bench", "--runs"), ("model", "--input")):
            self.expect("lacks its value|requires an argument", command, option)

    def test_nothing_to_work_on(self):
        self.expect("at least one picture", "analyze")
        self.expect("at least one picture", "detect", "--json")
        self.expect("--data", "eval")
        self.expect("--model", "bench")
        self.expect("'info' and one file", "model")
        self.expect("'info' and one file", "model", "info")
        self.expect("'info' and one file", "model", "show", TINY_MODEL)

    def test_numbers_that_are_none_or_out_of_range(self):
        for option, values in {
                "--threads": ("0", "-1", "257", "two", "", "1.5", "99999999999999999999"),
                "--max-pixels": ("0", "-5", "many"), "--reduce": ("0", "half", "65536"),
                "--scale-factor": ("1", "0.5", "nan", "inf", "1e999", "x"),
                "--min-neighbours": ("-1", "x", "3x"),
                "--min-size": ("-1", "70000"), "--max-size": ("-1", "1e3"),
                "--min-score": ("0", "1.1", "nan")}.items():
            for value in values:
                self.expect(f"{option} is '{value}', not", "analyze", option, value, ASTRONAUT)

    def test_what_does_not_go_together(self):
        self.expect("leave out --reduce", "analyze", "--reduce", "640", "--annotate", "marked",
                    ASTRONAUT)

    def test_numbers_of_other_commands(self):
        self.expect("--runs is '0'", "bench", "--model", TINY_MODEL, "--runs", "0")
        for size in ("48", "0x9", "-4x4", "48x48x48", "4294967344x48", "70000x1", "x"):
            self.expect(f"--input is '{size}'", "bench", "--model", TINY_MODEL, "--input", size)
            self.expect(f"--input is '{size}'", "model", "info", "--input", size, TINY_MODEL)
        self.expect("--split is 'Test'", "eval", "--data", "x.csv", "--split", "Test")
        self.expect("--threads is 'x'", "eval", "--data", "x.csv", "--threads", "x")

    def test_a_split_goes_with_a_file_not_a_folder(self):
        self.expect("go with a CSV file", "eval", "--data", self.folder, "--split", "all")


class WhereModelsComeFrom(ProgramTest):
    def test_no_model_at_all(self):
        result = self.fail_with("no model: name one with --model FILE or in MIEN_MODEL", "analyze",
                                ASTRONAUT, model=False, env={"MIEN_DATA": str(self.folder)})
        self.assertEqual(result.out, "")

    def test_detect_needs_none(self):
        self.assertIn("1 face", self.succeed("detect", ASTRONAUT, model=False).out)

    def test_the_environment_and_the_option_name_the_same(self):
        by_environment = self.succeed("analyze", "--json", ASTRONAUT)
        by_option = self.succeed("analyze", "--json", "--model", TINY_MODEL, ASTRONAUT,
                                 model=False)
        self.assertEqual(by_environment.out, by_option.out)

    def test_the_option_goes_before_the_environment(self):
        self.fail_with("nothing.onnx", "analyze", "--model", "nothing.onnx", ASTRONAUT)

    def test_the_model_in_the_data_folder_is_the_default(self):
        self.write("mien.onnx", TINY_MODEL.read_bytes())
        self.succeed("analyze", ASTRONAUT, model=False, env={"MIEN_DATA": str(self.folder)})

    def test_a_missing_detector(self):
        self.fail_with("cannot open 'none.xml'", "detect", "--detector", "none.xml", ASTRONAUT)
        self.fail_with("must end in .xml .* or .onnx", "detect", "--detector", ASTRONAUT, ASTRONAUT)

    def test_kernels_by_name(self):
        faces = []
        for name in ("reference", "generic"):
            result = self.succeed("analyze", "--json", "--kernels", name, ASTRONAUT)
            faces.append(result.json_lines()[0]["faces"][0]["probabilities"])
        for name in CLASSES:
            self.assertAlmostEqual(faces[0][name], faces[1][name], delta=2e-6)
        self.fail_with("no kernels 'mmx'.*reference", "analyze", "--kernels", "mmx", ASTRONAUT)


class BrokenOutput(ProgramTest):
    def test_standard_output_is_full(self):
        for arguments in (("analyze", "--json", ASTRONAUT), ("analyze", "--csv", ASTRONAUT),
                          ("analyze", ASTRONAUT), ("model", "info", TINY_MODEL), ("--help",),
                          ("bench", "--model", TINY_MODEL, "--runs", "2"), ("--version",)):
            with open("/dev/full", "wb") as full:
                self.fail_with("cannot write to standard output", *arguments, stdout=full)


    def test_standard_output_is_closed(self):
        self.fail_with("cannot write to standard output", "analyze", "--json", ASTRONAUT,
                       preexec_fn=lambda: os.close(1))


class ModelInfo(ProgramTest):
    def test_for_people(self):
        out = self.succeed("model", "info", "--layers", TINY_MODEL).out
        self.assertRegex(out, r"(?m)^parameters +75$")
        self.assertRegex(out, r"(?m)^multiply-adds +5212$")
        self.assertRegex(out, r"(?m)^input +face .*1x48x48")
        self.assertRegex(out, r"(?m)^setting +mien.classes = angry,disgust")
        self.assertRegex(out, r"(?m)^1 +Conv +conv +1x4x12x12 +40 +5184$")

    def test_json(self):
        info = json.loads(self.succeed("model", "info", "--json", "--layers", TINY_MODEL).out)
        self.assertEqual(info["bytes"], TINY_MODEL.stat().st_size)
        self.assertEqual(info["opset"], 13)
        self.assertEqual(info["inputs"], [{"name": "face", "shape": [None, 1, 48, 48]}])
        self.assertEqual(info["outputs"], [{"name": "probabilities", "shape": [1, 7]}])
        self.assertEqual((info["parameters"], info["multiply_adds"]), (75, 5212))
        self.assertEqual(info["operators"], {"Conv": 1, "Relu": 1, "GlobalAveragePool": 1,
                                             "Flatten": 1, "Gemm": 1, "Softmax": 1})
        self.assertEqual(info["settings"]["mien.classes"], ",".join(CLASSES))
        self.assertEqual(sum(layer["parameters"] for layer in info["layers"]), 75)
        self.assertEqual([layer["operator"] for layer in info["layers"]][:2], ["Conv", "Relu"])

    def test_a_file_that_is_no_model(self):
        self.fail_with("astronaut.jpg", "model", "info", ASTRONAUT)
        self.fail_with("cannot open", "model", "info", "missing.onnx")


class Bench(ProgramTest):
    def test_json(self):
        out = self.succeed("bench", "--runs", "3", "--threads", "2", "--sessions", "3", "--json",
                           "--model", TINY_MODEL).out
        figures = json.loads(out)
        self.assertEqual((figures["runs"], figures["threads"], figures["sessions"],
                          figures["batch"]), (3, 2, 3, 1))
        self.assertLessEqual(0, figures["min_us"])
        self.assertLessEqual(figures["min_us"], figures["median_us"])
        self.assertLessEqual(figures["median_us"], figures["p95_us"])
        self.assertEqual(figures["multiply_adds"], 5212)

    def test_the_rate_is_not_above_what_one_thread_can_do(self):
        for _ in range(10):
            out = self.succeed("bench", "--runs", "5", "--json", "--model", TINY_MODEL).out
            figures = json.loads(out)
            self.assertLess(figures["pictures_per_second"] * figures["min_us"], 1.01e6)

    def test_all_kernels_and_the_profile(self):
        out = self.succeed("bench", "--runs", "2", "--kernels", "all", "--profile", "--model",
                           TINY_MODEL).out
        self.assertRegex(out, r"(?m)^generic +min")
        self.assertRegex(out, r"(?m)^ +1 .* us$")
        out = self.succeed("bench", "--runs", "2", "--threads", "2", "--profile", "--model",
                           TINY_MODEL).out
        self.assertRegex(out, r"(?m)^ +1 .* us in 1$")

    def test_bad_input(self):
        self.fail_with("astronaut.jpg", "bench", "--model", ASTRONAUT)
        self.fail_with("no kernels 'mmx'", "bench", "--kernels", "mmx", "--model", TINY_MODEL)
