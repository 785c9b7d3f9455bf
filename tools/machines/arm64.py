"""``make test-arm64``: the device half on Debian for aarch64, emulated by QEMU. Correctness alone: no time is kept."""

from functools import partial

from tools.machines.bounds import DEVICE, TOOLS
from tools.machines.bundles import shipped, verification
from tools.machines.outcome import keep
from tools.machines.root import Root
from tools.machines.suite import device_suite, versions

ROOT = Root("bookworm", "arm64")
PLATFORMS = (*(f"manylinux_2_{minor}_aarch64" for minor in (28, 27, 26, 24, 17)), "manylinux2014_aarch64")
PARTS = (
    "tests/storage",
    "tests/spec",
    "tests/street",
    "tests/motion",
    "tests/evaluation",
    "tests/bench",
    "tests/runtime",
    "tests/video",
)


def main() -> None:
    """Make the root, verify every shipped bundle, run the tests, and keep a record."""
    ROOT.make()
    ROOT.place_project()
    python = ROOT.install([*DEVICE, *TOOLS], python="311", platforms=PLATFORMS)
    rows = [verification(partial(ROOT.run, capture=True), python, name, "onnxruntime") for name in shipped()]
    for row in rows:
        print(row, flush=True)
    report = ROOT.folder / "work" / "report.xml"
    counts = device_suite(ROOT.run, python, "/work/report.xml", report, parts=PARTS)
    keep(
        "arm64",
        settings={
            "system": "Debian 12 arm64 under qemu-aarch64",
            "versions": versions(ROOT.output, python, DEVICE),
            "tests": PARTS,
        },
        values={
            "verifications": rows,
            "tests": {"passed": counts.passed, "failed": counts.failed, "skipped": counts.skipped},
            "failures": counts.failures,
        },
        passed=all(row.get("passed") for row in rows) and counts.good,
    )


if __name__ == "__main__":
    main()
