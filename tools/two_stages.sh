#!/bin/sh
# Two-stage training compared, one subject left out each time: ImageNet -> small set (softmax),
# ImageNet -> FER-2013 -> small set (softmax), and the same with the joint softmax and centre loss.
#   tools/two_stages.sh IMAGENET.onnx FER.onnx FOLDER [RUNS]
# IMAGENET.onnx: mobilenet_v1_imagenet.onnx; FER.onnx: what models/recipes/mobilenet-v1.txt made of it;
# FOLDER: pictures in a folder per class, file names beginning with two letters of the subject.
# MIEN: the program (default build/mien). Accuracy is that of the last epoch: the pictures left out
# choose nothing.
set -eu

if [ $# -lt 3 ]; then
    echo "usage: tools/two_stages.sh IMAGENET.onnx FER.onnx FOLDER [RUNS]" >&2
    exit 2
fi
imagenet=$1
fer=$2
folder=$3
runs=${4:-runs/two-stages}
mien=${MIEN:-build/mien}
recipes=$(dirname "$0")/../models/recipes
mkdir -p "$runs"

compare() {
    recipe=$1
    initial=$2
    for subject in $(find "$folder" -type f -name '*.*' | sed 's|.*/||' | cut -c1-2 | sort -u); do
        "$mien" train --threads 1 --no-report --data "$folder" --detect --hold-out "$subject" \
            --initial "$initial" --out "$runs/$recipe-$subject" "$recipes/$recipe.txt" \
            >"$runs/$recipe-$subject.txt" 2>&1
        count=$(sed -n 's/.*learn from, \([0-9]*\) to score on.*/\1/p' "$runs/$recipe-$subject.txt")
        accuracy=$(tail -n 1 "$runs/$recipe-$subject/log.jsonl" |
            sed 's/.*"validation_accuracy":\([0-9.]*\).*/\1/')
        echo "$subject $count $accuracy"
    done | awk -v name="$recipe" '
        { right += $2 * $3; all += $2; line = line sprintf(" %s %.1f", $1, 100 * $3) }
        END { printf "%-18s %5.1f %% of %d pictures; by subject:%s\n", name, 100 * right / all, all, line }'
}

compare jaffe-one-stage "$imagenet"
compare jaffe-two-stages "$fer"
compare jaffe-joint "$fer"
