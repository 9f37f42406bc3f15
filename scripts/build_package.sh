#!/bin/sh
# Puts the function's files into a directory, as Lambda unpacks them. `sam build` calls it by
# `make build-MatchvecFunction`.
#
#   scripts/build_package.sh DIRECTORY arm64|x86_64
#
# Only wheels are taken, for the processor and system of the Lambda runtime python3.13 (Amazon
# Linux 2023, glibc 2.34), so that it works on any host.
set -eu
cd "$(dirname "$0")/.."
directory=$1
case $2 in
    arm64) machine=aarch64 ;;
    x86_64) machine=x86_64 ;;
    *) echo "build_package.sh: no architecture $2" >&2 && exit 1 ;;
esac

"${PIP_PYTHON:-.venv/bin/python}" -m pip install --quiet --disable-pip-version-check \
    --target "$directory" --requirement requirements.txt --only-binary=:all: \
    --implementation cp --python-version 3.13 \
    --platform "manylinux_2_34_$machine" --platform "manylinux_2_28_$machine" \
    --platform "manylinux_2_27_$machine" --platform "manylinux_2_17_$machine" \
    --platform "manylinux2014_$machine"

# Nothing that run time imports: the C library that onnxruntime's Python module does not link,
# its tools for making models, tests, and what sits beside packages for developers.
rm -rf "${directory:?}/bin" "$directory/google" "$directory/flatbuffers" "$directory/packaging"
onnxruntime=$directory/onnxruntime
rm -rf "$onnxruntime"/capi/libonnxruntime.so.* "$onnxruntime/transformers" \
    "$onnxruntime/quantization" "$onnxruntime/tools" "$onnxruntime/datasets" "$onnxruntime/backend"
find "$directory" -depth \( -name tests -o -name __pycache__ \) -type d -exec rm -rf {} +

cp lambda_function.py "$directory"
cp -R gateway inference service models "$directory"
find "$directory" -depth -name __pycache__ -type d -exec rm -rf {} +
echo "Package for $2: $(du -sk "$directory" | cut -f1) KiB"
