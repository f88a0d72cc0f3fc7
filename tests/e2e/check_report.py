# SPDX-License-Identifier: Apache-2.0
"""mien report: a session that was kept -> a page, and tables."""

import csv
import io
import os
import xml.etree.ElementTree as xml

from support import ASTRONAUT_GRAY, CLASSES, DONE, FAILED, USAGE, ProgramTest

FRAMES = 75  # at 25 a second


class ReportTest(ProgramTest):
    def setUp(self):
        super().setUp()
        (self.folder / "stay").mkdir()
        for i in range(FRAMES):
            os.symlink(ASTRONAUT_GRAY, self.folder / "stay" / f"{i + 1:05d}.pgm")
        self.store = self.folder / "sessions.db"
        result = self.run_mien("live", "--no-window", "--csv", "--detector", "none", "--store",
                               self.store, "--session", "<Monday>", "--consent", "Ann & Bo agreed",
                               self.folder / "stay" / "%05d.pgm")
        self.assertEqual(result.status, DONE, result.err)

    def report(self, *arguments, status=DONE):
        result = self.run_mien("report", "--store", self.store, *arguments, "1", cwd=self.folder)
        self.assertEqual(result.status, status, result.err)
        return result


class Report(ReportTest):
    def test_a_page_is_one_file_without_anything_from_outside(self):
        self.run_mien("session", "label", "--store", self.store, "1", "1", "Ann")
        self.assertIn("session-1.html", self.report().err)
        text = (self.folder / "session-1.html").read_text()
        page = xml.fromstring(text.replace("<!DOCTYPE html>", ""))
        words = "".join(page.itertext())
        for expected in ("<Monday>", "Ann & Bo agreed", "Ann (1)", "experimental", "Stress ratio"):
            self.assertIn(expected, words)
        self.assertNotIn("http://", text)
        self.assertNotIn("https://", text)
        self.assertNotIn("<script", text)

    def test_a_row_for_each_person(self):
        row, = csv.DictReader(io.StringIO(self.report("--csv").out))
        self.assertEqual((row["person"], row["samples"]), ("1", str(FRAMES - 2)))
        self.assertAlmostEqual(float(row["seen"]), (FRAMES - 3) / 25, delta=0.01)
        self.assertAlmostEqual(sum(float(row[c]) for c in CLASSES), 1, delta=1e-5)
        self.assertEqual(row["stressed"], "")  # too short to say
        self.assertEqual(row["facing"], "")    # no landmarks

    def test_events_and_their_scores(self):
        notes = self.write("notes.csv", "person,expression,start,end\n,happy,0,3\n1,sad,1,2\n")
        result = self.report("--events", "--event-from", "0", "--event-to", "0", "--annotations",
                             notes)
        rows = list(csv.DictReader(io.StringIO(result.out)))
        self.assertEqual(sorted(r["expression"] for r in rows),
                         sorted(c for c in CLASSES if c != "neutral"))
        for row in rows:  # the track has its number from the third picture on
            self.assertEqual((float(row["start"]), float(row["end"])), (0.08, 2.96))
        self.assertIn("6 found, 2 annotated, 1 matched", result.err)

    def test_wrong_usage_and_missing_things(self):
        self.assertIn("--event-from", self.report("--event-to", "0.9", status=USAGE).err)
        self.assertIn("none.csv", self.report("--annotations", "none.csv", status=FAILED).err)
        self.assertIn("nowhere", self.report("--out", "nowhere/a.html", status=FAILED).err)
        self.fail_with("no session 2", "report", "--store", self.store, "2")
        self.fail_with("number", "report", "--store", self.store, status=USAGE)
