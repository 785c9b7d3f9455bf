"""What a bundle's graphs run on."""

from dataclasses import dataclass

AUTO = "auto"
"""The backend is chosen on this machine: see ``engine_choice``."""


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """What a bundle's graphs run on; the keywords of ``Segmenter`` that say it.

    Attributes:
        fusion: ``auto``, ``kernel`` or ``graph``, for fusing and decoding.
        backend: engine library, one of ``BACKENDS``, or ``auto`` for what ``engine_choice`` finds.
        threads: of each engine and kernel; ``None``: as many as there are cores.
        unchecked: run a bundle that does not give the right class maps here, with a warning.
    """

    fusion: str = "auto"
    backend: str = AUTO
    threads: int | None = None
    unchecked: bool = False


DEFAULT_ENGINES = EngineOptions()
