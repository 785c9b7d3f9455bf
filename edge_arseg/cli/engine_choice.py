"""Choosing bundle and backend for a command, and saying on stderr what was chosen and why."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edge_arseg.cli.output import note, warn
from edge_arseg.runtime.engines.contract import EngineOptions

if TYPE_CHECKING:
    from edge_arseg.runtime.bundles.reading import Bundle
    from edge_arseg.runtime.choice.engine_choice import Choice
    from edge_arseg.runtime.mode import Mode


def announced_choice(
    bundle: "Bundle | Path | None",
    asked: Sequence["Mode"],
    usual: Sequence["Mode"],
    engines: EngineOptions,
    *,
    gate: bool = True,
) -> "tuple[Choice, tuple[Mode, ...]]":
    """Choose; print what keeps the user waiting, then what was chosen, then what to beware of.

    From here on the process has one heap, for all that engines and videos take.

    Args:
        bundle: that was named, or its folder, or ``None``.
        asked, usual: see ``modes_to_run``.
        engines, gate: see ``choice_from_options``.

    Returns:
        The choice, and the modes to run.

    Raises:
        ArsegError: see ``choice_from_options``.
    """
    from edge_arseg.runtime.bundles.reading import read_bundle
    from edge_arseg.runtime.choice.engine_choice import choice_from_options
    from edge_arseg.runtime.device.heap import one_heap
    from edge_arseg.runtime.mode import modes_to_run

    one_heap()
    named = read_bundle(bundle) if isinstance(bundle, Path) else bundle
    modes = modes_to_run(named, asked, usual)
    told: list[str] = []

    def progress(line: str) -> None:
        if not told:
            note("first use on this machine: trying what can run here; it is remembered ...")
        told.append(line)

    choice = choice_from_options(named, modes, engines, gate=gate, progress=progress)
    note(str(choice))
    for warning in choice.warnings:
        warn(warning)
    return choice, modes
