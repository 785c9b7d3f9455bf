"""``make test-cpus``: shipped bundles and Numba kernels on x86 CPUs that are not this one, emulated by QEMU.

Haswell has AVX2 and neither VNNI nor AMX: uint8 x int8 is added there in pairs of 16 bits. Nehalem has SSE4.2 only.
QEMU emulates no AVX-512, so newer models would be tried without what makes them new.
"""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import partial

from machines.bundles import shipped, verification
from machines.folders import PROJECT, cache
from machines.outcome import keep
from machines.suite import device_suite

QEMU = "qemu-x86_64-static"
MODELS = ("Haswell", "Nehalem")
OPTIONAL = ("Nehalem",)
"""Models on which a library may refuse to start; wrong class maps are a failure there too."""

BACKENDS = ("onnxruntime", "openvino")
KERNELS = ("tests/runtime/test_decode_kernel.py", "tests/motion")


def main() -> None:
    """Try every model and this CPU, and keep a record."""
    if shutil.which(QEMU) is None:
        raise SystemExit(f"{QEMU} is not here; type: apt-get update && apt-get install qemu-user-static")
    machines = {"this CPU": [], **{model: [QEMU, "-cpu", model] for model in MODELS}}
    rows, kernels, good = [], {}, True
    for model, emulator in machines.items():
        for bundle in shipped():
            for backend in BACKENDS:
                row = verification(partial(_run, emulator, capture=True), sys.executable, bundle, backend)
                print(model, row, flush=True)
                rows.append({"cpu": model, **row})
                refused = "passed" not in row and (model in OPTIONAL or _is_not_there(row))
                good &= bool(row.get("passed")) or refused
    for model in ("Haswell",):
        report = cache() / f"kernels-{model}.xml"
        counts = device_suite(partial(_run, machines[model]), sys.executable, str(report), report, parts=KERNELS)
        kernels[model] = {"passed": counts.passed, "failed": counts.failed, "failures": counts.failures}
        good &= counts.failed == 0 and counts.passed > 0
    version = subprocess.run([QEMU, "--version"], capture_output=True, text=True).stdout.splitlines()[0]
    keep(
        "cpus",
        settings={"emulator": version, "models": MODELS, "optional": OPTIONAL, "kernels": KERNELS},
        values={"verifications": rows, "numba_kernels": kernels},
        passed=good,
    )


def _run(
    emulator: Sequence[str], command: Sequence[str], *, capture: bool = False
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*emulator, *command], cwd=PROJECT, text=True, capture_output=capture)


def _is_not_there(row: dict[str, object]) -> bool:
    return row["backend"] != "onnxruntime" and "not installed" in str(row.get("ended"))


if __name__ == "__main__":
    main()
