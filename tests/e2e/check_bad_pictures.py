# SPDX-License-Identifier: Apache-2.0
"""Damaged, lying and unusual pictures: a message each, and nothing lost of the others."""

import struct

from support import ASTRONAUT, ASTRONAUT_GRAY, ProgramTest, cmyk_jpeg, pgm, png


def jpeg_with_size(width, height):
    """The astronaut's JPEG with another size in its frame header."""
    data = bytearray(ASTRONAUT.read_bytes())
    frame = data.index(b"\xff\xc0")
    data[frame + 5:frame + 9] = struct.pack(">HH", height, width)
    return bytes(data)


class BadPictures(ProgramTest):
    def expect_refused(self, name, content, status, message):
        """The bad picture is reported; the good ones around it are analyzed."""
        bad = self.folder / name
        if content is not None:
            self.write(name, content)
        result = self.fail_with(message, "analyze", "--json", "--detector", "none", ASTRONAUT_GRAY,
                                bad, ASTRONAUT_GRAY)
        self.assertIn(name, result.err)
        before, refused, after = result.json_lines()
        self.assertEqual((len(before["faces"]), len(after["faces"])), (1, 1))
        self.assertEqual(refused["error"]["status"], status)
        self.assertRegex(refused["error"]["message"], message)

    def test_a_video(self):
        self.expect_refused("film.gif", b"GIF89a....", "not supported", "mien live --no-window")

    def test_missing(self):
        self.expect_refused("missing.jpg", None, "not found",
                            "cannot open '.*missing.jpg': No such")

    def test_empty(self):
        for name in ("empty.jpg", "empty.png", "empty.pgm"):
            self.expect_refused(name, b"", "malformed data", "empty")

    def test_a_folder_named_like_a_picture(self):
        (self.folder / "folder.jpg").mkdir()
        result = self.fail_with("no picture in", "analyze", "--json", self.folder / "folder.jpg",
                                ASTRONAUT_GRAY)
        self.assertEqual(len(result.json_lines()), 1)

    def test_truncated(self):
        jpeg = ASTRONAUT.read_bytes()
        good = png(64, 64, 8, 0, [bytes(range(64))] * 64)
        for length in (1, 2):
            self.expect_refused("cut.jpg", jpeg[:length], "not supported", "not a picture")
        for length in (3, 20, 200, len(jpeg) // 2, len(jpeg) - 2000):
            self.expect_refused("cut.jpg", jpeg[:length], "malformed data", "JPEG: ")
        for length in (8, 20, 40, len(good) - 40):
            self.expect_refused("cut.png", good[:length], "malformed data", "PNG: ")
        self.expect_refused("cut.pgm", pgm(64, 64, bytes(4000)), "malformed data", "cut short")

    def test_sizes_of_zero(self):
        self.expect_refused("zero.png", png(0, 0, 8, 2, []), "malformed data", "no pixels")
        self.expect_refused("zero.jpg", jpeg_with_size(0, 0), "malformed data", "no pixels")
        self.expect_refused("zero.pgm", b"P5 0 5 255\n", "malformed data", "no pixels")

    def test_sixty_thousand_squared(self):
        huge = png(60000, 60000, 8, 2, [b"\0" * 30])
        self.expect_refused("huge.png", huge, "limit exceeded", "60000 x 60000")
        self.expect_refused("huge.jpg", jpeg_with_size(60000, 60000), "limit exceeded",
                            "60000 x 60000")
        self.expect_refused("huge.pgm", b"P5 60000 60000 255\n", "limit exceeded", "60000 x 60000")

    def test_lying_headers_under_the_cap(self):
        self.expect_refused("liar.pgm", b"P5\n9999 9999\n255\nxx", "malformed data",
                            "9999 x 9999 pixels need 99980001 bytes")
        self.expect_refused("liar.ppm", b"P3\n5000 5000\n255\n1 2 3", "malformed data",
                            "cut short")
        self.expect_refused("wide.pgm", b"P5\n99999999 1\n255\nxx", "limit exceeded", "99999999")
        self.expect_refused("endless.pgm", b"P5\n" + b"9" * 400 + b" 1\n255\nxx",
                            "limit exceeded", "9999999 x 1")
        self.expect_refused("liar.jpg", jpeg_with_size(9000, 9000), "malformed data",
                            "JPEG: ")
        self.expect_refused("liar.png", png(9000, 9000, 8, 2, [b"\0" * 30]),
                            "malformed data", "PNG: .*too short")

    def test_other_formats_and_noise(self):
        self.expect_refused("film.jpg", b"GIF89a\x01\x00\x01\x00", "not supported", "47 49 46")
        self.expect_refused("text.png", b"hello, world", "not supported", "JPEG, PNG")
        noise = bytes((i * 197 + 31) % 256 for i in range(5000))
        self.expect_refused("noise.jpg", b"\xff\xd8\xff\xe0" + noise, "malformed data", "JPEG: ")
        self.expect_refused("noise.png", b"\x89PNG\r\n\x1a\n" + noise, "malformed data",
                            "PNG: ")


class UnusualPictures(ProgramTest):
    def probabilities(self, name, content):
        path = self.write(name, content)
        picture, = self.succeed("analyze", "--json", "--detector", "none", path).json_lines()
        return picture["faces"][0]["probabilities"]

    def setUp(self):
        super().setUp()
        self.gray = bytes((x * 3 + y * y) % 256 for y in range(60) for x in range(50))
        self.rows = [self.gray[50 * y:50 * y + 50] for y in range(60)]
        self.expected = self.probabilities("plain.pgm", pgm(50, 60, self.gray))

    def test_grey_png(self):
        self.assertEqual(self.probabilities("grey.png", png(50, 60, 8, 0, self.rows)),
                         self.expected)

    def test_sixteen_bits(self):
        wide = [bytes(b for v in row for b in (v, 255 - v)) for row in self.rows]
        self.assertEqual(self.probabilities("deep.png", png(50, 60, 16, 0, wide)), self.expected)
        deep_pgm = b"P5 50 60 65535\n" + b"".join(wide)
        self.assertEqual(self.probabilities("deep.pgm", deep_pgm), self.expected)

    def test_palette(self):
        palette = bytes(v for i in range(256) for v in (255 - i,) * 3)
        rows = [bytes(255 - v for v in row) for row in self.rows]
        self.assertEqual(self.probabilities("palette.png", png(50, 60, 8, 3, rows, palette)),
                         self.expected)

    def test_colour_with_and_without_alpha(self):
        rgb = [bytes(v for p in row for v in (p, p, p)) for row in self.rows]
        rgba = [bytes(v for p in row for v in (p, p, p, 9)) for row in self.rows]
        gray_alpha = [bytes(v for p in row for v in (p, 9)) for row in self.rows]
        self.assertEqual(self.probabilities("rgb.png", png(50, 60, 8, 2, rgb)), self.expected)
        self.assertEqual(self.probabilities("rgba.png", png(50, 60, 8, 6, rgba)), self.expected)
        self.assertEqual(self.probabilities("ga.png", png(50, 60, 8, 4, gray_alpha)),
                         self.expected)
        self.assertEqual(self.probabilities("rgb.ppm", b"P6 50 60 255\n" + b"".join(rgb)),
                         self.expected)

    def test_cmyk_jpeg(self):
        for name in ("cmyk_adobe", "ycck_adobe", "cmyk_plain"):
            path = self.write(name + ".jpg", cmyk_jpeg(name))
            picture, = self.succeed("analyze", "--json", "--detector", "none", path).json_lines()
            self.assertEqual((picture["width"], picture["height"]), (16, 8))
