"""The vector registers of this CPU, which the layout of the kernels' memory depends on."""

import platform
from collections.abc import Iterable

from edge_arseg.native.library import instruction_set


def cpu_features() -> frozenset[str]:
    """Return the instruction-set features that the kernels are compiled for, such as ``avx2``."""
    shipped = instruction_set()
    if shipped is not None:
        return frozenset(shipped.features)
    # Only where Numba compiles; its import is what a run waits longest for.
    import llvmlite.binding as llvm
    from numba import config

    # NUMBA_CPU_NAME and NUMBA_CPU_FEATURES choose another instruction set than the one found here.
    name, named = vars(config)["CPU_NAME"], vars(config)["CPU_FEATURES"]
    if named is None:
        named = "" if name else llvm.get_host_cpu_features().flatten()
    return frozenset(feature[1:] for feature in named.split(",") if feature.startswith("+"))


def lanes_of_cpu(features: Iterable[str]) -> int:
    """Return the float32 lanes of one register: 16 with AVX-512, 8 with AVX, 4 with NEON, SSE and the rest."""
    features = frozenset(features)
    if "avx512f" in features:
        return 16
    return 8 if "avx" in features else 4


def registers_of_cpu(features: Iterable[str], machine: str) -> int:
    """Return the number of vector registers: 16 on x86 before AVX-512, else 32."""
    return 16 if machine.lower() in ("x86_64", "amd64", "i386", "i686") and "avx512f" not in set(features) else 32


LANES: int = lanes_of_cpu(cpu_features())
"""float32 numbers in one ``F32s``."""
REGISTERS: int = registers_of_cpu(cpu_features(), platform.machine())
"""Vector registers that a kernel can count on."""
