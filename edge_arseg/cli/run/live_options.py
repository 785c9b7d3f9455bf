"""Options of ``run`` for sources that do not wait."""

import functools
from collections.abc import Callable
from typing import Any

import click

from edge_arseg.cli.settings.duration import DurationType, MillisecondsType
from edge_arseg.video.delivery.options import AUTO, ON_LATE, RTSP_TRANSPORTS, SKIP, LiveOptions


def live_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of ``_OPTIONS``; for the command, as ``live``."""

    @functools.wraps(command)
    def with_live(
        *arguments: Any,
        on_late: str,
        max_age: float | None,
        realtime: bool,
        wait: bool,
        timeout: float | None,
        rtsp_transport: str,
        low_latency: bool,
        **others: Any,
    ) -> Any:
        live = LiveOptions(on_late, max_age, realtime, wait, timeout, rtsp_transport, low_latency)
        return command(*arguments, live=live, **others)

    for option in reversed(_OPTIONS):
        with_live = option(with_live)
    return with_live


_OPTIONS: tuple[Callable[..., Any], ...] = (
    click.option(
        "--on-late",
        type=click.Choice(ON_LATE),
        default=SKIP,
        show_default=True,
        help="Fate of live frames that nobody was ready for: skip, they are dropped and their motion counts; force-hr, "
        "the same, and the next frame becomes a keyframe; block, none is dropped and the source waits.",
    ),
    click.option(
        "--max-age",
        type=MillisecondsType(),
        metavar="TIME",
        help="Greatest age of a live frame, such as 100ms, at which it is still segmented; older ones are dropped, "
        "and their motion counts. [default: none is too old]",
    ),
    click.option(
        "--realtime", is_flag=True, help="Frames of a file at the file's own rate, as from a camera. [default: off]"
    ),
    click.option(
        "--wait",
        is_flag=True,
        help="Patience with a live source that is not there yet, or is lost: it is tried every second, without an end, "
        "or for --timeout. [default: off]",
    ),
    click.option(
        "--timeout",
        type=DurationType(),
        metavar="DURATION",
        help="Time without a frame, such as 30s, after which a live source is given up with exit code 4. [default: 30; "
        "with --wait, none]",
    ),
    click.option(
        "--rtsp-transport",
        type=click.Choice(RTSP_TRANSPORTS),
        default=AUTO,
        show_default=True,
        help="Transport of an RTSP stream: tcp, nothing is lost; udp, lost packets delay nothing and damage frames; "
        "auto, TCP where the server has it, else UDP.",
    ),
    click.option(
        "--low-latency",
        is_flag=True,
        help="Frames of MPEG-TS (udp://, tcp://, srt://) one frame period sooner, where the sender puts each picture, "
        "whole, in a packet of its own, as most do; packets that hold anything else turn it off. [default: off]",
    ),
)
