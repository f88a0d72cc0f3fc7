# SPDX-License-Identifier: Apache-2.0
"""mien live --save: pictures of faces and tables in a folder for each expression, within limits."""

import csv
import resource

from check_live import LiveTest
from support import CLASSES, FAILED, TINY_MODEL, USAGE, astronaut_gray, read_png_rgb

FRAMES = 45  # at 25 a second; the person of the picture has an id from the third on


class SaveTest(LiveTest):
    def setUp(self):
        super().setUp()
        self.saved = self.folder / "saved"

    def save(self, *arguments, frames=FRAMES, **options):
        """Runs over a picture that stays; the frames that were printed, and standard error."""
        source = self.folder / "stay" / "%05d.pgm"
        if not source.parent.exists():
            self.stay(frames)
        result = self.live("--json", "--save", self.saved, *arguments, source, **options)
        return result.json_lines(), result.err

    def pictures(self):
        return sorted(self.saved.glob("*/*.png"))

    def rows(self):
        tables = sorted(self.saved.glob("*/*.csv"))
        return [dict(row, folder=table.parent.name) for table in tables
                for row in csv.DictReader(table.read_text().splitlines())]


class Faces(SaveTest):
    def test_two_pictures_a_second_of_a_person(self):
        frames, err = self.save()
        rows = self.rows()
        # The first at 0.08 s, the next ones with the first frames after 0.5 s more.
        self.assertEqual([row["frame"] for row in rows], ["3", "16", "29", "42"])
        self.assertIn(f"mien: 4 faces were saved in '{self.saved}', 0 not saved\n", err)
        self.assertEqual([p.name for p in self.pictures()], [row["picture"] for row in rows])
        for row in rows:
            frame = frames[int(row["frame"]) - 1]
            face, = frame["faces"]
            self.assertEqual(row["folder"], face["expression"])
            self.assertEqual((row["source"], row["track"]), (frame["source"], "1"))
            self.assertEqual(float(row["time"]), frame["time"])
            self.assertEqual([float(row[k]) for k in ("x", "y", "width", "height")], face["box"])
            self.assertEqual([float(row[name]) for name in CLASSES],
                             [face["probabilities"][name] for name in CLASSES])

    def test_a_picture_is_the_box_with_its_margin(self):
        frames, _ = self.save(frames=3)
        x, y, width, height = frames[2]["faces"][0]["box"]
        saved_width, saved_height, rows = read_png_rgb(self.pictures()[0])
        left, top = int(x - 0.2 * width), int(y - 0.2 * height)
        self.assertAlmostEqual(saved_width, 1.4 * width, delta=2)
        self.assertAlmostEqual(saved_height, 1.4 * height, delta=2)
        full_width, _, pixels = astronaut_gray()
        for i, row in enumerate(rows):
            start = (top + i) * full_width + left
            for channel in range(3):
                self.assertEqual(row[channel::3], pixels[start:start + saved_width])

    def test_the_rate_is_the_users(self):
        self.save("--save-rate", 25)
        self.assertEqual(len(self.pictures()), FRAMES - 2)
        self.saved = self.folder / "seldom"
        self.save("--save-rate", 0.5)
        self.assertEqual(len(self.pictures()), 1)

    def test_faces_that_were_only_expected_are_not_saved(self):
        frames, _ = self.save("--save-rate", 25, "--every", 2)
        predicted = {str(f["frame"]) for f in frames if any(p["predicted"] for p in f["faces"])}
        kept = {row["frame"] for row in self.rows()}
        self.assertTrue(predicted and kept)
        self.assertFalse(predicted & kept)

    def test_two_runs_into_one_folder(self):
        self.save(frames=5)
        before = {p: p.read_bytes() for p in self.saved.glob("*/*")}
        self.save()
        self.assertEqual(len(self.pictures()), 2)
        self.assertEqual({p: p.read_bytes() for p in before}, before)

    def test_free_mode_stores_nothing(self):
        here = self.folder / "here"
        here.mkdir()
        self.live("--json", self.stay(9), cwd=here)
        self.assertEqual(list(here.iterdir()), [])

    def test_names_of_classes_stay_below_the_folder(self):
        names = ["../" * i + "/etc" for i in range(len(CLASSES))]
        sidecar = self.write("odd.mien", "mien.classes = " + ",".join(names) + "\n")
        self.save("--model", TINY_MODEL, "--sidecar", sidecar, frames=5)
        picture, = self.pictures()
        self.assertRegex(picture.parent.name, r"^[_]*_etc$")
        outside = {p.name for p in self.folder.iterdir()}
        self.assertEqual(outside, {"saved", "stay", "odd.mien"})


class Limits(SaveTest):
    def size(self):
        return sum(p.stat().st_size for p in self.saved.glob("**/*") if p.is_file())

    def test_quota(self):
        frames, err = self.save("--save-rate", 25, "--save-quota", 0.05)
        self.assertEqual(len(frames), FRAMES)
        self.assertEqual(err.count("no more faces are saved"), 1)
        self.assertIn("'%s' holds the 0.05 MB that it may" % self.saved, err)
        count = len(self.pictures())
        self.assertGreater(count, 0)
        self.assertLessEqual(self.size(), 50000)
        self.assertRegex(err, rf"{count} faces? (was|were) saved .* {FRAMES - 2 - count} not saved")
        self.assertEqual(len(self.rows()), count)

    def test_the_quota_counts_what_was_there(self):
        self.write("saved/old/face.png", bytes(1000000))
        _, err = self.save("--save-quota", 1)
        self.assertEqual(len(self.pictures()), 1)
        self.assertIn("mien: 0 faces were saved", err)

    def test_wrong_usage(self):
        for message, arguments in {
                "need --save DIR": ["--save-rate", 1],
                "need --save DIR ": ["--save-quota", 1],
                "--save-rate is '0'": ["--save", "a", "--save-rate", 0],
                "--save-quota is '-1'": ["--save", "a", "--save-quota", -1]}.items():
            self.fail_with(message.strip(), "live", "--no-window", *arguments, "a.mp4",
                           status=USAGE)


class Failures(SaveTest):
    def test_a_folder_that_cannot_be_made(self):
        self.write("saved", "this is no folder")
        frames, err = self.save(status=FAILED)
        self.assertEqual(frames, [])
        self.assertRegex(err, r"cannot make the folder '.*saved' to save faces in")

    def test_an_expression_that_cannot_be_written(self):
        expression = self.frames(self.stay(3))[2]["faces"][0]["expression"]
        for i in range(3, FRAMES):
            (self.folder / "stay" / f"{i + 1:05d}.pgm").symlink_to(
                (self.folder / "stay" / "00001.pgm").resolve())
        self.write(f"saved/{expression}", "this is no folder")
        frames, err = self.save("--save-rate", 25, status=FAILED)
        self.assertEqual(len(frames), FRAMES)
        self.assertEqual(err.count("faces cannot be saved: cannot make the folder"), 1)
        self.assertIn(f"0 faces were saved in '{self.saved}', {FRAMES - 2} not saved", err)

    def test_a_full_disk(self):
        """Stands for it: no file may grow over 4000 bytes."""
        frames, err = self.save(status=FAILED, restore_signals=False, preexec_fn=lambda: (
            resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))))
        self.assertEqual(len(frames), FRAMES)
        self.assertEqual(err.count("faces cannot be saved: "), 1)
        self.assertIn("File too large", err)
        self.assertIn("mien: 0 faces were saved", err)
        self.assertEqual(self.rows(), [])
        self.assertEqual([p.suffix for p in self.saved.glob("*/*")], [".csv"])
