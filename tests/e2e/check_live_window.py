# SPDX-License-Identifier: Apache-2.0
"""The window of mien live, under Xvfb: photographed, and driven by its keys."""

import json
import os
import shutil
import signal
import struct
import subprocess
import time
import unittest

from check_live import LiveTest
from support import DONE, FAILED, PROGRAM, program_environment, read_png_rgb

SCREEN = (900, 700)
LINE = 28  # height of the status line
# Of the classes, and of what is unsure (src/cli/annotate.c).
COLOURS = [(214, 94, 0), (0, 158, 115), (204, 120, 166), (242, 230, 64), (0, 115, 179),
           (230, 158, 0), (87, 181, 232), (158, 158, 158)]


def wait_for(what, seconds=20):
    """The first true answer, asked for until then."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = what()
        if answer:
            return answer
        time.sleep(0.05)
    raise AssertionError("waited in vain")


class Display:
    """A screen of its own; photographs are its frame buffer, which Xvfb keeps in a file (XWD)."""

    def __init__(self, folder):
        reading, writing = os.pipe()
        self.process = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writing), "-fbdir", str(folder), "-noreset", "-nolisten",
             "tcp", "-screen", "0", "%dx%dx24" % SCREEN],
            pass_fds=[writing], stderr=subprocess.DEVNULL)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            self.name = ":" + pipe.readline().strip()
        self.buffer = folder / "Xvfb_screen0"

    def close(self):
        self.process.terminate()
        self.process.wait()

    def tell(self, *arguments):
        result = subprocess.run(["xdotool", *map(str, arguments)], capture_output=True, timeout=20,
                                env=dict(os.environ, DISPLAY=self.name))
        return result.stdout.decode().split()

    def window(self, name="mien live"):
        """Its number, and its place on the screen: x, y, width, height."""
        keys = ("X", "Y", "WIDTH", "HEIGHT")

        def look():
            found = self.tell("search", "--onlyvisible", "--name", name)
            told = self.tell("getwindowgeometry", "--shell", found[-1]) if found else []
            place = dict(item.split("=") for item in told if "=" in item)
            return all(key in place for key in keys) and (
                found[-1], tuple(int(place[key]) for key in keys))

        return wait_for(look)

    def photograph(self, place):
        """Rows of (red, green, blue) of a part of the screen."""
        data = self.buffer.read_bytes()
        header = struct.unpack(">25I", data[:100])
        start = header[0] + header[19] * 12  # header and colour map
        stride = header[12]
        x, y, width, height = place
        rows = []
        for row in range(y, y + height):
            at = start + row * stride + 4 * x
            line = data[at:at + 4 * width]
            rows.append(list(zip(line[2::4], line[1::4], line[0::4])))
        return rows


def near(colour, other, distance=25):
    return max(abs(a - b) for a, b in zip(colour, other)) <= distance


def is_marked(rows):
    """The share of pixels that have a colour of a box."""
    pixels = [p for row in rows for p in row if max(p) - min(p) > 40]
    return sum(any(near(p, c) for c in COLOURS) for p in pixels) / (len(rows) * len(rows[0]))


def words_in(rows):
    """How many pixels of a status line are bright."""
    return sum(min(p) > 150 for row in rows for p in row)


@unittest.skipUnless(shutil.which("Xvfb") and shutil.which("xdotool"),
                     "Xvfb and xdotool are not here")
class WindowTest(LiveTest):
    def setUp(self):
        super().setUp()
        self.display = Display(self.folder)
        self.addCleanup(self.display.close)
        self.here = self.folder / "here"
        self.here.mkdir()

    def open(self, *arguments, count=800):
        """Runs over a picture that stays, in a window; until the window is there."""
        environment = program_environment()
        environment.pop("WAYLAND_DISPLAY", None)
        # The drivers of the screen keep memory to the end.
        environment.update(DISPLAY=self.display.name, SDL_VIDEODRIVER="x11",
                           LSAN_OPTIONS="detect_leaks=0")
        self.lines = self.folder / "lines.json"
        self.process = subprocess.Popen(
            [PROGRAM, "live", "--json", *map(str, arguments), self.stay(count)],
            stdout=self.lines.open("wb"), stderr=subprocess.PIPE, env=environment, cwd=self.here)
        self.addCleanup(self.end)
        self.number, self.place = self.display.window()
        self.display.tell("windowfocus", "--sync", self.number)
        wait_for(lambda: self.count() >= 10)

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stderr.close()

    def count(self):
        return self.lines.read_bytes().count(b"\n")

    def press(self, key):
        self.display.tell("key", "--window", self.number, key)

    def line(self):
        x, y, width, height = self.place
        return self.display.photograph((x, y + height - LINE, width, LINE))

    def picture(self):
        x, y, width, height = self.place
        return self.display.photograph((x, y, width, height - LINE))

    def finish(self, status=DONE):
        _, err = self.process.communicate(timeout=30)
        self.assertEqual(self.process.returncode, status, err.decode())
        return err.decode()


class Showing(WindowTest):
    def test_picture_and_status_line(self):
        self.open()
        self.assertEqual(self.place[2:], (320, 284))  # 256 x 256 in the least width
        rows = self.picture()
        self.assertGreater(is_marked(rows), 0.001)
        self.assertTrue(all(near(row[5], (0, 0, 0)) for row in rows))  # beside the picture
        # The picture itself is grey, wherever nothing is drawn.
        self.assertGreater(sum(max(p) - min(p) < 5 for row in rows for p in row) /
                           (len(rows) * len(rows[0])), 0.9)
        self.assertGreater(words_in(self.line()), 100)
        self.press("q")
        self.assertRegex(self.finish(), r"^mien: \d+ frames in ")

    def test_plays_at_the_pace_of_the_file(self):
        begin = time.monotonic()
        self.open(count=40)
        self.finish()
        self.assertGreater(time.monotonic() - begin, 39 / 25)
        self.assertEqual(self.count(), 40)

    def test_can_be_resized(self):
        self.open()
        self.display.tell("windowsize", "--sync", self.number, 640, 480)
        _, self.place = self.display.window()
        self.assertEqual(self.place[2:], (640, 480))
        wait_for(lambda: words_in(self.line()) > 300)  # room for the keys
        rows = wait_for(lambda: self.picture())
        bright = [x for x in range(640) if any(max(row[x]) > 60 for row in rows)]
        self.assertAlmostEqual(bright[0], (640 - 452) / 2, delta=4)
        self.assertAlmostEqual(bright[-1], (640 + 452) / 2, delta=4)
        self.process.send_signal(signal.SIGTERM)
        self.finish()

    def test_escape_ends_the_run(self):
        self.open()
        self.press("Escape")
        self.finish()


class Keys(WindowTest):
    def test_pause(self):
        self.open()
        self.press("space")
        time.sleep(0.3)
        before, still = self.count(), self.picture()
        time.sleep(0.5)
        self.assertEqual((self.count(), self.picture()), (before, still))
        self.press("space")
        wait_for(lambda: self.count() > before + 5)
        self.press("space")
        time.sleep(0.2)
        self.process.send_signal(signal.SIGINT)  # is heard while it is paused
        self.finish()
        numbers = [json.loads(line)["frame"] for line in self.lines.read_text().splitlines()]
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)))

    def test_snapshots(self):
        self.open()
        self.press("s")
        first = wait_for(lambda: list(self.here.glob("snapshot-*.png")))[0]
        wait_for(lambda: words_in(self.line()) > 50)
        self.press("space")
        time.sleep(0.2)
        self.press("s")
        self.press("s")
        wait_for(lambda: len(list(self.here.iterdir())) == 3)
        self.press("q")
        err = self.finish()
        width, height, rows = read_png_rgb(first)
        self.assertEqual((width, height), (256, 256))
        self.assertGreater(is_marked([list(zip(r[::3], r[1::3], r[2::3])) for r in rows]), 0.001)
        self.assertEqual(err.count("mien: snapshot saved as ./snapshot-"), 3)

    def test_free_and_saving_mode(self):
        saved = self.folder / "saved"
        self.open("--save", saved, "--save-rate", 25)
        wait_for(lambda: len(list(saved.glob("*/*.png"))) > 3)
        self.press("m")
        time.sleep(0.4)
        before = len(list(saved.glob("*/*.png")))
        time.sleep(0.4)
        self.assertEqual(len(list(saved.glob("*/*.png"))), before)
        self.press("s")
        wait_for(lambda: list(saved.glob("snapshot-*.png")))
        self.press("m")
        wait_for(lambda: len(list(saved.glob("*/*.png"))) > before)
        self.press("q")
        self.assertRegex(self.finish(), r"faces were saved in")
        self.assertEqual(list(self.here.iterdir()), [])

    def test_free_mode_cannot_be_left_without_a_folder(self):
        self.open()
        self.press("m")
        time.sleep(0.3)
        self.press("q")
        self.finish()
        self.assertEqual(list(self.here.iterdir()), [])


class NoDisplay(LiveTest):
    def test_says_what_to_do(self):
        source = self.stay(3)
        for driver in ({}, {"SDL_VIDEODRIVER": "x11"}):
            result = self.run_mien("live", source, env={
                "DISPLAY": "", "WAYLAND_DISPLAY": "", "XDG_RUNTIME_DIR": str(self.folder),
                **driver})
            self.assertEqual((result.status, result.out), (FAILED, ""))
            self.assertRegex(result.err,
                             r"no display for a window .*; add --no-window to print only")
