"""The library of compiled kernels for this CPU, where one is shipped."""

import ctypes
import functools
import logging
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from zlib import crc32

from edge_arseg.compiled import numba_installed
from edge_arseg.native.tiles import tiles_allowed

_log = logging.getLogger(__name__)

PACKAGE = Path(__file__).parents[1]
FOLDER = Path(__file__).parent / "libraries"
SOURCES = (
    "motion/loops.py",
    "native/cases.py",
    "native/entry.py",
    "runtime/kernels/numba",
    "runtime/kernels/numba_fuse",
    "runtime/kernels/numba_head",
    "runtime/kernels/numba_tiles",
    "video/overlay/loops.py",
)
"""Files and folders of the package that the libraries are compiled from."""
CALLERS = ("__init__.py", "kernel.py")
"""Files in these folders that only call what is compiled."""
STAMP = "edge_arseg_sources"
"""Name of the number in a library that says which sources it was compiled from."""

Kernel = Callable[[int], None]
"""Takes the address of a table (``table_of``) and works without the interpreter lock."""


@dataclass(frozen=True, slots=True)
class InstructionSet:
    """What a library is compiled for.

    Attributes:
        name: of the library.
        machine: as ``platform.machine()`` says it.
        cpu: LLVM's name of the CPU.
        features: LLVM's names of what the code uses beyond the machine's minimum.
        needed: NumPy's names of the same; older versions name some of them only as a group.
        group: NumPy's name of that group.
    """

    name: str
    machine: str
    cpu: str
    features: tuple[str, ...]
    needed: frozenset[str]
    group: str = ""

    def fits(self, found: frozenset[str]) -> bool:
        """Return whether a CPU has what is needed; ``found`` are NumPy's names."""
        grouped = {name for name in self.needed if name.startswith("AVX512")} if self.group in found else set()
        return self.needed - grouped <= found


_AVX2 = ("avx", "avx2", "fma", "f16c", "popcnt", "sse3", "ssse3", "sse4.1", "sse4.2")
TILES = ("amx-tile", "amx-bf16")
"""LLVM's names of the products of tiles in bfloat16."""
_AVX512 = ("avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl")
_WIDE = frozenset({"AVX2", "FMA3", "F16C", *(name.upper() for name in _AVX512)})
INSTRUCTION_SETS = (
    InstructionSet(
        "x86_64-amx", "x86_64", "x86-64", _AVX2 + _AVX512 + TILES, _WIDE | {"AMX_BF16"}, "AVX512_SKX"
    ),
    InstructionSet(
        "x86_64-avx512", "x86_64", "x86-64", _AVX2 + _AVX512, _WIDE, "AVX512_SKX"
    ),
    InstructionSet("x86_64-avx2", "x86_64", "x86-64", _AVX2, frozenset({"AVX2", "FMA3", "F16C"})),
    InstructionSet("aarch64-neon", "aarch64", "generic", ("neon",), frozenset()),
)  # fmt: skip
"""The best one first."""


@functools.cache
def instruction_set() -> InstructionSet | None:
    """Return the instruction set whose library is used; ``None`` where none is shipped for this CPU.

    ``NUMBA_CPU_NAME`` and ``NUMBA_CPU_FEATURES`` ask Numba for another one than the CPU's: then Numba compiles.
    """
    if os.environ.get("NUMBA_CPU_NAME") or os.environ.get("NUMBA_CPU_FEATURES"):
        return None
    if sys.platform != "linux" or sys.maxsize < 1 << 32:
        return None
    machine, found = platform.machine(), _features()
    for candidate in INSTRUCTION_SETS:
        if candidate.machine == machine and candidate.fits(found) and _library(candidate) is not None:
            return candidate
    return None


def shipped_kernel(name: str) -> Kernel | None:
    """Return a kernel out of the shipped library, or ``None`` where there is none for this CPU."""
    chosen = instruction_set()
    library = _library(chosen) if chosen else None
    if library is None:
        return None
    function = library[name]
    function.argtypes, function.restype = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64), ctypes.c_int32
    # where Numba's convention wants a result and an error, which there never are: threads may share the place
    result, error = ctypes.create_string_buffer(64), ctypes.create_string_buffer(64)

    def call(table: int) -> None:
        if function(result, error, table):
            raise RuntimeError(f"the compiled kernel {name} failed")

    return call


def kernels_available() -> bool:
    """Return whether there are compiled kernels: shipped for this CPU, or compiled here by Numba."""
    return instruction_set() is not None or numba_installed()


def digest_of_sources() -> int:
    """Return a number that changes with anything that the libraries are compiled from."""
    paths = [PACKAGE / source for source in SOURCES]
    files = [file for path in paths for file in (sorted(path.glob("*.py")) if path.is_dir() else [path])]
    files = [file for file in files if file.name not in CALLERS]
    return crc32(b"".join(file.read_bytes() for file in files))


@functools.cache
def _library(wanted: InstructionSet) -> ctypes.CDLL | None:
    path = FOLDER / f"{wanted.name}.so"
    if not path.is_file():
        return None
    try:
        library = ctypes.CDLL(str(path))
        stamp = ctypes.c_uint32.in_dll(library, STAMP).value
        fresh = stamp == digest_of_sources()
    except (OSError, ValueError) as error:
        _log.warning("%s cannot be used, Numba compiles in its place: %s", path, error)
        return None
    if not fresh:
        _log.warning("%s is not of these sources, Numba compiles in its place; make kernels builds it again", path)
        return None
    return library


def _features() -> frozenset[str]:
    """NumPy's list of what this CPU has; it asks the CPU, so that an emulated one is seen as what it is.

    AMX is not in that list: it is there where the kernel gives it to this process.
    """
    for name in ("numpy._core._multiarray_umath", "numpy.core._multiarray_umath"):
        try:
            found = import_module(name).__cpu_features__
        except (ImportError, AttributeError):
            continue
        names = frozenset(feature for feature, there in found.items() if there)
        return names | {"AMX_BF16"} if "AVX512F" in names and tiles_allowed() else names
    return frozenset()
