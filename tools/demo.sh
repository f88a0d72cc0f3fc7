#!/bin/sh
# The main job on a bundled picture: demo.sh PROGRAM PICTURE
set -eu
program=$1
picture=$2
data=$(dirname "$0")/../models

if [ -n "${MIEN_MODEL:-}" ] || [ -e "$data/mien.onnx" ]; then
    "$program" analyze --annotate demo-output "$picture"
else
    "$program" detect --annotate demo-output "$picture"
    echo
    echo "These are the faces. For their apparent expressions a network is needed, and this version"
    echo "ships none of its own yet: name an ONNX file and run again, for example"
    echo "  MIEN_MODEL=mini_xception_fer2013.onnx make demo"
fi
echo "The marked picture is demo-output/$(basename "${picture%.*}").png"
