"""Where the engines of a target are built: a plan fits the GPU it was built on and no other, so on the board itself."""

from dataclasses import dataclass

from edge_arseg.compiler.machine import LOCAL, Machine
from edge_arseg.errors import EnvironmentUnfitError
from edge_arseg.spec.targets.target import Kind, Target


@dataclass(frozen=True, slots=True)
class BuildPlace:
    """Whether the engines of a target are built on this machine.

    Attributes:
        here: they are.
        why: in words.
        on_target: they are not, though this machine is the target: the user left them out.
    """

    here: bool
    why: str
    on_target: bool = False


def place_from_target(target: Target, machine: Machine) -> BuildPlace:
    """Say whether this machine builds the engines.

    Raises:
        EnvironmentUnfitError: this is the target, but its GPU cannot be reached or is another one.
    """
    if target.kind is Kind.CPU:
        return BuildPlace(False, "none needed: ONNX Runtime loads the graphs")
    if target.tier == 3:
        return BuildPlace(False, f"not by this package: {target.reason}")
    if target.kind is Kind.CUDA:
        if machine.board.is_jetson:
            return BuildPlace(
                False, f"on the desktop: this is {_name(machine)}; its own are built with --target {LOCAL}"
            )
        if machine.facts is None:
            return BuildPlace(False, "on the machine with the GPU: the driver lists none here")
        return BuildPlace(True, f"here: {machine.facts.name}")
    if machine.board.target == target.id:
        return _checked(target, machine, f"here: {machine.board.reason}")
    if machine.board.is_jetson and machine.board.target is not None:
        return BuildPlace(False, f"on the board: this is {machine.board.target}")
    if machine.board.is_jetson or (machine.facts and machine.architecture == "aarch64" and not machine.board.gpu):
        return _checked(target, machine, "here: declared with --target, not detected")
    return BuildPlace(False, f"on the board: this is {_name(machine)}, and no plan for a Jetson can be built elsewhere")


def _checked(target: Target, machine: Machine, why: str) -> BuildPlace:
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
    return BuildPlace(True, why)


def _name(machine: Machine) -> str:
    board = machine.board
    return board.target or board.model or f"a machine with {machine.architecture}"
