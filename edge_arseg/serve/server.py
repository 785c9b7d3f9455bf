"""The server of the page, beside the run."""

import asyncio
import logging
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from edge_arseg.errors import EnvironmentUnfitError
from edge_arseg.serve.access import Access, checked_token
from edge_arseg.serve.address import Address, is_loopback, listening_socket
from edge_arseg.serve.application import application
from edge_arseg.serve.figures import Figures
from edge_arseg.serve.metrics import Now, registry_of, text_from_registry
from edge_arseg.serve.newest import Newest
from edge_arseg.serve.viewers import Viewers
from edge_arseg.serve.watts import Watts
from edge_arseg.spec.frame import SegmentedFrame
from edge_arseg.spec.model import ClassInfo
from edge_arseg.video.overlay.palette.choice import colors_of_classes

_log = logging.getLogger(__name__)

START_S, END_S = 10.0, 3.0
FAREWELL_S = 0.5
"""For the viewers to hear that the run has ended; the server itself would tell them that it begins again."""

_LOOK_S = 0.005
"""Between two looks at what another thread has done."""

_LOST_AFTER_S = 20.0
"""A viewer whose machine answers no ping for so long is gone."""

REQUEST_S = 5.0
"""For a whole request, from when the connection is there or the answer before has been sent."""

MOST_OPEN = 512
"""Connections at a time; beyond that new ones are cut at once, for each takes a file descriptor of the run."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is watched.

    Attributes:
        source: without its login.
        bundle: its name.
        label: mode, fusion and backend; empty where that is not known yet.
        classes: names and colours, by index.
        palette: see ``OverlayStyle``.
        alpha: share of the class colour, 0 to 1, that a page begins with.
    """

    source: str
    bundle: str
    label: str
    classes: tuple[ClassInfo, ...]
    palette: str
    alpha: float


class PageServer:
    """Listens at once, shows a run, and ends quickly whoever watches; a context manager.

    It runs in a thread of its own. Another one encodes, and what is taken from the run is copied: neither a slow
    viewer nor many of them hold the run up.

    Args:
        address: where it listens.
        token: that is asked for. Without one, none is asked for on loopback, and beyond it one is made.
        max_age_ms: see ``LiveStatistics``.

    Attributes:
        figures: of the run.
        door: address of the page, which asks for the token where there is one.
        url: of the page, with the token where there is one.
        made_token: the token that was made; ``None`` where one was given or none is asked for.

    Raises:
        SinkError: the address cannot be listened on.
        OptionError: the token is too short.
        EnvironmentUnfitError: the server does not start.
    """

    def __init__(self, address: Address, token: str | None = None, *, max_age_ms: float | None = None) -> None:
        if token is not None:
            checked_token(token)
        with ExitStack() as stack:
            self._socket = listening_socket(address)
            stack.callback(self._socket.close)
            host, port = self._socket.getsockname()[:2]
            self.loopback = is_loopback(host)
            self.made_token = None if token is not None or self.loopback else Access.new_token()
            token = token or self.made_token
            self.address = Address(address.host, port)
            self.figures = Figures(max_age_ms)
            self._subject = Subject("", "", "", (), "contrast", 0.5)
            access = Access(token, port)
            shown = Address("localhost" if host in ("0.0.0.0", "::") else address.host, port)
            self.door = f"http://{shown}/"
            self.url = self.door + (f"?token={token}" if token else "")
            self._viewers = Viewers(self.figures, self._greeting, self._state)
            self._newest = Newest(self.figures, self._viewers.wanted, self._viewers.publish)
            stack.callback(self._newest.close)
            self._watts = stack.enter_context(Watts())
            registry = registry_of(self.figures, self._now)
            app = application(
                access, self._viewers, self.figures, lambda: text_from_registry(registry), lambda: self.fault
            )
            self._server = uvicorn.Server(_config(app))
            self._thread = threading.Thread(target=self._serve, name="page server", daemon=True)
            self._thread.start()
            stack.callback(self._stop)
            self._wait_for_start()
            self._opened = stack.pop_all()

    @property
    def fault(self) -> str | None:
        """Why there are no pictures any more; ``None``: there are."""
        error = self._newest.error
        return None if error is None else f"{type(error).__name__}: {error}"

    def show(self, subject: Subject) -> None:
        """Say what is watched from now on."""
        self._subject = subject
        self._newest.of_classes(len(subject.classes))
        self._viewers.renew()

    def take(self, result: SegmentedFrame) -> None:
        """Show a result; its arrays are read before this returns."""
        self._newest.take(result)

    def close(self) -> None:
        """Send viewers away and end; calling it again does nothing."""
        self._opened.close()

    def __enter__(self) -> "PageServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _serve(self) -> None:
        try:
            self._server.run(sockets=[self._socket])
        except SystemExit as error:
            _log.warning("the page's server ended: %s", error)

    def _wait_for_start(self) -> None:
        until = time.monotonic() + START_S
        while self._thread.is_alive() and time.monotonic() < until:
            if self._server.started:
                return
            time.sleep(_LOOK_S)
        raise EnvironmentUnfitError(f"the page's server on {self.address} did not start; see --log-file or -v")

    def _stop(self) -> None:
        self._viewers.end()
        until = time.monotonic() + FAREWELL_S
        while self._viewers.count and time.monotonic() < until:
            time.sleep(_LOOK_S)
        self._server.should_exit = True
        self._thread.join(END_S)
        if self._thread.is_alive():
            self._server.force_exit = True
            self._thread.join(END_S)

    def _greeting(self) -> dict[str, Any]:
        subject = self._subject
        colors = colors_of_classes(subject.classes, subject.palette).tolist()
        return {
            "source": subject.source,
            "bundle": subject.bundle,
            "label": subject.label,
            "alpha": subject.alpha,
            "classes": [
                {"name": info.name.replace("_", " "), "color": color}
                for info, color in zip(subject.classes, colors, strict=True)
            ],
        }

    def _state(self) -> dict[str, Any]:
        live = self.figures.live
        return {
            "state": "failed" if self.fault else self.figures.state(),
            "fps": round(self.figures.fps(), 1),
            "frames": live.frames,
            "keyframes": live.keyframes,
            "dropped": live.dropped,
            "late": live.late,
            "watts": self._watts.now,
            "viewers": self._viewers.count,
        }

    def _now(self) -> Now:
        subject = self._subject
        names = [info.name for info in subject.classes]
        newest = self._newest.areas if self.figures.state() == "running" else []  # what was seen an hour ago is no news
        areas = dict(zip(names, newest, strict=False))
        facts = {"bundle": subject.bundle, "run": subject.label, "source": subject.source}
        return Now(areas, self._viewers.count, self._watts.now, facts)


class TimedConnection(H11Protocol):
    """HTTP/1.1 as uvicorn speaks it; a client that is silent, or sends half a request, keeps no other from its answer.

    uvicorn limits the time between two requests alone. Connections over its limit get 503, ``/healthz`` among them.
    """

    _limit: asyncio.TimerHandle | None = None
    _left = False

    def connection_made(self, transport: Any) -> None:
        """See ``asyncio.Protocol``."""
        super().connection_made(transport)
        if len(self.connections) > MOST_OPEN:
            transport.abort()
        self._look()

    def data_received(self, data: bytes) -> None:
        """See ``asyncio.Protocol``."""
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        """Hear that the answer has been sent."""
        super().on_response_complete()
        self._look()

    def handle_websocket_upgrade(self, event: Any) -> None:
        """Leave the connection to the WebSocket, whose pings have a limit of their own."""
        self._left = True
        super().handle_websocket_upgrade(event)

    def connection_lost(self, exc: Exception | None) -> None:
        """See ``asyncio.Protocol``."""
        self._left = True
        self._look()
        super().connection_lost(exc)

    def _look(self) -> None:
        """Let the time begin where a request is waited for, and end where one is answered; half a request is none."""
        answered = self.cycle is not None and not self.cycle.response_complete
        if (answered or self._left) and self._limit is not None:
            self._limit.cancel()
            self._limit = None
        elif not (answered or self._left) and self._limit is None:
            self._limit = self.loop.call_later(REQUEST_S, self.transport.abort)


class _Passed(logging.Handler):
    """Hands on what uvicorn tells, so that it has the form of all other lines."""

    def emit(self, record: logging.LogRecord) -> None:
        _log.handle(record)


def _config(app: Any) -> uvicorn.Config:
    told = logging.getLogger("uvicorn")
    if not any(isinstance(handler, _Passed) for handler in told.handlers):
        told.addHandler(_Passed())
        told.propagate = False
    return uvicorn.Config(
        app,
        log_config=None,
        log_level="error",  # what a client does wrong is told to the client, and fills no log
        access_log=False,
        loop="asyncio",
        http=TimedConnection,
        ws="websockets-sansio",
        ws_max_size=4096,  # all that a viewer says is that it is ready
        ws_per_message_deflate=False,  # a JPEG does not become smaller
        ws_ping_interval=_LOST_AFTER_S / 2,
        ws_ping_timeout=_LOST_AFTER_S / 2,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=1,
        timeout_keep_alive=5,
        limit_concurrency=256,
    )
