#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What a user of the library gets: installs into a temporary folder, builds the example against it,
# shared and static, runs it, and looks at symbols and headers.
#
# Arguments: the folder of the sources, the build folder.

set -eu
source=$1
build=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# --no-rebuild: the test runs within a build that is finished.
DESTDIR=$root meson install -C "$build" --no-rebuild --quiet

# Where the library went: the prefix is that of the build folder.
pc=$(find "$root" -name mien.pc)
test -n "$pc" || fail "mien.pc is not installed"
libdir=$(dirname "$(dirname "$pc")")
prefix=$(cd "$root" && find . -path '*/bin/mien' | sed 's|^\.||; s|/bin/mien$||')
export PKG_CONFIG_PATH="$libdir/pkgconfig"
export PKG_CONFIG_SYSROOT_DIR="$root"
flags=$(pkg-config --cflags mien)
cc=${CC:-cc}

# ---- The example, shared and static ----

expect_faces() {
    out=$("$@" "$source/tests/fixtures/tiny-classifier.onnx" "$source/tests/fixtures/astronaut.jpg")
    echo "$out" | grep -Eqx '[a-z]+ [0-9]+ % at 17[0-9],6[0-9]' || fail "the example printed '$out'"
    if "$@" "$source/missing.onnx" "$source/tests/fixtures/astronaut.jpg" 2>"$work/err"; then
        fail "the example opened a model that is not there"
    fi
    grep -q 'missing.onnx' "$work/err" || fail "the example does not name the missing model"
}

# shellcheck disable=SC2046,SC2086 # flags are words
$cc -std=c17 -Wall -Wextra -Werror $flags "$source/examples/analyze_picture.c" \
    -o "$work/shared" $(pkg-config --libs mien)
readelf -d "$work/shared" | grep -q 'NEEDED.*libmien' || fail "the example is not linked shared"
LD_LIBRARY_PATH=$libdir expect_faces "$work/shared"
echo "the example runs with the shared library"

# The sysroot is of the installation only: the system's own libraries stay where they are.
static_libs=$(PKG_CONFIG_SYSROOT_DIR='' pkg-config --libs --static mien |
    sed "s|-L[^ ]*$prefix/[^ ]*||; s|-lmien|$libdir/libmien.a|")
# shellcheck disable=SC2086
$cc -std=c17 -Wall -Wextra -Werror $flags "$source/examples/analyze_picture.c" \
    -o "$work/static" $static_libs
readelf -d "$work/static" | grep -q 'NEEDED.*libmien' && fail "the static example needs libmien.so"
expect_faces "$work/static"
echo "the example runs with the static library"

# The Makefile beside it says the same.
cp "$source/examples/Makefile" "$source/examples/analyze_picture.c" "$work"
make -s -C "$work" CC="$cc"
LD_LIBRARY_PATH=$libdir expect_faces "$work/analyze_picture"

# The installed program finds its data beside itself.
test -f "$root$prefix/share/mien/sidecars/mini_xception_fer2013.mien" || fail "no sidecars installed"
"$root$prefix/bin/mien" --version

# ---- Symbols ----

exported=$(nm -D --defined-only "$libdir/libmien.so" | awk '{ print $NF }' | sed 's/@.*//')
strange=$(echo "$exported" | grep -v '^mien_' || true)
test -z "$strange" || fail "libmien.so exports $strange"
# Every function of the headers is there, and nothing besides.
declared=$(cat "$source"/include/mien/*.h | tr '\n' ' ' |
    grep -oE 'MIEN_API [^;(]*\(' | grep -oE 'mien_[a-z_]+\(' | tr -d '(' | sort -u)
test "$declared" = "$(echo "$exported" | sort -u)" || {
    echo "$declared" >"$work/declared"
    echo "$exported" | sort -u | diff "$work/declared" - >&2 || true
    fail "headers and exported symbols differ"
}
echo "$(echo "$exported" | wc -l) symbols, all declared"

# ---- Headers, each alone ----

check_header() { # compiler, language, standard, header
    command -v "$1" >/dev/null || return 0
    printf '#include <mien/%s>\n' "$4" |
        "$1" -x "$2" "-std=$3" -Wall -Wextra -Wpedantic -Werror -fsyntax-only \
            -I"$root$prefix/include" - || fail "<mien/$4> alone with $1 -std=$3"
}

for header in "$root$prefix"/include/mien/*.h; do
    name=$(basename "$header")
    for compiler in gcc clang; do
        check_header "$compiler" c c17 "$name"
    done
    for compiler in g++ clang++; do
        check_header "$compiler" c++ c++17 "$name"
    done
done
installed=$(ls "$root$prefix/include/mien")
test "$installed" = "$(ls "$source/include/mien")" || fail "not every public header is installed"
echo "headers stand alone: $(echo "$installed" | tr '\n' ' ')"
