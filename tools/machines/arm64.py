"""``make test-arm64``: the device half on Debian for aarch64, emulated by QEMU. Correctness alone: no time is kept."""

from tools.machines.outcome import keep
from tools.machines.root import Root
from tools.machines.trial import tried_in_root

ROOT = Root("bookworm", "arm64")
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
    system = "Debian 12 arm64 under qemu-aarch64"
    tried = tried_in_root(ROOT, python="311", parts=PARTS)
    keep("arm64", settings={"system": system, "tests": PARTS, **tried.settings}, values=tried.values, passed=tried.good)


if __name__ == "__main__":
    main()
