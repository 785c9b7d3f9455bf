"""JetPack releases: what each brings to a board. Declared in ``targets/jetpacks.toml``."""

from dataclasses import dataclass

from pydantic import ConfigDict


@dataclass(frozen=True, slots=True)
class JetPack:
    """One release.

    A board may carry a newer TensorRT than its JetPack brought, so nothing is keyed by this table.

    Attributes:
        name: like ``6.2``.
        l4t: versions of Jetson Linux that belong to it, like ``36.4.3``, or leading numbers of several, like ``38.2``.
        cuda, tensorrt, python: versions; Python is the system's.
        unverified: what is not certain, or nothing.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    name: str
    l4t: tuple[str, ...]
    cuda: str
    tensorrt: str
    python: str
    unverified: str = ""


@dataclass(frozen=True, slots=True)
class JetPackTable:
    """All releases, and where the table comes from."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    source: str
    jetpacks: tuple[JetPack, ...]

    def release(self, l4t: str) -> JetPack | None:
        """Return the release that a version of Jetson Linux belongs to, or ``None``.

        Args:
            l4t: like ``36.4.3``; ``36.4`` means ``36.4.0``. The declared version that shares most leading numbers with
                it decides, so that 38.2.1 is found by 38.2.
        """
        wanted = l4t.split(".")
        wanted += ["0"] * (3 - len(wanted))
        best, length = None, 0
        for release in self.jetpacks:
            for version in release.l4t:
                numbers = version.split(".")
                if len(numbers) > length and wanted[: len(numbers)] == numbers:
                    best, length = release, len(numbers)
        return best
