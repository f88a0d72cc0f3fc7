# SPDX-License-Identifier: Apache-2.0
"""Pictures that a session saved beside its store: told, shown in the report, and deleted."""

import base64
import os
import pty
import re
import shutil
import sqlite3
import unittest
import xml.etree.ElementTree as xml

from support import (ASTRONAUT_GRAY, DONE, FAILED, USAGE, ProgramTest, astronaut_gray, crop, pgm,
                     png)

FRAMES = 9  # the person has a number from the third on


class PicturesTest(ProgramTest):
    """A session with a picture of each of its frames."""

    def setUp(self):
        super().setUp()
        self.store = self.folder / "sessions.db"
        self.saved = self.folder / "saved"
        for i in range(FRAMES):
            self.write(f"stay/{i + 1:03d}.pgm", pgm(*crop(astronaut_gray(), i, 0, 200, 200)))
        self.live()

    def live(self, *arguments, saved=None, status=DONE, **options):
        result = self.run_mien("live", "--no-window", "--detector", "none", "--session", "Morning",
                               "--consent", "Ann", "--store", self.store, "--save",
                               saved or self.saved, "--save-rate", 25, *arguments,
                               self.folder / "stay" / "%03d.pgm", **options)
        self.assertEqual(result.status, status, result.err)
        return result

    def session(self, command, *arguments, status=DONE, **options):
        result = self.run_mien("session", command, "--store", self.store, *arguments, **options)
        self.assertEqual(result.status, status, result.err)
        return result

    def pictures(self, saved=None):
        return sorted((saved or self.saved).glob("*/*.png"))

    def told(self):
        return self.session("show", "--json", 1).json_lines()[0]["pictures"]

    def report(self):
        """The page as a tree, and standard error."""
        path = self.folder / "page.html"
        result = self.run_mien("report", "--store", self.store, "--out", path, 1)
        self.assertEqual(result.status, DONE, result.err)
        return xml.fromstring(path.read_text().replace("<!DOCTYPE html>", "")), result.err

    def shown(self):
        """The pictures of the page: their bytes, and the words under them."""
        page, _ = self.report()
        figures = [(f.find("img"), " ".join(f.find("figcaption").itertext()))
                   for f in page.iter("figure")]
        return [(base64.b64decode(image.get("src").removeprefix("data:image/png;base64,")), words)
                for image, words in figures]

    def words(self):
        return " ".join(" ".join(self.report()[0].itertext()).split())

    def where(self):
        with sqlite3.connect(self.store) as database:
            path, = database.execute("SELECT text FROM mien_event").fetchone()
        database.close()
        return path

    def point(self, where, session=1):
        """The store says that the pictures lie elsewhere."""
        with sqlite3.connect(self.store) as database:
            database.execute("UPDATE mien_event SET text = ? WHERE session = ?", (where, session))
        database.close()


class Told(PicturesTest):
    def test_how_many_and_where(self):
        count = len(self.pictures())
        self.assertEqual(count, FRAMES - 2)
        run = self.pictures()[0].name[:19]
        self.assertEqual(self.told(), {"folder": os.path.realpath(self.saved), "run": run,
                                       "count": count, "gone": 0})
        session = self.session("show", "--json", 1).json_lines()[0]
        self.assertEqual((session["events"], session["event_count"]), ([], 0))
        self.assertIn(f"\npictures  7 in {os.path.realpath(self.saved)}\n",
                      self.session("show", 1).out)
        self.pictures()[0].unlink()
        self.assertEqual((self.told()["count"], self.told()["gone"]), (6, 1))
        self.assertIn(", 1 gone\n", self.session("show", 1).out)
        self.saved.rename(self.folder / "elsewhere")
        self.assertEqual((self.told()["count"], self.told()["gone"]), (None, None))
        self.assertIn("saved, which is not on this machine\n", self.session("show", 1).out)

    def test_no_picture_is_in_the_store(self):
        content = b"".join(p.read_bytes() for p in self.folder.glob("sessions.db*"))
        for picture in self.pictures():
            self.assertNotIn(picture.read_bytes()[40:80], content)

    def test_other_runs_are_others(self):
        """Two sessions share a folder; a relative name is kept as an absolute one."""
        self.live(saved="saved", cwd=self.folder)
        self.run_mien("live", "--no-window", "--detector", "none", "--save", self.saved,
                      self.folder / "stay" / "%03d.pgm")
        self.assertGreater(len(self.pictures()), 2 * (FRAMES - 2))
        self.assertEqual(self.told()["count"], FRAMES - 2)
        second = self.session("show", "--json", 2).json_lines()[0]["pictures"]
        self.assertEqual((second["folder"], second["count"]), (self.told()["folder"], FRAMES - 2))
        self.session("delete", "--yes", "--pictures", 1)
        self.assertEqual(len([p for p in self.pictures() if p.name.startswith(second["run"])]),
                         FRAMES - 2)

    def test_nothing_where_nothing_was_saved(self):
        self.run_mien("live", "--no-window", "--detector", "none", "--session", "x", "--consent",
                      "y", "--store", self.store, ASTRONAUT_GRAY)
        self.assertIsNone(self.session("show", "--json", 2).json_lines()[0]["pictures"])
        self.assertNotIn("pictures", self.session("show", 2).out)
        self.assertEqual(self.session("delete", "--yes", "--pictures", 2).err, "")

    def test_a_folder_that_cannot_be_kept(self):
        """Its name would be another one in the store."""
        folder = os.fsdecode(os.fsencode(self.folder) + b"/caf\xe9")
        result = self.live(saved=folder, status=FAILED)
        self.assertIn("is not UTF-8; choose another folder", result.err)
        self.assertEqual(len(self.session("list", "--json").json_lines()), 1)


class Report(PicturesTest):
    def test_a_few_faces_spread_over_time(self):
        shown = self.shown()
        self.assertEqual(len(shown), 6)
        times = [float(words.split()[0]) for _, words in shown]
        self.assertEqual(times, sorted(set(times)))
        self.assertEqual((times[0], times[-1]), (0.08, 0.32))
        expressions = {picture.parent.name for picture in self.pictures()}
        for content, words in shown:
            self.assertEqual(content[:8], b"\x89PNG\r\n\x1a\n")
            self.assertLessEqual(max(content[16:24]), 112)
            self.assertIn(words.split(" s ")[1], expressions)
        self.assertIn(f"7 pictures lie in {os.path.realpath(self.saved)}.", self.words())

    def test_what_is_gone_is_counted(self):
        for picture in self.pictures()[:5]:
            picture.unlink()
        self.assertEqual(len(self.shown()), 2)
        self.assertIn("5 that were saved are not there any more.", self.words())
        shutil.rmtree(self.saved)
        self.assertEqual(self.shown(), [])
        self.assertIn("That folder is not on the machine", self.words())

    def test_no_section_without_pictures(self):
        self.point("")
        self.assertNotIn("Saved faces", self.words())

    def test_what_is_no_picture_is_left_out(self):
        """Broken, far too large, a pipe, a folder, links: none of them is read or waited for."""
        bomb = png(60000, 60000, 8, 2, [b""])
        broken, large, pipe, folder, link = self.pictures()[:5]
        broken.write_bytes(broken.read_bytes()[:100])
        large.write_bytes(bomb)
        secret = self.write("secret.png", self.pictures()[6].read_bytes())
        for path in (pipe, folder, link):
            path.unlink()
        os.mkfifo(pipe)
        folder.mkdir()
        link.symlink_to(secret)
        self.assertEqual(len(self.shown()), 2)
        words = self.words()
        self.assertIn("2 could not be read, and are left out.", words)
        self.assertIn("3 that were saved are not there any more.", words)
        self.assertEqual(self.told()["count"], 4)

    def test_tables_that_lie(self):
        table, = self.saved.glob("*/*.csv")
        lines = table.read_text().splitlines(keepends=True)
        row = lines[1].split(",", 4)
        strange = ["../../../../etc/passwd", row[0] + "x", "", "a" * 500, row[0][:19] + "-1-1.png"]
        table.write_text(lines[0] + "".join(",".join([name, *row[1:]]) for name in strange)
                         + ",".join([row[0], row[1], row[2], "nan", row[4]]) + lines[2] + "\0,,\n")
        self.assertEqual(len(self.shown()), 1)
        self.assertEqual(self.told()["gone"], 1)
        table.write_bytes(os.urandom(100000))
        self.assertEqual(self.shown(), [])
        self.assertEqual(self.told(), dict(self.told(), count=7, gone=0))

    def test_places_that_are_none(self):
        for where in ("/etc/passwd", "relative/20261121-134556-767", "/", "x", "/tmp/20261121"):
            self.point(where)
            page, err = self.report()
            self.assertIn("the page shows no faces: the store is damaged", err)
            self.assertEqual(list(page.iter("figure")), [])
        self.point("/dev/null/20261121-134556-767")
        self.assertIn("cannot look for pictures in '/dev/null'", self.report()[1])


class Deleted(PicturesTest):
    def test_they_stay_unless_asked_for(self):
        before = {p: p.read_bytes() for p in self.saved.glob("*/*")}
        err = self.session("delete", "--yes", 1).err
        self.assertRegex(err, r"mien: 7 pictures of session 1, and the tables about them, stay "
                         r"\(--pictures deletes such\): '"
                         + re.escape(os.path.realpath(self.saved)) + "', files named 20")
        self.assertEqual({p: p.read_bytes() for p in self.saved.glob("*/*")}, before)

    def answer(self, number, answers):
        """What somebody at a terminal is asked."""
        terminal, end = pty.openpty()
        os.write(terminal, answers.encode())
        result = self.run_mien("session", "delete", "--store", self.store, number, stdin=end)
        os.close(end)
        os.close(terminal)
        return result

    def test_delete_asks(self):
        result = self.answer(1, "n\n")
        self.assertEqual(result.status, FAILED)
        self.assertNotIn("pictures", result.err)
        self.assertEqual(len(self.pictures()), 7)
        result = self.answer(1, "y\nn\n")
        self.assertIn("and the 7 pictures of faces that it saved? [y/N]", result.err)
        self.assertIn("7 pictures of session 1, and the tables about them, stay", result.err)
        self.live()
        self.assertEqual(len(self.pictures()), 14)
        result = self.answer(2, "y\ny\n")
        self.assertEqual(result.status, DONE)
        self.assertIn("7 pictures of session 2 deleted in", result.err)
        self.assertEqual(len(self.pictures()), 7)

    def test_exactly_these_files_are_deleted(self):
        gone = {*self.saved.glob("*/*")}
        run = self.pictures()[0].name[:19]
        sub = self.pictures()[0].parent
        outside = self.folder / "outside"
        outside.mkdir()
        for name in (f"{run}-000003-1.png", f"{run}.csv"):
            (outside / name).write_text("somebody else's")
            (self.saved / name).write_text("not in an expression's folder")
        (self.saved / "linked").symlink_to(outside)
        (sub / f"{run}-000099-1.png").symlink_to(outside / f"{run}-000003-1.png")
        for name in ("mine.png", f"{run}-000003-1.png.bak", f"{run}-a-1.png", f"{run}x-000003-1.png",
                     f"{run}-000003-1-2.png", f"x{run}.csv", "20200101-000000-000-000003-1.png"):
            (sub / name).write_text("the carer's own")
        (sub / f"{run}-000098-1.png").mkdir()
        temporary = sub / f"{run}-000004-1.png.123-0.tmp"  # of a run that was killed
        temporary.write_text("half a picture")
        gone.add(temporary)
        before = set(self.folder.rglob("*"))
        err = self.session("delete", "--yes", "--pictures", 1).err
        self.assertIn("mien: 7 pictures of session 1 deleted in", err)
        self.assertEqual(before - set(self.folder.rglob("*")), gone)
        self.assertEqual(self.session("list", "--json").json_lines(), [])

    def test_what_cannot_be_deleted_keeps_the_session(self):
        sub = self.pictures()[0].parent
        options = {}
        if os.geteuid() == 0:  # who may delete anything
            options["user"] = 65534
            for path in (self.folder, *self.folder.rglob("*")):
                os.chown(path, 65534, 65534)
        sub.chmod(0o500)
        self.addCleanup(sub.chmod, 0o700)
        err = self.session("delete", "--yes", "--pictures", 1, status=FAILED, **options).err
        self.assertRegex(err, "(?s)cannot delete '.*session 1 stays")
        self.assertEqual(len(self.session("list", "--json").json_lines()), 1)

    def test_a_place_that_is_none_deletes_nothing(self):
        victim = self.write("20261121-134556-767", "a file of that name")
        for where, message in (("/etc/passwd", "the store is damaged"),
                               (str(victim), None), ("/nowhere/20261121-134556-767", None)):
            self.point(where)
            if message:
                err = self.session("delete", "--yes", "--pictures", 1, status=FAILED).err
                self.assertRegex(err, f"(?s){message}.*session 1 stays")
        self.assertTrue(victim.exists())
        err = self.session("delete", "--yes", "--pictures", 1).err
        self.assertIn("'/nowhere', which is not on this machine: none of them was deleted", err)
        self.assertTrue(victim.exists())
        self.assertEqual(len(self.pictures()), 7)

    def grow_old(self):
        with sqlite3.connect(self.store) as database:
            database.execute("UPDATE mien_session SET started_ms = started_ms - 31 * 86400000")
        database.close()

    def test_prune(self):
        self.grow_old()
        result = self.session("prune", "--dry-run", "--pictures")
        self.assertEqual(result.out, "   1  Morning\n")
        self.assertIn("7 pictures of session 1, and the tables about them, would go", result.err)
        self.assertIn("about them, would stay: ", self.session("prune", "--dry-run").err)
        self.assertEqual(len(self.pictures()), 7)
        result = self.session("prune", "--pictures")
        self.assertEqual(result.out, "   1  Morning\n")
        self.assertEqual(list(self.saved.glob("*/*")), [])
        self.live()
        self.grow_old()
        err = self.live().err  # a new session prunes, too
        self.assertIn("7 pictures of session 2, and the tables about them, stay", err)
        self.assertEqual(len(self.pictures()), 14)

    def test_wrong_usage(self):
        for command in ("list", "show", "export"):
            self.session(command, "--pictures", 1, status=USAGE)


@unittest.skipUnless("MIEN_TEST_POSTGRES" in os.environ, "MIEN_TEST_POSTGRES names no database")
class OnAServer(PicturesTest):
    """The same on a server: pictures stay on the machine that saved them."""

    def test_pictures_beside_a_server(self):
        self.store = os.environ["MIEN_TEST_POSTGRES"]
        shutil.rmtree(self.saved)
        printed = self.live()
        number = re.search(r"kept as session (\d+)", printed.err)[1]
        told = self.session("show", "--json", number).json_lines()[0]
        self.assertEqual((told["pictures"]["count"], told["event_count"]), (7, 0))
        path = self.folder / "page.html"
        result = self.run_mien("report", "--store", self.store, "--out", path, number)
        self.assertEqual((result.status, path.read_text().count("<figure>")), (DONE, 6))
        self.session("delete", "--yes", "--pictures", number)
        self.assertEqual(list(self.saved.glob("*/*")), [])
