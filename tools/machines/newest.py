"""``make test-newest``: the device half on Debian 13's Python with the newest packages that there are."""

from functools import partial

from tools.machines.bounds import DEVICE, TOOLS
from tools.machines.bundles import shipped, verification
from tools.machines.outcome import keep
from tools.machines.root import Root
from tools.machines.suite import device_suite, versions

ROOT = Root("trixie", "amd64")
PLATFORMS = (*(f"manylinux_2_{minor}_x86_64" for minor in (28, 27, 26, 24, 17)), "manylinux2014_x86_64")


def main() -> None:
    """Make the root, verify every shipped bundle, run the tests, and keep a record."""
    ROOT.make()
    ROOT.place_project()
    python = ROOT.install([*DEVICE, *TOOLS], python="313", platforms=PLATFORMS)
    rows = [verification(partial(ROOT.run, capture=True), python, name, "onnxruntime") for name in shipped()]
    report = ROOT.folder / "work" / "report.xml"
    counts = device_suite(ROOT.run, python, "/work/report.xml", report)
    keep(
        "newest",
        settings={"system": "Debian 13", "versions": versions(ROOT.output, python, DEVICE)},
        values={
            "verifications": rows,
            "tests": {"passed": counts.passed, "failed": counts.failed, "skipped": counts.skipped},
            "failures": counts.failures,
        },
        passed=all(row.get("passed") for row in rows) and counts.good,
    )


if __name__ == "__main__":
    main()
