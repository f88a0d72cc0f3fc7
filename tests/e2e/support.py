# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests share: running the program, and pictures made from nothing.

Environment: MIEN_PROGRAM (the built program), MIEN_SOURCE_ROOT, and optionally MIEN_SHARED (larger
real material; tests that need it are skipped without).
"""

import json
import os
import re
import signal
import struct
import subprocess
import tempfile
import unittest
import zlib
from pathlib import Path

ROOT = Path(os.environ.get("MIEN_SOURCE_ROOT", Path(__file__).resolve().parents[2]))
PROGRAM = os.environ.get("MIEN_PROGRAM", str(ROOT / "build" / "mien"))
SHARED = Path(os.environ.get("MIEN_SHARED", ROOT.parent / "shared"))
ASTRONAUT = ROOT / "tests" / "fixtures" / "astronaut.jpg"          # 512 x 512, colour, one face
ASTRONAUT_GRAY = ROOT / "tests" / "fixtures" / "astronaut-gray.pgm"  # 256 x 256, the same
TINY_MODEL = ROOT / "tests" / "fixtures" / "tiny-classifier.onnx"
CLASSES = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]

DONE, FAILED, USAGE = 0, 1, 2


class Result:
    """What one run of the program gave."""

    def __init__(self, completed):
        self.status = completed.returncode
        self.out_bytes = completed.stdout or b""
        self.out = self.out_bytes.decode("utf-8", "replace")
        self.err = (completed.stderr or b"").decode("utf-8", "replace")

    def json_lines(self):
        return [json.loads(line) for line in self.out.splitlines()]


def program_environment(model=True):
    """The environment of the program. model: MIEN_MODEL names the tiny network."""
    environment = {k: v for k, v in os.environ.items()
                   if k not in ("MIEN_MODEL", "MIEN_DATA", "LD_PRELOAD")}
    environment["MIEN_DATA"] = str(ROOT / "models")
    # Fontconfig keeps memory to the end; for builds with the address sanitizer.
    environment.setdefault("LSAN_OPTIONS", "print_suppressions=0:suppressions=" + str(
        ROOT / "tests" / "e2e" / "leaks-of-others.txt"))
    if model:
        environment["MIEN_MODEL"] = str(TINY_MODEL)
    return environment


class ProgramTest(unittest.TestCase):
    """A test with a folder of its own and the program at hand."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="mien-e2e-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def run_mien(self, *arguments, env=None, model=True, **options):
        """Runs the program. model: MIEN_MODEL names the tiny network."""
        environment = program_environment(model)
        environment.update(env or {})
        options.setdefault("stdin", subprocess.DEVNULL if "input" not in options else None)
        if options["stdin"] is None:
            del options["stdin"]
        options.setdefault("stdout", subprocess.PIPE)
        completed = subprocess.run([PROGRAM, *map(str, arguments)], stderr=subprocess.PIPE,
                                   env=environment, timeout=60, **options)
        result = Result(completed)
        self.assertGreaterEqual(result.status, 0, f"killed by a signal: {result.err}")
        self.assertNotIn("Sanitizer", result.err)
        return result

    def succeed(self, *arguments, **options):
        result = self.run_mien(*arguments, **options)
        self.assertEqual((result.status, result.err), (DONE, ""))
        return result

    def fail_with(self, message, *arguments, status=FAILED, **options):
        """The run fails and says why: message is a regular expression for standard error."""
        result = self.run_mien(*arguments, **options)
        self.assertEqual(result.status, status, result.err)
        self.assertRegex(result.err, message)
        return result

    def run_until_killed(self, arguments, seconds):
        """True when the program ended by itself before it was killed."""
        environment = dict(os.environ)
        environment.pop("LD_PRELOAD", None)
        with subprocess.Popen([PROGRAM, *map(str, arguments)], stderr=subprocess.PIPE,
                              env=environment) as process:
            try:
                _, err = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.communicate()
                return False
        self.assertEqual(process.returncode, 0, err.decode())
        return True

    def write(self, name, content):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path


def shared(*names):
    """The paths of real material, or the test is skipped."""
    paths = [SHARED / name for name in names]
    for path in paths:
        if not path.exists():
            raise unittest.SkipTest(f"{path.name} is not here (MIEN_SHARED names its folder)")
    return paths if len(paths) > 1 else paths[0]


# ---- Pictures ----

def pgm(width, height, pixels):
    return b"P5\n%d %d\n255\n" % (width, height) + bytes(pixels)


def read_pgm(path):
    """(width, height, pixels) of a plain PGM file."""
    match = re.match(rb"P5\s+(\d+)\s+(\d+)\s+255\s", path.read_bytes())
    return int(match[1]), int(match[2]), path.read_bytes()[match.end():]


def crop(picture, x, y, width, height):
    full_width, _, pixels = picture
    rows = (pixels[(y + r) * full_width + x:(y + r) * full_width + x + width]
            for r in range(height))
    return width, height, b"".join(rows)


def tile(picture, columns, rows):
    width, height, pixels = picture
    lines = [pixels[r * width:(r + 1) * width] * columns for r in range(height)]
    return width * columns, height * rows, b"".join(lines) * rows


def png_chunk(kind, content):
    return (struct.pack(">I", len(content)) + kind + content
            + struct.pack(">I", zlib.crc32(kind + content)))


def png(width, height, depth, colour_type, rows, palette=None):
    """A PNG file; rows: the bytes of each row. colour_type as in the PNG specification."""
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header)
            + (png_chunk(b"PLTE", palette) if palette else b"")
            + png_chunk(b"IDAT", data) + png_chunk(b"IEND", b""))


def paeth(left, up, corner):
    estimate = left + up - corner
    by_left, by_up, by_corner = abs(estimate - left), abs(estimate - up), abs(estimate - corner)
    if by_left <= by_up and by_left <= by_corner:
        return left
    return up if by_up <= by_corner else corner


def read_png_rgb(path):
    """(width, height, rows) of an 8-bit RGB PNG file, decoded as the specification says."""
    data, position, packed = path.read_bytes(), 8, b""
    width, height, depth, colour_type = struct.unpack(">IIBB", data[16:26])
    assert data[:8] == b"\x89PNG\r\n\x1a\n" and (depth, colour_type) == (8, 2)
    while position < len(data):
        length, kind = struct.unpack(">I4s", data[position:position + 8])
        if kind == b"IDAT":
            packed += data[position + 8:position + 8 + length]
        position += 12 + length
    raw, stride, rows = zlib.decompress(packed), width * 3, []
    above = bytearray(stride)
    for y in range(height):
        kind = raw[y * (stride + 1)]
        row = bytearray(raw[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
        for i in range(stride):
            left = row[i - 3] if i >= 3 else 0
            corner = above[i - 3] if i >= 3 else 0
            row[i] = (row[i] + (0, left, above[i], (left + above[i]) // 2,
                                paeth(left, above[i], corner) if kind == 4 else 0)[kind]) & 255
        rows.append(bytes(row))
        above = row
    return width, height, rows


def cmyk_jpeg(name):
    """One of the CMYK JPEG files that the unit tests of the decoder keep as C arrays."""
    text = (ROOT / "tests" / "unit" / "image" / "cmyk_samples.h").read_text()
    body = re.search(name + r"\[\] = \{([^}]*)\}", text)[1]
    return bytes(int(n) for n in re.findall(r"\d+", body))


def astronaut_gray():
    return read_pgm(ASTRONAUT_GRAY)
