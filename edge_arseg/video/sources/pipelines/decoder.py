"""Sources that GStreamer reads: CSI cameras, and any pipeline."""

import math
import os
import re
import select
import subprocess
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from edge_arseg.errors import EnvironmentUnfitError, SourceError
from edge_arseg.spec.geometry.swapped_size import swap_meant_of_camera
from edge_arseg.storage.url import text_without_logins
from edge_arseg.video.decoding.decode import Decoder
from edge_arseg.video.decoding.notices import notice
from edge_arseg.video.decoding.picture import PictureSource
from edge_arseg.video.sources.kinds import Wishes
from edge_arseg.video.uri import Source

_PROGRAM = Path(__file__).with_name("gstreamer_process.py")
_SYSTEM = Path("/usr/bin/python3")
_INSTALL = "apt install python3-gi gir1.2-gstreamer-1.0 gstreamer1.0-plugins-good gstreamer1.0-plugins-bad"
_CSI = (
    "nvarguscamerasrc sensor-id={sensor} ! video/x-raw(memory:NVMM),width={width},height={height},framerate={rate}/1 ! "
    "nvvidconv ! video/x-raw,format=I420"
)
_QUICK = {"fpsprobesize": "0", "analyzeduration": "200000"}
_LATE = 5.0
"""Frame periods that a pipeline may be late, where that is longer than the usual time to wait for data."""


def pipeline_of(source: Source) -> str:
    """Return the pipeline of a source, without its end.

    Raises:
        SourceError: ``csi://`` with something that is no number, or with a size or rate of 0.
    """
    if not source.uri.lower().startswith("csi:"):
        return source.location
    width, _, height = source.query.get("size", "1280x720").partition("x")
    values = {"sensor": source.location, "width": width, "height": height, "rate": source.query.get("rate", "30")}
    sizes = (width, height, values["rate"])
    if not re.fullmatch("[0-9]{1,3}", source.location) or not all(
        re.fullmatch("[1-9][0-9]{0,4}", one) for one in sizes
    ):
        raise SourceError(f"{source.label}: expected csi://0, or csi://0?size=1280x720&rate=30")
    if told := swap_meant_of_camera(f"{width}x{height}"):
        notice(f"{source.label}: {told}")
    return _CSI.format(**values)


class GstreamerDecoder(Decoder):
    """Decodes what a pipeline gives out; see ``gstreamer_process``. H.264 keeps its vectors.

    FFmpeg's own time limits do not reach what it reads through Python, so the clock is looked at here.

    Raises:
        EnvironmentUnfitError: there are no bindings of GStreamer.
        SourceError: the pipeline cannot be run, gives no video, or gives nothing for longer than the times of
            ``wishes``, to open and to wait for data.
    """

    def __init__(self, source: Source, wishes: Wishes) -> None:
        self._label = source.label
        self._process = subprocess.Popen(
            [_python(), str(_PROGRAM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )
        assert self._process.stdin is not None
        self._output = _Output(self._process.stdout, wishes.timeout_s[0])
        try:
            self._process.stdin.write(f"{pipeline_of(source)}\n".encode())
            super().__init__(
                source,
                options={**_QUICK, **(wishes.options or {})},
                timeout_s=wishes.timeout_s,
                own_vectors=wishes.own_vectors,
                stream=wishes.stream,
                tape=wishes.tape,
                data=self._output,
            )
        except SourceError as fault:
            raise self._silence() or self._fault() or fault from fault
        except BaseException:
            self._end()
            raise
        self._output.patience_s = max(wishes.timeout_s[1], _LATE / (self.rate or math.inf))

    def _wait_for_packet(self) -> tuple[Any, bool]:
        packet, skipped = super()._wait_for_packet()
        if silence := self._silence():
            if self._writer is not None:
                self._writer.end(str(silence))
            raise silence
        if (packet is None or not packet.size) and (fault := self._fault()):
            raise fault
        return packet, skipped

    def _fault(self) -> EnvironmentUnfitError | SourceError | None:
        """What the program said; ``None`` where it said nothing."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(1.0)
        code = self._process.poll()
        assert self._process.stderr is not None
        said = self._process.stderr.read().decode(errors="replace").splitlines() if code is not None else []
        self._end()
        if not code:
            return None
        told = text_without_logins(said[-1] if said else f"it ended with code {code}")
        if code == 3:
            return EnvironmentUnfitError(f"{self._label} needs GStreamer's Python bindings ({told}); type: {_INSTALL}")
        return SourceError(f"{self._label}: GStreamer says: {told}")

    def _silence(self) -> SourceError | None:
        """Why nothing is read any more, where the pipeline gave nothing for too long."""
        if self._output.silent_s is None:
            return None
        self._end()
        return SourceError(
            f"{self._label}: nothing came out of the pipeline for {self._output.silent_s:.0f} s; check that the camera "
            "still sends"
        )

    def interrupt(self) -> None:
        """End a read that waits."""
        self._process.kill()

    def _end(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()

    def close(self) -> None:
        """Close what is read, and end the pipeline; safe to call twice."""
        self._process.kill()
        if hasattr(self, "_container"):
            super().close()
        self._end()


class _Output:
    """Bytes of the pipeline as they come.

    Attributes:
        patience_s: seconds to wait for some.
        silent_s: seconds for which none came, where that was too long; nothing is read from then on.
    """

    def __init__(self, file: IO[bytes] | None, patience_s: float) -> None:
        assert file is not None
        self._descriptor = file.fileno()
        self._come = select.poll()  # which takes any descriptor: `select` none from 1024 on
        self._come.register(self._descriptor, select.POLLIN)
        self.patience_s = patience_s
        self.silent_s: float | None = None

    def read(self, count: int) -> bytes:
        """Return at most ``count`` bytes; none at the end, and where none came in time."""
        try:
            if self.silent_s is None:
                if self._come.poll(1e3 * self.patience_s):
                    return os.read(self._descriptor, count)
                self.silent_s = self.patience_s
        except OSError:
            pass
        return b""


def _python() -> str:
    """The interpreter that has the bindings: this one, or that of the distribution."""
    own = find_spec("gi") is not None or not _SYSTEM.exists()
    return sys.executable if own else str(_SYSTEM)


def pictures_from_source(source: Source, wishes: Wishes) -> PictureSource:
    """Open a pipeline; errors are those of ``GstreamerDecoder``."""
    return GstreamerDecoder(source, wishes)
