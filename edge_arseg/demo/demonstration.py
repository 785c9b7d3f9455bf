"""The demo: a video in, and a folder to look at out."""

import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from edge_arseg.demo.folder import LINES, OVERLAY, STREET, DemoFolder
from edge_arseg.runtime.segmenter import Segmenter
from edge_arseg.spec.frame import SegmentedFrame
from edge_arseg.storage.files import part_of
from edge_arseg.storage.url import label_of
from edge_arseg.video.sinks import open_sinks
from edge_arseg.video.sinks.base import sink_errors
from edge_arseg.video.sources.street_clip import write_street


@dataclass(frozen=True, slots=True)
class Demo:
    """What a demo showed.

    Attributes:
        bundle: its name.
        digest: of the bundle.
        source: what was segmented.
        ran: mode, fusion and backend.
        backend: engine library.
        chosen: how bundle and backend were chosen, in words.
        agreement: share of the golden pixels that get the expected class here, 0 to 1; ``None``: not run.
        unchecked: whether too low an agreement was let pass.
        motion: where the vectors came from, and why.
        frames: segmented.
        keyframes: of them through the HR branch.
        fps: frames a second, all in all: reading, segmenting, drawing and encoding.
        latency_ms: median time from a decoded frame to its class map, by branch.
        classes: share of all pixels by class name, 0 to 1, the largest first; classes that nobody saw are left out.
        files: what was written, by what it is.
    """

    bundle: str
    digest: str
    source: str
    ran: str
    backend: str
    chosen: str
    agreement: float | None
    unchecked: bool
    motion: str
    frames: int
    keyframes: int
    fps: float
    latency_ms: dict[str, float]
    classes: dict[str, float]
    files: dict[str, str]


def street_clip(folder: Path, segmenter: Segmenter, *, frames: int = 96) -> Path:
    """Write the built-in street drive as a video of the bundle's size and GOP, and return its path.

    Raises:
        SinkError: it cannot be written.
    """
    path = folder / STREET
    part = part_of(path)
    try:
        write_street(part, size=segmenter.size, count=frames, gop=segmenter.bundle.manifest.gop)
        with sink_errors(str(path)):
            return part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def demo_from_source(
    segmenter: Segmenter,
    source: str | Path,
    folder: DemoFolder,
    *,
    motion: str = "auto",
    recode_scale: float = 1.0,
    stream: int | None = None,
    limit: int | None = None,
    each: Callable[[SegmentedFrame], None] = lambda _: None,
) -> Demo:
    """Segment a source into a folder: an overlay video and a JSON line for each frame.

    Args:
        segmenter: with its engines open.
        source: see ``open_video``.
        folder: checked and entered.
        motion, recode_scale, stream: see ``open_video``.
        limit: stop after this many frames.
        each: called with every result.

    Raises:
        SourceError: the source cannot be read.
        SinkError: the folder cannot be written to.
    """
    manifest = segmenter.bundle.manifest
    names = [info.name for info in manifest.model.classes]
    counts = np.zeros(256, np.int64)
    latencies: dict[str, list[float]] = defaultdict(list)
    files = {"overlay": folder.path / OVERLAY, "frames": folder.path / LINES}
    keyframes = 0
    start = time.perf_counter()
    with ExitStack() as stack:
        reader = stack.enter_context(segmenter.open(source, motion=motion, recode_scale=recode_scale, stream=stream))
        sinks = open_sinks(
            folder.sinks,
            size=segmenter.size,
            rate=reader.rate or 30.0,
            classes=manifest.model.classes,
            source=source,
            force=folder.replaces,
        )
        for sink in sinks:
            stack.enter_context(sink)
        for result in islice(segmenter.segment(reader), limit):
            for sink in sinks:
                sink.write(result)
            counts += np.bincount(result.class_map.reshape(-1), minlength=256)
            latencies[result.branch.value].append(result.latency_ms)
            keyframes += result.distance == 0
            each(result)
        used = f"{reader.motion_source.value} ({reader.motion_reason})"
    seconds = time.perf_counter() - start
    frames = sum(map(len, latencies.values()))
    shares = {name: float(count / counts.sum()) for name, count in zip(names, counts, strict=False) if count}
    return Demo(
        bundle=manifest.name,
        digest=segmenter.bundle.digest,
        source=label_of(source),
        ran=segmenter.pipeline.label,
        backend=segmenter.choice.options.backend,
        chosen=segmenter.choice.how,
        agreement=segmenter.choice.agreement,
        unchecked=segmenter.choice.options.unchecked,
        motion=used,
        frames=frames,
        keyframes=keyframes,
        fps=frames / seconds,
        latency_ms={branch: float(np.median(values)) for branch, values in sorted(latencies.items())},
        classes=dict(sorted(shares.items(), key=lambda share: -share[1])),
        files={name: label_of(path) for name, path in files.items()},
    )
