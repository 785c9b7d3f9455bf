"""What was asked to be measured."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edge_arseg.bench.records.published import Published
from edge_arseg.errors import OptionError
from edge_arseg.runtime.engines.contract import DEFAULT_ENGINES, EngineOptions
from edge_arseg.runtime.mode import Mode


@dataclass(frozen=True, slots=True)
class BenchOptions:
    """What to measure.

    Attributes:
        source: what ``open_video`` takes.
        bundles: folders; none: one of those in the package.
        modes: none: ar and hr, or hr where the bundle has the HR branch alone.
        profile: name of one.
        frames: of each run, in place of the profile's seconds.
        rate: frames a second of an open loop; ``None``: a closed one.
        deadline_ms: of an open loop; ``None``: the time to the next frame.
        interval: frames from keyframe to keyframe; ``None``: the bundle's GOP.
        motion, recode_scale, stream: see ``open_video``.
        engines: what the graphs run on.
        turns: that each run takes; ``None``: two where several are measured by seconds, else one.
        matrix: axes that are varied.
        workload: name of the file this came from.
        published: numbers of others that it brings along.
        labels: folder; ``None``: no accuracy.
        clip: with the labels; ``None``: ``source``.
        phases: frames on which the first keyframe is set, for accuracy; ``all`` for every one.
        encode: bits a second, like ``1M``, that the clip is encoded at before it is scored; see ``eval``.
        optical_flow: TC by optical flow, where labels are.
        scores: what ``eval --json`` printed of the same bundle, in place of ``labels``.
        layers: time of each layer too.
        meter: log of an external meter.
        sensors: whether sensors are read.
    """

    source: str
    bundles: tuple[Path, ...] = ()
    modes: tuple[Mode, ...] = ()
    profile: str = "quick"
    frames: int | None = None
    rate: float | None = None
    deadline_ms: float | None = None
    interval: int | None = None
    motion: str = "auto"
    recode_scale: float = 1.0
    stream: int | None = None
    engines: EngineOptions = DEFAULT_ENGINES
    turns: int | None = None
    matrix: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    workload: str | None = None
    published: tuple[Published, ...] = ()
    labels: Path | None = None
    clip: str | None = None
    phases: str = "0"
    encode: str | None = None
    optical_flow: bool = False
    scores: Path | None = None
    layers: bool = False
    meter: Path | None = None
    sensors: bool = True

    def __post_init__(self) -> None:
        """Check what contradicts itself.

        Raises:
            OptionError: it does, or a number is out of range.
        """
        if self.deadline_ms is not None and self.rate is None:
            raise OptionError("a deadline needs the rate at which frames come: give --rate too")
        for what, real in (("rate", self.rate), ("deadline", self.deadline_ms)):
            if real is not None and not (math.isfinite(real) and real > 0):
                raise OptionError(f"a {what} of {real:g}: expected a finite number above 0")
        for what, whole in (
            ("an interval", self.interval),
            ("a number of frames", self.frames),
            ("a number of turns", self.turns),
        ):
            if whole is not None and whole < 1:
                raise OptionError(f"{what} of {whole}: expected a whole number of at least 1")
        self._check_labels()
        for axis, value, option in (
            ("gop", self.interval, "--interval"),
            ("threads", self.engines.threads, "--threads"),
        ):
            if axis in self.matrix and value is not None:
                raise OptionError(f"{option} {value} and --matrix {axis}=... seen, expected one of them")

    def _check_labels(self) -> None:
        """Refuse what would count for nothing, as it says how labels are scored and there are none."""
        if self.labels is not None:
            if self.scores is not None:
                raise OptionError("--labels and --scores seen, expected one of them: both say what the accuracy is")
            return
        said = {
            "--clip": self.clip,
            "--phases": self.phases != "0",
            "--encode": self.encode,
            "--optical-flow": self.optical_flow,
        }
        lost = [option for option, value in said.items() if value]
        if lost:
            raise OptionError(f"{', '.join(lost)} seen without labels to score; add --labels FOLDER, or leave it out")
