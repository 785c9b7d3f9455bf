"""What is tuned: options, the bundles that are tried, and what every setting is measured on."""

from dataclasses import dataclass

from edge_arseg.errors import MotionError
from edge_arseg.evaluation.labels.clip import ClipFrames, labelled_clip
from edge_arseg.evaluation.passes import phases_from_text
from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.runtime.choice.engine_choice import Choice, choice_from_options
from edge_arseg.runtime.engines.contract import EngineOptions
from edge_arseg.tuning.bundles import Bundles
from edge_arseg.tuning.options import TuneOptions
from edge_arseg.tuning.search.setting import MOTIONS, Setting
from edge_arseg.tuning.search.space import Space
from edge_arseg.tuning.trials.trial import Bench
from edge_arseg.video.presence import refuse_live
from edge_arseg.video.reader import open_video
from edge_arseg.video.uri import source_from_uri


@dataclass(frozen=True, slots=True)
class Task:
    """What is tuned.

    Attributes:
        options: what is asked for.
        given: the bundles that are tried.
        bench: what every setting is measured on.
    """

    options: TuneOptions
    given: Bundles
    bench: Bench

    def choice(self, setting: Setting) -> Choice:
        """Return bundle and engines of a setting, proved on the golden frames.

        Raises:
            ArsegError: they cannot run here.
        """
        engines = EngineOptions(self.options.fusion, setting.backend, setting.threads, self.options.unchecked)
        return choice_from_options(self.given.bundle(setting.bundle), (setting.mode,), engines)


def motions_of(clip: str, stream: int | None) -> tuple[str, ...]:
    """Return the sources of motion that a clip has.

    Raises:
        SourceError: it cannot be read.
        OptionError: it is a live source.
    """
    refuse_live(source_from_uri(clip))
    try:
        with open_video(clip, motion="codec", stream=stream) as reader:
            next(iter(reader), None)
        return MOTIONS
    except MotionError:
        return tuple(motion for motion in MOTIONS if motion != "codec")


def bench_of_options(options: TuneOptions, space: Space, first: Bundle, frames: ClipFrames | None = None) -> Bench:
    """Return what the settings of a space are measured on.

    Args:
        options: what is asked for.
        space: of the settings.
        first: bundle that names the classes.
        frames: of the clip; ``None``: they are counted.

    Raises:
        DataError, SourceError, OptionError: see ``labelled_clip``.
    """
    intervals = sorted({setting.interval for setting in space.settings})
    phases = {interval: _phases(options.phases, interval) for interval in intervals}
    last = max(one[-1] for one in phases.values())
    classes = len(first.manifest.model.classes)
    labelled = labelled_clip(
        options.clip,
        options.labels,
        classes,
        first_frame=last,
        limit=options.limit,
        stream=options.stream,
        frames=frames,
    )
    return Bench(
        labelled=labelled,
        labels=options.labels.name,
        phases=phases.__getitem__,
        first_frame=last,
        frames=options.frames,
        limits=options.limits,
        tried=dict(space.axes),
    )


def _phases(text: str, interval: int) -> tuple[int, ...]:
    """Return the phases of an interval: those that were named, as far as they lie below it."""
    if text.strip() == "all":
        return phases_from_text(text, interval)
    named = phases_from_text(text, 1 << 30)
    return tuple(phase for phase in named if phase < interval) or (0,)
