"""The rooms that a call enters, in order, as they really are: seen by ``sys.setprofile``.

A room is a folder of ``edge_arseg`` with all inside it. What lies in ``runtime`` and ``compiler``, folder or module, is
a layer of its own (setup.cfg), and a room of its own here; so are the sinks and the overlay. A room is entered where a
function or a class of it is called from another room. A method of an object that came out of a room is the room at
work, not a new way in; so is making a value (a dataclass).
"""

import sys
from collections.abc import Callable
from inspect import CO_GENERATOR
from pathlib import Path
from types import FrameType
from typing import Any

import edge_arseg

PACKAGE = str(Path(edge_arseg.__file__).parent)
SPLIT = ("runtime", "compiler")
VALUES = (
    *("errors", "arguments", "spec", "storage", "native", "compiled", "compiler.asked"),
    *("runtime.bundles", "runtime.device", "runtime.stages"),
)
"""Rooms of nouns and facts, which every other room asks."""


def rooms_entered(call: Callable[[], Any], *, but: tuple[str, ...] = VALUES) -> list[str]:
    """Return the rooms that a call enters from this thread; a room that is entered twice in a row counts once.

    Args:
        call: runs the whole walk.
        but: rooms that are not looked at, with all inside them.
    """
    entered: list[str] = []
    generators: set[FrameType] = set()

    def seen(frame: FrameType, event: str, _: object) -> None:
        if event != "call" or frame in generators or _is_method(frame):
            return
        if frame.f_code.co_flags & CO_GENERATOR:
            generators.add(frame)  # it goes on where it stopped: that is no new way in
        room = _room(frame)
        if room is None or _under(room, but):
            return
        if room != _caller(frame, but) and entered[-1:] != [room]:
            entered.append(room)

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        call()
    finally:
        sys.setprofile(before)
    return entered


def ways_back(entered: list[str]) -> list[str]:
    """Return the rooms that are entered again, in order."""
    return [room for i, room in enumerate(entered) if room in entered[:i]]


def _caller(frame: FrameType, but: tuple[str, ...]) -> str | None:
    """Return the room that calls: the nearest one outwards that is looked at."""
    outer = frame.f_back
    while outer is not None:
        room = _room(outer)
        if room is not None and not _under(room, but):
            return room
        outer = outer.f_back
    return None


def _under(room: str, rooms: tuple[str, ...]) -> bool:
    return any(room == other or room.startswith(f"{other}.") for other in rooms)


def _is_method(frame: FrameType) -> bool:
    """Whether a frame is a room at work: a method, a value's constructor, or what is made inside a function."""
    code = frame.f_code
    if code.co_filename == "<string>" or code.co_name.startswith("<") or "<locals>" in code.co_qualname:
        return True
    return code.co_varnames[:1] == ("self",) and code.co_name != "__init__"


def _room(frame: FrameType) -> str | None:
    code = frame.f_code
    if not code.co_filename.startswith(PACKAGE):
        return None
    parts = Path(code.co_filename).relative_to(PACKAGE).with_suffix("").parts
    if parts[0] == "video":
        return f"video.{parts[1]}" if parts[1] in ("sinks", "overlay") else "video"
    return ".".join(parts[: 2 if parts[0] in SPLIT else 1])
