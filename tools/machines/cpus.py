"""``make test-cpus``: shipped bundles and Numba kernels on x86 CPUs that are not this one, emulated by QEMU.

Haswell has AVX2 and neither VNNI nor AMX: uint8 x int8 is added there in pairs of 16 bits. Nehalem has SSE4.2 only.
QEMU emulates no AVX-512, VNNI or AMX: a newer model would be tried without what makes it new, so none is.
"""

import shutil
import sys
from functools import partial

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

VERIFY_SECONDS = 900
SUITE_SECONDS = 1800
"""Limits, far above what is needed: QEMU's user mode now and then hangs where a process with threads forks."""

FEATURES = "from numpy._core._multiarray_umath import __cpu_features__ as f; print(*sorted(n for n in f if f[n]))"


def main() -> None:
    """Try every model and this CPU, and keep a record."""
    if shutil.which(QEMU) is None:
        raise SystemExit(f"{QEMU} is not here; type: apt-get update && apt-get install qemu-user-static")
    machines = {NATIVE: [], **{model: [QEMU, "-cpu", model] for model in MODELS}}
    rows, features, kernels, good = [], {}, {}, True
    for model, emulator in machines.items():
        features[model] = output_of([*emulator, sys.executable, "-c", FEATURES])
        run = partial(run_here, before=emulator, capture=True, seconds=VERIFY_SECONDS)
        for bundle in shipped():
            for backend in BACKENDS:
                row = verification(run, sys.executable, bundle, backend)
                print(model, row, flush=True)
                rows.append({"cpu": model, **row})
                good &= bool(row.get("passed")) or _is_not_there(row)
    for model in MODELS:
        report = cache() / f"kernels-{model}.xml"
        run = partial(run_here, before=machines[model], seconds=SUITE_SECONDS)
        counts = device_suite(run, sys.executable, str(report), report, parts=KERNELS)
        print(model, counts, flush=True)
        kernels[model] = {"passed": counts.passed, "failed": counts.failed, "failures": counts.failures}
        good &= counts.good
    keep(
        "cpus",
        settings={"emulator": output_of([QEMU, "--version"]).splitlines()[0], "models": MODELS, "kernels": KERNELS},
        values={
            "flags_of_this_cpu": flags_of_cpu(),
            "features_by_numpy": features,
            "verifications": rows,
            "numba_kernels": kernels,
        },
        passed=good,
    )


def _is_not_there(row: dict[str, object]) -> bool:
    return row["backend"] != "onnxruntime" and "not installed" in str(row.get("ended"))


if __name__ == "__main__":
    main()
