"""Where the engines of a target are built: a plan fits the GPU it was built on and no other, so on the board itself."""

import platform
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from edge_arseg.errors import EnvironmentUnfitError
from edge_arseg.runtime.device.board import Board, board_from_files
from edge_arseg.runtime.device.cuda import DeviceFacts
from edge_arseg.runtime.device.cuda_facts import facts_from_driver
from edge_arseg.runtime.device.host_memory import HostMemory, host_memory
from edge_arseg.spec.targets.files import jetpack_table, target_named, targets
from edge_arseg.spec.targets.target import Kind, Target

LOCAL = "local"
"""Stands for the target that this machine is."""


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine that compiles.

    Attributes:
        board: see ``Board``.
        facts: of its GPU; ``None`` where the driver lists none.
        architecture: like ``aarch64``.
        memory_now: reads the memory, which changes from build to build.
    """

    board: Board
    facts: DeviceFacts | None
    architecture: str
    memory_now: Callable[[], HostMemory] = host_memory


@dataclass(frozen=True, slots=True)
class Place:
    """Whether the engines of a target are built on this machine.

    Attributes:
        here: they are.
        why: in words.
        on_target: they are not, though this machine is the target: the user left them out.
    """

    here: bool
    why: str
    on_target: bool = False


def this_machine(root: Path = Path("/")) -> Machine:
    """Look at the machine.

    Args:
        root: of the file system.
    """
    board = board_from_files(targets(), jetpack_table(), root)
    return Machine(board, facts_from_driver(), platform.machine(), partial(host_memory, root))


def target_for(name: str | None, bundle_target: str | None, machine: Machine) -> Target:
    """Return the target to compile for: the one named, else the bundle's own, else this machine.

    Raises:
        OptionError: there is no such target.
        EnvironmentUnfitError: it is not supported; or this machine is to be it and cannot be told.
    """
    board = machine.board
    name = name or bundle_target or LOCAL
    if name == LOCAL:
        if board.target is None:
            raise EnvironmentUnfitError(
                f"which target this machine is cannot be told: {board.reason}. Name it: --target "
                f"{' or --target '.join(board.candidates) or 'NAME (see `edge-arseg targets list`)'}"
                f"{board.advice and '. ' + board.advice}"
            )
        name = board.target
    target = target_named(name)
    if target.tier == 0:
        raise EnvironmentUnfitError(
            f"{target.name} is not supported: {target.reason}. Supported boards: edge-arseg targets list"
        )
    return target


def place_from_target(target: Target, machine: Machine) -> Place:
    """Say whether this machine builds the engines.

    Raises:
        EnvironmentUnfitError: this is the target, but its GPU cannot be reached or is another one.
    """
    if target.kind is Kind.CPU:
        return Place(False, "none needed: ONNX Runtime loads the graphs")
    if target.tier == 3:
        return Place(False, f"not by this package: {target.reason}")
    if target.kind is Kind.CUDA:
        if machine.board.is_jetson:
            return Place(False, f"on the desktop: this is {_name(machine)}; its own are built with --target {LOCAL}")
        if machine.facts is None:
            return Place(False, "on the machine with the GPU: the driver lists none here")
        return Place(True, f"here: {machine.facts.name}")
    if machine.board.target == target.id:
        return _checked(target, machine, f"here: {machine.board.reason}")
    if machine.board.is_jetson and machine.board.target is not None:
        return Place(False, f"on the board: this is {machine.board.target}")
    if machine.board.is_jetson or (machine.facts and machine.architecture == "aarch64" and not machine.board.gpu):
        return _checked(target, machine, "here: declared with --target, not detected")
    return Place(False, f"on the board: this is {_name(machine)}, and no plan for a Jetson can be built elsewhere")


def _checked(target: Target, machine: Machine, why: str) -> Place:
    assert target.gpu is not None
    if machine.facts is None:
        raise EnvironmentUnfitError(
            f"this is {target.name}, but the CUDA driver lists no GPU: is this user in the group `video`? In a "
            "container: start it with --runtime nvidia. Or stop at the bundle with --no-engines"
        )
    seen = "{}.{}".format(*machine.facts.compute_capability)
    if seen != target.gpu.compute_capability:
        raise EnvironmentUnfitError(
            f"the GPU here has compute capability {seen}, {target.name} has {target.gpu.compute_capability}: plans for "
            "one do not run on the other. What this machine is: edge-arseg targets detect; or stop at the bundle with "
            "--no-engines"
        )
    return Place(True, why)


def _name(machine: Machine) -> str:
    board = machine.board
    return board.target or board.model or f"a machine with {machine.architecture}"
