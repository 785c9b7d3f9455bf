"""The engine that a bundle was compiled for, and what to say where another one runs."""

from shlex import quote
from typing import TYPE_CHECKING

from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.runtime.engines.tensorrt.library import tensorrt_advice, tensorrt_is_here

if TYPE_CHECKING:
    from edge_arseg.runtime.device.board import Board

CPU = "cpu"
"""The one target without a GPU; its engines are those of the CPU, of which the fastest is found by trying."""

_TENSORRT = ("tensorrt", "onnxruntime-tensorrt")


def engine_of_target(target: str | None) -> str | None:
    """Return the backend that bundles for a target are compiled for; ``None`` where there is no such one."""
    return None if target in (None, CPU) else "tensorrt"


def missing_engine(bundle: Bundle, reason: str, backend: str) -> str:
    """Return the line for a bundle whose engine is not here.

    Args:
        bundle: compiled for a target.
        reason: why its engine did not run, with what to type about it.
        backend: that runs instead.
    """
    if not tensorrt_is_here():
        reason = "TensorRT is not installed for this Python"
        if _board().is_jetson:
            reason += f"; type: {tensorrt_advice()}"
        else:
            reason += ", and this machine is no Jetson; copy the bundle to the board and type there: "
            reason += f"edge-arseg compile {quote(bundle.folder.name)}"
    return (
        f"{bundle.path} was compiled for {bundle.manifest.target}, whose engine is TensorRT. It is missing here: "
        f"{reason}. {backend} runs instead, the fastest that gives the right classes here: its speed is not that of "
        f"that board (--backend {backend} takes it without this line)"
    )


def other_target(bundle: Bundle, backend: str) -> str:
    """Say how what runs differs from what the bundle was compiled for; empty where it does not.

    Args:
        bundle: checked.
        backend: that runs.
    """
    target = bundle.manifest.target
    if target is None:
        return ""
    if target == CPU:
        gpu = backend in _TENSORRT or backend == "onnxruntime-cuda"
        return f"the bundle was compiled for {CPU}, {backend} ran" if gpu else ""
    if backend not in _TENSORRT:
        return f"the bundle was compiled for {target} and TensorRT, {backend} ran"
    here = _board().target
    if here not in (None, CPU, target):
        return f"the bundle was compiled for {target}, this is {here}"
    return ""


def _board() -> "Board":
    from edge_arseg.runtime.device.board import board_from_files  # reading all targets takes time that few starts need
    from edge_arseg.spec.targets.files import jetpack_table, targets

    return board_from_files(targets(), jetpack_table())
