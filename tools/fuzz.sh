#!/bin/sh
# Builds the fuzz targets with clang and runs each for so many seconds: fuzz.sh SECONDS [TARGET ...]
# New inputs that reach new code are kept in build-fuzz/corpus, findings in build-fuzz.
set -eu
seconds=$1
shift
root=$(cd "$(dirname "$0")/.." && pwd)
build=$root/build-fuzz

[ -e "$build/build.ninja" ] || CC=clang meson setup "$build" "$root" -Dfuzz=true \
    -Db_sanitize=address,undefined -Db_lundef=false -Dbuildtype=debugoptimized >/dev/null
ninja -C "$build" fuzz-targets >/dev/null

[ $# -gt 0 ] || set -- onnx cascade image csv pack
for target in "$@"; do
    mkdir -p "$build/corpus/$target"
    echo "fuzzing $target for $seconds s"
    "$build/fuzz/fuzz_$target" "$build/corpus/$target" "$root/fuzz/corpus/$target" \
        -max_total_time="$seconds" -max_len=65536 -timeout=20 -rss_limit_mb=2048 \
        -artifact_prefix="$build/" -verbosity=0 -print_final_stats=1 2>&1 |
        grep -E 'stat::number_of_executed_units|ERROR|SUMMARY|artifact' || true
    if ls "$build"/crash-* "$build"/leak-* "$build"/timeout-* "$build"/oom-* >/dev/null 2>&1; then
        echo "fuzz_$target found something: see $build" >&2
        exit 1
    fi
done
