"""What of the CPU the kernels are compiled for."""

from edge_arseg.native.library import instruction_set


def compiled_features() -> frozenset[str]:
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
