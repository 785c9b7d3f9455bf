"""Features of this CPU that decide what engines compute, and how fast.

The kernel lists them, but lists those of the real machine under an emulator of user programs (``qemu-x86_64 -cpu
Haswell``). What the CPU itself answers (``CPUID``) is known to numpy for some of them. Where the two disagree, only
what numpy saw counts.
"""

import platform
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

X86 = {
    "AVX2": "avx2",
    "AVX-VNNI": "avx_vnni",
    "AVX512-VNNI": "avx512_vnni",
    "AVX512-BF16": "avx512_bf16",
    "AMX-INT8": "amx_int8",
    "AMX-BF16": "amx_bf16",
}
ARM = {"dotprod": "asimddp", "i8mm": "i8mm", "bf16": "bf16"}
"""Name of each feature to its flag in ``/proc/cpuinfo``."""

_NUMPY = {
    "avx2": "AVX2",
    "avx512f": "AVX512F",
    "avx512_vnni": "AVX512VNNI",
    "avx512_bf16": "AVX512BF16",
    "asimddp": "ASIMDDP",
}
_HWCAP = {"asimd": (16, 1), "asimddp": (16, 20), "i8mm": (26, 13), "bf16": (26, 14)}
"""Flag to the entry of the auxiliary vector (``AT_HWCAP``, ``AT_HWCAP2``) and its bit, on 64-bit ARM."""

_MACHINES = {"x86_64": X86, "amd64": X86, "i686": X86, "aarch64": ARM, "arm64": ARM, "armv7l": ARM}


@dataclass(frozen=True, slots=True)
class CpuFeatures:
    """What matters of a CPU for engines.

    Attributes:
        model: its name; the architecture where it has none.
        present, absent: names of ``X86`` or ``ARM``; both empty where nothing is known, as on macOS and Windows.
        note: what is odd about them, or nothing.
    """

    model: str
    present: tuple[str, ...]
    absent: tuple[str, ...]
    note: str = ""

    @property
    def known(self) -> bool:
        """Whether anything is known of them."""
        return bool(self.present or self.absent)

    def __str__(self) -> str:
        if not self.known:
            return "not known"
        text = ", ".join(self.present) or "none of those that matter"
        text += f"; not {', '.join(self.absent)}" if self.absent else ""
        return f"{text} ({self.note})" if self.note else text


def cpu_features(
    root: Path = Path("/"), *, machine: str | None = None, asked: Mapping[str, bool] | None = None
) -> CpuFeatures:
    """Return the features of this CPU.

    Args:
        root: of the file system that ``/proc`` is read from.
        machine: architecture instead of this one.
        asked: what the CPU itself answers, by numpy's names, instead of what it answers here.
    """
    fields = _first_block(root / "proc/cpuinfo")
    model = _model(fields)
    names = _MACHINES.get((machine or platform.machine()).lower(), {})
    flags = set(fields.get("Features" if names is ARM else "flags", "").split())
    if names is ARM and not flags:
        flags = _auxiliary_flags(root / "proc/self/auxv")  # an emulator on another machine shows that one's cpuinfo
    answers = _asked() if asked is None else asked
    if not flags:
        return CpuFeatures(model, (), ())
    note = ""
    if any(answers.get(numpy_name) is False for flag, numpy_name in _NUMPY.items() if flag in flags):
        flags = {flag for flag, numpy_name in _NUMPY.items() if answers.get(numpy_name)}
        note = "the kernel lists those of another CPU: this one is emulated or masked"
    present = tuple(name for name, flag in names.items() if flag in flags)
    return CpuFeatures(model, present, tuple(name for name in names if name not in present), note)


def cpu_model(root: Path = Path("/")) -> str:
    """Return the CPU's name from ``/proc/cpuinfo``, or the architecture where it has none."""
    return _model(_first_block(root / "proc/cpuinfo"))


def _model(fields: Mapping[str, str]) -> str:
    if name := fields.get("model name"):
        return name
    if part := fields.get("CPU part"):
        return f"ARM implementer {fields.get('CPU implementer', '?')} part {part}"
    return platform.processor() or platform.machine()


def _first_block(path: Path) -> dict[str, str]:
    """Return the fields of the first core: the file of a large machine takes milliseconds to read."""
    fields: dict[str, str] = {}
    try:
        with path.open(errors="replace") as file:
            for line in file:
                name, colon, value = line.partition(":")
                if not colon:
                    if fields:
                        break
                    continue
                fields.setdefault(name.strip(), value.strip())
    except OSError:
        return {}
    return fields


def _auxiliary_flags(path: Path) -> set[str]:
    """Return what the kernel told this process of an ARM CPU when it started it: pairs of 64-bit type and value."""
    try:
        data = path.read_bytes()
    except OSError:
        return set()
    values = dict(struct.iter_unpack("=QQ", data[: len(data) // 16 * 16]))
    return {flag for flag, (kind, bit) in _HWCAP.items() if values.get(kind, 0) >> bit & 1}


def _asked() -> Mapping[str, bool]:
    """Return what numpy saw; its public ``show_config`` leaves out what it was not built to make use of."""
    import numpy as np

    core = getattr(np, "_core", None) or getattr(np, "core", None)
    return getattr(getattr(core, "_multiarray_umath", None), "__cpu_features__", {})
