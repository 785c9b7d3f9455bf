"""Options of ``run`` for the page to watch it on."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

from edge_arseg.cli.settings.flag_with_value import FlagWithValue

DEFAULT = "127.0.0.1:8008"


@dataclass(frozen=True, slots=True)
class Serving:
    """What the options say.

    Attributes:
        place: HOST:PORT, as typed; ``None``: no page is asked for.
        token: that viewers need; ``None``: see ``PageServer``.
    """

    place: str | None = None
    token: str | None = None


def serve_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--serve`` and ``--serve-token``; the command gets them as ``serving``, a ``Serving``."""

    @click.option(
        "--serve",
        cls=FlagWithValue,
        flag_value=DEFAULT,
        metavar="[HOST:PORT]",
        help="Address of a page on which a browser shows the run while it lasts, with /healthz and /metrics; without "
        f"HOST:PORT {DEFAULT}, which this machine alone reaches. It stands behind SOURCE and SINK. [default: no page]",
    )
    @click.option(
        "--serve-token",
        metavar="TOKEN",
        hide_input=True,  # --print-config does not show it
        help="Secret that viewers need, 16 characters or more, or @FILE with it in its first line. [default: none on "
        "this machine; a new one for others, in the address that is printed]",
    )
    @functools.wraps(command)
    def with_serving(serve: str | None, serve_token: str | None, **others: Any) -> Any:
        return command(serving=Serving(serve, serve_token), **others)

    return with_serving
