"""Options of ``run`` for many videos."""

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from edge_arseg.cli.settings.duration import DurationType
from edge_arseg.runtime.device.cores import check_at_once


class SchedulerType(click.ParamType):
    """Address of a Dask scheduler; without a scheme it is one of TCP, without a port that of Dask."""

    name = "scheduler"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the address in full: ``tcp://HOST:8786``."""
        scheme, _, host = value.strip().rpartition("://")
        scheme = scheme.lower() or "tcp"
        if not host.strip("/"):
            self.fail(f"{value!r} seen, expected the address of a scheduler like tcp://HOST:8786", param, ctx)
        if scheme in ("tcp", "tls") and not re.search(r":[^]]*$", host.rpartition("@")[2]):
            host = f"{host.rstrip('/')}:8786"
        return f"{scheme}://{host}"


@dataclass(frozen=True, slots=True)
class ArchiveOptions:
    """How many videos are run.

    Attributes:
        processes: at a time; ``None``: as many as pay.
        resume: leave out what is whole.
        summary: file of the summary; ``None``: none.
        piece_length: seconds of a piece, at least; ``None``: videos are not cut.
        cluster: address of a Dask scheduler; ``None``: this machine.

    Raises:
        OptionError: more processes than a machine stands.
    """

    processes: int | None = None
    resume: bool = False
    summary: Path | None = None
    piece_length: float | None = None
    cluster: str | None = None

    def __post_init__(self) -> None:
        """Refuse processes that would leave the machine no time for anything else."""
        check_at_once(self.processes, "processes", "leave --processes out for as many as pay")

    @property
    def asked(self) -> bool:
        """Whether one of them was typed."""
        return self != ArchiveOptions()


def archive_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of archives; the command gets them as ``archive``."""

    @functools.wraps(command)
    def with_archive(*arguments: Any, **others: Any) -> Any:
        own = {name: others.pop(name) for name in ArchiveOptions.__dataclass_fields__}
        return command(*arguments, archive=ArchiveOptions(**own), **others)

    for option in reversed(_OPTIONS):
        with_archive = option(with_archive)
    return with_archive


_OPTIONS: tuple[Callable[..., Any], ...] = (
    click.option(
        "--processes",
        type=click.IntRange(1),
        help="Number of processes for many videos, each with engines of its own. [default: as many as pay: one a core "
        "at most, one on a GPU]",
    ),
    click.option(
        "--resume",
        is_flag=True,
        help="Permission to leave out videos whose results are whole, made by the same bundle and options. [default: "
        "off]",
    ),
    click.option(
        "--summary",
        type=click.Path(dir_okay=False, path_type=Path),
        help="File for a line of JSON about each video: frames, shares of the classes, seconds, error. [default: none]",
    ),
    click.option(
        "--piece-length",
        type=DurationType(),
        metavar="DURATION",
        help="Length of a piece at the least, such as 600s or 10m, where long videos are cut at intra frames and "
        "segmented by several processes; the results are joined. [default: videos are not cut]",
    ),
    click.option(
        "--cluster",
        type=SchedulerType(),
        metavar="tcp://HOST:8786",
        help="Address of the scheduler of a Dask cluster, whose workers segment the videos in place of this machine; "
        "they need the same version of edge-arseg, and the same paths. [default: this machine]",
    ),
)
