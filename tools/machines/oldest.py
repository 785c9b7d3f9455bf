"""``make test-oldest``: the device half with the lowest version of every package that setup.cfg allows.

The host half's lower bounds are only resolved together, not installed: torch alone is 800 MB. The Python is the one
that runs this; for the oldest that is declared, name it: ``make test-oldest OLDEST_PYTHON=python3.10``. Where that is
not to be had, mypy still checks the package against Python 3.10's syntax and standard library.
"""

import argparse
import subprocess
import sys

from tools.machines.bounds import DEVICE, HOST, TOOLS, lower_bounds
from tools.machines.folders import PROJECT, cache
from tools.machines.outcome import keep
from tools.machines.process import run_here
from tools.machines.trial import tried_with

MYPY = ("--no-warn-unused-ignores", "--cache-dir=/dev/null")


def main() -> None:
    """Make the environment anew, verify every shipped bundle, run the tests, and keep a record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", default=sys.executable, help="Interpreter to try. [default: this one]")
    base = parser.parse_args().python
    bounds = lower_bounds()
    wanted = [f"{name}=={bounds[name]}" for name in DEVICE]
    folder = cache() / "oldest"
    subprocess.run([base, "-m", "venv", "--clear", str(folder)], check=True)
    python = str(folder / "bin" / "python")
    pip = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    if subprocess.run([*pip, "-e", str(PROJECT), *wanted, *TOOLS]).returncode:
        raise SystemExit("the lower bounds of setup.cfg cannot be installed together; see above")
    host = [f"{name}=={bounds[name]}" for name in HOST]
    resolved = run_here([*pip, "--dry-run", "--ignore-installed", *host]).returncode == 0
    mypy = run_here([sys.executable, "-m", "mypy", "--python-version", "3.10", *MYPY]).returncode
    report = folder / "report.xml"
    tried = tried_with(run_here, python, str(report), report)
    keep(
        "oldest",
        settings={**tried.settings, "host_bounds": host},
        values={"host_bounds_resolve": resolved, "mypy_for_python_3_10_exit_code": mypy, **tried.values},
        passed=tried.good and resolved and mypy == 0,
    )


if __name__ == "__main__":
    main()
