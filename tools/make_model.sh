#!/bin/sh
# Makes a model that mien ships, from FER-2013's CSV file alone: trains by its recipe, fits the
# confidences on PublicTest, stores the weights as float16, scores it and writes its card.
# An interrupted training goes on where it stood.
#   tools/make_model.sh NAME fer2013.csv [RUNS]      (MIEN: the program; default build/mien)
set -eu

if [ $# -lt 2 ]; then
    echo "usage: tools/make_model.sh NAME fer2013.csv [RUNS]" >&2
    exit 2
fi
name=$1
data=$2
run=${3:-runs}/$name
mien=${MIEN:-build/mien}
here=$(dirname "$0")
recipe=$here/../models/recipes/$name.txt
model=$here/../models/$name.onnx

if [ ! -e "$recipe" ]; then
    echo "make_model.sh: there is no recipe $recipe" >&2
    exit 2
fi
mkdir -p "$run"

"$mien" train --threads 1 --data "$data" --out "$run" "$recipe"
"$mien" model calibrate --float16 --data "$data" --out "$model" "$run/best.onnx"

score() {
    output=$1
    shift
    "$mien" eval --json --model "$model" --data "$data" "$@" >"$run/$output.json"
}
score public --split PublicTest
score private --split PrivateTest
score mirrored --split PrivateTest --mirror
score apart --split PrivateTest --without-near Training
"$mien" bench --json --model "$model" >"$run/bench.json"
"$mien" model info --json "$model" >"$run/info.json"
python3 "$here/model_card.py" "$name" "$run" "$model" >"$here/../models/$name.md"
