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
runs=${3:-runs}
mien=${MIEN:-build/mien}
here=$(dirname "$0")
recipes=$here/../models/recipes
model=$here/../models/$name.onnx

if [ ! -e "$recipes/$name.txt" ]; then
    echo "make_model.sh: there is no recipe $recipes/$name.txt" >&2
    exit 2
fi

# learn NAME [OPTION ...]: a run in $runs/NAME by the recipe of that name
learn() {
    learned=$1
    shift
    mkdir -p "$runs/$learned"
    "$mien" train --threads 1 --data "$data" --out "$runs/$learned" "$@" "$recipes/$learned.txt"
}

before=
if [ "$name" = mien ]; then # taught by a smaller one, then by that and by itself, then by itself
    before="mien-small mien-first mien-second"
    learn mien-small
    learn mien-first --teacher "$runs/mien-small/best.onnx"
    learn mien-second --initial "$runs/mien-first/last.onnx" \
        --teacher "$runs/mien-small/best.onnx" --teacher "$runs/mien-first/last.onnx"
    learn mien --initial "$runs/mien-second/last.onnx" --teacher "$runs/mien-second/best.onnx"
else
    learn "$name"
fi
run=$runs/$name
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
# shellcheck disable=SC2086
python3 "$here/model_card.py" "$runs" "$model" "$name" $before >"$here/../models/$name.md"
