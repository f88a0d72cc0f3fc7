# SPDX-License-Identifier: Apache-2.0
"""Small labelled sets that tests make: FER-2013's CSV, or a folder per class."""

import json

from support import CLASSES, ProgramTest, pgm

HEADER = "emotion,pixels,Usage\n"
SPLITS = ("Training", "PublicTest", "PrivateTest")


def pattern(seed):
    """48 x 48 made-up grey values; stripes, so that the tiny network's answers vary."""
    return bytes((x * (seed % 5 + 1) * 20 + y * (seed % 7) * 9 + seed * 31) % (256 - seed % 3 * 90)
                 for y in range(48) for x in range(48))


class SetMaker(ProgramTest):
    """A test with a set of its own: pictures and labels in turn, the splits in turn too."""

    COUNT = 42

    def setUp(self):
        super().setUp()
        self.pictures = [pattern(i) for i in range(self.COUNT)]
        self.labels = [i % 7 for i in range(self.COUNT)]

    def fer_csv(self):
        rows = (f"{label},{' '.join(map(str, pixels))},{SPLITS[i % 3]}\n"
                for i, (label, pixels) in enumerate(zip(self.labels, self.pictures)))
        return self.write("fer.csv", HEADER + "".join(rows))

    def folder_per_class(self, names=CLASSES):
        for i, (label, pixels) in enumerate(zip(self.labels, self.pictures)):
            self.write(f"set/{names[label]}/{i:03}.pgm", pgm(48, 48, pixels))
        return self.folder / "set"

    def evaluate(self, *arguments):
        return json.loads(self.succeed("eval", "--json", *arguments).out)
