# SPDX-License-Identifier: Apache-2.0
"""mien live --annotate: the video that is written, decoded again."""

import json
import os
import resource
import shutil
import signal
import subprocess
import unittest

from check_live import LiveTest
from support import ASTRONAUT_GRAY, DONE, FAILED, PROGRAM, USAGE, program_environment

FRAMES = 25


def ffmpeg(*arguments):
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *map(str, arguments)], check=True,
                   stdin=subprocess.DEVNULL, timeout=50)


def packets(path, kind):
    """The packets of a video (v) or sound (a): [{"pts_time", "data_hash", ...}], in their order."""
    result = subprocess.run(["ffprobe", "-v", "error", "-select_streams", kind, "-show_packets",
                             "-show_data_hash", "md5", "-of", "json", str(path)],
                            capture_output=True, check=True, timeout=50)
    return json.loads(result.stdout).get("packets", [])


def times(path):
    return [float(p["pts_time"]) for p in packets(path, "v")]


def tone(path):
    """The packets of sound, without those before time 0, which only warm a decoder up."""
    return [p for p in packets(path, "a") if float(p["pts_time"]) > -1e-6]


def sound_of(path):
    return [p["data_hash"] for p in tone(path)]


@unittest.skipUnless(shutil.which("ffmpeg"), "ffmpeg is not here")
class VideoTest(LiveTest):
    def setUp(self):
        super().setUp()
        self.marked = self.folder / "marked.mp4"

    def clip(self, name, sound=("-c:a", "aac"), frames=FRAMES, size=None, video=()):
        """A face with a tone; from the tenth frame on at a tenth of a second each."""
        path = self.folder / name
        filters = "setpts='if(lt(N,10),N*0.04,0.36+(N-9)*0.1)/TB'"
        if size:
            filters += f",pad={size}"
        length = 0.4 + (frames - 10) * 0.1
        tone = ["-f", "lavfi", "-i", f"sine=440:duration={length}"] if sound else []
        ffmpeg("-loop", 1, "-i", ASTRONAUT_GRAY, *tone, "-frames:v", frames, "-vf", filters,
               "-vsync", "vfr", "-c:v", "mpeg4", "-q:v", 2, *video, *sound, path)
        return path

    def annotate(self, source, *arguments, **options):
        return self.live("--json", "--annotate", self.marked, *arguments, source, **options)

    def decode(self, path, number, width, height):
        """The RGB bytes of one frame."""
        raw = self.folder / "frame.rgb"
        ffmpeg("-i", path, "-vf", f"select=eq(n\\,{number})", "-frames:v", 1, "-f", "rawvideo",
               "-pix_fmt", "rgb24", raw)
        data = raw.read_bytes()
        self.assertEqual(len(data), width * height * 3)
        return data


class Contents(VideoTest):
    def test_times_and_sound_are_those_of_the_source(self):
        for name, precision in (("marked.mp4", 1e-4), ("marked.mkv", 6e-4), ("marked.mov", 1e-4)):
            self.marked = self.folder / name
            source = self.clip("clip.mp4")
            frames = self.annotate(source).json_lines()
            self.assertEqual(len(frames), FRAMES)
            got = times(self.marked)
            self.assertEqual(len(got), FRAMES)
            for frame, time_s in zip(frames, got):
                self.assertAlmostEqual(frame["time"], time_s, delta=precision)
            # What mien reads again says the same.
            again = self.frames(self.marked)
            self.assertEqual([f["time"] for f in again], [round(t, 6) for t in got])
            self.assertEqual(sound_of(self.marked), sound_of(source))
            self.assertGreater(len(tone(source)), 50)
            for one, other in zip(tone(self.marked), tone(source)):
                self.assertAlmostEqual(float(one["pts_time"]), float(other["pts_time"]),
                                       delta=precision)

    def test_a_box_around_the_face(self):
        source = self.clip("clip.mp4")
        frame = self.annotate(source).json_lines()[20]
        face, = frame["faces"]
        x, y, width, height = (round(v) for v in face["box"])
        before, after = (self.decode(path, 20, 256, 256) for path in (source, self.marked))

        def change(column, row):
            at = 3 * (row * 256 + column)
            return max(abs(before[at + i] - after[at + i]) for i in range(3))

        middle_x, middle_y = x + width // 2, y + height // 2
        border = [max(change(x + d, middle_y) for d in (-1, 0, 1)),
                  max(change(x + width + d, middle_y) for d in (-1, 0, 1)),
                  max(change(middle_x, y + height + d) for d in (-1, 0, 1))]
        self.assertGreater(min(border), 40)
        self.assertLess(sum(change(x + 10 + i, middle_y) for i in range(40)) / 40, 12)
        self.assertLess(sum(change(i, 250) for i in range(256)) / 256, 12)

    def test_odd_sizes_lose_a_row_and_a_column(self):
        source = self.clip("clip.mkv", size="257:259", sound=(), video=("-c:v", "ffv1"))
        self.assertEqual(self.annotate(source).json_lines()[0]["width"], 257)
        self.decode(self.marked, 0, 256, 258)

    def test_sound_that_does_not_fit(self):
        source = self.clip("clip.mkv", sound=("-c:a", "flac"))
        pcm = self.clip("clip.mov", sound=("-c:a", "pcm_s16le"))
        self.annotate(source)
        self.assertEqual(sound_of(self.marked), sound_of(source))
        err = self.annotate(pcm, "--force").err
        self.assertRegex(err, r"marked\.mp4 has no sound: pcm_s16le does not fit .*\.mkv keeps it")
        self.assertEqual((len(times(self.marked)), sound_of(self.marked)), (FRAMES, []))
        self.marked = self.folder / "marked.mkv"
        self.assertNotIn("sound", self.annotate(pcm).err)
        self.assertEqual(sound_of(self.marked), sound_of(pcm))

    def test_sound_from_a_transport_stream(self):
        source = self.clip("clip.ts", frames=40)
        self.annotate(source)
        self.assertEqual(len(times(self.marked)), 40)
        self.assertEqual(len(sound_of(self.marked)), len(sound_of(source)))
        ffmpeg("-i", self.marked, "-f", "null", "-")

    def test_standard_input_has_no_sound(self):
        source = self.clip("clip.mkv")
        with open(source, "rb") as stream:
            err = self.annotate("-", stdin=stream).err
        self.assertIn("has no sound: that of a stream is not kept", err)
        self.assertEqual((len(times(self.marked)), sound_of(self.marked)), (FRAMES, []))

    def test_a_clock_that_jumps(self):
        """Ten hours are a gap of 40 ms in the video."""
        source = self.folder / "jump.mkv"
        ffmpeg("-loop", 1, "-i", ASTRONAUT_GRAY, "-frames:v", 20, "-vf",
               "setpts='(N*0.04+gte(N,10)*36000)/TB'", "-vsync", "vfr", "-c:v", "mjpeg", source)
        frames = self.annotate(source).json_lines()
        self.assertGreater(frames[-1]["time"], 36000)
        for i, time_s in enumerate(times(self.marked)):
            self.assertAlmostEqual(time_s, i * 0.04, delta=1e-3)

    def test_all_outputs_together(self):
        source = self.clip("clip.mp4")
        alone = self.live("--json", source).out
        result = self.annotate(source, "--save", self.folder / "faces")
        self.assertEqual(result.out, alone)
        self.assertEqual(len(times(self.marked)), FRAMES)
        self.assertIn("faces were saved", result.err)

    def test_runs_write_the_same_bytes(self):
        source = self.clip("clip.mp4")
        self.annotate(source)
        first = self.marked.read_bytes()
        self.annotate(source, "--force")
        self.assertEqual(self.marked.read_bytes(), first)


class Files(VideoTest):
    def test_nothing_is_written_over(self):
        source = self.clip("clip.mp4")
        before = source.read_bytes()
        self.write("marked.mp4", "mine")
        err = self.annotate(source, status=FAILED).err
        self.assertRegex(err, r"'.*marked\.mp4' is there already; .* --force")
        self.assertEqual(self.marked.read_text(), "mine")
        self.annotate(source, "--force")
        self.assertEqual(len(times(self.marked)), FRAMES)
        self.marked = source
        self.assertIn("is the video that is read", self.annotate(source, "--force",
                                                                 status=FAILED).err)
        self.marked = self.folder / "link.mp4"
        os.symlink(source, self.marked)
        self.assertIn("is the video that is read", self.annotate(source, "--force",
                                                                 status=FAILED).err)
        self.assertEqual(source.read_bytes(), before)

    def test_what_cannot_be_written(self):
        source = self.stay(3)
        for name, message in (("a.avi", r"must end in \.mp4, \.mov or \.mkv"),
                              ("no/a.mp4", r"cannot make '.*no/a\.mp4': No such file")):
            self.marked = self.folder / name
            result = self.annotate(source, status=FAILED)
            self.assertRegex(result.err, message)
            self.assertFalse(self.marked.exists())
        self.fail_with("--force needs --annotate", "live", "--no-window", "--force", source,
                       status=USAGE)

    def test_no_frame_no_file(self):
        broken = self.write("broken.mp4", "no video")
        self.annotate(broken, status=FAILED)
        self.assertFalse(self.marked.exists())

    def test_a_full_disk(self):
        """Stands for it: no file may grow over 20000 bytes."""
        source = self.clip("clip.mp4")
        result = self.annotate(source, status=FAILED, restore_signals=False, preexec_fn=lambda: (
            resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))))
        self.assertEqual(len(result.json_lines()), FRAMES)
        self.assertEqual(result.err.count("the annotated video ends at"), 1)
        self.assertIn("File too large", result.err)
        self.assertLessEqual(self.marked.stat().st_size, 20000)


class Stopping(VideoTest):
    def stop(self, number, name):
        """Ends a run over a long clip in its middle; the times that were printed."""
        self.marked = self.folder / name
        source = self.folder / "clip.mp4"
        if not source.exists():
            self.clip("clip.mp4", frames=300)
        with subprocess.Popen([PROGRAM, "live", "--no-window", "--json", "--annotate", self.marked,
                               source], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=program_environment()) as process:
            lines = [process.stdout.readline() for _ in range(60)]
            process.send_signal(number)
            rest, err = process.communicate(timeout=50)
        lines += [line for line in rest.splitlines(True) if line.endswith(b"\n")]
        self.assertLess(len(lines), 300)
        self.assertEqual(process.returncode, DONE if number != signal.SIGKILL else -number,
                         err.decode())
        return source, [json.loads(line)["time"] for line in lines]

    def test_terminated_in_the_middle(self):
        for name in ("marked.mp4", "marked.mkv"):
            source, printed = self.stop(signal.SIGTERM, name)
            got = times(self.marked)
            self.assertEqual(len(got), len(printed))
            self.assertAlmostEqual(got[-1], printed[-1], delta=1e-3)
            ffmpeg("-xerror", "-i", self.marked, "-f", "null", "-")
            sound = sound_of(self.marked)
            self.assertEqual(sound, sound_of(source)[:len(sound)])
            ends = float(packets(self.marked, "a")[-1]["pts_time"])
            self.assertAlmostEqual(ends, printed[-1], delta=0.1)

    def test_interrupted_in_the_middle(self):
        _, printed = self.stop(signal.SIGINT, "marked.mov")
        self.assertEqual(len(times(self.marked)), len(printed))

    def test_killed_in_the_middle(self):
        for name in ("marked.mp4", "marked.mkv"):
            source, printed = self.stop(signal.SIGKILL, name)
            got = times(self.marked)
            self.assertGreater(got[-1], printed[-1] - 1)
            for one, other in zip(got, printed):
                self.assertAlmostEqual(one, other, delta=1e-3)
            sound = sound_of(self.marked)
            self.assertEqual(sound, sound_of(source)[:len(sound)])
            self.assertGreater(float(packets(self.marked, "a")[-1]["pts_time"]), printed[-1] - 1.1)
            self.assertGreaterEqual(len(self.frames(self.marked)), len(got) - 1)
