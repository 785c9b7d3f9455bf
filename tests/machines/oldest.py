"""``make test-oldest``: the device half with the lowest version of every package that setup.cfg allows."""

import subprocess
import sys
from collections.abc import Sequence
from functools import partial

from machines.bounds import DEVICE, TOOLS, lower_bounds
from machines.bundles import shipped, verification
from machines.folders import PROJECT, cache
from machines.outcome import keep
from machines.suite import device_suite, versions


def main() -> None:
    """Make the environment anew, verify every shipped bundle, run the tests, and keep a record."""
    bounds = lower_bounds()
    wanted = [f"{name}=={bounds[name]}" for name in DEVICE]
    folder = cache() / f"oldest-{sys.version_info[0]}.{sys.version_info[1]}"
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
    python = str(folder / "bin" / "python")
    pip = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    if subprocess.run([*pip, "-e", str(PROJECT), *wanted, *TOOLS]).returncode:
        raise SystemExit("the lower bounds of setup.cfg cannot be installed together; see above")
    rows = [verification(partial(_run, capture=True), python, name, "onnxruntime") for name in shipped()]
    report = folder / "report.xml"
    counts = device_suite(_run, python, str(report), report)
    keep(
        "oldest",
        settings={"versions": versions(lambda command: _run(command, capture=True).stdout, python, DEVICE)},
        values={
            "verifications": rows,
            "tests": {"passed": counts.passed, "failed": counts.failed, "skipped": counts.skipped},
            "failures": counts.failures,
        },
        passed=all(row.get("passed") for row in rows) and counts.failed == 0 and counts.passed > 0,
    )


def _run(command: Sequence[str], *, capture: bool = False) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, cwd=PROJECT, text=True, capture_output=capture)


if __name__ == "__main__":
    main()
