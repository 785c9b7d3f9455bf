"""``make test-newest``: the device half on Debian 13's Python with the newest packages that there are."""

from tools.machines.outcome import keep
from tools.machines.root import Root
from tools.machines.trial import tried_in_root

ROOT = Root("trixie", "amd64")


def main() -> None:
    """Make the root, verify every shipped bundle, run the tests, and keep a record."""
    tried = tried_in_root(ROOT, python="313")
    keep("newest", settings={"system": "Debian 13", **tried.settings}, values=tried.values, passed=tried.good)


if __name__ == "__main__":
    main()
