# SPDX-License-Identifier: Apache-2.0
"""mien live --session and mien session: what is kept, shown, taken out and really gone."""

import csv
import hashlib
import io
import json
import os
import pty
import re
import resource
import signal
import sqlite3
import stat
import subprocess
import time
import unittest

from support import (ASTRONAUT_GRAY, CLASSES, DONE, FAILED, PROGRAM, ROOT, TINY_MODEL, USAGE,
                     ProgramTest, astronaut_gray, crop, pgm, shared)

FRAMES, STEP = 9, 3  # of the walk, and its pixels from frame to frame
CONSENT = "Ann Smith signed on 1 May, her own review"
COMMANDS = ("list", "show", "export", "label", "delete", "prune")


class SessionTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.store = self.folder / "sessions.db"
        for i in range(FRAMES):
            self.write(f"walk/{i + 1:03d}.pgm", pgm(*crop(astronaut_gray(), STEP * i, 0, 200, 200)))
        self.walk = self.folder / "walk" / "%03d.pgm"

    def live(self, *arguments, name="Morning", consent=CONSENT, status=DONE, **options):
        result = self.run_mien("live", "--no-window", "--session", name, "--consent", consent,
                               "--store", self.store, *arguments, **options)
        self.assertEqual(result.status, status, result.err)
        return result

    def session(self, command, *arguments, **options):
        """What a command prints. Nothing goes wrong."""
        return self.succeed("session", command, "--store", self.store, *arguments, **options)

    def listed(self):
        return self.session("list", "--json").json_lines()

    def show(self, number=1):
        return self.session("show", "--json", number).json_lines()[0]

    def samples(self, number=1):
        lines = self.session("export", "--json", number).json_lines()
        self.assertEqual(list(lines[0]), ["session"])
        return [line["sample"] for line in lines[1:]]

    def files(self):
        return b"".join(path.read_bytes() for path in self.folder.glob("sessions.db*"))

    def change(self, sql):
        """Past mien, straight into the file."""
        with sqlite3.connect(self.store) as database:
            database.execute(sql)
        database.close()


class Keeping(SessionTest):
    def test_what_is_kept_is_what_was_printed(self):
        printed = self.live("--json", self.walk, name="Morning'); DROP TABLE mien_session; --")
        self.assertRegex(printed.err, r"\nmien: kept as session 1\n$")
        seen = [(frame["time"], face) for frame in printed.json_lines()
                for face in frame["faces"] if face["track"] is not None]
        samples = self.samples()
        self.assertEqual(len(samples), FRAMES - 2)
        for (seconds, face), sample in zip(seen, samples, strict=True):
            self.assertAlmostEqual(sample["time"], seconds, delta=1e-6)
            self.assertEqual(sample["person"], face["track"])
            self.assertEqual(sample["box"], face["box"])
            self.assertIsNone(sample["facing"])  # cascades give no landmarks
            self.assertEqual(sample["expression"], face["expression"])
            self.assertEqual(sample["probabilities"], list(face["probabilities"].values()))
        session = self.show()
        self.assertEqual(session["schema"], "mien.session/1")
        self.assertEqual(session["name"], "Morning'); DROP TABLE mien_session; --")
        self.assertEqual(session["consent"], CONSENT)
        self.assertEqual(session["source"], str(self.walk))
        self.assertEqual(session["model"],
                         {"name": TINY_MODEL.name,
                          "sha256": hashlib.sha256(TINY_MODEL.read_bytes()).hexdigest()})
        self.assertEqual(session["classes"], CLASSES)
        self.assertEqual((session["ended"], session["keep_days"], session["days_left"]),
                         (True, 30, 30))
        self.assertAlmostEqual(session["length"], (FRAMES - 1) / 25, delta=1e-6)
        started = time.mktime(time.strptime(session["started"], "%Y-%m-%dT%H:%M:%SZ"))
        self.assertLess(abs(time.mktime(time.gmtime()) - started), 60)

    def test_show(self):
        self.live(self.walk)
        session = self.show()
        person, = session["people"]
        self.assertEqual((person["id"], person["label"], person["sample_count"]),
                         (1, "", FRAMES - 2))
        tops = [sample["expression"] for sample in self.samples()]
        self.assertEqual(person["shares"], session["shares"])
        for name, share in zip(CLASSES, session["shares"], strict=True):
            self.assertAlmostEqual(share, tops.count(name) / len(tops), delta=1e-5)
        text = self.session("show", 1).out
        for part in (r"session +Morning\n", r"consent +Ann Smith", "30 days, 30 left",
                     r"    1  0\.1 to 0\.3 s, 7 samples:  [a-z]+ \d+ %"):
            self.assertRegex(text, part)

    def test_facing_by_landmarks(self):
        video, detector = shared("samples/classroom.gif",
                                 "weights/face_detection_yunet_2023mar.onnx")
        printed = self.live("--json", "--detector", detector, video)
        seen = [face["landmarks"] for frame in printed.json_lines() for face in frame["faces"]
                if face["track"] is not None]
        samples = self.samples()
        self.assertEqual({sample["person"] for sample in samples}, {1, 2, 3, 4})
        for ((left, _), (right, _), (nose, _), *_), sample in zip(seen, samples, strict=True):
            expected = 1 - min(1, abs(2 * (nose - left) / (right - left) - 1))
            self.assertAlmostEqual(sample["facing"], expected, delta=0.01)

    def test_csv_says_the_same(self):
        self.live(self.walk)
        rows = list(csv.reader(io.StringIO(self.session("export", "--csv", 1).out)))
        self.assertEqual(rows[0], ["time", "person", "label", "x", "y", "width", "height",
                                   "facing", "expression", "confidence"] + CLASSES)
        for row, sample in zip(rows[1:], self.samples(), strict=True):
            self.assertAlmostEqual(float(row[0]), sample["time"], delta=1e-6)
            self.assertEqual([float(v) for v in row[3:7]], sample["box"])
            self.assertEqual(row[7:9], ["", sample["expression"]])
            self.assertEqual([float(v) for v in row[10:]], sample["probabilities"])

    def test_list(self):
        self.live(self.walk)
        self.live(self.walk, "--keep-days", 0, name="\x1b[31mred")
        self.assertEqual([(s["id"], s["name"], s["days_left"], s["sample_count"])
                          for s in self.listed()],
                         [(1, "Morning", 30, 7), (2, "\x1b[31mred", None, 7)])
        out = self.session("list").out
        self.assertRegex(out, r"(?m)^   1  20\d\d-.* 0\.3 s +1 +7 +30  Morning$")
        self.assertRegex(out, r"(?m)^   2  .* kept  \?\[31mred$")  # nothing reaches the terminal

    def test_a_place_of_its_own(self):
        home = self.folder / "home"
        home.mkdir()
        self.store = None
        base = ("live", "--no-window", "--session", "x", "--consent", "y", self.walk)
        for environment, place in (
                ({"HOME": str(home), "XDG_DATA_HOME": ""}, home / ".local/share/mien"),
                ({"HOME": "", "XDG_DATA_HOME": str(home / "data")}, home / "data/mien")):
            none = self.run_mien("session", "list", env=environment)
            self.assertEqual((none.status, none.out), (DONE, ""))
            self.assertIn("there is no store", none.err)
            self.fail_with("there is no store", "session", "show", 1, env=environment)
            self.assertEqual(self.run_mien(*base, env=environment).status, DONE)
            self.assertIn(" x\n", self.succeed("session", "list", env=environment).out)
            self.assertEqual(stat.S_IMODE(place.stat().st_mode), 0o700)
            self.assertEqual(stat.S_IMODE((place / "sessions.db").stat().st_mode), 0o600)
        self.fail_with("no home folder.*--store", *base, env={"HOME": "", "XDG_DATA_HOME": "x"})

    def test_no_password_of_a_camera(self):
        address = "file:a://me:secret@b/x.pgm"
        for name in (address, address.removeprefix("file:")):  # a file with a name of that form
            self.write(name.replace("//", "/"), ASTRONAUT_GRAY.read_bytes())
        self.live(address, cwd=self.folder)
        self.assertEqual(self.show()["source"], "file:a://b/x.pgm")
        self.assertNotIn(b"secret", self.files())
        result = self.run_mien("live", "--no-window", "--session", "x", "--consent", "y",
                               "--store", self.store, "http://me:secret@127.0.0.1:1/x")
        self.assertEqual(result.status, FAILED)
        self.assertEqual(len(self.listed()), 1)  # what could not be opened is no session

    def test_nothing_without_the_option(self):
        self.assertEqual(self.run_mien("live", "--no-window", self.walk,
                                       env={"HOME": str(self.folder)}).status, DONE)
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()), ["walk"])


class Changing(SessionTest):
    def test_label(self):
        self.live(self.walk)
        self.session("label", 1, 1, "Ann, \"A\"")
        self.assertEqual(self.show()["people"][0]["label"], "Ann, \"A\"")
        self.assertIn("    1  Ann, \"A\", 0.1 to", self.session("show", 1).out)
        rows = list(csv.reader(io.StringIO(self.session("export", "--csv", 1).out)))
        self.assertEqual(rows[1][2], "Ann, \"A\"")
        self.session("label", 1, 1, "")
        self.assertEqual(self.show()["people"][0]["label"], "")
        self.fail_with("no session 1 with a person 2", "session", "label", "--store", self.store,
                       1, 2, "x")

    def test_deletion_leaves_no_trace(self):
        self.live(self.walk, name="first-name", consent="first-consent")
        self.live(self.walk, name="second-name", consent="second-consent")
        with sqlite3.connect(self.store) as database:
            blob, = database.execute("SELECT probabilities FROM mien_sample").fetchone()
            # So that it is the first one's alone.
            database.execute("UPDATE mien_sample SET probabilities = "
                             f"x'{'00' * 24}0000803f' WHERE session = 2")
        database.close()
        for text in (b"first-name", b"first-consent", blob):
            self.assertIn(text, self.files())
        self.session("delete", "--yes", 1)
        for text in (b"first-name", b"first-consent", blob):
            self.assertNotIn(text, self.files())
        self.assertIn(b"second-consent", self.files())
        self.assertEqual([s["id"] for s in self.listed()], [2])
        self.assertEqual(len(self.samples(2)), FRAMES - 2)

    def test_delete_asks(self):
        self.live(self.walk)
        delete = ("session", "delete", "--store", self.store, 1)
        self.fail_with("add --yes", *delete, status=USAGE)
        for answer, left in (("n\n", 1), ("\n", 1), ("y\n", 0)):
            terminal, end = pty.openpty()
            os.write(terminal, answer.encode())
            result = self.run_mien(*delete, stdin=end)
            self.assertIn("delete 1 session with all samples, for good?", result.err)
            self.assertEqual(len(self.listed()), left)
            self.assertEqual(result.status, FAILED if left else DONE)
            os.close(end)
            os.close(terminal)

    def test_delete_several(self):
        for _ in range(3):
            self.live(self.walk)
        self.fail_with("no session 9", "session", "delete", "--store", self.store, "--yes", 1, 9, 3)
        self.assertEqual([s["id"] for s in self.listed()], [2])
        self.fail_with("'two'", "session", "delete", "--store", self.store, "--yes", 2, "two",
                       status=USAGE)
        self.assertEqual([s["id"] for s in self.listed()], [2])

    def grow_old(self, number, days):
        self.change(f"UPDATE mien_session SET started_ms = started_ms - {days} * 86400000 "
                    f"WHERE id = {number}")

    def test_prune(self):
        self.live(self.walk, name="old", consent="old-consent")
        self.live(self.walk, "--keep-days", 0, name="older")
        self.live(self.walk, "--keep-days", 60, name="kept long")
        for number in (1, 2, 3):
            self.grow_old(number, 31)
        self.assertEqual([s["days_left"] for s in self.listed()], [-1, None, 29])
        self.assertEqual(self.session("prune", "--dry-run").out, "   1  old\n")
        self.assertEqual(len(self.listed()), 3)
        self.assertEqual(self.session("prune").out, "   1  old\n")
        self.assertEqual([s["id"] for s in self.listed()], [2, 3])
        self.assertNotIn(b"old-consent", self.files())
        self.assertEqual(self.session("prune").out, "")

    def test_a_new_session_prunes(self):
        self.live(self.walk, name="old", consent="old-consent")
        self.grow_old(1, 30)
        result = self.live(self.walk)
        self.assertRegex(result.err, r"^mien: 9 frames .*\nmien: kept as session 2\n$")
        self.assertEqual([s["id"] for s in self.listed()], [2])
        self.assertNotIn(b"old-consent", self.files())


class Refusals(SessionTest):
    def test_consent(self):
        for consent in ([], ["--consent", ""], ["--consent", " \n"]):
            result = self.fail_with("must have agreed to.*--consent 'Ann Smith", "live",
                                    "--no-window", "--store", self.store, "--session", "x",
                                    *consent, self.walk, status=USAGE)
            self.assertEqual(result.out, "")
        self.assertFalse(self.store.exists())

    def test_wrong_usage(self):
        live = ["live", "--no-window"]
        for message, arguments in {
                "belong to --session": [*live, "--consent", "x", "a.mp4"],
                "belong to --session ": [*live, "--keep-days", 3, "a.mp4"],
                "--keep-days is '-1'": [*live, "--session", "x", "--keep-days", -1, "a.mp4"],
                "1 to 200 bytes": [*live, "--session", "x" * 201, "--consent", "y", "a.mp4"],
                "1 to 200 bytes ": [*live, "--session", "", "--consent", "y", "a.mp4"],
                "name a command": ["session"],
                "name a command: list": ["session", "frobnicate"],
                "name one session": ["session", "show"],
                "name one session ": ["session", "export", 1, 2],
                "takes no session": ["session", "list", 1],
                "the session is 'x'": ["session", "show", "--store", ":", "x"],
                "name a session, a person": ["session", "label", 1, 1],
                "not known here": ["session", "list", "--csv"],
                "not known here or": ["session", "show", "--yes", 1]}.items():
            if arguments[1:2] == ["show"] and ":" in arguments:
                self.live(self.walk)
                arguments[3] = self.store
            result = self.fail_with(message.strip(), *arguments, status=USAGE)
            self.assertEqual(result.out, "")
            self.assertRegex(result.err, "'mien (live|session|session [a-z]+) --help' shows how")

    def test_help(self):
        texts = [self.succeed("session", "--help").out]
        texts += [self.succeed("session", command, "--help").out for command in COMMANDS]
        for text in texts:
            self.assertTrue(text.startswith("usage: mien session"))
            self.assertIn("\nexample: mien session", text)
            self.assertLessEqual(max(map(len, text.splitlines())), 100)

    def test_places_that_cannot_be(self):
        letter = self.write("letter.txt", "Dear reader,\n" * 100)
        self.write("notes.db", b"")
        with sqlite3.connect(self.folder / "notes.db") as database:
            database.execute("CREATE TABLE notes (text)")
        database.close()
        for message, place in (("is no SQLite database", letter),
                               ("another program", self.folder / "notes.db"),
                               ("cannot make '/dev/null/x'", "/dev/null/x"),
                               ("cannot make .*: No such", self.folder / "no" / "x.db"),
                               ("is not one that PostgreSQL understands",
                                "postgresql://me:secret@[/x"),
                               ("postgres|socket", "postgresql:///x?host=/nowhere")):
            self.store = place
            result = self.live(self.walk, status=FAILED)
            self.assertRegex(result.err, message)
            self.assertNotIn("secret", result.err)
            self.assertEqual(result.out, "")

    def test_a_newer_store(self):
        self.live(self.walk)
        self.change("UPDATE mien_schema SET version = 99")
        for arguments in (["session", "list"], ["session", "delete", "--yes", 1]):
            self.fail_with("version 99.*newer mien", *arguments, "--store", self.store)
        self.live(self.walk, status=FAILED)

    def test_a_damaged_store(self):
        self.live(self.walk)
        content = self.store.read_bytes()
        self.store.write_bytes(content[:len(content) // 2])
        self.fail_with("damaged", "session", "show", "--store", self.store, 1)


class Accidents(SessionTest):
    """What happens while a session is written."""

    def begin(self, *arguments, **options):
        environment = dict(os.environ, MIEN_DATA=str(ROOT / "models"), MIEN_MODEL=str(TINY_MODEL))
        environment.pop("LD_PRELOAD", None)
        return subprocess.Popen(
            [PROGRAM, "live", "--no-window", "--csv", "--detector", "none", "--session", "x",
             "--consent", CONSENT, "--store", str(self.store), *arguments, "-"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
            **options)

    def feed(self, process, seconds, rate=25):
        """Pictures at the pace of a camera, after what FFmpeg wants to know of a stream."""
        picture = pgm(*crop(astronaut_gray(), 0, 0, 200, 200))
        process.stdin.write(picture * 160)
        for _ in range(int(seconds * rate)):
            process.stdin.write(picture)
            process.stdin.flush()
            time.sleep(1 / rate)

    def lost_by_a_kill(self, number):
        """How many samples of session number, which is killed, are not there."""
        with self.begin() as process:
            self.feed(process, 3.5)
            process.kill()
            out, _ = process.communicate()
        seen = len(out.splitlines()) - 1 - 2  # frames until it is sure that there is a person
        self.assertFalse(self.show(number)["ended"])
        count = len(self.samples(number))
        self.assertGreater(count, 0)
        return seen - count

    def test_killed(self):
        """The last second is lost; more only where the machine itself stood still meanwhile."""
        self.assertTrue(any(self.lost_by_a_kill(number) <= 25 * 1.4 for number in range(1, 6)))
        self.assertIn("broke off", self.session("list").out)
        self.live(self.walk)
        self.assertEqual([s["ended"] for s in self.listed()][-2:], [False, True])

    def test_ended_by_a_signal(self):
        with self.begin() as process:
            self.feed(process, 1.2)
            process.send_signal(signal.SIGTERM)
            process.stdin.close()
            out = process.stdout.read()
            process.wait(20)
        self.assertTrue(self.show()["ended"])
        self.assertEqual(len(self.samples()), len(out.splitlines()) - 1 - 2)

    def test_a_full_disk(self):
        """Pictures are read on, what is lost is told, the rest stays readable."""
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (120000, 120000))
        for i in range(2000):
            os.symlink(ASTRONAUT_GRAY, self.folder / f"{i + 1:05d}.pgm")
        result = self.live("--csv", "--detector", "none", self.folder / "%05d.pgm", status=FAILED,
                           preexec_fn=limit)
        self.assertEqual(len(result.out.splitlines()), 2001)
        self.assertRegex(result.err, r"\nmien: session 1 is not whole: \d+ of its 1998 samples .*"
                                     r"sessions\.db.*(File too large|the disk is full)")
        lost = int(re.search(r"(\d+) of its 1998", result.err)[1])
        self.assertEqual(len(self.samples()), 1998 - lost)

    def test_deleted_meanwhile(self):
        with self.begin() as process:
            self.feed(process, 1.2)
            self.session("delete", "--yes", 1)
            process.stdin.close()
            err = process.stderr.read().decode()
            process.stdout.read()
            process.wait(20)
        self.assertEqual(process.returncode, FAILED)
        self.assertIn("session 1 was deleted meanwhile", err)
        self.assertEqual(self.listed(), [])


@unittest.skipUnless("MIEN_TEST_POSTGRES" in os.environ, "MIEN_TEST_POSTGRES names no database")
class OnAServer(SessionTest):
    """The same commands by an address."""

    def test_a_session(self):
        self.store = os.environ["MIEN_TEST_POSTGRES"]
        printed = self.live("--json", self.walk, name="on a server")
        number = int(re.search(r"kept as session (\d+)", printed.err)[1])
        self.assertEqual(self.show(number)["name"], "on a server")
        seen = [face["box"] for frame in printed.json_lines() for face in frame["faces"]
                if face["track"] is not None]
        self.assertEqual([sample["box"] for sample in self.samples(number)], seen)
        self.session("label", number, 1, "Ann")
        self.session("delete", "--yes", number)
        self.fail_with(f"no session {number}", "session", "show", "--store", self.store, number)
        self.session("prune")
