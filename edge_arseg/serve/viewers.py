"""Who watches: each gets the newest shot when it has shown the one before."""

import asyncio
import json
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from edge_arseg.serve.figures import Figures
from edge_arseg.serve.newest import Shot

MOST = 64
"""Viewers at a time; each takes a socket, and time of the one thread that sends."""

AHEAD = 2
"""Shots on their way to a viewer: one that it shows and one that travels, so that a distant one is not slower."""

TICK_S = 1.0
"""Without a new shot a viewer hears how things stand once a second."""

ENDED, FULL = 1001, 1013
"""Codes of WebSocket: the server goes away; try again later."""

Facts = Callable[[], dict[str, Any]]
"""Makes an object of JSON."""

_HEAD = struct.Struct("<I")


class Viewer:
    """One open page.

    Attributes:
        ready: shots that it may still be sent.
        news: something is there for it.
    """

    def __init__(self) -> None:
        self.ready = AHEAD
        self.news = asyncio.Event()


class Viewers:
    """Sends shots to all who watch; belongs to one event loop, except ``wanted``, ``count`` and ``publish``.

    A viewer that is slow, or shows nothing because its page is hidden, is sent fewer shots and no old ones: it says
    when it has shown one. What it has not been sent costs nothing but the times of its frames, a few bytes each.

    Args:
        figures: of the run.
        greeting: makes the first message.
        state: makes what is told without a shot.
    """

    def __init__(self, figures: Figures, greeting: Facts, state: Facts) -> None:
        self._figures, self._greeting, self._state = figures, greeting, state
        self._open: set[Viewer] = set()
        self._shot: Shot | None = None
        self._ended = False
        self.generation = 0
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def count(self) -> int:
        """How many watch."""
        return len(self._open)

    def wanted(self) -> bool:
        """Whether one of them could be sent a shot."""
        return any(viewer.ready > 0 for viewer in tuple(self._open))

    def publish(self, shot: Shot) -> None:
        """Give them the newest shot; called by the thread that encodes."""
        self._call(self._take, shot)

    def end(self) -> None:
        """Send everybody away; called by any thread."""
        self._call(self._end)

    def renew(self) -> None:
        """Greet everybody again: what runs has changed; called by any thread."""
        self._call(self._renew)

    async def serve(self, socket: WebSocket) -> None:
        """Send to one until it goes, or the run ends."""
        self._loop = asyncio.get_running_loop()
        await socket.accept()
        if len(self._open) >= MOST:
            await socket.close(FULL, f"{MOST} watch already")
            return
        viewer = Viewer()
        self._open.add(viewer)
        heard = asyncio.create_task(_hear(socket, viewer))
        sent = asyncio.create_task(self._send(socket, viewer))
        try:
            await asyncio.wait((heard, sent), return_when=asyncio.FIRST_COMPLETED)
            for task in (heard, sent):
                task.cancel()
            await asyncio.gather(heard, sent, return_exceptions=True)
            if self._ended:
                with suppress(RuntimeError, WebSocketDisconnect):
                    await socket.close(ENDED, "the run has ended")
        finally:
            heard.cancel()
            sent.cancel()
            self._open.discard(viewer)  # only now: who ends the server waits for this

    async def _send(self, socket: WebSocket, viewer: Viewer) -> None:
        shown, rows_to, generation = 0, 0, -1
        while not self._ended:
            if generation != self.generation:
                generation = self.generation
                await socket.send_text(json.dumps(self._greeting()))
            shot = self._shot
            if shot is not None and shot.serial > shown and viewer.ready > 0:
                viewer.ready -= 1
                shown = shot.serial
                rows_to, rows = self._figures.rows_after(rows_to)
                more = json.dumps({"rows": rows, **self._state()}, separators=(",", ":"))
                head = f"{shot.facts},{more[1:]}".encode()
                await socket.send_bytes(b"".join((_HEAD.pack(len(head)), head, shot.body)))
                continue
            viewer.news.clear()
            try:
                await asyncio.wait_for(viewer.news.wait(), TICK_S)
            except asyncio.TimeoutError:
                rows_to, rows = self._figures.rows_after(rows_to)
                await socket.send_text(json.dumps({"rows": rows, **self._state()}))

    def _call(self, function: Callable[..., None], *arguments: Any) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(function, *arguments)

    def _take(self, shot: Shot) -> None:
        self._shot = shot
        for viewer in self._open:
            viewer.news.set()

    def _end(self) -> None:
        self._ended = True
        for viewer in self._open:
            viewer.news.set()

    def _renew(self) -> None:
        self._shot = None
        self.generation += 1
        for viewer in self._open:
            viewer.news.set()


async def _hear(socket: WebSocket, viewer: Viewer) -> None:
    """Hear a viewer say that it has shown a shot; anything else that it says means the same."""
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        viewer.ready = min(viewer.ready + 1, AHEAD)
        viewer.news.set()
