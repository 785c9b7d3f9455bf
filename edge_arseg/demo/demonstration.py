"""The demo: a video in, and a folder to look at out."""

import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from edge_arseg.demo.folder import LINES, OVERLAY, STREET, SUMMARY, DemoFolder
from edge_arseg.runtime.choice.engine_choice import Choosable, settled
from edge_arseg.runtime.engines.contract import DEFAULT_ENGINES, EngineOptions
from edge_arseg.runtime.mode import Mode
from edge_arseg.runtime.run import RunStart, run_to_sinks
from edge_arseg.spec.frame import SegmentedFrame
from edge_arseg.spec.geometry.placement import SOURCE, FitKind, OutputSize
from edge_arseg.spec.manifest import Manifest
from edge_arseg.spec.progress import Announce, no_announcement
from edge_arseg.storage.files.whole import write_whole
from edge_arseg.storage.url import label_of
from edge_arseg.video.overlay.style import DEFAULT_STYLE, OverlayStyle
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


def street_clip(folder: Path, manifest: Manifest) -> Path:
    """Write the built-in street drive as a video of the bundle's size and GOP, and return its path.

    Raises:
        SinkError: it cannot be written.
    """
    path = folder / STREET
    write_street(path, size=(manifest.height, manifest.width), count=96, gop=manifest.gop)
    return path


def demo_from_source(
    bundle: Choosable,
    source: str | Path | None,
    folder: DemoFolder,
    *,
    engines: EngineOptions = DEFAULT_ENGINES,
    motion: str = "auto",
    recode_scale: float = 1.0,
    stream: int | None = None,
    fit: FitKind | str | None = None,
    output_size: OutputSize = SOURCE,
    limit: int | None = None,
    style: OverlayStyle = DEFAULT_STYLE,
    progress: Announce = no_announcement,
    begun: Callable[[RunStart], None] = lambda _: None,
    each: Callable[[SegmentedFrame], None] = lambda _: None,
) -> Demo:
    """Segment a source into a folder: an overlay video, a JSON line for each frame, and a summary.

    Args:
        bundle, engines: see ``Segmenter``.
        source: see ``open_video``; ``None``: a street drive, which is rendered into the folder first.
        folder: of the demo; it is made if missing.
        motion, recode_scale, stream: see ``open_video``.
        fit, output_size: see ``run_to_sinks``.
        limit: stop after this many frames.
        style: how the overlay looks.
        progress: called with a line when a step begins.
        begun, each: see ``run_to_sinks``.

    Raises:
        SourceError: the source cannot be read.
        SinkError: the folder cannot be written to, or holds files that no demo wrote.
        BundleError, BuildError, OptionError, EnvironmentUnfitError: see ``Segmenter``.
    """
    folder.check(None if source is None else str(source))
    choice, (mode, *_) = settled(bundle, (), (Mode.AR, Mode.HR), engines)
    manifest = choice.bundle.manifest
    names = [info.name for info in manifest.model.classes]
    counts = np.zeros(256, np.int64)
    latencies: dict[str, list[float]] = defaultdict(list)

    def count(result: SegmentedFrame) -> None:
        counts[:] += np.bincount(result.shown_map().reshape(-1), minlength=256)
        latencies[result.branch.value].append(result.latency_ms)
        each(result)

    with folder:
        if source is None:
            progress(f"rendering a street drive of {manifest.height}x{manifest.width}")
            source = street_clip(folder.path, manifest)
        run = run_to_sinks(
            choice,
            source,
            folder.sinks,
            mode=mode,
            motion=motion,
            recode_scale=recode_scale,
            stream=stream,
            fit=fit,
            output_size=output_size,
            limit=limit,
            style=style,
            force=folder.replaces,
            begun=begun,
            each=count,
        )
        shares = {name: float(count / counts.sum()) for name, count in zip(names, counts, strict=False) if count}
        files = {"overlay": folder.path / OVERLAY, "frames": folder.path / LINES, "summary": folder.path / SUMMARY}
        shown = Demo(
            bundle=manifest.name,
            digest=choice.bundle.digest,
            source=label_of(source),
            ran=run.label,
            backend=choice.options.backend,
            chosen=choice.how,
            agreement=choice.agreement,
            unchecked=choice.options.unchecked,
            motion=run.motion,
            frames=run.frames,
            keyframes=run.keyframes,
            fps=run.fps,
            latency_ms={branch: float(np.median(values)) for branch, values in sorted(latencies.items())},
            classes=dict(sorted(shares.items(), key=lambda share: -share[1])),
            files={name: label_of(path) for name, path in files.items()},
        )
        with sink_errors(shown.files["summary"], option="-o"):
            write_whole(folder.path / SUMMARY, (json.dumps(asdict(shown), indent=2) + "\n").encode())
    return shown
