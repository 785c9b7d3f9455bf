#!/usr/bin/env bash
# The C interface of OpenVINO names the types of elements by numbers (ov_element_type_e). Up to 2024 the list begins with
# UNDEFINED. A later release took UNDEFINED out of the front of the list, so each number that follows is one less, and 5 is
# no longer float32 but float64. The library has the same name for both, and no call tells which list it goes by.
#
# A program that was compiled with the headers of the one and loads the library of the other (a Linux distribution's, or that
# of another Python environment) gets tensors of another size without an error. Bindings made without headers, by ctypes or
# cffi, meet it as well.
#
# A way round: ask ov_get_openvino_version first; or make a tensor of one element of a number and look at its size.
#
# Seen below: bytes of a tensor of 8 elements, by the number 5, with the two libraries.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/seen.py" <<'PY'
import ctypes
import sys
from pathlib import Path

libraries = next(Path(sys.prefix).glob("lib/python*/site-packages/openvino/libs"))


class Shape(ctypes.Structure):
    _fields_ = [("rank", ctypes.c_int64), ("sizes", ctypes.POINTER(ctypes.c_int64))]


class Version(ctypes.Structure):
    _fields_ = [("build", ctypes.c_char_p), ("description", ctypes.c_char_p)]


for name in ("libtbb.so.12", "libopenvino.so.*"):
    for file in libraries.glob(name):
        ctypes.CDLL(str(file), mode=ctypes.RTLD_GLOBAL)
library = ctypes.CDLL(str(next(libraries.glob("libopenvino_c.so.*"))))
version = Version()
assert library.ov_get_openvino_version(ctypes.byref(version)) == 0
tensor, size = ctypes.c_void_p(), ctypes.c_size_t()
shape = Shape(1, (ctypes.c_int64 * 1)(8))
assert library.ov_tensor_create(5, shape, ctypes.byref(tensor)) == 0
assert library.ov_tensor_get_byte_size(tensor, ctypes.byref(size)) == 0
print(version.build.decode().split("-")[0], "type 5, 8 elements:", size.value, "bytes")
assert size.value == int(sys.argv[1])
PY
for pair in 2024.6.0:32 2026.4.1:64; do
    python3 -m venv "$folder/${pair%:*}"
    "$folder/${pair%:*}/bin/python" -m pip install -q --disable-pip-version-check "openvino==${pair%:*}" 2>/dev/null
    "$folder/${pair%:*}/bin/python" "$folder/seen.py" "${pair#*:}"
done
