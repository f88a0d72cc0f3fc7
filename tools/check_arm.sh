#!/bin/sh
# The kernels on 64-bit Arm: built with Debian's cross compiler, compared with the reference operators
# under qemu. (Emulation says what is right, not what is fast.)
#   tools/check_arm.sh [CASES]
set -eu

cd "$(dirname "$0")/.."
compiler=aarch64-linux-gnu-gcc
folder=build-arm
mkdir -p "$folder"

compile() {
    object=$folder/$(echo "$1" | tr / _).o
    flags=$2
    # shellcheck disable=SC2086
    $compiler -std=gnu17 -D_GNU_SOURCE -Wall -Wextra -Wno-missing-field-initializers \
        -Wno-format-truncation -Wno-psabi -fno-math-errno -fno-trapping-math \
        -Isrc -Iinclude -Itests -I/usr/include $flags -c "$1" -o "$object"
}

rm -f "$folder"/*.o
for source in src/base/*.c src/nn/*.c src/nn/ref/*.c tests/check/*.c; do
    compile "$source" "-O2 -ffp-contract=off"
done
compile src/nn/simd/generic.c "-O3 -ffp-contract=fast -fno-signed-zeros -Wno-unused-function"
$compiler -static -o "$folder/check_kernels" "$folder"/*.o -lm
qemu-aarch64 "$folder/check_kernels" --cases "${1:-100}"
