"""Running the device half's tests with another Python, and counting what became of them.

Where torch is not installed, ``tests/conftest.py`` leaves the host half's folders out and the other tests that need it
skip themselves, so a new test file takes part without being listed anywhere.
"""

import json
import subprocess
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

Run = Callable[[Sequence[str]], "subprocess.CompletedProcess[str]"]


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of a suite.

    Attributes:
        passed, failed, skipped: numbers of tests; errors count as failed.
        failures: names of those that failed.
    """

    passed: int
    failed: int
    skipped: int
    failures: tuple[str, ...]

    @property
    def good(self) -> bool:
        """Whether tests ran and none failed."""
        return self.failed == 0 and self.passed > 0


def device_suite(run: Run, python: str, report: str, report_here: Path, *, parts: Sequence[str] = ("tests",)) -> Counts:
    """Run the tests that are neither slow nor timed.

    Args:
        run: runs a command in the project's folder of the other machine; its output goes to the terminal.
        python: that machine's interpreter, with pytest and the device half's packages.
        report: where pytest writes its report, as the other machine names it.
        report_here: the same file, as this process names it.
        parts: folders or files of ``tests/``.

    Raises:
        SystemExit: pytest wrote no report.
    """
    report_here.unlink(missing_ok=True)
    marks = "not slow and not gate and not timed"
    run([python, "-m", "pytest", "-m", marks, "-p", "no:cacheprovider", f"--junitxml={report}", *parts])
    if not report_here.is_file():
        raise SystemExit("pytest ended without a report; see above")
    return counts_from_report(report_here)


def counts_from_report(path: Path) -> Counts:
    """Count the tests of a JUnit report."""
    cases = list(ElementTree.parse(path).iter("testcase"))
    failed = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    skipped = [case for case in cases if case.find("skipped") is not None]
    names = tuple(f"{case.get('classname')}::{case.get('name')}" for case in failed)
    return Counts(len(cases) - len(failed) - len(skipped), len(failed), len(skipped), names)


_VERSIONS = """
import json, platform, sys
from importlib.metadata import PackageNotFoundError, version
found = {"python": platform.python_version(), "machine": platform.machine()}
for name in sys.argv[1:]:
    try:
        found[name] = version(name)
    except PackageNotFoundError:
        pass
print(json.dumps(found))
"""


def versions(output: Callable[[Sequence[str]], str], python: str, packages: Sequence[str]) -> dict[str, str]:
    """Return the versions that a Python has of packages, its own, and its architecture."""
    return dict(json.loads(output([python, "-c", _VERSIONS, *packages])))
