# SPDX-License-Identifier: Apache-2.0
"""The runtime as WebAssembly gives the same faces and probabilities as the native program.

test_wasm.py SOURCES BUILD MIEN DECODE_TO_PPM: builds mien.wasm in BUILD/wasm with Emscripten, lets
Node analyze a raw picture and compares with `mien analyze --json`. Ends with 77 (skipped) when a
tool is not here.
"""
import json
import os
import shutil
import subprocess
import sys


CASCADE = "haarcascade_frontalface_default.xml"
CASCADE_FOLDERS = [os.environ.get("MIEN_CASCADES", ""), "/usr/share/opencv4/haarcascades",
                   "/usr/local/share/opencv4/haarcascades", "/usr/share/opencv/haarcascades"]
PROBABILITY_TOLERANCE = 1e-4
NETWORK_BOX_TOLERANCE = 0.5  # pixels
RUNS = 3
# Flags of the native build do not fit the cross build.
FOREIGN_VARIABLES = ["CC", "CC_LD", "CFLAGS", "CPPFLAGS", "LDFLAGS"]


def skip(reason):
    print("skipped:", reason)
    sys.exit(77)


def find_cascade():
    for folder in CASCADE_FOLDERS:
        path = os.path.join(folder, CASCADE)
        if os.path.isfile(path):
            return path
    return skip(f"{CASCADE} is not here (package opencv-data)")


def run(*command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, **options)
    if done.returncode != 0:
        sys.exit(f"failed with {done.returncode}: {' '.join(command)}\n{done.stdout}")
    return done.stdout


def build_module(sources, folder):
    environment = {k: v for k, v in os.environ.items() if k not in FOREIGN_VARIABLES}
    if not os.path.isfile(os.path.join(folder, "build.ninja")):
        run("meson", "setup", "--cross-file", os.path.join(sources, "tools/emscripten.cross"),
            folder, sources, env=environment)
    run("ninja", "-C", folder, env=environment)
    return os.path.join(folder, "web", "wasm")


def native_faces(mien, job):
    command = [mien, "analyze", "--json", "--detector", job["detector"], "--model", job["model"],
               *(["--sidecar", job["modelSidecar"]] if job["modelSidecar"] else [])]
    if job["detectorSidecar"] is not None:
        command += ["--detector-sidecar", job["detectorSidecar"]]
    return json.loads(run(*command, job["picture"]))["faces"]


def check_face(native, wasm, classes, box_tolerance):
    box = [wasm["x"], wasm["y"], wasm["width"], wasm["height"]]
    off = max(abs(a - b) for a, b in zip(native["box"], box))
    assert off <= box_tolerance, f"box {box}, natively {native['box']}"
    for point, expected in zip(wasm["landmarks"] or [], native.get("landmarks", [])):
        off = max(abs(a - b) for a, b in zip(point, expected))
        assert off <= box_tolerance, f"landmark {point}, natively {expected}"
    assert (wasm["landmarks"] is None) == ("landmarks" not in native)
    assert classes == list(native["probabilities"]), "the classes differ"
    differences = [abs(a - b) for a, b in zip(native["probabilities"].values(),
                                              wasm["probabilities"])]
    assert len(differences) == len(wasm["probabilities"])
    # A box that is a little off is another crop: then the network sees another face.
    if box_tolerance == 0:
        assert max(differences) <= PROBABILITY_TOLERANCE, f"probabilities off by {differences}"
        assert wasm["expression"] == native["expression"]
        assert wasm["unsure"] == native["unsure"]
    return max(differences)


def compare(name, mien, job, box_tolerance):
    native = native_faces(mien, job)
    wasm = json.loads(run("node", os.path.join(os.path.dirname(__file__), "analyze.mjs"),
                          json.dumps(job)))
    assert native, "natively there is no face: nothing is compared"
    assert len(native) == len(wasm["faces"]), f"{len(wasm['faces'])} faces, natively {len(native)}"
    worst = max(check_face(n, w, wasm["classes"], box_tolerance)
                for n, w in zip(native, wasm["faces"]))
    print(f"{name}: {len(native)} faces, probabilities within {worst:.1e}, "
          f"{wasm['medianMs']:.1f} ms a picture")


def main():
    sources, build, mien, decode_to_ppm = sys.argv[1:]
    for tool in ["emcc", "node", "meson", "ninja"]:
        if shutil.which(tool) is None:
            skip(f"{tool} is not here")
    cascade = find_cascade()
    folder = build_module(sources, os.path.join(build, "wasm"))
    scratch = os.path.join(build, "wasm", "test")
    os.makedirs(scratch, exist_ok=True)
    picture = os.path.join(scratch, "astronaut.ppm")
    run(decode_to_ppm, os.path.join(sources, "tests/fixtures/astronaut.jpg"), picture)
    tiny = os.path.join(sources, "tests/fixtures/tiny-classifier.onnx")
    job = {"folder": folder, "picture": picture, "detector": cascade, "detectorSidecar": None,
           "model": tiny, "modelSidecar": None, "runs": RUNS}
    compare("cascade, tiny network", mien, job, 0)
    weights = os.path.join(os.environ.get("MIEN_SHARED", os.path.join(sources, "../shared")),
                           "weights")
    sidecars = os.path.join(sources, "models/sidecars")
    model = os.path.join(weights, "mini_xception_fer2013.onnx")
    if os.path.isfile(model):
        job["model"] = model
        job["modelSidecar"] = os.path.join(sidecars, "mini_xception_fer2013.mien")
        compare("cascade, mini-Xception", mien, job, 0)
    detector = os.path.join(weights, "face_detection_yunet_2023mar.onnx")
    if os.path.isfile(detector):
        job["detector"] = detector
        job["detectorSidecar"] = os.path.join(sidecars, "face_detection_yunet_2023mar.mien")
        compare("YuNet", mien, job, NETWORK_BOX_TOLERANCE)


main()
