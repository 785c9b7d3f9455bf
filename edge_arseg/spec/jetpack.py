"""JetPack releases: what each brings to a board. Declared in ``targets/jetpacks.toml``."""

from dataclasses import dataclass

from pydantic import ConfigDict


@dataclass(frozen=True, slots=True)
class JetPack:
    """One release.

    A board may carry a newer TensorRT than its JetPack brought, so nothing is keyed by this table.

    Attributes:
        name: like ``6.2``.
        l4t: releases of Jetson Linux that belong to it, like ``36.4.3``.
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
        """Return the release that a version of Jetson Linux belongs to, or ``None``."""
        return next((release for release in self.jetpacks if l4t in release.l4t), None)
