"""Options of a run that were typed and count for nothing in it."""

from collections.abc import Iterator
from dataclasses import dataclass

import click
from click.core import ParameterSource

_LIVE = ("--on-late", "--max-age")
_PATIENT = ("--wait", "--timeout")
_KEYFRAMES = ("--keyframes", "--interval", "--scene-cut", "--follow-codec")
_DRAWN = ("--alpha", "--palette", "--legend", "--labels", "--contours", "--strip", "--compare", "--show-motion")


@dataclass(frozen=True, slots=True)
class Facts:
    """What a run is like.

    Attributes:
        source: name of what is read.
        live: whether it does not wait.
        rtsp: whether it is opened by RTSP.
        realtime: whether a file is read as if it did not wait.
        movies: whether an overlay is written to a file.
        draws: whether a sink draws.
        mode: which branches run.
        motion: source of the motion vectors, as typed.
    """

    source: str
    live: bool
    rtsp: bool
    realtime: bool
    movies: bool
    draws: bool
    mode: str
    motion: str


def idle_options(ctx: click.Context, facts: Facts) -> Iterator[str]:
    """Yield a line for each option of the command line that changes nothing; variables and files are for many runs.

    Args:
        ctx: of the command.
        facts: of this run.
    """
    file = f"{facts.source} is no live source"
    for flags, idle, why in (
        (_LIVE, not facts.live and not facts.realtime, f"{file}; --realtime gives its frames as from a camera"),
        (_PATIENT, not facts.live, file),
        (("--realtime",), facts.live, f"{facts.source} is a live source already"),
        (("--rtsp-transport",), not facts.rtsp, f"{facts.source} is no rtsp:// source"),
        (("--segment",), not facts.movies, "no sink is an overlay video; type one, such as overlay.mp4"),
        (_DRAWN, not facts.draws, "no sink draws; type an overlay video, such as overlay.mp4"),
        (_KEYFRAMES, facts.mode != "ar", f"mode {facts.mode} runs one branch on every frame"),
        (("--recode-scale",), facts.motion in ("codec", "zero"), f"--motion {facts.motion} encodes no frame again"),
    ):
        if idle:
            yield from (f"{flag} counts for nothing: {why}" for flag in flags if _is_typed(ctx, flag))


def _is_typed(ctx: click.Context, flag: str) -> bool:
    option = next(param for param in ctx.command.params if flag in param.opts)
    return ctx.get_parameter_source(str(option.name)) is ParameterSource.COMMANDLINE
