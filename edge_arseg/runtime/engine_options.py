"""What a bundle's graphs run on."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """What a bundle's graphs run on; the keywords of ``Segmenter`` that say it.

    Attributes:
        fusion: ``auto``, ``kernel`` or ``graph``, for fusing and decoding.
        backend: engine library, one of ``BACKENDS``, or ``auto`` for the fastest that passes.
        threads: of each engine and kernel; ``None``: as many as there are cores.
    """

    fusion: str = "auto"
    backend: str = "onnxruntime"
    threads: int | None = None


DEFAULT_ENGINES = EngineOptions()
