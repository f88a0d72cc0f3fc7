# SPDX-License-Identifier: Apache-2.0
"""mien data capture: consent, prompts, faces kept once, and everything taken back."""

import csv
import os
import time

from check_live_window import wait_for
from check_practice import Opened, needs_a_screen
from support import DONE, FAILED, USAGE, ProgramTest, astronaut_gray, crop, pgm

SECOND = 25  # pictures


class CaptureTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.out = self.folder / "faces"

    def film(self, seconds=3):
        """A face that changes twice a second."""
        looks = [self.write(f"look-{i}.pgm", pgm(*crop(astronaut_gray(), 20 * i, 15 * i, 120, 120)))
                 for i in range(4)]
        folder = self.folder / "film"
        folder.mkdir(exist_ok=True)
        for i in range(seconds * SECOND):
            if not (folder / f"{i + 1:05d}.pgm").is_symlink():
                os.symlink(looks[i // 12 % 4], folder / f"{i + 1:05d}.pgm")
        return folder / "%05d.pgm"

    def capture(self, *arguments, status=DONE, participant="p01", agreed="on paper", **options):
        consent = ["--agreed", agreed] if agreed else []
        result = self.run_mien("data", "capture", "--no-window", "--detector", "none", "--margin",
                               "0", "--rest", "0.2", "--record", "1", "--rate", "10", "--out",
                               self.out, "--participant", participant, *consent, *arguments,
                               self.film(), **options)
        self.assertEqual(result.status, status, result.err)
        return result

    def pictures(self, participant="p01"):
        return sorted(str(p.relative_to(self.out)) for p in self.out.glob(f"*/{participant}-*.png"))

    def rows(self):
        with (self.out / "manifest.csv").open() as stream:
            return list(csv.DictReader(stream))


class Capture(CaptureTest):
    def test_faces_go_into_a_folder_per_expression_and_never_twice(self):
        result = self.capture("--plan", "happy,sad", "--near", "20")
        pictures = self.pictures()
        self.assertEqual([r["file"] for r in self.rows()], pictures)
        self.assertEqual({r["expression"] for r in self.rows()}, {"happy", "sad"})
        self.assertIn("happy/p01-happy-0001.png", pictures)
        self.assertTrue(2 <= len(pictures) <= 8, pictures)
        self.assertRegex(result.err, r"looked like one of them")
        self.capture("--plan", "happy,sad", "--near", "20")  # what is there is known again
        self.assertEqual(self.pictures(), pictures)
        self.capture("--plan", "happy,sad", "--near", "-1")
        self.assertGreater(len(self.pictures()), 2 * len(pictures))
        consent = (self.out / "consents" / "p01.txt").read_text()
        self.assertEqual(consent.count("on paper"), 3)
        self.assertIn("Taking part is free", consent)

    def test_nothing_is_recorded_without_consent(self):
        for answer in ("", "no\n", "yes please\n"):
            result = self.capture("--plan", "happy", agreed=None, status=FAILED,
                                  input=answer.encode())
            self.assertIn("nobody agreed", result.err)
            self.assertEqual(self.pictures(), [])
            self.assertFalse((self.out / "consents").exists())
        words = self.write("words.txt", "I agree to be seen.")
        self.capture("--plan", "happy", "--consent", words, agreed=None, input=b"yes\n")
        self.assertIn("I agree to be seen.", (self.out / "consents" / "p01.txt").read_text())
        self.assertTrue(self.pictures())

    def test_withdrawing_leaves_nothing_of_a_participant(self):
        self.capture("--plan", "happy", participant="p01")
        self.capture("--plan", "happy", participant="p011")
        others = self.pictures("p011")
        result = self.run_mien("data", "capture", "--withdraw", "p01", "--out", self.out)
        self.assertEqual(result.status, DONE, result.err)
        self.assertEqual(self.pictures(), [])
        self.assertEqual(self.pictures("p011"), others)
        self.assertEqual({r["participant"] for r in self.rows()}, {"p011"})
        self.assertFalse((self.out / "consents" / "p01.txt").exists())
        self.assertTrue((self.out / "consents" / "p011.txt").exists())

    def test_wrong_usage(self):
        self.assertIn("letters", self.capture("--plan", "a/b", status=USAGE).err)
        self.assertIn("letters", self.capture(participant="../p", status=FAILED).err)
        self.fail_with("--out FOLDER", "data", "capture", status=USAGE)
        self.fail_with("--participant", "data", "capture", "--out", self.out, status=USAGE)
        self.fail_with("no", "data", "capture", "--withdraw", "p01", "--out", self.folder / "none")

    def test_no_window_where_there_is_no_screen(self):
        result = self.run_mien("data", "capture", "--detector", "none", "--out", self.out,
                               "--participant", "p01", "--agreed", "on paper", self.film(),
                               env={"DISPLAY": "", "WAYLAND_DISPLAY": "",
                                    "XDG_RUNTIME_DIR": str(self.folder)})
        self.assertEqual(result.status, FAILED)
        self.assertRegex(result.err, "no display for a window .*; add --no-window")
        self.assertFalse(self.out.exists())


@needs_a_screen
class Window(CaptureTest):
    def test_space_stops_the_time_and_keeps_nothing(self):
        window = Opened(self, "mien data capture",
                        ["data", "capture", "--detector", "none", "--near", "-1", "--rest", "0",
                         "--record", "60", "--rate", "10", "--plan", "happy", "--out", self.out,
                         "--participant", "p01", "--agreed", "on paper", self.film(60)])
        wait_for(lambda: len(self.pictures()) > 3 and window.yellow() > 100)
        window.press("space")
        window.says("paused; space goes on")
        wait_for(lambda: window.yellow() == 0)
        kept = self.pictures()
        time.sleep(1)
        self.assertEqual(self.pictures(), kept)
        window.press("space")
        wait_for(lambda: len(self.pictures()) > len(kept) + 3)
        window.press("q")
        status, err = window.finish()
        self.assertEqual(status, DONE, err)
        self.assertIn(f"happy: {len(self.pictures())} kept", err)
