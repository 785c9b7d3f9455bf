"""Source URIs, in the manner of jetson-inference."""

import os
import re
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from os import PathLike, fspath
from pathlib import Path
from urllib.parse import unquote

from edge_arseg.errors import OptionError, SourceError
from edge_arseg.storage.url import NETWORK, label_of, may_be_a_name, part_of_label, printable
from edge_arseg.suggestion import did_you_mean
from edge_arseg.video.sources.folder import PLAYLISTS, VIDEOS, fault_of_videos
from edge_arseg.video.sources.kinds import KINDS, SourceKind, complete, kind_of_scheme, known, pattern_and_rate
from edge_arseg.video.sources.pattern import is_pattern, paths_from_pattern
from edge_arseg.video.sources.playlists import files_named, is_unfinished

_DEVICE = re.compile(r"/dev/(video\d+|v4l/by-(id|path)/.+?)(\?.*)?")
_CAMERA = re.compile(r"\d{1,3}(\?.*)?")
_STANDARD_INPUT = ("-", "pipe:", "pipe:0", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0")
_CAMERA_WORDS = ("camera", "webcam", "cam", "usb")
_CONTROL = re.compile(r"%(?=[01][0-9a-fA-F]|7[fF])")


_HAS_PROC = os.path.exists("/proc/self/fd")  # noqa: PTH110


@dataclass(frozen=True, slots=True)
class Source:
    """A parsed source URI. Its ``repr`` shows no login.

    Attributes:
        uri: as given, with the login: never show it.
        kind: what it names: a key of ``KINDS``.
        location: a path, a pattern, a device or a URL, as the kind needs it. In a URL the scheme is in lower case, and
            the login is percent-encoded where it has to be.
        query: what stood behind ``?``, for devices, images and ``test://``.
        label: the URI for messages, logs and records: without its login, and printable.
    """

    uri: str = field(repr=False)
    kind: str
    location: str = field(repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    label: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        piped = self.kind == SourceKind.PIPE
        object.__setattr__(self, "label", "standard input" if piped else label_of(self.uri))

    @property
    def live(self) -> bool:
        """Frames arrive at their own pace and cannot be asked for again."""
        return KINDS[self.kind].live

    @property
    def path(self) -> Path | None:
        """The file, where the source is one of this machine."""
        remote = self.location.startswith(("http://", "https://"))
        remote = remote or (self.location.startswith("pipe:") and not os.path.lexists(self.location))
        return None if remote or self.kind != SourceKind.FILE else Path(self.location)

    @property
    def files(self) -> list[Path]:
        """The file, and those that it names where it is a playlist; none where the source is not of files.

        Images are not among them: see ``image_paths``.
        """
        if self.kind == SourceKind.REPLAY:
            return [Path(self.location)]
        return [] if self.path is None else files_named(self.path)

    @property
    def name(self) -> str:
        """What a record calls the source: the label without the folders of this machine."""
        if self.path is not None:
            return printable(self.path.name)
        if self.kind == SourceKind.PIPE:
            return "standard input"
        if self.kind == SourceKind.IMAGES:
            rate = f"?rate={self.query['rate']}" if "rate" in self.query else ""
            return printable("/".join(Path(self.location).parts[-2:]).removeprefix("//") + rate)
        return self.label

    @property
    def place(self) -> str:
        """The location for messages: hidden where the label hides a login, of which it may hold a part."""
        return part_of_label(self.label, self.location)

    @property
    def address(self) -> str:
        """What FFmpeg opens. ``file:`` before a path keeps it from taking ``12:30.mp4`` for a protocol."""
        return self.location if self.path is None else f"file:{self.location}"

    @property
    def address_options(self) -> dict[str, str]:
        """Options that FFmpeg needs with the address."""
        if self.kind == SourceKind.DEVICE:
            return dict(self.query)
        if self.location.startswith(("rtsp://", "rtsps://")):
            # TCP where the server has it: lost packets damage pictures. To measure the rate would hold the first back.
            return {"rtsp_flags": "prefer_tcp", "fpsprobesize": "0"}
        if self.path is None:
            return {}
        options: dict[str, str] = {}
        if self.path.suffix.lower() in PLAYLISTS:
            # FFmpeg would begin near the end of such a playlist, and then wait for more.
            options = {"live_start_index": "0", "max_reload": "1"} if is_unfinished(self.path) else {}
        # ``a%03d.png`` or ``b*.png`` may be the name of one file.
        return options | ({"pattern_type": "none"} if re.search(r"[%*?{\[]", self.location) else {})


def source_from_uri(uri: str | PathLike[str]) -> Source:
    """Parse a source URI. Nothing is opened, but a name that could be a file or a pattern is looked up.

    ========================================  ==================================================================
    ``clip.mp4``, ``file:///clips/clip.mp4``  a file; its name may hold ``:``, ``%``, ``*`` and ``?``
    ``http://``, ``https://``                 a file on a server
    ``images://dir/%06d.png?rate=15``         numbered images in order of their numbers
    ``images://dir/*.png?rate=15``            images in order of their names, numbers in these as numbers
    ``dir/%06d.png``, ``dir/*.png``           the same, where there is no file of this name
    ``dir``                                   the images in a folder, in order of their names
    ``0``                                     the first camera, ``/dev/video0``; ``1`` the second
    ``/dev/video0``, ``v4l2:///dev/video0``   a camera; ``?video_size=1280x720&framerate=30&input_format=mjpeg``
    ``-``                                     the standard input: a video that another program writes
    ``rtsp://host/path``, ``udp://...``       a live stream (also rtsps, rtmp, tcp, srt)
    ``csi://0?size=1280x720&rate=30``         a CSI camera of a Jetson, by GStreamer
    ``gst://PIPELINE``                        what a GStreamer pipeline gives out; without a sink at its end
    ``replay://FILE``                         what ``--record`` kept of a live source; ``?frames=every``: no drops
    ``test://street?frames=48``               a street drive rendered in code
    ========================================  ==================================================================

    Raises:
        SourceError: the scheme is unknown, or the URI is incomplete.
        OptionError: it is neither text nor a path.
    """
    text = fspath(uri) if isinstance(uri, PathLike) else uri
    if not isinstance(text, str):
        raise OptionError(
            f"source {uri!r} seen, expected text or a path, such as 'drive.mp4', or '0' for the first camera"
        )
    if not text:
        raise SourceError(f"an empty source: expected {known()}")
    label = label_of(text)
    if not may_be_a_name(text):
        raise SourceError(f"{label}: no file, device or stream can be called that; check the name")
    match = re.match(r"([a-zA-Z][a-zA-Z0-9+.-]*)://", text)
    scheme = match.group(1).lower() if match else ""
    rest = text[match.end() :] if match else text
    kind = kind_of_scheme(scheme)
    if not scheme and _DEVICE.fullmatch(text):
        kind = SourceKind.DEVICE
    if not scheme and _CAMERA.fullmatch(text) and not os.path.lexists(text):
        kind = SourceKind.DEVICE
    if text in _STANDARD_INPUT and (text.startswith("/") or not os.path.lexists(text)):
        return _standard_input(text)
    if kind is not None:
        return Source(text, kind, *KINDS[kind].parts(text, rest, label))
    if (path := path_from_file_uri(text)) is not None:
        return _file_or_images(text, complete(path, label, "file:///clips/clip.mp4"))
    if scheme and not os.path.lexists(text):
        meant = did_you_mean(scheme, [name for kind in KINDS.values() for name in kind.schemes])
        raise SourceError(
            f"{label}: unknown kind of source {scheme}://; {meant}{' ' if meant else ''}expected {known()}"
        )
    before = text.partition(":")[0].lower()
    if before in NETWORK and not os.path.lexists(text):
        raise SourceError(f"{label}: there is no such file; a URL has two slashes: {before}://host/path")
    return _file_or_images(text, text)


def path_from_file_uri(text: str) -> str | None:
    """Return the path in ``file:///a%20b``, ``file://localhost/a``, ``file:a`` or ``file://a``; ``None`` for others.

    A file whose name is written like this is a path itself, and one whose name holds ``%20`` is not decoded.
    """
    if text[:5].lower() != "file:" or os.path.lexists(text):
        return None
    path = text[5:].removeprefix("//")
    if text[5:7] == "//" and path[:10].lower() == "localhost/":
        path = path[9:]
    decoded = unquote(_CONTROL.sub("%25", path), errors="surrogateescape")  # %03d is a number, no character
    return path if os.path.lexists(path) and not os.path.lexists(decoded) else decoded


def _standard_input(text: str) -> Source:
    """A pipe; or the file that stdin was redirected from, which can be read from its beginning and in any order."""
    with suppress(OSError):
        if stat.S_ISREG(os.fstat(0).st_mode):
            return Source(text, SourceKind.FILE, os.path.realpath("/proc/self/fd/0") if _HAS_PROC else "/dev/stdin")
    return Source(text, SourceKind.PIPE, "-")


def _file_or_images(text: str, path: str) -> Source:
    """A file; where there is none of this name, images by their numbers or by ``*``: FFmpeg would end at a gap."""
    location, query = pattern_and_rate(path)
    pattern = Path(location)
    fits: list[Path] = []
    if is_pattern(pattern.name) and not os.path.lexists(path):
        with suppress(OSError):  # said when it is opened
            fits = paths_from_pattern(pattern)
    if os.path.isdir(location):  # noqa: PTH112 - never raises
        return Source(text, SourceKind.IMAGES, location, query)
    if fits and all(path.suffix.lower() in VIDEOS for path in fits):
        if len(fits) > 1:
            raise SourceError(f"{label_of(text)}: {fault_of_videos([str(path) for path in fits])}")
        return Source(text, SourceKind.FILE, str(fits[0]))
    if fits:
        return Source(text, SourceKind.IMAGES, location, query)
    if text.lower() in _CAMERA_WORDS and not os.path.lexists(path):
        raise SourceError(f"{text}: there is no such file; for the first camera type 0")
    return Source(text, SourceKind.FILE, path)
