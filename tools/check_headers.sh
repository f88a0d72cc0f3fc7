#!/bin/sh
# Compiles each public header alone, as C17 and as C++17, with each compiler that is here.
set -eu
cd "$(dirname "$0")/.."
flags="-Wall -Wextra -Wpedantic -Werror -Iinclude -fsyntax-only"
for header in include/mien/*.h; do
    for compiler in gcc clang; do
        command -v $compiler >/dev/null && $compiler -std=c17 $flags -x c "$header"
    done
    for compiler in g++ clang++; do
        command -v $compiler >/dev/null && $compiler -std=c++17 $flags -x c++ "$header"
    done
    echo "ok $header"
done
