"""Verifying the shipped bundles with another Python or on another CPU."""

import json
import subprocess
from collections.abc import Callable, Sequence
from typing import Any

from tools.machines.folders import PROJECT

Run = Callable[[Sequence[str]], "subprocess.CompletedProcess[str]"]
ZOO = PROJECT / "edge_arseg" / "zoo"


def shipped() -> list[str]:
    """Return the names of the shipped bundles' folders."""
    return sorted(path.name for path in ZOO.glob("*.arseg"))


def verification(run: Run, python: str, bundle: str, backend: str) -> dict[str, Any]:
    """Run ``verify`` in the project's folder of the other machine.

    Args:
        run: runs a command there and captures what it prints.
        python: that machine's interpreter.
        bundle: one of ``shipped``.
        backend: engine library.
    """
    command = [python, "-m", "edge_arseg", "verify", f"edge_arseg/zoo/{bundle}", "--backend", backend, "--json"]
    done = run(command)
    try:
        found = json.loads(done.stdout)
    except ValueError:
        told = [line for line in done.stderr.splitlines() if line and "qemu-" not in line]
        return {"bundle": bundle, "backend": backend, "exit_code": done.returncode, "ended": "\n".join(told[-3:])}
    return {
        "bundle": bundle,
        "backend": backend,
        "exit_code": done.returncode,
        "worst_agreement": found["worst_agreement"],
        "passed": found["passed"],
    }
