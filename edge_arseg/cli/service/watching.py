"""What looks at a run while it lasts: the page, if one is asked for, and the service manager, if there is one."""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge_arseg.cli.output import note
from edge_arseg.cli.service.notify import Heart
from edge_arseg.cli.service.serve_options import Serving
from edge_arseg.errors import EnvironmentUnfitError, OptionError
from edge_arseg.installation import install_extra
from edge_arseg.quantity import counted
from edge_arseg.spec.frame import SegmentedFrame
from edge_arseg.video.uri import source_from_uri

if TYPE_CHECKING:
    from edge_arseg.runtime.run import RunStart
    from edge_arseg.serve.server import PageServer
    from edge_arseg.spec.manifest import Manifest
    from edge_arseg.video.overlay.style import OverlayStyle
    from edge_arseg.video.sinks.base import Sink

STATUS_EVERY_S = 10.0


class Watching:
    """Tells those who look at a run how it goes.

    Args:
        page: ``None``: there is none.
        heart: of the process.
    """

    def __init__(self, page: "PageServer | None", heart: Heart) -> None:
        self.page, self._heart = page, heart
        self._told_s = 0.0

    def chosen(self, manifest: "Manifest", style: "OverlayStyle", source: str) -> None:
        """Hear what is about to run; from now on the process is up, though its source may not be there yet."""
        self._show(manifest, "", style, source)
        self._heart.ready()

    def many(self, count: int) -> None:
        """Hear that many videos are about to run: the process is up. The watchdog hears that it lives, and no more."""
        self._heart.ready()
        self._heart.waiting(True)
        self._heart.say(counted(count, "video"))

    def begun(self, start: "RunStart", style: "OverlayStyle", source: str) -> None:
        """Hear what runs."""
        self._show(start.choice.bundle.manifest, start.label, style, source)

    def _show(self, manifest: "Manifest", label: str, style: "OverlayStyle", source: str) -> None:
        if self.page is None:
            return
        from edge_arseg.serve.server import Subject

        read = source_from_uri(source)
        self.page.show(Subject(read.name, manifest.name, label, manifest.model.classes, style.palette, style.alpha))

    def sinks(self) -> list["Sink"]:
        """Return what takes the results of one source."""
        if self.page is None:
            return []
        from edge_arseg.serve.sink import PageSink

        return [PageSink(self.page)]

    def waiting(self, waits: bool) -> None:
        """Hear that the run waits for its source, or has a frame to work on."""
        self._heart.waiting(waits)
        if self.page is not None:
            self.page.figures.waiting(waits)

    def ending(self) -> None:
        """Hear that no more results come, and that sinks are closed."""
        self._heart.ending()

    def step(self, result: SegmentedFrame, rate: float) -> None:
        """Hear of a result.

        Args:
            result: the result.
            rate: results a second, since the start.
        """
        now = time.monotonic()
        if now - self._told_s >= STATUS_EVERY_S:
            self._told_s = now
            age = "" if result.age_ms is None else f", age {result.age_ms:.0f} ms"
            self._heart.say(f"frame {result.frame.index}, {rate:.1f} fps{age}")


def check_place(serving: Serving) -> None:
    """Refuse what is no address before anything else is looked at: it may be the source, typed behind ``--serve``.

    Raises:
        OptionError: it is none.
    """
    if serving.place is not None:
        from edge_arseg.serve.address import address_from_text

        address_from_text(serving.place)


def sinks_beside(serving: Serving, sinks: Sequence[str]) -> tuple[str, ...]:
    """Return the sinks of a run: with a page and no sink nothing is written."""
    return tuple(sinks) or (("null://",) if serving.place is not None else ())


@contextmanager
def watching(serving: Serving, max_age_ms: float | None, *, many: bool = False) -> Iterator[Watching]:
    """Open the page, if one is asked for, and begin to tell the service manager, if there is one.

    Args:
        serving: what is asked for.
        max_age_ms: see ``LiveStatistics``.
        many: whether many videos are run, which a page does not show.

    Raises:
        click.UsageError: a page of many videos.
        OptionError: the address or the token cannot be used.
        SinkError: the address cannot be listened on.
        EnvironmentUnfitError: the extra ``serve`` is not installed.
    """
    with ExitStack() as stack:
        page = None
        if serving.place is not None and many:
            raise click.UsageError("--serve shows one source, and many videos seen; run one of them, or leave it out")
        if serving.place is not None:
            page = stack.enter_context(_opened_page(serving, max_age_ms))
            note(_invitation(page, serving))
        elif serving.token is not None:
            raise OptionError("--serve-token seen without --serve, expected both")
        heart = stack.enter_context(Heart())
        yield Watching(page, heart)


def _invitation(page: "PageServer", serving: Serving) -> str:
    """Say where the page is, and which token it asks for: its own, which nobody else can say; one that was given is a
    secret of the user's.
    """
    line = f"watch at {page.door}"
    if page.made_token is not None:
        line += f" with the token {page.made_token}"
    elif serving.token is not None:
        line += " with the token of --serve-token"
    return line if page.loopback else f"{line}, in a network that you trust: nothing is encrypted"


def _opened_page(serving: Serving, max_age_ms: float | None) -> "PageServer":
    from edge_arseg.serve.address import address_from_text

    assert serving.place is not None
    address = address_from_text(serving.place)
    try:
        from edge_arseg.serve.server import PageServer
    except ModuleNotFoundError as error:
        raise EnvironmentUnfitError(
            f"--serve needs {error.name}, which is not installed; type: {install_extra('serve')}"
        ) from error
    token = None if serving.token is None else _token_from_text(serving.token)
    return PageServer(address, token, max_age_ms=max_age_ms)


def _token_from_text(text: str) -> str:
    if not text.startswith("@"):
        return text
    try:
        with Path(text[1:]).open(encoding="utf-8-sig") as file:
            return file.readline(1024).strip()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OptionError(f"--serve-token {text}: cannot be read ({reason}); expected @FILE with the token") from error
