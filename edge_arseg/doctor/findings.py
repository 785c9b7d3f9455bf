"""What this machine can do for edge_arseg, what it lacks, and what to type about it."""

import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from edge_arseg.bench.conditions import conditions_now
from edge_arseg.errors import EnvironmentUnfitError
from edge_arseg.installation import host_advice, install_extra, install_packages
from edge_arseg.native.library import instruction_set
from edge_arseg.quantity import counted
from edge_arseg.runtime.device.board import Board, board_from_files
from edge_arseg.runtime.device.cpu_features import cpu_features
from edge_arseg.runtime.device.cuda import pycuda_driver
from edge_arseg.runtime.device.cuda_facts import facts_from_driver
from edge_arseg.runtime.engines.tensorrt.library import (
    tensorrt_advice,
    tensorrt_is_here,
    tensorrt_library,
    tensorrt_owner,
)
from edge_arseg.spec.targets.files import jetpack_table, targets

Verdict = Literal["ok", "missing", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        subject: what.
        verdict: ``ok``; ``missing``: something is needed for the half of the work that ``need`` names; ``note``.
        seen: what was found.
        advice: what to type, or nothing.
        need: ``device``, ``host`` or ``optional``.
    """

    subject: str
    verdict: Verdict
    seen: str
    advice: str = ""
    need: Literal["device", "host", "optional"] = "optional"


DEVICE_PACKAGES = ("numpy", "av", "click", "rich", "pydantic", "onnxruntime")
HOST_PACKAGES = ("torch", "onnx", "onnxscript", "safetensors")


def findings(root: Path = Path("/")) -> list[Finding]:
    """Look at the machine.

    Args:
        root: of the file system that ``/proc`` and ``/etc`` are read from.
    """
    conditions = conditions_now(root)
    machine = (
        f"{conditions.cpu}, {counted(conditions.cores, 'core')}, {conditions.memory_mb / 1000:.0f} GB, "
        f"{conditions.system}"
    )
    return [
        Finding("machine", "ok", machine),
        Finding("CPU features", "ok", str(cpu_features(root))),
        _board(root),
        Finding("python", "ok", f"{conditions.python} in {sys.prefix}"),
        *(_package(name, "device", conditions.packages) for name in DEVICE_PACKAGES),
        _encoders(),
        _numba(conditions.packages),
        *(_package(name, "host", conditions.packages) for name in HOST_PACKAGES),
        *_host(),
        *_gpu(root, conditions.packages),
    ]


def device_ready(found: list[Finding]) -> bool:
    """Return whether everything that ``run`` needs is there."""
    return not any(finding.verdict == "missing" and finding.need == "device" for finding in found)


def _board(root: Path) -> Finding:
    known = targets()
    board = board_from_files(known, jetpack_table(), root)
    if not board.is_jetson:
        seen = ", ".join(board.gpu) or "no Jetson: everything but TensorRT runs here"
        return Finding("board", "note", f"{seen}; target {board.target}")
    release = f"Jetson Linux {board.l4t or 'of unknown release'}"
    if board.jetpack:
        release += f" (JetPack {board.jetpack})"
    name = board.model or board.part or "Jetson"
    if board.target is None:
        choice = " or ".join(board.candidates) or "NAME"
        advice = f"compile with --target {choice}{board.advice and '. ' + board.advice}"
        return Finding("board", "note", f"{name}; {release}; {board.reason}", advice)
    target = known[board.target]
    if target.tier != 1:
        return Finding("board", "note", f"{name}; {release}; target {target.id}: {target.reason}")
    return Finding("board", "ok", f"{name}; {release}; target {target.id}")


def _package(name: str, need: Literal["device", "host"], versions: dict[str, str]) -> Finding:
    if find_spec(name) is not None:
        return Finding(name, "ok", versions.get(name, "installed"), need=need)
    if need == "host":
        return Finding(name, "note", "not installed (to train, export and quantize; `run` does without)", "", need)
    return Finding(name, "missing", "not installed", install_packages(name), need)


def _host() -> list[Finding]:
    """What is typed for the host half: once, not behind every package of it."""
    if all(find_spec(name) is not None for name in HOST_PACKAGES):
        return []
    seen = "not complete: `train`, `convert`, `export` and `quantize` do not run here"
    return [Finding("host half", "note", seen, host_advice(), "host")]


def _encoders() -> Finding:
    if find_spec("av") is None:
        return Finding("video encoders", "note", "PyAV is not installed")
    import av

    have = [name for name in ("libx264", "libopenh264", "mpeg4") if name in av.codecs_available]
    if "mpeg4" not in have:
        seen = ", ".join(have) or "none"
        return Finding("video encoders", "missing", seen, install_packages("av", again=True), "device")
    return Finding(
        "video encoders", "ok", ", ".join(have) + " (mpeg4 finds the motion of streams without usable vectors)"
    )


def _numba(versions: dict[str, str]) -> Finding:
    shipped = instruction_set()
    if shipped is not None:
        return Finding("fusion kernel", "ok", f"shipped for {shipped.name}")
    if find_spec("numba") is None:
        return Finding(
            "fusion kernel",
            "note",
            "Numba is not installed: the slower fuse graph is used",
            install_extra("cpu"),
        )
    return Finding("fusion kernel", "ok", f"Numba {versions.get('numba', '')}")


def _gpu(root: Path, versions: dict[str, str]) -> list[Finding]:
    """What the engine `tensorrt` needs, each tried, for what is installed may not load."""
    board = board_from_files(targets(), jetpack_table(), root)
    found = [_tensorrt(root, board)]
    if not (tensorrt_is_here() or board.is_jetson or board.gpu):
        return found
    if (facts := facts_from_driver()) is not None:
        version = ".".join(map(str, facts.compute_capability))
        seen = f"{facts.name}, compute capability {version}, {counted(facts.sm_count, 'multiprocessor')}"
        found.append(Finding("CUDA driver", "ok", seen))
    else:
        advice = "on a Jetson: sudo usermod -aG video $USER, and log in again; in a container: --runtime nvidia"
        found.append(Finding("CUDA driver", "note", "missing, or it shows no GPU to this user", advice))
    try:
        pycuda_driver()
        found.append(Finding("pycuda", "ok", versions.get("pycuda", "installed")))
    except EnvironmentUnfitError as error:
        found.append(Finding("pycuda", "note", "the engine `tensorrt` does not run without it", str(error)))
    return found


def _tensorrt(root: Path, board: Board) -> Finding:
    if tensorrt_is_here():
        try:
            return Finding("TensorRT", "ok", tensorrt_library(root).__version__)
        except EnvironmentUnfitError as error:
            return Finding("TensorRT", "note", "this Python finds it, and it does not load", str(error))
    owner = tensorrt_owner(root)
    if not (owner or board.is_jetson or board.gpu):
        return Finding("TensorRT", "note", "not installed: for NVIDIA GPUs, and there is none here")
    seen = f"installed for {owner}, not visible to {sys.prefix}" if owner else "not installed"
    return Finding("TensorRT", "note", seen, tensorrt_advice(root))
