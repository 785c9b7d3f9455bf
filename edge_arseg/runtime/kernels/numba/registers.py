"""The vector registers of this CPU, which the layout of the kernels' memory depends on."""

import platform
from collections.abc import Iterable

from edge_arseg.native.features import compiled_features


def lanes_of_cpu(features: Iterable[str]) -> int:
    """Return the float32 lanes of one register: 16 with AVX-512, 8 with AVX, 4 with NEON, SSE and the rest."""
    features = frozenset(features)
    if "avx512f" in features:
        return 16
    return 8 if "avx" in features else 4


def registers_of_cpu(features: Iterable[str], machine: str) -> int:
    """Return the number of vector registers: 16 on x86 before AVX-512, else 32."""
    return 16 if machine.lower() in ("x86_64", "amd64", "i386", "i686") and "avx512f" not in set(features) else 32


LANES: int = lanes_of_cpu(compiled_features())
"""float32 numbers in one ``F32s``."""
REGISTERS: int = registers_of_cpu(compiled_features(), platform.machine())
"""Vector registers that a kernel can count on."""
