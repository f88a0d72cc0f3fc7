# SPDX-License-Identifier: Apache-2.0
"""mien live: people over time, their ids, smoothing, the forms of output, stopping."""

import csv
import io
import json
import math
import os
import signal
import subprocess

from support import (ASTRONAUT_GRAY, CLASSES, DONE, FAILED, PROGRAM, ROOT, TINY_MODEL, USAGE,
                     ProgramTest, astronaut_gray, crop, pgm, shared)

FRAMES, STEP = 9, 3  # of the walk, and its pixels from frame to frame


class LiveTest(ProgramTest):
    def live(self, *arguments, status=DONE, **options):
        result = self.run_mien("live", "--no-window", *arguments, **options)
        self.assertEqual(result.status, status, result.err)
        return result

    def frames(self, *arguments, **options):
        return self.live("--json", *arguments, **options).json_lines()

    def walk(self):
        """A face that walks to the left; the pattern of its pictures."""
        for i in range(FRAMES):
            self.write(f"walk/{i + 1:03d}.pgm", pgm(*crop(astronaut_gray(), STEP * i, 0, 200, 200)))
        return self.folder / "walk" / "%03d.pgm"

    def stay(self, count):
        """One picture, many times."""
        (self.folder / "stay").mkdir()
        for i in range(count):
            os.symlink(ASTRONAUT_GRAY, self.folder / "stay" / f"{i + 1:05d}.pgm")
        return self.folder / "stay" / "%05d.pgm"


class Baseline(LiveTest):
    def test_a_face_at_rest_becomes_neutral(self):
        frames = self.frames("--detector", "none", "--smooth", "0", "--baseline", "1",
                             self.stay(40))
        before, after = frames[20]["faces"][0], frames[39]["faces"][0]
        self.assertLess(before["probabilities"]["neutral"], 0.8)
        self.assertGreater(after["probabilities"]["neutral"], 0.85)  # 0.9 but for the limits
        self.assertEqual(after["expression"], "neutral")


class Frames(LiveTest):
    def test_json_lines(self):
        result = self.live("--json", self.walk())
        self.assertRegex(result.err, r"^mien: 9 frames in .* s, .* a second; 1 person\n$")
        frames = result.json_lines()
        self.assertEqual([f["frame"] for f in frames], list(range(1, FRAMES + 1)))
        for i, frame in enumerate(frames):
            self.assertEqual(list(frame), ["schema", "source", "frame", "time", "width", "height",
                                           "faces"])
            self.assertEqual(frame["schema"], "mien.frame/1")
            self.assertAlmostEqual(frame["time"], i / 25, delta=1e-6)
            self.assertEqual((frame["width"], frame["height"]), (200, 200))
            face, = frame["faces"]
            self.assertEqual(list(face), ["track", "predicted", "box", "detection_score",
                                          "expression", "confidence", "unsure", "probabilities"])
            self.assertEqual((face["track"], face["predicted"]), (None if i < 2 else 1, False))
            self.assertEqual(face["confidence"], max(face["probabilities"].values()))

    def test_csv_says_the_same(self):
        walk = self.walk()
        rows = list(csv.reader(io.StringIO(self.live("--csv", walk).out)))
        self.assertEqual(rows[0], ["source", "frame", "time", "track", "predicted", "x", "y",
                                   "width", "height", "detection_score", "expression",
                                   "confidence", "unsure"] + CLASSES)
        for row, frame in zip(rows[1:], self.frames(walk), strict=True):
            face, = frame["faces"]
            self.assertEqual(row[:2], [str(walk), str(frame["frame"])])
            self.assertEqual(float(row[2]), frame["time"])
            self.assertEqual(row[3], "" if face["track"] is None else str(face["track"]))
            self.assertEqual([float(v) for v in row[5:9]], face["box"])
            self.assertEqual([float(v) for v in row[13:]], list(face["probabilities"].values()))

    def test_table_for_people(self):
        self.assertRegex(self.live(self.walk()).out,
                         r"(?s)^    0\.000 s    \?  [a-z]+ .*\n    0\.320 s    1  [a-z]+ .* pixels\n$")

    def test_runs_and_threads_change_nothing(self):
        walk = self.walk()
        first = self.live("--json", walk).out_bytes
        self.assertEqual(first, self.live("--json", walk).out_bytes)
        self.assertEqual(first, self.live("--json", "--threads", 3, walk).out_bytes)
        self.assertEqual(first, self.live("--json", "--one-thread", walk).out_bytes)

    def test_faces_are_read_where_they_are_expected(self):
        walk = self.walk()
        searched, predicted = self.frames(walk), self.frames("--every", 2, walk)
        for i, (one, other) in enumerate(zip(searched, predicted)):
            if i % 2 == 1 and i < 4:
                self.assertEqual(other["faces"], [])  # not yet sure that it is a person
                continue
            face, = other["faces"]
            self.assertEqual(face["predicted"], i % 2 == 1)
            for a, b in zip(one["faces"][0]["box"], face["box"]):
                self.assertAlmostEqual(a, b, delta=4)
            self.assertAlmostEqual(sum(face["probabilities"].values()), 1, delta=1e-5)

    def test_smoothing_by_its_formula(self):
        walk = self.walk()
        raw = [f["faces"][0]["probabilities"] for f in self.frames("--smooth", 0, walk)]
        smooth = [f["faces"][0]["probabilities"] for f in self.frames("--smooth", 0.1, walk)]
        self.assertEqual(raw[:3], smooth[:3])  # smoothing begins with the id
        expected = dict(raw[2])
        for now, got in list(zip(raw, smooth))[3:]:
            for name in expected:
                expected[name] += (1 - math.exp(-0.04 / 0.1)) * (now[name] - expected[name])
                self.assertAlmostEqual(got[name], expected[name], delta=1e-5)
        self.assertNotEqual(raw[-1], smooth[-1])

    def test_no_face_at_all(self):
        black = self.write("black.pgm", pgm(64, 64, bytes(64 * 64)))
        frame, = self.frames(black)
        self.assertEqual(frame["faces"], [])
        self.assertEqual(len(self.live("--csv", black).out.splitlines()), 1)


class Refusals(LiveTest):
    def test_wrong_usage(self):
        for message, arguments in {
                "name one video": ["live", "--no-window", "a.mp4", "b.mp4"],
                "--every is '0'": ["live", "--no-window", "--every", 0, "a.mp4"],
                "--smooth is '-1'": ["live", "--no-window", "--smooth", -1, "a.mp4"],
                "--smooth is 'nan'": ["live", "--no-window", "--smooth", "nan", "a.mp4"],
                "not known": ["live", "--frobnicate"]}.items():
            result = self.fail_with(message.strip(), *arguments, status=USAGE)
            self.assertEqual(result.out, "")
            self.assertIn("'mien live --help' shows how", result.err)
        out = self.succeed("live", "--help").out
        self.assertTrue(out.startswith("usage: mien live"))
        self.assertIn("example: mien live", out)
        self.assertLessEqual(max(map(len, out.splitlines())), 100)

    def test_what_is_no_video(self):
        letter = self.write("letter.txt", "Dear reader,\n" * 100)
        for message, source in ((r"letter\.txt: this is text", letter),
                                ("no file 'missing.mp4'", "missing.mp4"),
                                ("is a folder; name a video", self.folder),
                                (r"letter\.mp4: this is no video",
                                 self.write("letter.mp4", "Dear reader,\n" * 100))):
            result = self.live("--json", source, status=FAILED)
            self.assertRegex(result.err, message)
            self.assertEqual(result.out, "")

    def test_frames_over_the_limit(self):
        result = self.live("--max-pixels", 39999, self.walk(), status=FAILED)
        self.assertIn("larger than the limit of 39999 pixels", result.err)


class Stopping(LiveTest):
    def stop_after_five_frames(self, number):
        environment = dict(os.environ, MIEN_MODEL=str(TINY_MODEL), MIEN_DATA=str(ROOT / "models"))
        environment.pop("LD_PRELOAD", None)
        with subprocess.Popen([PROGRAM, "live", "--no-window", "--json", self.stay(3000)],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=environment) as process:
            lines = [process.stdout.readline() for _ in range(5)]
            process.send_signal(number)
            rest, err = process.communicate(timeout=50)
        frames = [json.loads(line) for line in lines + rest.splitlines()]
        self.assertEqual(process.returncode, DONE, err.decode())
        self.assertTrue(rest == b"" or rest.endswith(b"\n"))
        self.assertLess(len(frames), 2900)
        self.assertEqual([f["frame"] for f in frames], list(range(1, len(frames) + 1)))
        self.assertRegex(err.decode(), rf"^mien: {len(frames)} frames in ")

    def test_interrupt(self):
        self.stop_after_five_frames(signal.SIGINT)

    def test_terminate(self):
        self.stop_after_five_frames(signal.SIGTERM)


class Samples(LiveTest):
    """Real material: as many people as there are, each with one id from start to end."""

    def people(self, name, *options):
        video, detector = shared("samples/" + name, "weights/face_detection_yunet_2023mar.onnx")
        frames = self.frames("--detector", detector, *options, video)
        ids = {f["track"] for frame in frames for f in frame["faces"]} - {None}
        for frame in frames:
            tracks = [f["track"] for f in frame["faces"] if f["track"] is not None]
            self.assertEqual(len(tracks), len(set(tracks)))
        times = [frame["time"] for frame in frames]
        self.assertEqual(times, sorted(set(times)))
        self.assertEqual(times[0], 0)
        return len(frames), len(ids)

    def test_classroom(self):
        self.assertEqual(self.people("classroom.gif"), (45, 4))

    def test_two_people(self):
        self.assertEqual(self.people("two-people.gif", "--every", 2), (56, 2))

    def test_walking(self):
        self.assertEqual(self.people("walking.gif", "--every", 2), (35, 2))

    def test_woman(self):
        self.assertEqual(self.people("woman.mp4", "--every", 10), (464, 1))

    def test_single_face(self):
        self.assertEqual(self.people("single-face-640x360.mp4", "--every", 10), (472, 1))
