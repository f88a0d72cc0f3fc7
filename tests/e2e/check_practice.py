# SPDX-License-Identifier: Apache-2.0
"""mien practice: prompts, scores, the record and its progress."""

import json
import os
import shutil
import subprocess
import unittest

from check_live_window import Display, near, wait_for
from support import (ASTRONAUT_GRAY, CLASSES, DONE, FAILED, PROGRAM, ROOT, TINY_MODEL, USAGE,
                     ProgramTest)

SECOND = 25  # pictures


class PracticeTest(ProgramTest):
    def stay(self, seconds):
        """Somebody who never moves."""
        folder = self.folder / f"stay-{seconds}"
        folder.mkdir(exist_ok=True)
        for i in range(seconds * SECOND):
            if not (folder / f"{i + 1:05d}.pgm").is_symlink():
                os.symlink(ASTRONAUT_GRAY, folder / f"{i + 1:05d}.pgm")
        return folder / "%05d.pgm"

    def practise(self, *arguments, seconds=4, status=DONE):
        result = self.run_mien("practice", "--no-window", "--model", TINY_MODEL, "--detector", "none", "--rest",
                               "0.5", "--try", "1", "--hold", "0.5", *arguments,
                               self.stay(seconds))
        self.assertEqual(result.status, status, result.err)
        return result


class Practice(PracticeTest):
    def test_the_score_is_the_probability_of_a_face_that_stays(self):
        frame = self.run_mien("live", "--no-window", "--json", "--model", TINY_MODEL, "--detector",
                              "none", ASTRONAUT_GRAY).json_lines()[0]
        shown = frame["faces"][0]["probabilities"]
        result = self.practise("--plan", f"{CLASSES[0]},{CLASSES[1]}", "--json")
        attempts = result.json_lines()
        self.assertEqual([a["expression"] for a in attempts], CLASSES[:2])
        for attempt in attempts:
            self.assertEqual(attempt["schema"], "mien.practice/1")
            self.assertAlmostEqual(attempt["score"], 100 * shown[attempt["expression"]], delta=0.1)
            self.assertEqual(attempt["reached"] is None, attempt["score"] < 50)
        self.assertIn(f"now: {CLASSES[0]}", result.err)
        self.assertIn("2 attempts", result.err)

    def test_a_record_grows_and_tells_the_progress(self):
        record = self.folder / "ann.jsonl"
        for _ in range(2):
            self.practise("--plan", CLASSES[0], "--repeat", "2", "--record", record, "--name", "Ann")
        lines = [json.loads(line) for line in record.read_text().splitlines()]
        self.assertEqual([(e["name"], e["expression"]) for e in lines], [("Ann", CLASSES[0])] * 4)
        with record.open("a") as out:
            out.write('{"broken off')  # as by a crash
        progress = self.run_mien("practice", "--progress", record)
        self.assertEqual(progress.status, DONE, progress.err)
        self.assertRegex(progress.out, rf"Ann +{CLASSES[0]} +4 ")

    def test_a_source_that_ends_too_early_is_said(self):
        result = self.practise("--plan", ",".join(CLASSES[:2]), seconds=2)
        self.assertIn("ended before the plan did", result.err)

    def test_wrong_usage(self):
        self.assertIn("no expression 'glad'", self.practise("--plan", "glad", status=USAGE).err)
        self.assertIn("--record", self.practise("--name", "Ann", status=USAGE).err)
        self.assertIn("longer than", self.practise("--hold", "2", status=USAGE).err)
        bad = self.write("bad.jsonl", "{}\n")
        self.assertIn("line 1", self.run_mien("practice", "--progress", bad).err)
        missing = self.practise("--record", self.folder / "no" / "r.jsonl", status=FAILED)
        self.assertIn("cannot add to the record", missing.err)


@unittest.skipUnless(shutil.which("Xvfb") and shutil.which("xdotool"),
                     "Xvfb and xdotool are not here")
class Window(PracticeTest):
    def test_the_window_shows_the_face_to_make_until_q(self):
        display = Display(self.folder)
        self.addCleanup(display.close)
        environment = {k: v for k, v in os.environ.items()
                       if k not in ("WAYLAND_DISPLAY", "LD_PRELOAD")}
        environment.update(MIEN_DATA=str(ROOT / "models"), DISPLAY=display.name,
                           SDL_VIDEODRIVER="x11", LSAN_OPTIONS="detect_leaks=0")
        with subprocess.Popen([PROGRAM, "practice", "--model", TINY_MODEL, "--detector", "none",
                               "--plan", "happy", "--try", "60", "--rest", "0", self.stay(20)],
                              stderr=subprocess.PIPE, env=environment) as process:
            number, place = display.window("mien practice")
            display.tell("windowfocus", "--sync", number)

            def yellow():
                rows = display.photograph(place)
                return sum(near(p, (255, 212, 89), 12) for row in rows[:80] for p in row[:80])

            self.assertGreater(wait_for(lambda: yellow() > 500 and yellow()), 500)
            display.tell("key", "--window", number, "q")
            _, err = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 0, err)
        self.assertIn(b"ended before the plan did", err)
