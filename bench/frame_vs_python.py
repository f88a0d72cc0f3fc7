#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Compares whole frames, from the bytes of a JPEG to expressions, with OpenCV and ONNX Runtime.

    bench/frame_vs_python.py --build build [--rounds N] [--json FILE]
    bench/frame_vs_python.py --build build --frames 100000

One thread, 640x480 pixels. The peer is what a Python program does: cv2.imdecode, cvtColor,
detectMultiScale at a scale factor of 1.3, crop and resize, and the same network in ONNX Runtime
through its C API. Both run in turn; the figures are medians of the processor time of a frame, which
the other programs of the machine lengthen less than they do the time on the wall.

The pictures show the same scene with one face and with four: those of $MIEN_SHARED (else ../shared
beside the repository) with the other faces painted over; without it, tests/fixtures/astronaut.jpg
alone. The networks are the default and a small one for small devices, mini-Xception, each against
itself in ONNX Runtime. Where the processor has BF16, mien's default also runs in it (as with
--precision bf16); the peer's stays in float32. With --frames mien works through that many frames and
shows its memory.

Needs python3-opencv, and npm, which fetches onnxruntime-node into the build folder; --library names
a libonnxruntime.so instead.
"""

import argparse
import ctypes
import datetime
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time
import typing

import cv2
import numpy

from inference_vs_onnxruntime import PACKAGE, find_library, processor

ROOT = pathlib.Path(__file__).resolve().parent.parent
SHARED = pathlib.Path(os.environ.get("MIEN_SHARED", ROOT.parent / "shared"))
CASCADE = pathlib.Path(os.environ.get("MIEN_CASCADES", "/usr/share/opencv4/haarcascades"))
CASCADE /= "haarcascade_frontalface_default.xml"
YUNET = SHARED / "weights/face_detection_yunet_2023mar.onnx"
WIDTH, HEIGHT = 640, 480
SCALE_FACTOR, MIN_NEIGHBOURS = 1.3, 5
TURN_FRAMES = 15


# ---- Pictures ----

def fit(picture):
    """The middle of the picture at the size of a frame; what is missing is grey."""
    scale = HEIGHT / picture.shape[0]
    picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    missing = max(0, WIDTH - picture.shape[1])
    picture = cv2.copyMakeBorder(picture, 0, 0, missing // 2, missing - missing // 2,
                                 cv2.BORDER_CONSTANT, value=(128, 128, 128))
    left = (picture.shape[1] - WIDTH) // 2
    return picture[:HEIGHT, left:left + WIDTH]


def find_faces(picture, scale_factor):
    detector = cv2.CascadeClassifier(str(CASCADE))
    return detector.detectMultiScale(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), scale_factor,
                                     MIN_NEIGHBOURS)


def find_faces_of_both(options, picture):
    """What the cascade finds, and YuNet where it is there: it finds faces that cascades miss."""
    boxes = [tuple(box) for box in find_faces(picture, 1.1)]
    if YUNET.exists():
        ppm = cv2.imencode(".ppm", picture)[1].tobytes()
        text = subprocess.run([options.build / "mien", "detect", "--json", "--detector", YUNET, "-"],
                              input=ppm, check=True, stdout=subprocess.PIPE).stdout
        boxes += [[round(value) for value in face["box"]] for face in json.loads(text)["faces"]]
    return boxes


def holds_centre(box, other):
    """Whether the centre of the other box lies in the box."""
    x, y = other[0] + other[2] / 2 - box[0], other[1] + other[3] / 2 - box[1]
    return 0 <= x < box[2] and 0 <= y < box[3]


def keep_faces(options, picture, count):
    """The picture with all but the largest faces painted over, or None when it has fewer."""
    kept = sorted(find_faces(picture, SCALE_FACTOR), key=lambda box: -box[2])[:count]
    picture = picture.copy()
    for box in find_faces_of_both(options, picture):
        if not any(holds_centre(face, box) for face in kept):
            x, y, width, height = box
            top, left = max(0, y - height // 4), max(0, x - width // 4)
            face = picture[top:y + height, left:x + width * 5 // 4]
            face[:] = face.mean(axis=(0, 1))
    return picture if len(find_faces(picture, SCALE_FACTOR)) == count else None


def make_pictures(options, folder):
    """Paths of JPEG files by number of faces."""
    scene = SHARED / "samples" / "five-faces.jpg"
    if not scene.exists():
        scene = ROOT / "tests/fixtures/astronaut.jpg"
    picture = fit(cv2.imread(str(scene)))
    paths = {}
    for count in (1, 4):
        kept = keep_faces(options, picture, count)
        if kept is not None:
            paths[count] = pathlib.Path(folder) / f"{count}.jpg"
            cv2.imwrite(str(paths[count]), kept, [cv2.IMWRITE_JPEG_QUALITY, 90])
    return paths


# ---- The peer ----

class PeerTensor(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("dims", ctypes.POINTER(ctypes.c_int64)),
                ("rank", ctypes.c_size_t), ("data", ctypes.c_void_p)]


class Peer:
    """OpenCV and ONNX Runtime as one pipeline."""

    def __init__(self, build, library, model, network):
        self.cascade = cv2.CascadeClassifier(str(CASCADE))
        self.side, classes = network["input"], network["classes"]
        self.input = numpy.zeros((1, 1, self.side, self.side), numpy.float32)
        self.dims = (ctypes.c_int64 * 4)(*self.input.shape)
        self.names = (ctypes.c_char_p * 1)(network["output_name"].encode())
        self.tensor = PeerTensor(network["input_name"].encode(), self.dims, 4,
                                 self.input.ctypes.data)
        self.runtime = ctypes.CDLL(str(build / "bench/libonnxruntime_peer.so"))
        self.runtime.peer_open.restype = ctypes.c_void_p
        self.runtime.peer_run.argtypes = [ctypes.c_void_p]
        self.runtime.peer_run.restype = ctypes.c_bool
        self.runtime.peer_output.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
        self.runtime.peer_output.restype = ctypes.POINTER(ctypes.c_float * classes)
        message = ctypes.create_string_buffer(300)
        self.network = self.runtime.peer_open(
            str(library).encode(), str(model).encode(), ctypes.byref(self.tensor), self.names,
            ctypes.c_size_t(1), 1, message, ctypes.c_size_t(300))
        if self.network is None:
            raise SystemExit(message.value.decode())

    def run(self, data):
        """The number of faces and the processor time of the frame in microseconds."""
        start = time.thread_time()
        picture = cv2.imdecode(numpy.frombuffer(data, numpy.uint8), cv2.IMREAD_COLOR)
        gray = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
        boxes = self.cascade.detectMultiScale(gray, SCALE_FACTOR, MIN_NEIGHBOURS)
        results = []
        for x, y, width, height in boxes:
            face = cv2.resize(gray[y:y + height, x:x + width], (self.side, self.side))
            self.input[0, 0] = face.astype(numpy.float32) / 127.5 - 1
            if not self.runtime.peer_run(self.network):
                raise SystemExit("ONNX Runtime failed")
            results.append(list(self.runtime.peer_output(self.network, 0).contents))
        return len(results), (time.thread_time() - start) * 1e6


# ---- mien ----

def describe(options, model):
    """What the peer must know of the network."""
    text = subprocess.run([options.build / "mien", "model", "info", "--json", model],
                          check=True, stdout=subprocess.PIPE).stdout
    info = json.loads(text)
    shape = info["inputs"][0]["shape"]
    if shape[1] != 1:
        raise SystemExit(f"{model} does not take grey faces")
    wanted = info["settings"].get("mien.output", info["outputs"][0]["name"])
    output = next(output for output in info["outputs"] if output["name"] == wanted)
    return {"input": shape[2], "input_name": info["inputs"][0]["name"],
            "output_name": output["name"], "classes": output["shape"][1]}


class Setting(typing.NamedTuple):
    """What mien runs with."""
    name: str
    model: pathlib.Path
    precision: str = "f32"
    detector: typing.Union[str, pathlib.Path] = "default"
    scale: float = SCALE_FACTOR
    side: int = 0


def run_mien(options, frames, path, setting):
    output = subprocess.run([options.build / "bench/frame", setting.model, setting.precision,
                             setting.detector, str(setting.scale), str(setting.side), str(frames),
                             path], check=True, stdout=subprocess.PIPE).stdout
    faces, whole, decode, early, late = map(float, output.split())
    return {"faces": int(faces), "us": whole, "decode_us": decode,
            "early_mib": early / 1024, "late_mib": late / 1024}


# ---- The comparison ----

def settings_to_run(options):
    """All rows; the first is what the peer does."""
    detectors = [("cascade 1.3", "default", 1.3, 0), ("cascade 1.1", "default", 1.1, 0)]
    if YUNET.exists():
        detectors += [("YuNet 640", YUNET, 1.3, 0), ("YuNet 320", YUNET, 1.3, 320)]
    default, *others = options.model
    for name, *detector in detectors:
        yield Setting(name, default, "f32", *detector)
    if "avx512_bf16" in pathlib.Path("/proc/cpuinfo").read_text(encoding="ascii"):
        for name, *detector in detectors:
            yield Setting(name + ", BF16", default, "bf16", *detector)
    for model in others:
        for name, *detector in detectors:
            yield Setting(f"{name}, {model.stem}", model, "f32", *detector)


def compare(options, peer, path, setting):
    """One row; the peer's own detector is always the cascade at 1.3."""
    data = path.read_bytes()
    ours, theirs = [], []
    for _ in range(options.rounds):
        ours.append(run_mien(options, TURN_FRAMES, path, setting))
        theirs.append([peer.run(data) for _ in range(TURN_FRAMES)])
    mien = statistics.median(run["us"] for run in ours)
    python = statistics.median(us for run in theirs for _, us in run)
    return {"mien": setting.name, "mien_faces": ours[0]["faces"],
            "python_faces": theirs[0][0][0], "mien_us": mien,
            "decode_us": statistics.median(run["decode_us"] for run in ours),
            "python_us": python, "ratio": python / mien}


def print_rows(rows):
    print(f"{WIDTH}x{HEIGHT} JPEG, one thread; OpenCV {cv2.__version__} at {SCALE_FACTOR} and "
          f"{PACKAGE}")
    print(f"{'mien':28}{'faces':>6}{'theirs':>8}{'mien ms':>9}{'of it decoding':>16}{'frames/s':>10}"
          f"{'theirs ms':>11}{'ratio':>7}")
    for row in rows:
        print(f"{row['mien']:28}{row['mien_faces']:6}{row['python_faces']:8}"
              f"{row['mien_us'] / 1e3:9.2f}{row['decode_us'] / 1e3:16.2f}"
              f"{1e6 / row['mien_us']:10.1f}{row['python_us'] / 1e3:11.2f}{row['ratio']:7.2f}")
    for name in dict.fromkeys(row["mien"] for row in rows):
        times = [row["mien_us"] for row in rows if row["mien"] == name]
        if len(times) == 2:
            print(f"{name}: four faces take {times[1] / times[0]:.2f} times as long as one")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build"))
    parser.add_argument("--library", type=pathlib.Path, help="libonnxruntime.so")
    parser.add_argument("--model", type=pathlib.Path, nargs="+",
                        default=[ROOT / "models/mien.onnx", ROOT / "models/mini-xception.onnx"],
                        help="networks for grey faces (models/mien.onnx models/mini-xception.onnx)")
    parser.add_argument("--rounds", type=int, default=7, help="turns of each (7)")
    parser.add_argument("--frames", type=int, help="only mien: so many frames, and its memory")
    parser.add_argument("--json", type=pathlib.Path, help="write the figures here")
    return parser.parse_args()


def main():
    options = parse_arguments()
    cv2.setNumThreads(1)
    os.environ.setdefault("MIEN_DATA", str(ROOT / "models"))
    with tempfile.TemporaryDirectory() as folder:
        paths = make_pictures(options, folder)
        if options.frames:
            run = run_mien(options, options.frames, paths[1],
                           Setting("", options.model[0]))
            print(f"{options.frames} frames, {run['us'] / 1e3:.2f} ms each; resident after a tenth "
                  f"{run['early_mib']:.1f} MiB, at the end {run['late_mib']:.1f} MiB")
            return
        library = options.library or find_library(options.build)
        peers = {model: Peer(options.build, library, model, describe(options, model))
                 for model in options.model}
        rows = [compare(options, peers[setting.model], path, setting)
                for setting in settings_to_run(options) for path in paths.values()]
    print_rows(rows)
    if options.json:
        document = {"peers": [f"OpenCV {cv2.__version__}", PACKAGE], "processor": processor(),
                    "date": datetime.date.today().isoformat(), "threads": 1, "rows": rows}
        options.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
