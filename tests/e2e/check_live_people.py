# SPDX-License-Identifier: Apache-2.0
"""mien live: who is who when people cross, leave and come back. Two clips of two people each, cut up
and put together with FFmpeg."""

import shutil
import unittest

from check_live import LiveTest
from check_live_video import ffmpeg
from support import shared

# The two people of a clip, each with a part of the wall, as [woman] and [man].
APART = ("[0:v]fps=12,format=rgb24,split[a][b];[a]crop=200:270:0:0[woman];"
         "[b]crop=200:270:250:0[man];")
# The same in front of grey: the woman walks right behind the man, who walks left; {way} from 0 to 1
# at time t.
WALKING = (APART + "[woman]split[under][w];[under]pad=720:270,drawbox=c=gray:t=fill[wall];"
           "[wall][w]overlay=x='520*({way})':eval=frame[one];"
           "[one][man]overlay=x='520-520*({way})':eval=frame")
# A clip, five seconds of nothing, and another clip.
EMPTY = "color=black:size=480x270:rate=12:duration=5,format=rgb24[empty];"
BETWEEN = EMPTY + ("[0:v]fps=12,format=rgb24[a];[1:v]fps=12,format=rgb24{change}[b];"
                   "[a][empty][b]concat=n=3")
SWAPPED = ",split[c][d];[c]crop=iw/2:ih:0:0[l];[d]crop=iw/2:ih:iw/2:0[r];[r][l]hstack"


@unittest.skipUnless(shutil.which("ffmpeg"), "ffmpeg is not here")
class People(LiveTest):
    def setUp(self):
        super().setUp()
        self.video = self.folder / "people.mkv"

    def make(self, graph, *names):
        inputs = [part for name in names for part in ("-i", shared("samples/" + name))]
        ffmpeg(*inputs, "-filter_complex", graph, "-c:v", "ffv1", self.video)

    def run_yunet(self, *options):
        detector = shared("weights/face_detection_yunet_2023mar.onnx")
        return self.live("--json", "--every", 3, "--detector", detector, *options, self.video)

    def ids(self, *options):
        """What ids the frames have from left to right, in their order, without repetitions."""
        seen = []
        for frame in self.run_yunet(*options).json_lines():
            tracks = [f["track"] for f in frame["faces"]]
            known = [t for t in tracks if t is not None]
            self.assertEqual(len(known), len(set(known)))
            if tracks and None not in tracks and (not seen or seen[-1] != tracks):
                seen.append(tracks)
        return seen

    def test_one_walks_behind_the_other(self):
        self.make(WALKING.format(way="min(1,pow(t/3.8,2))"), "two-people.gif")
        ids = self.ids()
        self.assertEqual(([1, 2], [2, 1]), (ids[0], ids[-1]))
        self.assertEqual({i for frame in ids for i in frame}, {1, 2})

    def test_they_meet_and_turn_back(self):
        self.make(WALKING.format(way="0.5-abs(0.5-t/4.6)"), "two-people.gif")
        ids = self.ids()
        self.assertEqual(([1, 2], [1, 2]), (ids[0], ids[-1]))
        self.assertEqual({i for frame in ids for i in frame}, {1, 2})

    def test_back_in_each_others_places(self):
        self.make(BETWEEN.format(change=SWAPPED), "two-people.gif", "two-people.gif")
        self.assertEqual(self.ids(), [[1, 2], [2, 1]])
        self.assertEqual(self.ids("--remember", 4), [[1, 2], [3, 4]])

    def test_a_face_at_rest_is_remembered_too(self):
        self.make(BETWEEN.format(change=""), "two-people.gif", "two-people.gif")
        neutral = []
        for seconds in (30, 4):
            frames = self.run_yunet("--baseline", 1, "--smooth", 0, "--remember",
                                    seconds).json_lines()
            neutral.append(next(f["faces"][0]["probabilities"]["neutral"] for f in frames
                                if f["time"] > 6 and f["faces"] and f["faces"][0]["track"]))
        self.assertGreater(neutral[0], neutral[1] + 0.2)  # 0.9 but for the limits; not yet recorded

    def test_others_come(self):
        self.make(BETWEEN.format(change=""), "two-people.gif", "walking.gif")
        self.assertEqual(self.ids(), [[1, 2], [3, 4]])

    def test_threads_change_nothing(self):
        self.make(BETWEEN.format(change=""), "walking.gif", "walking.gif")
        first = self.run_yunet()
        self.assertIn("2 people", first.err)
        self.assertEqual(first.out_bytes, self.run_yunet("--one-thread").out_bytes)


class Refusals(LiveTest):
    def test_times_that_are_none(self):
        for value in ("-1", "nan", "long"):
            self.fail_with(f"--remember is '{value}'", "live", "--remember", value, "a.mp4",
                           status=2)
