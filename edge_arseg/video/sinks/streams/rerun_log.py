"""Frames, masks, motion and timings for the Rerun viewer."""

from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from edge_arseg.errors import EnvironmentUnfitError, SinkError
from edge_arseg.installation import install_extra
from edge_arseg.spec.frame import SegmentedFrame
from edge_arseg.spec.model import ClassInfo
from edge_arseg.video.sinks.base import Sink, sink_errors
from edge_arseg.video.sinks.new_file import NewFile
from edge_arseg.video.sinks.place import Place

PORT = 9876
EXAMPLE = "rerun://localhost:9876"

_JPEG_QUALITY = 85
_ARROWS = 32
"""Arrows of the motion in a row or column at most."""


def viewer_from_place(place: Place) -> str:
    """Return the address of the viewer that ``rerun://host[:port]`` names, as Rerun writes it.

    Raises:
        SinkError: it names none.
    """
    try:
        parts = urlsplit(place.url)
        host, port = parts.hostname, parts.port or PORT
    except ValueError:
        host, port = None, PORT
    if not host:
        raise SinkError(f"cannot write {place.uri}: no host in it; expected for example {EXAMPLE}, or NAME.rrd")
    return f"rerun+http://{f'[{host}]' if ':' in host else host}:{port}/proxy"


def check_viewer(place: Place, _force: bool = False) -> None:
    """Refuse what names no viewer, and a machine without rerun-sdk. Nothing is connected to.

    Raises:
        SinkError: see ``viewer_from_place``.
        EnvironmentUnfitError: rerun-sdk is not installed.
    """
    viewer_from_place(place)
    _library(place.uri)


def _library(label: str) -> Any:
    try:
        import rerun
    except ImportError as error:
        raise EnvironmentUnfitError(f"{label} needs rerun-sdk ({error}); type: {install_extra('rerun')}") from None
    return rerun


class RerunSink(Sink):
    """Logs each result for the Rerun viewer, on the timelines ``frame`` (its index) and ``time`` (its seconds).

    ====================  =====================================================================================
    ``frame/image``       the frame that the network saw, as JPEG
    ``frame/classes``     its class map, with names and colours
    ``frame/motion``      arrows from places of the frame to where they are in the keyframe, between keyframes
    ``timings/STAGE``     milliseconds of each stage, and ``timings/latency``
    ``live/age``          milliseconds, of a live source; ``live/dropped``: frames dropped just before
    ``keyframe/...``      ``distance`` in frames, and ``warp_error`` in grey levels
    ====================  =====================================================================================

    Args:
        target: the URI, for messages.
        classes: names and colours, by index.
        path: a new ``.rrd`` file; see ``NewFile``.
        viewer: the address of a viewer, where there is no path.
        force: a file that is there may be replaced.

    Raises:
        EnvironmentUnfitError: rerun-sdk is not installed.
        SinkError: the file is there already.
    """

    def __init__(
        self,
        target: str,
        classes: tuple[ClassInfo, ...],
        *,
        path: Path | None = None,
        viewer: str | None = None,
        force: bool = False,
    ) -> None:
        super().__init__(target)
        self._library = rerun = _library(target)
        self._recording = rerun.RecordingStream("edge-arseg")
        self._file: NewFile | None = None
        with sink_errors(target):
            if path is not None:
                self._file = NewFile(target, path, force=force)
                self._recording.save(self._file.writes_to)
            else:
                self._recording.connect_grpc(viewer)
        described = [
            rerun.ClassDescription(info=rerun.AnnotationInfo(id=index, label=info.name, color=info.color))
            for index, info in enumerate(classes)
        ]
        self._recording.log("frame", rerun.AnnotationContext(described), static=True)

    def _write(self, result: SegmentedFrame) -> None:
        rerun, log = self._library, self._recording.log
        self._recording.set_time("frame", sequence=result.frame.index)
        self._recording.set_time("time", duration=float(result.frame.time_s))
        log("frame/image", rerun.Image(result.frame.rgb).compress(jpeg_quality=_JPEG_QUALITY))
        log("frame/classes", rerun.SegmentationImage(result.class_map))
        log("frame/motion", self._arrows(result))
        values = {f"timings/{stage}": ms for stage, ms in result.stages_ms.items()}
        values |= {"timings/latency": result.latency_ms, "keyframe/distance": result.distance}
        values["live/dropped"] = result.dropped
        if result.age_ms is not None:
            values["live/age"] = result.age_ms
        if result.motion is not None and result.motion.warp_error is not None:
            values["keyframe/warp_error"] = result.motion.warp_error
        for name, value in values.items():
            log(name, rerun.Scalars(float(value)))
        if self._file is not None and not self._file.published:
            self._recording.flush()
            self._file.publish()

    def _arrows(self, result: SegmentedFrame) -> Any:
        motion = result.motion
        if motion is None:
            return self._library.Clear(recursive=False)
        step = max(1, -(-max(motion.flow.shape[:2]) // _ARROWS))
        flow = motion.flow[::step, ::step]
        rows, columns = np.indices(flow.shape[:2])
        places = (np.stack((columns, rows), -1) * step + 0.5) * motion.block
        return self._library.Arrows2D(origins=places.reshape(-1, 2), vectors=flow.reshape(-1, 2))

    def _close(self) -> None:
        try:
            self._recording.flush()
            self._recording.disconnect()
            if self._file is not None:
                self._file.publish()
                self._file.check_there()
        finally:
            if self._file is not None:
                self._file.discard()

    def _abandon(self) -> None:
        with suppress(OSError, RuntimeError, ValueError):
            self._recording.disconnect()
        if self._file is not None:
            self._file.discard()
