"""The command that follows a compilation, so that it works as it is printed."""

from pathlib import Path
from shlex import quote

from edge_arseg.compiler.target.compile import Compilation
from edge_arseg.spec.manifest import Role
from edge_arseg.spec.targets.target import Kind

SHOWN_FRAMES = 60
_OPTIONAL = {Role.FUSE, Role.LR_HEAD}
"""Graphs without an engine that a bundle with a fusion kernel runs without; ``verify`` wants them."""


def next_command(found: Compilation) -> str:
    """Return what to type next, or what to do on the board.

    Args:
        found: what was compiled.
    """
    bundle = quote(str(found.bundle))
    if found.engines is not None:
        if not found.missing:
            return f"edge-arseg verify {bundle} --backend tensorrt"
        if found.kernels and set(found.missing) <= _OPTIONAL:
            return f"{_run(found.bundle)} --backend tensorrt"
        return f"edge-arseg compile {bundle}"
    if found.target.kind is Kind.CPU:
        return _run(found.bundle)
    if found.target.tier == 3:
        return f"on the board: trtexec --onnx={bundle}/onnx/hr.onnx --saveEngine=hr.plan, and the same for lr"
    if found.place.on_target:
        return f"edge-arseg compile {bundle}"
    return f"copy {bundle} to the board and type there: edge-arseg compile {quote(found.bundle.name)}"


def _run(bundle: Path) -> str:
    """Run the bundle on a source that is there on every machine, into a file that is not there yet."""
    number, output = 1, Path(f"{bundle.stem}.mp4")
    while output.exists():
        number += 1
        output = Path(f"{bundle.stem}-{number}.mp4")
    return f"edge-arseg run test://street {quote(str(output))} --limit {SHOWN_FRAMES} -b {quote(str(bundle))}"
