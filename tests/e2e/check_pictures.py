# SPDX-License-Identifier: Apache-2.0
"""mien analyze and mien detect on pictures: what they print, and the marked pictures they write."""

import csv
import io
import os
import resource
import signal
import unittest

from support import (ASTRONAUT, ASTRONAUT_GRAY, CLASSES, FAILED, ProgramTest, astronaut_gray, crop,
                     pgm, png, read_png_rgb, shared, tile)

FACE = (88, 32, 50, 50)  # of the astronaut in the grey picture: x, y, width, height


class Output(ProgramTest):
    def check_face(self, face, landmarks=False):
        keys = ["box", "detection_score"] + ["landmarks"] * landmarks
        self.assertEqual(list(face), keys + ["expression", "confidence", "unsure", "probabilities"])
        probabilities = face["probabilities"]
        self.assertEqual(list(probabilities), CLASSES)
        self.assertAlmostEqual(sum(probabilities.values()), 1, delta=1e-5)
        self.assertEqual(face["expression"], max(probabilities, key=probabilities.get))
        self.assertEqual(face["confidence"], max(probabilities.values()))
        self.assertEqual(face["unsure"], face["confidence"] < 0.25)

    def test_json_of_the_astronaut(self):
        picture, = self.succeed("analyze", "--json", ASTRONAUT).json_lines()
        self.assertEqual(list(picture), ["schema", "source", "width", "height", "faces"])
        self.assertEqual((picture["schema"], picture["source"]), ("mien.faces/1", str(ASTRONAUT)))
        self.assertEqual((picture["width"], picture["height"]), (512, 512))
        face, = picture["faces"]
        self.check_face(face)
        x, y, width, height = face["box"]
        self.assertTrue(170 < x < 185 and 60 < y < 75 and 85 < width < 100 and width == height)
        self.assertGreaterEqual(face["detection_score"], 5)

    def test_detect_gives_the_same_box_and_no_expression(self):
        face, = self.succeed("detect", "--json", ASTRONAUT).json_lines()[0]["faces"]
        self.assertEqual(list(face), ["box", "detection_score"])
        analyzed, = self.succeed("analyze", "--json", ASTRONAUT).json_lines()[0]["faces"]
        self.assertEqual(face["box"], analyzed["box"])

    def test_a_detector_network_of_another_size(self):
        yunet, picture = shared("weights/face_detection_yunet_2023mar.onnx",
                                "samples/five-faces.jpg")
        found, = self.succeed("detect", "--json", "--detector", yunet, "--detector-input",
                              "320x320", picture).json_lines()
        self.assertEqual(len(found["faces"]), 5)
        self.fail_with("multiples of 32", "detect", "--detector", yunet, "--detector-input",
                       "100x320", picture)

    def test_without_a_detector_the_picture_is_the_face(self):
        picture, = self.succeed("analyze", "--json", "--detector", "none",
                                ASTRONAUT_GRAY).json_lines()
        face, = picture["faces"]
        self.check_face(face)
        self.assertEqual((face["box"], face["detection_score"]), ([0, 0, 256, 256], 0))

    def test_csv(self):
        black = self.write("a,\"black\".pgm", pgm(64, 64, bytes(64 * 64)))
        rows = list(csv.reader(io.StringIO(
            self.succeed("analyze", "--csv", black, ASTRONAUT).out)))
        self.assertEqual(rows[0], ["source", "face", "x", "y", "width", "height",
                                   "detection_score", "expression", "confidence", "unsure"]
                         + CLASSES)
        self.assertEqual(len(rows), 2)
        face, = self.succeed("analyze", "--json", ASTRONAUT).json_lines()[0]["faces"]
        self.assertEqual(rows[1][:2], [str(ASTRONAUT), "1"])
        self.assertEqual([float(v) for v in rows[1][2:6]], face["box"])
        self.assertEqual([float(v) for v in rows[1][10:]], list(face["probabilities"].values()))
        self.assertEqual(rows[1][9], "false")
        whole = list(csv.reader(io.StringIO(
            self.succeed("detect", "--csv", "--detector", "none", black).out)))
        self.assertEqual((len(whole[0]), whole[1][0]), (7, str(black)))

    def test_table_for_people(self):
        out = self.succeed("analyze", ASTRONAUT).out
        self.assertRegex(out, r"astronaut\.jpg  512x512  1 face\n   1  [a-z]+ +\d+ % .* pixels\n$")

    def test_names_that_are_not_utf8(self):
        name = os.path.join(os.fsencode(self.folder), b"caf\xe9.pgm")
        with open(name, "wb") as file:
            file.write(pgm(8, 8, bytes(64)))
        result = self.succeed("detect", "--json", os.fsdecode(name))
        self.assertRegex(result.json_lines()[0]["source"], r"caf\?\.pgm$")


class Inputs(ProgramTest):
    def test_standard_input(self):
        with open(ASTRONAUT, "rb") as file:
            piped = self.succeed("analyze", "--json", "-", stdin=file).json_lines()[0]
        direct = self.succeed("analyze", "--json", ASTRONAUT).json_lines()[0]
        self.assertEqual(piped["source"], "-")
        self.assertEqual(piped["faces"], direct["faces"])
        self.fail_with("standard input", "analyze", "-", input=b"")
        self.fail_with("standard input", "analyze", "-", input=b"GIF89a nonsense")

    def test_a_bad_file_in_the_middle_loses_nothing(self):
        bad = self.write("bad.jpg", b"\xff\xd8\xff nonsense")
        names = [ASTRONAUT, bad, ASTRONAUT_GRAY]
        result = self.fail_with("bad.jpg", "analyze", "--json", *names)
        pictures = result.json_lines()
        self.assertEqual([p["source"] for p in pictures], [str(n) for n in names])
        self.assertEqual([len(p["faces"]) for p in (pictures[0], pictures[2])], [1, 1])
        self.assertEqual(list(pictures[1]), ["schema", "source", "error"])
        self.assertEqual(list(pictures[1]["error"]), ["status", "message"])
        self.assertIn("bad.jpg", pictures[1]["error"]["message"])
        table = self.fail_with("bad.jpg", "analyze", *names).out
        self.assertEqual(table.count("1 face\n"), 2)

    def test_folders_are_searched_and_other_files_passed_over(self):
        small = pgm(16, 16, bytes(256))
        for name in ("b.PGM", "a/deep/down/c.pgm", "a/notes.txt", "a/x.pgm.bak", ".hidden.pgm"):
            self.write("set/" + name, small)
        lines = self.succeed("detect", "--json", self.folder / "set").json_lines()
        self.assertEqual([line["source"] for line in lines],
                         [str(self.folder / "set" / n) for n in ("a/deep/down/c.pgm", "b.PGM")])

    def test_a_folder_without_pictures(self):
        self.write("set/notes.txt", "none here")
        result = self.fail_with("no picture in '.*set'", "analyze", "--json", self.folder / "set",
                                ASTRONAUT)
        self.assertEqual(len(result.json_lines()), 1)
        self.assertEqual(self.fail_with("no picture", "analyze", self.folder / "set").out, "")

    def test_threads_change_nothing(self):
        bad = self.write("bad.png", b"\x89PNG\r\n\x1a\n")
        names = [ASTRONAUT_GRAY, bad, ASTRONAUT, ASTRONAUT_GRAY, bad, ASTRONAUT, ASTRONAUT_GRAY]
        one = self.run_mien("analyze", "--json", "--threads", 1, *names)
        four = self.run_mien("analyze", "--json", "--threads", 4, *names)
        self.assertEqual(one.status, FAILED)
        self.assertEqual(one.out_bytes, four.out_bytes)
        self.assertEqual(one.err, four.err)

    def test_a_large_picture_keeps_its_place_before_many_small_ones(self):
        large = self.write("large.pgm", pgm(1500, 1500, bytes(1500 * 1500)))
        names = [large, *[self.write(f"{i}.pgm", pgm(8, 8, bytes(64))) for i in range(300)]]
        lines = self.succeed("detect", "--json", "--threads", 3, *names).json_lines()
        self.assertEqual([line["source"] for line in lines], [str(name) for name in names])

    def test_more_threads_than_pictures(self):
        one = self.succeed("analyze", "--json", ASTRONAUT_GRAY)
        for threads in (2, 5, 256):
            many = self.succeed("analyze", "--json", "--threads", threads, ASTRONAUT_GRAY)
            self.assertEqual(one.out_bytes, many.out_bytes)

    def test_the_pixel_cap(self):
        result = self.fail_with("pixels", "analyze", "--json", "--max-pixels", 256 * 256,
                                ASTRONAUT, ASTRONAUT_GRAY)
        large, small = result.json_lines()
        self.assertEqual(large["error"]["status"], "limit exceeded")
        self.assertEqual(len(small["faces"]), 1)

    def test_a_reduced_picture_has_its_faces_where_the_whole_one_has_them(self):
        whole, = self.succeed("analyze", "--json", ASTRONAUT).json_lines()
        reduced, = self.succeed("analyze", "--json", "--reduce", 256, ASTRONAUT).json_lines()
        self.assertEqual((reduced["width"], reduced["height"]), (512, 512))
        self.assertEqual(len(reduced["faces"]), 1)
        for expected, box in zip(whole["faces"][0]["box"], reduced["faces"][0]["box"]):
            self.assertAlmostEqual(expected, box, delta=12)
        self.assertNotEqual(reduced["faces"], whole["faces"])
        large_enough, = self.succeed("analyze", "--json", "--reduce", 257, ASTRONAUT).json_lines()
        self.assertEqual(large_enough, whole)


class DetectorOptions(ProgramTest):
    def faces(self, *options):
        return self.succeed("detect", "--json", *options, ASTRONAUT_GRAY).json_lines()[0]["faces"]

    def test_sizes(self):
        self.assertEqual(len(self.faces("--min-size", 40, "--max-size", 60)), 1)
        self.assertEqual(self.faces("--min-size", 80), [])
        self.assertEqual(self.faces("--max-size", 30), [])
        self.fail_with("range", "detect", "--min-size", 80, "--max-size", 30, ASTRONAUT_GRAY)

    def test_neighbours(self):
        self.assertGreater(len(self.faces("--min-neighbours", 0)), 10)
        self.assertEqual(self.faces("--min-neighbours", 500), [])


class UnusualFaces(ProgramTest):
    def detect(self, picture, *options):
        path = self.write("picture.pgm", pgm(*picture))
        return self.succeed("analyze", "--json", *options, path).json_lines()[0]["faces"]

    def test_a_face_that_touches_the_border(self):
        x, y, width, height = FACE
        inner = crop(astronaut_gray(), x, y, width, height + 8)
        face, = self.detect(inner, "--min-neighbours", 1)
        self.assertLessEqual(face["box"][0], 6)
        self.assertAlmostEqual(sum(face["probabilities"].values()), 1, delta=1e-5)

    def test_hundreds_of_faces(self):
        x, y, width, height = FACE
        head = crop(astronaut_gray(), x - 12, y - 10, width + 24, height + 24)
        faces = self.detect(tile(head, 20, 15))
        self.assertGreaterEqual(len(faces), 290)
        self.assertLessEqual(len(faces), 320)
        self.assertEqual([f["box"][0] for f in faces], sorted(f["box"][0] for f in faces))

    def test_pictures_smaller_than_any_face(self):
        for width, height in ((1, 1), (1, 300), (300, 1), (23, 23)):
            self.assertEqual(self.detect((width, height, bytes(width * height))), [])
            self.assertEqual(len(self.detect((width, height, bytes(width * height)),
                                             "--detector", "none")), 1)


class Annotate(ProgramTest):
    def setUp(self):
        super().setUp()
        self.marked = self.folder / "marked"

    def test_only_the_surroundings_of_the_face_change(self):
        self.succeed("analyze", "--annotate", self.marked, ASTRONAUT_GRAY)
        width, height, rows = read_png_rgb(self.marked / "astronaut-gray.png")
        full_width, full_height, pixels = astronaut_gray()
        self.assertEqual((width, height), (full_width, full_height))
        changed = [(x, y) for y in range(height) for x in range(width)
                   if rows[y][3 * x:3 * x + 3] != pixels[y * width + x:y * width + x + 1] * 3]
        self.assertGreater(len(changed), 300)
        x, y, box_width, box_height = FACE
        self.assertTrue(all(x - 20 <= cx <= x + box_width + 70 and
                            y - 30 <= cy <= y + box_height + 80 for cx, cy in changed))

    def test_the_same_name_in_two_folders(self):
        data = ASTRONAUT_GRAY.read_bytes()
        first, second = self.write("a/face.pgm", data), self.write("b/face.pgm", data)
        third = self.write("b/face-2.pgm", data)
        self.succeed("analyze", "--annotate", self.marked, first, second, third)
        self.assertEqual(sorted(p.name for p in self.marked.iterdir()),
                         ["face-2-2.png", "face-2.png", "face.png"])

    def test_pictures_of_the_user_are_never_overwritten(self):
        gray = png(64, 64, 8, 0, [bytes(range(64))] * 64)
        mine, other = self.write("mine.png", gray), self.write("other.pgm", pgm(9, 9, bytes(81)))
        also = self.write("other.png", gray)
        self.succeed("detect", "--annotate", self.folder, mine, other, also)
        self.assertEqual((mine.read_bytes(), also.read_bytes()), (gray, gray))
        self.succeed("detect", "--annotate", ".", "mine.png", cwd=self.folder)
        self.assertEqual(mine.read_bytes(), gray)
        self.assertTrue((self.folder / "mine-2.png").exists())

    def test_threads_change_nothing(self):
        names = [ASTRONAUT_GRAY, ASTRONAUT, ASTRONAUT_GRAY]
        for threads in (1, 3):
            self.succeed("analyze", "--threads", threads, "--annotate", self.folder / str(threads),
                         *names)
        for name in ("astronaut.png", "astronaut-gray.png", "astronaut-gray-2.png"):
            self.assertEqual((self.folder / "1" / name).read_bytes(),
                             (self.folder / "3" / name).read_bytes())

    def test_a_path_that_gets_too_long(self):
        picture = self.write("n" * 150 + ".pgm", pgm(9, 9, bytes(81)))
        (self.folder / "other").mkdir()
        other = self.write("other/" + picture.name, picture.read_bytes())
        deep = "/".join(["d" * 190] * 21)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.folder)
        for part in deep.split("/")[:-1]:
            os.mkdir(part)
            os.chdir(part)
        os.chdir(self.folder)
        result = self.fail_with("too long", "detect", "--json", "--annotate", deep, picture, other)
        self.assertEqual(len(result.json_lines()), 2)

    def test_standard_input_gets_a_name(self):
        self.succeed("detect", "--annotate", self.marked, "-", input=pgm(8, 8, bytes(64)))
        self.assertTrue((self.marked / "stdin.png").exists())

    def expect_failed_writing(self, message, *arguments, **options):
        result = self.fail_with(message, "analyze", "--json", *arguments, **options)
        self.assertEqual([len(p["faces"]) for p in result.json_lines()], [1, 1])

    def test_a_full_disk(self):
        """The size limit of a process stands in for a full disk: write() fails half-way."""
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        self.marked.mkdir()
        self.expect_failed_writing("cannot write '.*marked/astronaut.png'", "--annotate",
                                   self.marked, ASTRONAUT, ASTRONAUT_GRAY, preexec_fn=limit)
        self.assertEqual(list(self.marked.iterdir()), [])

    @unittest.skipIf(os.geteuid() == 0, "root may write everywhere")
    def test_a_folder_that_cannot_be_written(self):
        self.marked.mkdir(mode=0o555)
        self.expect_failed_writing("cannot write '.*marked/astronaut.png': Permission denied",
                                   "--annotate", self.marked, ASTRONAUT, ASTRONAUT_GRAY)

    def test_a_folder_that_cannot_be_made(self):
        for name in (self.folder / "missing" / "deep", ASTRONAUT_GRAY):
            self.fail_with("annotate|folder", "analyze", "--annotate", name, ASTRONAUT)

    def test_a_picture_too_wide_to_draw_on(self):
        wide = self.write("wide.pgm", pgm(40000, 2, bytes(80000)))
        result = self.fail_with("wide.*too large to draw on", "detect", "--json", "--annotate",
                                self.marked, wide, ASTRONAUT_GRAY)
        self.assertEqual([len(p["faces"]) for p in result.json_lines()], [0, 1])
