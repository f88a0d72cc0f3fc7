#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the program as its users do. The tests stand in the check_*.py files beside this one.

Usage: test_program.py [-v] [check_pictures.Annotate.test_name ...]
"""

import sys
import unittest
from pathlib import Path


class SkipReport(unittest.TextTestResult):
    """Says what was skipped and why, also without -v."""

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.stream.write(f"\nskipped: {test.id()}: {reason}\n")


if __name__ == "__main__":
    here = str(Path(__file__).resolve().parent)
    sys.path.insert(0, here)
    names = [a for a in sys.argv[1:] if not a.startswith("-")]
    loader = unittest.defaultTestLoader
    suite = loader.loadTestsFromNames(names) if names else loader.discover(here, "check_*.py")
    runner = unittest.TextTestRunner(verbosity=2 if "-v" in sys.argv else 1,
                                     resultclass=SkipReport)
    sys.exit(not runner.run(suite).wasSuccessful())
