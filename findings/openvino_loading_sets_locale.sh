#!/usr/bin/env bash
# OpenVINO 2026.4.1, where it has a cache (CACHE_DIR), sets the locale of the whole process to "C" for a while when it
# compiles a graph, and afterwards to the one that it found. Where two threads compile at the same time, the second finds the "C" of the first and leaves it behind.
#
# From then on the process is in an ASCII locale: Python's open() and read_text() without an encoding fail at the first
# letter that is not ASCII, in code that has nothing to do with OpenVINO, and only in some runs. OpenVINO's documents call
# compiling in several threads safe, and for its own objects it is. Python's package for OpenVINO lets go of the
# interpreter while it compiles, so threads of Python are enough.
#
# A way round: read the locale before, and set it again when no thread compiles any more.
#
# Seen below: the locale after rounds of eight threads that compile at once, and after rounds of one thread. Without the
# cache it stayed in all rounds.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check openvino==2026.4.1 numpy==2.4.6 2>/dev/null
cat > "$folder/seen.py" <<'PY'
import locale
import sys
import tempfile
import threading

import numpy as np
import openvino as ov
from openvino import opset13 as ops

ROUNDS = 40


def model():
    first = ops.parameter([1, 16, 64, 64], np.float32)
    last = first
    for number in range(12):
        weights = np.random.default_rng(number).normal(size=(16, 16, 3, 3)).astype(np.float32)
        last = ops.relu(ops.convolution(last, weights, [1, 1], [1, 1], [1, 1], [1, 1]))
    return ov.Model([last], [first])


def rounds_that_left_it(threads):
    core, left = ov.Core(), 0
    core.set_property({"CACHE_DIR": tempfile.mkdtemp(dir=sys.argv[1])})
    for _ in range(ROUNDS):
        models = [model() for _ in range(threads)]
        running = [threading.Thread(target=core.compile_model, args=(one, "CPU")) for one in models]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
        left += locale.setlocale(locale.LC_CTYPE) == "C"
        locale.setlocale(locale.LC_ALL, "C.UTF-8")
    return left


locale.setlocale(locale.LC_ALL, "C.UTF-8")
print("OpenVINO", ov.__version__)
one, eight = rounds_that_left_it(1), rounds_that_left_it(8)
print(f"the locale became C in {one} of {ROUNDS} rounds of one thread, {'some' if eight else 'none'} of eight threads")
assert one == 0
assert eight > 0
PY
"$folder/venv/bin/python" "$folder/seen.py" "$folder"
