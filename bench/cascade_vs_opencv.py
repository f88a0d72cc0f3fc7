#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Compares the boxes of mien's cascade detector with those of OpenCV, and their speed.

Needs python3-opencv and the program cascade_boxes of the build folder:

    bench/cascade_vs_opencv.py --mien build/bench/cascade_boxes [--json FILE] [FOLDER]
    bench/cascade_vs_opencv.py --mien build/bench/cascade_boxes --speed [FOLDER]

With --speed it compares times alone: frontalface_default on SPEED_PICTURES of the pictures, brought
to 640x480 and 1280x720, OpenCV on one thread and mien on one and on two, in turn. The figures are
medians over the pictures of the best of --repeats medians.

Without FOLDER the pictures are frames of the samples and the JAFFE faces in $MIEN_SHARED (else
../shared beside the repository); those that are not there are left out. OpenCV runs on one thread.
The time ratio is mien's median time over OpenCV's, picture by picture, and of those the median.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import cv2

ROOT = pathlib.Path(__file__).resolve().parent.parent
CASCADES = [
    "frontalface_default", "frontalface_alt", "frontalface_alt2", "profileface", "eye", "smile",
    "frontalface_alt_tree", "eye_tree_eyeglasses", "frontalcatface", "frontalcatface_extended",
    "fullbody", "lefteye_2splits", "lowerbody", "righteye_2splits", "russian_plate_number",
    "upperbody",
]
# scale factor, smallest number of neighbours, smallest side, largest side (0: no limit)
ARGUMENT_SETS = [(1.1, 3, 0, 0), (1.3, 5, 0, 0), (1.05, 4, 40, 200)]
FRAMES_PER_VIDEO = 12
SPEED_PICTURES = 6
SPEED_SIZES = [(640, 480), (1280, 720)]
SPEED_ARGUMENTS = [(1.3, 5, 0, 0), (1.1, 3, 0, 0)]
PICTURE_ENDINGS = {".jpg", ".jpeg", ".png", ".pgm", ".ppm", ".bmp", ".tif", ".tiff"}
VIDEO_ENDINGS = {".gif", ".mp4"}


def video_frames(path):
    """FRAMES_PER_VIDEO grey frames, evenly spread."""
    video = cv2.VideoCapture(str(path))
    frames = []
    while True:
        there, frame = video.read()
        if not there:
            break
        frames.append(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY))
    step = max(1, len(frames) // FRAMES_PER_VIDEO)
    return frames[::step][:FRAMES_PER_VIDEO]


def pictures_of(path):
    if path.suffix.lower() in VIDEO_ENDINGS:
        return video_frames(path)
    if path.suffix.lower() in PICTURE_ENDINGS:
        picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        return [] if picture is None else [picture]
    return []


def default_files(jaffe_count):
    shared = pathlib.Path(os.environ.get("MIEN_SHARED", ROOT.parent / "shared"))
    samples = sorted((shared / "samples").glob("*"))
    faces = sorted(path for path in (shared / "data" / "jaffe").rglob("*") if path.is_file())
    step = max(1, len(faces) // jaffe_count)
    return samples + faces[::step][:jaffe_count]


def iou(a, b):
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (a[2] * a[3] + b[2] * b[3] - shared)


def matched(boxes, others):
    """How many boxes have a box of their own among the others at IoU 0.9."""
    free = list(others)
    count = 0
    for box in boxes:
        best = max(free, key=lambda other: iou(box, other), default=None)
        if best is not None and iou(box, best) >= 0.9:
            free.remove(best)
            count += 1
    return count


def run_opencv(cascade, arguments, pictures, repeats):
    detector = cv2.CascadeClassifier(str(cascade))
    factor, neighbours, smallest, largest = arguments
    results = []
    for picture in pictures:
        times = []
        for _ in range(repeats):
            start = time.perf_counter()
            boxes, weights = detector.detectMultiScale2(
                picture, scaleFactor=factor, minNeighbors=neighbours,
                minSize=(smallest, smallest), maxSize=(largest, largest))
            times.append((time.perf_counter() - start) * 1e3)
        scored = [(*map(int, box), int(weight)) for box, weight in zip(boxes, weights)]
        results.append((scored, sorted(times)[repeats // 2]))
    return results


def run_mien(program, cascade, arguments, paths, repeats, threads=1, kernels="best"):
    command = [program, str(cascade), *map(str, arguments), str(repeats), str(threads), kernels,
               *map(str, paths)]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    results = []
    for line in output.splitlines():
        words = line.split()
        if words[0] == "picture":
            results.append(([], float(words[2])))
        else:
            results[-1][0].append(tuple(int(float(word)) for word in words))
    return results


def compare(program, cascade, arguments, pictures, paths, options):
    repeats = options.repeats
    theirs = run_opencv(cascade, arguments, pictures, repeats)
    ours = run_mien(program, cascade, arguments, paths, repeats, options.threads, options.kernels)
    return {
        "cascade": cascade.stem.removeprefix("haarcascade_"),
        "arguments": arguments,
        "opencv_boxes": sum(len(boxes) for boxes, _ in theirs),
        "mien_boxes": sum(len(boxes) for boxes, _ in ours),
        "opencv_matched": sum(matched(a, b) for (a, _), (b, _) in zip(theirs, ours)),
        "mien_matched": sum(matched(b, a) for (a, _), (b, _) in zip(theirs, ours)),
        "pictures_identical": sum(a == b for (a, _), (b, _) in zip(theirs, ours)),
        "opencv_ms": statistics.median(ms for _, ms in theirs),
        "mien_ms": statistics.median(ms for _, ms in ours),
        "time_ratio": statistics.median(b / a for (_, a), (_, b) in zip(theirs, ours)),
    }


def share(part, whole):
    return part / whole if whole else 1.0


def print_table(rows, picture_count):
    print(f"{picture_count} pictures, OpenCV {cv2.__version__}, one thread")
    print(f"{'cascade':24}{'arguments':20}{'OpenCV':>8}{'mien':>8}{'found':>9}{'right':>9}"
          f"{'identical':>11}{'OpenCV ms':>11}{'mien ms':>9}{'ratio':>7}")
    for row in rows:
        print(f"{row['cascade']:24}{str(tuple(row['arguments'])):20}"
              f"{row['opencv_boxes']:8}{row['mien_boxes']:8}"
              f"{share(row['opencv_matched'], row['opencv_boxes']):9.2%}"
              f"{share(row['mien_matched'], row['mien_boxes']):9.2%}"
              f"{row['pictures_identical']:11}{row['opencv_ms']:11.2f}{row['mien_ms']:9.2f}"
              f"{row['time_ratio']:7.2f}")


def total(rows):
    sums = {key: sum(row[key] for row in rows) for key in
            ("opencv_boxes", "mien_boxes", "opencv_matched", "mien_matched", "pictures_identical")}
    return {"cascade": "all", "arguments": [], **sums,
            "opencv_ms": statistics.median(row["opencv_ms"] for row in rows),
            "mien_ms": statistics.median(row["mien_ms"] for row in rows),
            "time_ratio": statistics.median(row["time_ratio"] for row in rows)}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=pathlib.Path, help="pictures and videos to use")
    parser.add_argument("--mien", required=True, help="the program cascade_boxes")
    parser.add_argument("--cascades", type=pathlib.Path, help="folder of the XML files",
                        default=os.environ.get("MIEN_CASCADES", "/usr/share/opencv4/haarcascades"))
    parser.add_argument("--only", help="names of cascades, with commas between them")
    parser.add_argument("--jaffe", type=int, default=60, help="how many JAFFE faces (60)")
    parser.add_argument("--repeats", type=int, default=1, help="runs per picture (1)")
    parser.add_argument("--threads", type=int, default=1, help="threads of mien (1)")
    parser.add_argument("--kernels", default="best", help="kernels of mien (best)")
    parser.add_argument("--speed", action="store_true", help="compare times alone")
    parser.add_argument("--json", type=pathlib.Path, help="write the figures here")
    return parser.parse_args()


def spread(items, count):
    step = max(1, len(items) // count)
    return items[::step][:count]


def best_times(runs):
    """Per picture, the best of some runs."""
    return [min(times) for times in zip(*([ms for _, ms in run] for run in runs))]


def compare_speed(options, cascade, pictures, folder):
    """One row per size and arguments; the three programs run in turn."""
    rows = []
    for width, height in SPEED_SIZES:
        scaled = [cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR)
                  for picture in pictures]
        paths = [pathlib.Path(folder) / f"{width}-{index}.pgm" for index in range(len(scaled))]
        for path, picture in zip(paths, scaled):
            cv2.imwrite(str(path), picture)
        for arguments in SPEED_ARGUMENTS:
            theirs, ours, with_two = [], [], []
            for _ in range(max(1, options.repeats)):
                theirs.append(run_opencv(cascade, arguments, scaled, 3))
                ours.append(run_mien(options.mien, cascade, arguments, paths, 3))
                with_two.append(run_mien(options.mien, cascade, arguments, paths, 3, 2))
            opencv, one, two = best_times(theirs), best_times(ours), best_times(with_two)
            same = sum(a[0] == b[0] == c[0] for a, b, c in zip(theirs[0], ours[0], with_two[0]))
            rows.append({
                "size": f"{width}x{height}", "arguments": arguments, "pictures_identical": same,
                "opencv_ms": statistics.median(opencv), "mien_ms": statistics.median(one),
                "two_threads_ms": statistics.median(two),
                "times_as_fast": statistics.median(a / b for a, b in zip(opencv, one)),
                "least": min(a / b for a, b in zip(opencv, one)),
                "two_threads_gain": statistics.median(a / b for a, b in zip(one, two)),
            })
    return rows


def print_speed(rows, picture_count):
    print(f"{picture_count} pictures, frontalface_default, OpenCV {cv2.__version__} on one thread")
    print(f"{'size':10}{'arguments':18}{'identical':>10}{'OpenCV ms':>11}{'mien ms':>9}"
          f"{'times as fast':>15}{'least':>7}{'2 threads ms':>14}{'gain':>6}")
    for row in rows:
        print(f"{row['size']:10}{str(tuple(row['arguments'])):18}{row['pictures_identical']:10}"
              f"{row['opencv_ms']:11.2f}{row['mien_ms']:9.2f}{row['times_as_fast']:15.2f}"
              f"{row['least']:7.2f}{row['two_threads_ms']:14.2f}{row['two_threads_gain']:6.2f}")


def main_speed(options, pictures):
    cascade = pathlib.Path(options.cascades) / "haarcascade_frontalface_default.xml"
    chosen = spread(pictures, SPEED_PICTURES)
    with tempfile.TemporaryDirectory() as folder:
        rows = compare_speed(options, cascade, chosen, folder)
    print_speed(rows, len(chosen))
    write_json(options, len(chosen), rows)


def write_json(options, picture_count, rows):
    if options.json:
        options.json.write_text(json.dumps({"pictures": picture_count, "opencv": cv2.__version__,
                                            "rows": rows}, indent=1) + "\n")


def main():
    options = parse_arguments()
    cv2.setNumThreads(1)
    files = sorted(options.folder.rglob("*")) if options.folder else default_files(options.jaffe)
    pictures = [picture for path in files for picture in pictures_of(path)]
    if not pictures:
        sys.exit("no pictures found; name a folder or set MIEN_SHARED")
    if options.speed:
        main_speed(options, pictures)
        return
    names = options.only.split(",") if options.only else CASCADES
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        paths = [pathlib.Path(folder) / f"{index:04}.pgm" for index in range(len(pictures))]
        for path, picture in zip(paths, pictures):
            cv2.imwrite(str(path), picture)
        for name in names:
            cascade = pathlib.Path(options.cascades) / f"haarcascade_{name}.xml"
            for arguments in ARGUMENT_SETS:
                rows.append(compare(options.mien, cascade, arguments, pictures, paths, options))
    rows.append(total(rows))
    print_table(rows, len(pictures))
    write_json(options, len(pictures), rows)


if __name__ == "__main__":
    main()
