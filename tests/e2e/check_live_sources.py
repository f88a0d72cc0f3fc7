# SPDX-License-Identifier: Apache-2.0
"""mien live on streams, screens, raw frames and broken videos. ffmpeg and Xvfb play the other side;
without them their tests are skipped."""

import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
import unittest

from check_live import LiveTest
from rtsp_server import RtspServer
from support import (ASTRONAUT_GRAY, DONE, FAILED, PROGRAM, ROOT, TINY_MODEL, USAGE,
                     astronaut_gray, crop)

LONGEST_S = 40  # for anything to happen on a busy machine


def need(program):
    if shutil.which(program) is None:
        raise unittest.SkipTest(f"{program} is not here")
    return program


def free_port(kind):
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Running:
    """mien live while it runs: its frames and its words as they come."""

    def __init__(self, *arguments, **options):
        environment = dict(os.environ, MIEN_MODEL=str(TINY_MODEL), MIEN_DATA=str(ROOT / "models"))
        environment.pop("LD_PRELOAD", None)
        environment.update(options.pop("env", {}))
        self.process = subprocess.Popen(
            [PROGRAM, "live", "--no-window", "--json", *map(str, arguments)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, **options)
        self.frames, self.words = [], []
        self.readers = [threading.Thread(target=self.read, args=(self.process.stdout, self.take)),
                        threading.Thread(target=self.read, args=(self.process.stderr, self.hear))]
        for reader in self.readers:
            reader.start()

    def read(self, file, take):
        for line in file:
            take(line)

    def take(self, line):
        self.frames.append(json.loads(line))

    def hear(self, line):
        self.words.append(line.decode().rstrip())

    def wait(self, what):
        """Until what() is true or the program has ended."""
        end = time.monotonic() + LONGEST_S
        while not what() and self.process.poll() is None and time.monotonic() < end:
            time.sleep(0.02)
        if not what():
            self.stop()
            raise AssertionError(f"{len(self.frames)} frames, {self.words}")

    def wait_for_frames(self, count):
        wanted = len(self.frames) + count
        self.wait(lambda: len(self.frames) >= wanted)

    def wait_for_words(self, words):
        self.wait(lambda: any(words in line for line in self.words))

    def stop(self, number=signal.SIGINT):
        """The exit status; the program must end by itself after the signal."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            self.process.wait(LONGEST_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for reader in self.readers:
            reader.join()
        self.process.stdout.close()
        self.process.stderr.close()
        return self.process.returncode


class SourceTest(LiveTest):
    def begin(self, *arguments, **options):
        running = Running(*arguments, **options)
        self.addCleanup(lambda: running.process.poll() is None and running.stop(signal.SIGKILL))
        return running

    def play(self, *arguments):
        """ffmpeg in the background."""
        process = subprocess.Popen([need("ffmpeg"), "-loglevel", "quiet", "-nostdin",
                                    *map(str, arguments)], stdin=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def make(self, name, *arguments):
        path = self.folder / name
        subprocess.run([need("ffmpeg"), "-loglevel", "error", "-nostdin", *map(str, arguments),
                        str(path)], check=True, stdin=subprocess.DEVNULL)
        return path


class Streams(SourceTest):
    def serve(self, *where):
        return self.play("-re", "-loop", 1, "-framerate", 25, "-i", ASTRONAUT_GRAY, "-c:v",
                         "mpeg2video", "-g", 5, "-pix_fmt", "yuv420p", "-flush_packets", 1, "-f",
                         "mpegts", *where)

    def rising(self, frames):
        times = [frame["time"] for frame in frames]
        self.assertEqual(times, sorted(set(times)))
        numbers = [frame["frame"] for frame in frames]
        self.assertEqual(numbers, sorted(set(numbers)))

    def test_udp_server_that_comes_back(self):
        address = f"udp://127.0.0.1:{free_port(socket.SOCK_DGRAM)}?pkt_size=1316"
        server = self.serve(address)
        running = self.begin("--every", 4, address)
        running.wait_for_frames(10)
        server.kill()
        server.wait()
        self.serve(address)
        running.wait_for_frames(10)
        self.assertEqual(running.stop(), DONE)
        self.rising(running.frames)
        self.assertRegex(running.words[-1 - ("corrupt" in running.words[-1])],
                         r"^mien: \d+ frames in .* a second; \d+ (person|people); "
                         r"\d+ dropped, half within \d+ ms of their arrival$")

    def test_http_server_that_comes_back(self):
        address = f"http://127.0.0.1:{free_port(socket.SOCK_STREAM)}/live.ts"
        server = self.serve("-listen", 1, address)
        time.sleep(0.5)
        running = self.begin("--every", 4, address)
        running.wait_for_frames(5)
        server.kill()
        server.wait()
        running.wait_for_words("trying again in 1 s")
        self.serve("-listen", 1, address)
        running.wait_for_words("it is back")
        running.wait_for_frames(5)
        self.assertEqual(running.stop(signal.SIGTERM), DONE)
        self.rising(running.frames)

    def test_rtsp_server_that_comes_back(self):
        film = self.make("film.ts", "-loop", 1, "-framerate", 25, "-i", ASTRONAUT_GRAY, "-t", 4,
                         "-c:v", "mpeg2video", "-g", 5, "-pix_fmt", "yuv420p").read_bytes()
        server = RtspServer(film, 4)
        self.addCleanup(server.stop)
        running = self.begin("--every", 4, f"rtsp://127.0.0.1:{server.port}/camera")
        running.wait_for_frames(5)
        server.stop()
        running.wait_for_words("trying again in 1 s")
        again = RtspServer(film, 4, server.port)
        self.addCleanup(again.stop)
        running.wait_for_words("it is back")
        running.wait_for_frames(5)
        self.assertEqual(running.stop(), DONE)
        self.rising(running.frames)

    def test_nobody_is_there(self):
        address = f"http://127.0.0.1:{free_port(socket.SOCK_STREAM)}/live.ts"
        result = self.live("--json", address, status=FAILED)
        self.assertRegex(result.err, rf"^mien: {address}: nothing that can be read is there: ")


class Screens(SourceTest):
    def test_screen(self):
        display = f":{200 + os.getpid() % 1000}"
        server = subprocess.Popen([need("Xvfb"), display, "-screen", "0", "320x240x24"],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        end = time.monotonic() + LONGEST_S
        while not os.path.exists(f"/tmp/.X11-unix/X{display[1:]}") and time.monotonic() < end:
            time.sleep(0.05)
        running = self.begin("--rate", 20, "--size", "160x120", "screen:",
                             env={"DISPLAY": display})
        running.wait_for_frames(5)
        self.assertEqual(running.stop(), DONE)
        frame = running.frames[0]
        self.assertEqual((frame["width"], frame["height"], frame["faces"]), (160, 120, []))

    def test_what_is_not_here(self):
        for message, source in (("there is no camera '/dev/video987'", "/dev/video987"),
                                ("screen::4321: the screen cannot be read", "screen::4321"),
                                ("DISPLAY is not set", "screen:")):
            result = self.live(source, status=FAILED, env={"DISPLAY": ""})
            self.assertRegex(result.err, message)


class Raw(SourceTest):
    """Raw frames on standard input."""

    def walk_bytes(self):
        return [crop(astronaut_gray(), 3 * i, 0, 200, 200)[2] for i in range(9)]

    def test_the_same_as_a_file(self):
        pictures = self.frames(self.walk())
        raw = self.frames("--raw", "200x200:gray", "-", input=b"".join(self.walk_bytes()))
        self.assertEqual([f.pop("source") for f in raw], ["-"] * 9)
        for frame in pictures:
            del frame["source"]
        self.assertEqual(raw, pictures)

    def test_half_a_frame_at_the_end(self):
        data = b"".join(self.walk_bytes())[:-20000]
        self.assertIn(len(self.frames("--raw", "200x200:gray@5", "-", input=data)), (8, 9))

    def test_silence_is_told_and_can_be_ended(self):
        running = self.begin("--raw", "200x200:gray@25", "-", stdin=subprocess.PIPE)
        running.process.stdin.write(b"".join(self.walk_bytes()[:4]))
        running.process.stdin.flush()
        running.wait_for_frames(1)
        running.wait_for_words("- has sent nothing for 5 s")
        begin = time.monotonic()
        self.assertEqual(running.stop(), DONE)
        self.assertLess(time.monotonic() - begin, 5)
        running.process.stdin.close()

    def test_wrong_usage(self):
        for message, arguments in {
                r"raw frames are '200', not WIDTHxHEIGHT": ["--raw", "200", "-"],
                r"no pixel format 'nothing'": ["--raw", "2x2:nothing", "-"],
                r"the rate is not": ["--raw", "2x2@0", "-"],
                r"--size is '5'": ["--size", "5", "-"],
                r"--rate is '0'": ["--rate", "0", "-"]}.items():
            self.fail_with(message, "live", "--no-window", *arguments, status=USAGE)


class Played(SourceTest):
    def test_a_file_at_its_own_pace(self):
        begin = time.monotonic()
        result = self.live("--json", "--live", "--every", 3, self.walk())
        self.assertGreater(time.monotonic() - begin, 8 / 25)
        self.assertRegex(result.err, r"^mien: \d frames .*; \d dropped, half within \d+ ms of "
                                     r"their arrival\n$")
        frames = result.json_lines()
        for frame in frames:
            self.assertAlmostEqual(frame["time"], (frame["frame"] - 1) / 25, delta=1e-6)

    def test_rate(self):
        walk = self.walk()
        times = [f["time"] for f in self.frames("--live", "--rate", 5, walk)]
        self.assertEqual(times, [0, 0.2])
        self.assertRegex(self.live("--rate", 5, walk, status=FAILED).err, "is a file")


class Broken(SourceTest):
    def film(self, name, *arguments, frames=12, codec="mpeg4"):
        return self.make(name, "-loop", 1, "-framerate", 25, "-i", ASTRONAUT_GRAY, "-frames:v",
                         frames, "-c:v", codec, "-q:v", 2, *arguments)

    def test_ten_hours_forward(self):
        film = self.film("jump.mkv", "-vf", "setpts='PTS+if(gte(N,4),36000/TB,0)'", "-fps_mode",
                         "passthrough", codec="mjpeg", frames=8)
        for options in ([], ["--live"]):
            frames = self.frames(*options, film)
            self.assertEqual(len(frames), 8)  # so many may wait, so none is dropped live either
            for i, frame in enumerate(frames):
                self.assertAlmostEqual(frame["time"], i / 25 + (36000 if i >= 4 else 0), delta=2e-3)
            if options:
                continue  # how often faces are looked for depends on the machine
            ids = [f["faces"][0]["track"] for f in frames]
            self.assertEqual(ids, [None, None, 1, 1, None, None, 2, 2])

    def test_a_damaged_middle(self):
        film = self.film("damaged.ts", "-g", 5, frames=60)
        data = bytearray(film.read_bytes())
        for at in range(len(data) // 3, len(data) // 3 + 6000):
            data[at] = data[at] * 7 + 13 & 255
        film.write_bytes(data)
        frames = self.frames("--detector", "none", film)
        self.assertGreater(len(frames), 30)
        self.assertLess(len(frames), 61)

    def test_cut_off(self):
        film = self.film("cut.mkv", frames=40)
        film.write_bytes(film.read_bytes()[:-film.stat().st_size // 2])
        self.assertGreater(len(self.frames("--detector", "none", film)), 5)
