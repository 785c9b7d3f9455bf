"""``make test-cpus``: shipped bundles and Numba kernels on x86 CPUs that are not this one, emulated by QEMU.

Haswell has AVX2 and neither VNNI nor AMX: uint8 x int8 is added there in pairs of 16 bits. Nehalem has SSE4.2 only.
QEMU emulates no AVX-512, VNNI or AMX: a newer model would be tried without what makes it new, so none is.
"""

import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from tools.machines.bundles import shipped, verification
from tools.machines.folders import cache
from tools.machines.outcome import flags_of_cpu, keep
from tools.machines.process import output_of, run_here
from tools.machines.suite import device_suite

QEMU = "qemu-x86_64-static"
MODELS = ("Haswell", "Nehalem")
NATIVE = "this CPU"
BACKENDS = ("onnxruntime", "openvino")
KERNELS = ("tests/runtime/kernels/test_decode_kernel.py", "tests/runtime/kernels/test_fusion_kernel.py", "tests/motion")
"""Tests of the Numba kernels, each against an oracle in NumPy or torch."""

VERIFY_SECONDS = 3600
SUITE_SECONDS = 7200
"""Limits, far above what is needed: QEMU's user mode now and then hangs where a process with threads forks."""

FEATURES = "from numpy._core._multiarray_umath import __cpu_features__ as f; print(*sorted(n for n in f if f[n]))"


def main() -> None:
    """Try every model and this CPU, and keep a record."""
    if shutil.which(QEMU) is None:
        raise SystemExit(f"{QEMU} is not here; type: apt-get update && apt-get install qemu-user-static")
    # torch is the oracle of some tests; emulated, its AVX2 code gives other numbers and crashes
    os.environ["ATEN_CPU_CAPABILITY"] = "default"
    with ThreadPoolExecutor(2) as models:
        native = models.submit(_tried, NATIVE, [], kernels=False)
        others = [models.submit(_tried, model, [QEMU, "-cpu", model], kernels=True) for model in MODELS]
        found = [native.result(), *(other.result() for other in others)]
    keep(
        "cpus",
        settings={"emulator": output_of([QEMU, "--version"]).splitlines()[0], "models": MODELS, "kernels": KERNELS},
        values={
            "flags_of_this_cpu": flags_of_cpu(),
            "features_by_numpy": {one["cpu"]: one["features"] for one in found},
            "verifications": [row for one in found for row in one["rows"]],
            "numba_kernels": {one["cpu"]: one["kernels"] for one in found if one["kernels"]},
        },
        passed=all(one["good"] for one in found),
    )


def _tried(cpu: str, emulator: list[str], *, kernels: bool) -> dict[str, Any]:
    run = partial(run_here, before=emulator, capture=True, seconds=VERIFY_SECONDS)
    rows: list[dict[str, Any]] = []
    for bundle in shipped():
        for backend in BACKENDS:
            rows.append({"cpu": cpu, **verification(run, sys.executable, bundle, backend)})
            print(rows[-1], flush=True)
    good = all(row.get("passed") or _is_not_there(row) for row in rows)
    tests: dict[str, Any] = {}
    if kernels:
        report = cache() / f"kernels-{cpu}.xml"
        suite = partial(run_here, before=emulator, seconds=SUITE_SECONDS)
        counts = device_suite(suite, sys.executable, str(report), report, parts=KERNELS)
        print(cpu, counts, flush=True)
        tests = {"passed": counts.passed, "failed": counts.failed, "failures": counts.failures}
        good &= counts.good
    features = output_of([*emulator, sys.executable, "-c", FEATURES])
    return {"cpu": cpu, "features": features, "rows": rows, "kernels": tests, "good": good}


def _is_not_there(row: dict[str, object]) -> bool:
    return row["backend"] != "onnxruntime" and "not installed" in str(row.get("ended"))


if __name__ == "__main__":
    main()
