#!/usr/bin/env bash
# What is to run on a machine with a GPU that has CUDA's libraries but not what mien is built with:
# gpu_bundle.sh BUILD_FOLDER OUT_FOLDER gathers the program, the cudnn backend, their tests and the
# libraries that these need in OUT_FOLDER. There, OUT_FOLDER/mien is the program and OUT_FOLDER/check
# runs the tests; CUDNN_FOLDER says where cuDNN's libraries lie, if the system does not know.
set -euo pipefail
if [ $# -ne 2 ] || [ ! -e "$1/mien-cudnn.so" ]; then
    echo "usage: tools/gpu_bundle.sh BUILD_FOLDER OUT_FOLDER (the build has mien-cudnn.so)" >&2
    exit 2
fi
build=$1 out=$2
mkdir -p "$out/bin" "$out/lib"
programs=("$build/mien" "$build"/tests/unit/train/cudnn/test_train_cudnn{,_elements,_networks}_gpu)
cp "${programs[@]}" "$build/mien-cudnn.so" "$out/bin"
# The system's own libraries stay behind, and so do the vendor's.
ldd "${programs[@]}" | awk '$2 == "=>" { print $3 }' | sort -u |
    grep -vE '/(libc|libm|libdl|libpthread|libstdc\+\+|libgcc_s|ld-linux[^/]*)\.so|/libcu' |
    xargs cp -L -t "$out/lib"
cat >"$out/mien" <<'RUN'
#!/usr/bin/env bash
folder=$(cd "$(dirname "$0")" && pwd)
export LD_LIBRARY_PATH=$folder/lib:${CUDNN_FOLDER:-}:${LD_LIBRARY_PATH:-}
exec "$folder/bin/mien" "$@"
RUN
cat >"$out/check" <<'CHECK'
#!/usr/bin/env bash
# Runs the tests of the cudnn backend, in float32 and in TF32. Ends with "N passed, N failed".
folder=$(cd "$(dirname "$0")" && pwd)
export LD_LIBRARY_PATH=$folder/lib:${CUDNN_FOLDER:-}:${LD_LIBRARY_PATH:-} MIEN_BUILD_ROOT=$folder/bin
passed=0 failed=0
for override in 0 1; do
    for test in test_train_cudnn{,_elements,_networks}_gpu; do
        echo "== $test, NVIDIA_TF32_OVERRIDE=$override"
        if NVIDIA_TF32_OVERRIDE=$override "$folder/bin/$test"; then
            passed=$((passed + 1))
        else
            failed=$((failed + 1))
        fi
    done
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
CHECK
chmod +x "$out/mien" "$out/check"
du -sh "$out"
