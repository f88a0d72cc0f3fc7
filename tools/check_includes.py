#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks who includes whom: each room may see only the rooms below it (docs/ARCHITECTURE.md)."""

import pathlib
import re
import sys

RUNTIME = {
    "base": set(),
    "image": {"base"},
    "image/codec": {"base", "image"},
    "nn": {"base"},
    "detect": {"base", "image", "nn"},
    "prep": {"base", "image", "nn"},
    "engine": {"base", "image", "nn", "detect", "prep"},
}
ABOVE = {
    "zoo": {"base", "nn"},
    "train": {"base", "image", "nn", "prep", "zoo", "data", "eval"},
    "train/cudnn": {"base", "nn", "train"},
    "data": {"base", "image", "image/codec", "prep"},
    "eval": {"base", "image", "image/codec", "nn", "data"},
    "store": {"base", "eval"},
    "store/sqlite": {"base", "store"},
    "store/postgres": {"base", "store"},
    "video": {"base", "image", "engine"},
    "video/ffmpeg": {"base", "image", "video"},
}
ALLOWED = RUNTIME | ABOVE
ALLOWED["cli"] = set(ALLOWED)
ALLOWED["live"] = set(ALLOWED) - {"zoo", "train"}

# Headers of libraries, and the only rooms, or files, that may see them.
VENDORS = {
    "turbojpeg.h": {"image/codec"},
    "jpeglib.h": {"image/codec"},
    "spng.h": {"image/codec"},
    "jansson.h": {"eval", "cli", "live"},
    "cairo.h": {"cli", "live"},
    "oneapi/dnnl/dnnl.h": {"train"},
    "cublasLt.h": {"train/cudnn"},
    "cuda_runtime_api.h": {"train/cudnn"},
    "cudnn.h": {"train/cudnn"},
    "sqlite3.h": {"store/sqlite"},
    "libpq-fe.h": {"store/postgres"},
    "libavcodec/avcodec.h": {"video/ffmpeg"},
    "libavcodec/bsf.h": {"video/ffmpeg"},
    "libavdevice/avdevice.h": {"video/ffmpeg"},
    "libavformat/avformat.h": {"video/ffmpeg"},
    "libavutil/common.h": {"video/ffmpeg"},
    "libavutil/error.h": {"video/ffmpeg"},
    "libavutil/frame.h": {"video/ffmpeg"},
    "libavutil/log.h": {"video/ffmpeg"},
    "libavutil/mathematics.h": {"video/ffmpeg"},
    "libavutil/opt.h": {"video/ffmpeg"},
    "libavutil/pixdesc.h": {"video/ffmpeg"},
    "libswscale/swscale.h": {"video/ffmpeg"},
    "SDL.h": {"live/live_window.c"},
}
STANDARD = re.compile(
    r"^(mien/\w+|assert|ctype|dirent|errno|fcntl|float|getopt|inttypes|limits|locale|math|dlfcn|poll|pthread|setjmp|signal|"
    r"stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdlib|string|strings|time|unistd|sys/\w+|"
    r"omp|immintrin|arm_neon|wasm_simd128)\.h$"
)
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.MULTILINE)


def room_of(path):
    """The room of a path below src/: its first folder, or a folder in it that is a room of its own."""
    parts = path.split("/")
    nested = "/".join(parts[:2])
    return nested if nested in ALLOWED else parts[0]


def faults_of(path, name):
    room = room_of(name)
    for kind, header in INCLUDE.findall(path.read_text()):
        if kind == '"':
            other = room_of(header)
            if other != room and other not in ALLOWED.get(room, set()):
                yield f"{name}: room '{room}' may not include \"{header}\""
            if not (path.parents[len(name.split("/")) - 1] / header).exists():
                yield f'{name}: include "{header}" by its path below src/'
        elif header in VENDORS:
            if not {room, name} & VENDORS[header]:
                yield f"{name}: <{header}> belongs to {', '.join(sorted(VENDORS[header]))}"
        elif not STANDARD.match(header):
            yield f"{name}: <{header}> is no header that this project uses"


def main():
    source = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".") / "src"
    faults = []
    count = 0
    for path in sorted(source.rglob("*.[ch]")):
        name = path.relative_to(source).as_posix()
        count += 1
        if room_of(name) not in ALLOWED:
            faults.append(f"{name}: there is no room '{room_of(name)}'")
        faults.extend(faults_of(path, name))
    for fault in faults:
        print(fault)
    print(f"{count} files, {len(faults)} wrong includes")
    return 1 if faults or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
