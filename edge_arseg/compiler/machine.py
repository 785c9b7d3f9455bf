"""The machine that compiles, and the target that it is asked to compile for."""

import platform
from collections.abc import Callable
from dataclasses import dataclass

from edge_arseg.errors import EnvironmentUnfitError
from edge_arseg.runtime.device.board import Board, board_from_files
from edge_arseg.runtime.device.cuda import DeviceFacts
from edge_arseg.runtime.device.cuda_facts import facts_from_driver
from edge_arseg.runtime.device.host_memory import HostMemory, host_memory
from edge_arseg.spec.targets.files import jetpack_table, target_named, targets
from edge_arseg.spec.targets.target import LOCAL, Target


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine that compiles.

    Attributes:
        board: see ``Board``.
        facts: of its GPU; ``None`` where the driver lists none.
        architecture: like ``aarch64``.
        read_memory: reads the memory, which changes from build to build.
    """

    board: Board
    facts: DeviceFacts | None
    architecture: str
    read_memory: Callable[[], HostMemory] = host_memory


def this_machine() -> Machine:
    """Look at the machine."""
    return Machine(board_from_files(targets(), jetpack_table()), facts_from_driver(), platform.machine())


def choose_target(name: str | None, bundle_target: str | None, machine: Machine) -> Target:
    """Return the target to compile for: the one named, else the bundle's own, else this machine.

    Raises:
        OptionError: there is no such target.
        EnvironmentUnfitError: it is not supported; or this machine is to be it and cannot be told.
    """
    board = machine.board
    if name is None:  # not an empty one, which is what a variable that is not set leaves
        name = bundle_target or LOCAL
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
