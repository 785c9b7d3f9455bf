"""What is asked of ``tune``."""

from dataclasses import dataclass, field
from pathlib import Path

from edge_arseg.errors import OptionError
from edge_arseg.tuning.search.limits import Limits


@dataclass(frozen=True, slots=True)
class TuneOptions:
    """What to tune.

    Attributes:
        bundles: folders.
        clip: what ``open_video`` takes, nothing live: timed and scored.
        labels: folder of index PNGs, those of the clip.
        limits: that the chosen setting has to hold.
        tries: texts like ``interval=6,12`` that narrow or widen an axis.
        trials: most settings that are tried, earlier ones of the study among them; ``None``: see ``usual_trials``.
        frames: that are timed of a setting at most.
        phases: frames on which the first keyframe is set, for the scores; ``all`` for every one.
        limit: frames of the clip that are scored at most.
        stream: of the container.
        fusion: see ``EngineOptions``; likewise ``unchecked``.
        keep: numbers of layers; each float32 bundle is quantized for each, with so many layers in float.
        mixed: branches of bundles that share a model are put together, too.

    Raises:
        OptionError: a value is out of range.
    """

    bundles: tuple[Path, ...]
    clip: str
    labels: Path
    limits: Limits = field(default_factory=Limits)
    tries: tuple[str, ...] = ()
    trials: int | None = None
    frames: int = 240
    phases: str = "0"
    limit: int | None = None
    stream: int | None = None
    fusion: str = "auto"
    unchecked: bool = False
    mixed: bool = True
    keep: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not self.bundles:
            raise OptionError("no bundle seen, expected one or more")
        if self.frames < 24:
            raise OptionError(f"{self.frames} frames seen, expected 24 or more")


def usual_trials(settings: int) -> int:
    """Return the most trials of a space of so many settings: three tenths, at least 12 and at most 100."""
    return max(min(12, settings), min(round(0.3 * settings), 100))
