#!/bin/sh
# The main job on a bundled picture: demo.sh PROGRAM PICTURE
set -eu
program=$1
picture=$2

"$program" analyze --annotate demo-output "$picture"
echo "The marked picture is demo-output/$(basename "${picture%.*}").png"
