"""Trying the device half with another Python: every shipped bundle, then the tests, as a record keeps it."""

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tools.machines.bounds import DEVICE, TOOLS
from tools.machines.bundles import shipped, verification
from tools.machines.root import Root
from tools.machines.suite import device_suite, versions


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of it.

    Attributes:
        settings: versions of the packages that were tried.
        values: verifications and counts of tests.
        good: whether every bundle passed and no test failed.
    """

    settings: dict[str, Any]
    values: dict[str, Any]
    good: bool


def tried_in_root(root: Root, *, python: str, parts: Sequence[str] = ("tests",)) -> Trial:
    """Make a root, install the newest packages there, and try them.

    Args:
        root: where.
        python: version of the root's Python, such as ``313``.
        parts: folders or files of ``tests/``.
    """
    root.make()
    root.place_project()
    interpreter = root.install([*DEVICE, *TOOLS], python=python, platforms=_platforms(root.architecture))
    return tried_with(root.run, interpreter, "/work/report.xml", root.folder / "work" / "report.xml", parts=parts)


def tried_with(
    run: Callable[..., "subprocess.CompletedProcess[str]"],
    python: str,
    report: str,
    report_here: Path,
    *,
    parts: Sequence[str] = ("tests",),
) -> Trial:
    """Verify every shipped bundle and run the tests.

    Args:
        run: runs a command in the project's folder of the other machine; with ``capture`` it keeps what is printed.
        python: that machine's interpreter, with pytest and the device half's packages.
        report, report_here, parts: see ``device_suite``.
    """
    captured = partial(run, capture=True)
    rows = []
    for name in shipped():
        rows.append(verification(captured, python, name, "onnxruntime"))
        print(rows[-1], flush=True)
    counts = device_suite(run, python, report, report_here, parts=parts)
    tests = {"passed": counts.passed, "failed": counts.failed, "skipped": counts.skipped}
    return Trial(
        {"versions": versions(lambda command: captured(command).stdout, python, DEVICE)},
        {"verifications": rows, "tests": tests, "failures": counts.failures},
        all(row.get("passed") for row in rows) and counts.good,
    )


def _platforms(architecture: str) -> tuple[str, ...]:
    """Return the tags of wheels that Debian on an architecture takes."""
    machine = {"amd64": "x86_64", "arm64": "aarch64"}[architecture]
    return (*(f"manylinux_2_{minor}_{machine}" for minor in (28, 27, 26, 24, 17)), f"manylinux2014_{machine}")
