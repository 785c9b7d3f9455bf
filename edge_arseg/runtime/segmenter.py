"""A bundle with its engines open, and the videos that it segments.

::

    with Segmenter("camvid-compact") as segmenter:  # or a folder, "camvid-bise18.arseg"; or nothing: the fastest here
        for result in segmenter.stream("clip.mp4"):
            result.class_map, result.branch, result.distance
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from copy import deepcopy
from os import PathLike
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np

from edge_arseg.arguments import check_kind
from edge_arseg.errors import OptionError
from edge_arseg.motion.keyframe import KeyframePolicy, Policy, check_policy
from edge_arseg.motion.policies.drops import KeyAfterDrops
from edge_arseg.runtime.background import open_background_pipeline
from edge_arseg.runtime.choice.engine_choice import Choice, Choosable, settled
from edge_arseg.runtime.engines.contract import AUTO, DEFAULT_ENGINES, EngineOptions, checked_options
from edge_arseg.runtime.mode import Mode
from edge_arseg.runtime.pipeline import Pipeline, open_pipeline
from edge_arseg.runtime.segment import segment
from edge_arseg.spec.frame import Branch, Frame, SegmentedFrame
from edge_arseg.spec.geometry.placement import SOURCE, FitKind, OutputSize
from edge_arseg.video.delivery.options import AS_EVER, FORCE_HR, LiveOptions
from edge_arseg.video.pieces.span import Span
from edge_arseg.video.sources.kinds import Recorder
from edge_arseg.video.uri import source_from_uri

if TYPE_CHECKING:
    from edge_arseg.video.reader import VideoReader

READ_AHEAD = 1
"""Frames that are read while one is worked on. One is enough where reading is faster than the engines."""


class Segmenter:
    """A bundle with its engines pinned in memory, ready for any number of videos, one at a time.

    For several at the same time there is ``twin``: where a second one begins here, the first ends with an error.

    Attributes:
        bundle: the bundle.
        pipeline: the engines; ``pipeline.label`` says what runs. Who asks for it waits until they have run once.
        as_opened: the engines as they are, for frames of a file.
        choice: how bundle and backend were chosen, and how many of the golden pixels get the expected class here.
        policy: when a frame becomes a keyframe; by default at most the bundle's GOP apart, and at scene cuts. It counts
            from the next source on.
    """

    def __init__(
        self,
        bundle: Choosable = None,
        *,
        mode: Mode | None = None,
        engines: EngineOptions | None = None,
        fusion: str = "auto",
        backend: str = AUTO,
        threads: int | None = None,
        unchecked: bool = False,
        policy: Policy | None = None,
        background: bool = False,
    ):
        """Choose the engines, and begin to open them.

        What runs has given the right class maps for the bundle's golden frames on this machine, now or at an earlier
        start: see ``engine_choice``. On a CPU the engines are opened in a thread, while a source is; what goes wrong
        then is raised where one is needed. Before a live source is opened all have run once, so that its first frame
        takes no longer than the others; those of a file wait, and need HR alone at first.

        Args:
            bundle: or its folder, or the name of a shipped one; by default the fastest in the package that gives the
                right classes here. A path wins over a name where both exist.
            mode: see ``Mode``; ``None``: ``ar``, or ``hr`` where the bundle has the HR branch alone.
            engines: what the graphs run on. It counts for nothing where ``bundle`` is a ``Choice`` already.
            fusion, backend, threads, unchecked: the same one by one, in place of ``engines``.
            policy: see the class.
            background: make keyframes beside the frames that follow them, so that no frame takes longer than the
                others; see ``open_background_pipeline``. It counts in mode ``ar``.

        Raises:
            BundleError: the bundle is missing or damaged, or a graph contradicts its manifest.
            BuildError: an engine cannot be opened, where that is not done in a thread.
            OptionError, EnvironmentUnfitError: an option that is not available here, or class maps that are not right.
        """
        one_by_one = EngineOptions(fusion, backend, threads, unchecked)
        if engines is not None:
            checked_options(engines)
        if policy is not None:
            check_policy(policy)
        if engines is not None and one_by_one != DEFAULT_ENGINES:
            raise OptionError(f"engines={engines} and {one_by_one} seen, expected one of them; name all in `engines`")
        if not isinstance(bundle, Choice):
            asked = () if mode is None else (mode,)
            bundle, (mode, *_) = settled(bundle, asked, (Mode.AR, Mode.HR), engines or one_by_one)
        self.choice, self.bundle = bundle, bundle.bundle
        self.policy: Policy = KeyframePolicy(interval=self.bundle.manifest.gop) if policy is None else policy
        with ExitStack() as stack:
            opening = open_background_pipeline if background else open_pipeline
            self._own(stack.enter_context(opening(self.bundle, mode, self.choice.options)), stack)

    def twin(self, *, policy: Policy | None = None) -> "Segmenter":
        """Return a segmenter for another stream, which may run at the same time in another thread.

        It shares the weights of this one, so that a stream more takes memory for its buffers alone. It lives on when
        this one is closed, and whoever asks closes it::

            with Segmenter(bundle, threads=1) as first, first.twin() as second:
                ...  # first.stream("front.mp4") in one thread, second.stream("rear.mp4") in another

        Engines of all streams compute on the same cores: with as many streams as cores, ``threads=1`` is fastest.

        Args:
            policy: of the other stream; ``None``: a copy of this one's, as it is now.

        Raises:
            OptionError: the backend's engines share no weights: those of a GPU; or the policy cannot be copied, or is
                none.
        """
        if policy is not None:
            check_policy(policy)
        twin = object.__new__(type(self))
        try:
            twin.choice, twin.bundle = self.choice, self.bundle
            twin.policy = deepcopy(self.policy) if policy is None else policy
        except TypeError as error:  # it holds a lock, a file, a socket
            raise OptionError(
                f"the keyframe policy cannot be copied for another stream ({error}); name one: twin(policy=...)"
            ) from error
        with ExitStack() as stack:
            twin._own(stack.enter_context(self.pipeline.twin()), stack)
        return twin

    def _own(self, pipeline: Pipeline, stack: ExitStack) -> None:
        """Take over a pipeline; ``stack`` closes it where the first run of one that has to run at once fails."""
        self._as_opened, self._warm = pipeline, False
        if not pipeline.any_thread:
            self._warm_up()
        self._opened = stack.pop_all()

    @property
    def pipeline(self) -> Pipeline:
        """The engines, once each has run; while a source is segmented, as they are."""
        self._warm_up()
        return self._as_opened

    @property
    def as_opened(self) -> Pipeline:
        """The engines, whether they have run or not: the first frames of a file may take longer."""
        return self._as_opened

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of the frames and class maps."""
        return self.bundle.manifest.height, self.bundle.manifest.width

    def open(
        self,
        uri: str | PathLike[str],
        *,
        motion: str = "auto",
        recode_scale: float = 1.0,
        ahead: int = READ_AHEAD,
        stream: int | None = None,
        fit: FitKind | str | None = None,
        output_size: OutputSize = SOURCE,
        picture: bool = False,
        pace: float | None = None,
        live: LiveOptions = AS_EVER,
        tape: Recorder | None = None,
        span: Span | None = None,
    ) -> "VideoReader":
        """Open a source at the bundle's size; what ``stream`` does first, with the same arguments.

        The next frame is read in a thread while the engines work on this one; ``ahead`` as in ``open_video``. Arrays
        are reused: a frame's ``rgb`` and ``picture`` are overwritten once the next one has been asked for.

        Args:
            fit: see ``open_video``; ``None``: as the bundle's manifest says.
            uri, motion, recode_scale, ahead, stream, output_size, picture, pace, live, span, tape: see ``open_video``.
                Where the policy makes every intra frame of the stream a keyframe, recoding begins anew there.

        Raises:
            SourceError: the source cannot be read, or has no motion of the kind asked for.
            OptionError: a value is out of range.
        """
        from edge_arseg.video.reader import open_video  # its libraries are imported while the engines are opened

        check_kind("live", live, LiveOptions, "LiveOptions(...)")
        if source_from_uri(uri).live or live.realtime:
            self._warm_up()  # it drops frames that nobody takes
        return open_video(
            uri,
            motion=motion,
            size=self.size,
            recode_scale=recode_scale,
            ahead=ahead,
            stream=stream,
            fit=self.bundle.manifest.fit if fit is None else fit,
            output_size=output_size,
            picture=picture,
            pace=pace,
            live=live,
            tape=tape,
            span=span,
            anew_at_intra=bool(getattr(self.policy, "follow_codec", False)),
        )

    def stream(
        self,
        uri: str | PathLike[str],
        *,
        motion: str = "auto",
        recode_scale: float = 1.0,
        stream: int | None = None,
        fit: FitKind | str | None = None,
        output_size: OutputSize = SOURCE,
        picture: bool = False,
        live: LiveOptions = AS_EVER,
    ) -> Iterator[SegmentedFrame]:
        """Segment a source from its first frame to its last.

        Args:
            uri: a path, ``/dev/video0``, ``rtsp://``, ``images://dir/%06d.png``, ``test://street``.
            motion: ``auto``, ``codec``, ``recode`` or ``zero``.
            recode_scale, stream: see ``open_video``.
            fit: how a picture of another shape enters the network: ``stretch``, ``letterbox`` or ``crop``; ``None``: as
                the bundle's manifest says.
            output_size: of ``at_source()``: ``source``, ``model`` or ``(height, width)``; see ``open_video``.
            picture: make ``frame.picture``, to draw on.
            live: how late frames of a live source may be, and how long it is waited for. With ``force-hr`` the policy
                is wrapped.

        Yields:
            One result per frame. Its class maps, flow and pictures are overwritten by the next one.

        Raises:
            SourceError: the source cannot be read; damage inside it is recovered from at the next keyframe.
        """
        with self.open(
            uri,
            motion=motion,
            recode_scale=recode_scale,
            stream=stream,
            fit=fit,
            output_size=output_size,
            picture=picture,
            live=live,
        ) as reader:
            yield from segment(reader, self._as_opened, self.policy_for(live))

    def policy_for(self, live: LiveOptions) -> Policy:
        """Return the policy of a source that is read like this: with ``force-hr`` the segmenter's own, wrapped."""
        return KeyAfterDrops(self.policy) if live.on_late == FORCE_HR else self.policy

    def segment(self, frames: Iterable[Frame]) -> Iterator[SegmentedFrame]:
        """Segment frames that come from somewhere else; see ``stream``. The first frame is a keyframe."""
        yield from segment(frames, self.pipeline, self.policy)

    def close(self) -> None:
        """Close the engines; calling it twice is allowed."""
        self._opened.close()

    def __enter__(self) -> "Segmenter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _warm_up(self) -> None:
        """Run a keyframe and a frame between, once; the loop loads or compiles the kernels of the motion too."""
        turns = self._as_opened.turns
        with turns.lock:
            if self._warm or not turns.free:  # a loop that is under way needs its keyframe
                return
            rgb = np.zeros((*self.size, 3), np.uint8)
            for _ in segment((Frame(0, 0.0, rgb), Frame(1, 0.0, rgb)), self._as_opened, lambda _: Branch.LR):
                pass
            self._warm = True
