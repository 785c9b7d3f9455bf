#!/usr/bin/env bash
# numpy 2.4.6 (its wheel has OpenBLAS 0.3): one product of 128 x 128 numbers for each frame of a camera keeps every other core
# busy all the time. A product takes milliseconds at most, but the threads that helped look for more work for 2^26 ticks of
# the CPU's clock before they sleep, and at 30 frames a second the next product comes first. With 64 x 64 nobody helps.
#
# `OPENBLAS_THREAD_TIMEOUT=4` (2^4 ticks) lets them sleep; `OPENBLAS_NUM_THREADS=1` lets nobody help. Seen on two cores of an
# AMD EPYC: 90 % of the second core busy, and 7 % with the timeout. On a board that is power, and time that the engines want.
# `import numpy` alone starts the threads, which look for work for as long.
# edge_arseg multiplies no matrices with NumPy while frames come; code that runs beside it may.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check numpy==2.4.6
cat > "$folder/show.py" <<'PYTHON'
import os
import sys
import time
from pathlib import Path

import numpy as np


def seconds_of_helpers():
    ticks = 0
    for task in Path("/proc/self/task").iterdir():
        if int(task.name) != os.getpid():
            ticks += sum(map(int, (task / "stat").read_text().rpartition(")")[2].split()[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


side = int(sys.argv[1])
matrix = np.ones((side, side), np.float32)
helpers = len(os.listdir("/proc/self/task")) - 1
time.sleep(0.5)
before, start = seconds_of_helpers(), time.perf_counter()
for _ in range(90):
    matrix @ matrix
    time.sleep(1 / 30)
share = (seconds_of_helpers() - before) / (time.perf_counter() - start) / helpers
print(round(100 * share))
PYTHON
if (( $(nproc) < 2 )); then echo "needs two cores" >&2; exit 1; fi
unset OPENBLAS_NUM_THREADS OPENBLAS_THREAD_TIMEOUT OMP_NUM_THREADS
small=$("$folder/venv/bin/python" "$folder/show.py" 64)
plain=$("$folder/venv/bin/python" "$folder/show.py" 128)
rested=$(OPENBLAS_THREAD_TIMEOUT=4 "$folder/venv/bin/python" "$folder/show.py" 128)
echo "other cores busy: 64 x 64 $small %, 128 x 128 $plain %, 128 x 128 with OPENBLAS_THREAD_TIMEOUT=4 $rested %"
# on a machine that is busy with other work the helpers give way, and spin for less time
(( small <= 2 && plain >= 10 && plain >= 4 * rested ))
