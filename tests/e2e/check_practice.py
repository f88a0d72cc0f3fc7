# SPDX-License-Identifier: Apache-2.0
"""mien practice: prompts, scores, the record and its progress."""

import json
import os
import shutil
import subprocess
import time
import unittest

from check_live_window import Display, near, wait_for
from support import (ASTRONAUT_GRAY, CLASSES, DONE, FAILED, PROGRAM, TINY_MODEL, USAGE,
                     ProgramTest, program_environment)

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


class Opened:
    """The program in a window of its own screen."""

    def __init__(self, test, title, arguments):
        self.display = Display(test.folder)
        test.addCleanup(self.display.close)
        environment = program_environment()
        environment.pop("WAYLAND_DISPLAY", None)
        environment.update(DISPLAY=self.display.name, SDL_VIDEODRIVER="x11",
                           LSAN_OPTIONS="detect_leaks=0")
        self.out, self.err = test.folder / "out.txt", test.folder / "err.txt"
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.process = subprocess.Popen([PROGRAM, *map(str, arguments)], stdout=out,
                                            stderr=err, env=environment)
        test.addCleanup(self.end)
        self.number, self.place = self.display.window(title)
        self.display.tell("windowfocus", "--sync", self.number)

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def press(self, key):
        self.display.tell("key", "--window", self.number, key)

    def says(self, words):
        wait_for(lambda: words in self.err.read_text())

    def finish(self):
        return self.process.wait(timeout=30), self.err.read_text()

    def yellow(self):
        """How much is seen of the face to make; none of it behind the glass of a pause."""
        x, y, width, _ = self.place
        rows = self.display.photograph((x, y, width, 80))
        return sum(near(p, (255, 212, 89), 12) for row in rows for p in row)


def needs_a_screen(test):
    return unittest.skipUnless(shutil.which("Xvfb") and shutil.which("xdotool"),
                               "Xvfb and xdotool are not here")(test)


@needs_a_screen
class Window(PracticeTest):
    def open(self, *arguments):
        return Opened(self, "mien practice",
                      ["practice", "--detector", "none", "--plan", "happy", "--rest", "0",
                       *arguments, self.stay(60)])

    def test_the_window_shows_the_face_to_make_until_q(self):
        window = self.open("--try", "60")
        self.assertGreater(wait_for(lambda: window.yellow() > 500 and window.yellow()), 500)
        window.press("q")
        status, err = window.finish()
        self.assertEqual(status, DONE, err)
        self.assertIn("ended before the plan did", err)

    def test_space_stops_the_time_and_the_score(self):
        """The run takes as much longer as the pause, and its attempt is scored after that."""
        attempt_s, pause_s = 12, 4
        begun = time.monotonic()
        window = self.open("--try", attempt_s, "--json")
        wait_for(lambda: window.yellow() > 500)
        window.press("space")
        window.says("paused; space goes on")
        wait_for(lambda: window.yellow() == 0)
        time.sleep(pause_s)
        self.assertEqual(window.out.read_text(), "")
        window.press("space")
        window.says("it goes on")
        status, err = window.finish()
        self.assertEqual(status, DONE, err)
        self.assertGreater(time.monotonic() - begun, attempt_s + pause_s - 0.5)
        attempt, = (json.loads(line) for line in window.out.read_text().splitlines())
        self.assertEqual(attempt["expression"], "happy")
        self.assertNotIn("ended before", err)
