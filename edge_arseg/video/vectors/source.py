"""Which vectors a stream gets, and why."""

import logging
import time
from collections.abc import Callable

import av
import numpy as np
from numpy.typing import NDArray

from edge_arseg.arguments import is_number, refusal_of
from edge_arseg.errors import MotionError, OptionError
from edge_arseg.spec.frame import MOTIONS, MotionSource
from edge_arseg.video.decoding.picture import Picture, PictureSource
from edge_arseg.video.fit import Fit
from edge_arseg.video.vectors.bridge import Bridge
from edge_arseg.video.vectors.codec import unfit_picture, vectors_from_picture
from edge_arseg.video.vectors.contest import SMALLEST, Contest, Verdict
from edge_arseg.video.vectors.recode import Recoder, still_vectors

_log = logging.getLogger(__name__)


class VectorSource:
    """Gives each picture its vectors, from the source that was asked for or that ``auto`` picked.

    ``auto`` takes the stream's own vectors only where they can be chained (no B-frames, one reference frame) *and* they
    are worth as much as recoded ones. A ``Contest`` says that, now and then. It begins with the stream's own where x264
    made them: they are nearly as good as recoded ones, and cost next to nothing. Everything else begins with recoding.

    Attributes:
        source: what is used now.
        reason: why, in one line.
        recode_cpu_ms: CPU time that recoding the last picture took; 0 where it was not recoded.

    Args:
        motion: one of ``MOTIONS``.
        pictures: where the pictures come from.
        fit: how coded pictures become delivered ones.
        recode_scale: see ``Recoder``.
        uri: for messages.
        bridged: an intra picture among those whose own vectors are used gets recoded ones; see ``Bridge``.

    Raises:
        OptionError: ``motion`` is not in ``MOTIONS``, or ``recode_scale`` is not in 0.1 to 1.
        MotionError: ``codec`` was asked for and cannot be used.
    """

    def __init__(
        self,
        motion: str,
        pictures: PictureSource,
        fit: Fit,
        *,
        recode_scale: float,
        uri: str,
        bridged: bool = False,
    ) -> None:
        if motion not in MOTIONS:
            raise OptionError(f"motion {motion!r}: expected one of {', '.join(MOTIONS)}")
        if not is_number(recode_scale, 0.1, 1):
            raise refusal_of("a recode scale of", recode_scale, "0.1 to 1")
        self._asked, self._fit, self._uri = motion, fit, uri
        self._recode_scale = recode_scale
        self.recode_cpu_ms = 0.0
        self._recoder: Recoder | None = None
        self._still: NDArray[np.void] | None = None
        self._bridge = Bridge(recode_scale) if bridged else None
        self.restart(pictures)

    def restart(self, pictures: PictureSource) -> None:
        """Choose again, for a stream opened anew; the next picture gets no vectors."""
        self._recoder = None
        self._open = self._asked == "auto" and pictures.unfit is None  # both kinds of vectors can be used
        self._contest: Contest | None = None
        self._verdict: Verdict | None = None
        self._doubt: str | None = None
        self.source, self.reason = self._choice(pictures)

    def recode_anew(self) -> None:
        """Let the next picture be the first that is encoded again; it gets no recoded vectors."""
        self._recoder = None

    def refit(self, fit: Fit) -> None:
        """From the next picture on, which must be ``fresh``, fit in another way."""
        self._fit, self._recoder, self._still, self._contest = fit, None, None, None

    def vectors(
        self, picture: Picture, resized: Callable[[], av.VideoFrame], *, index: int, fresh: bool
    ) -> NDArray[np.void] | None:
        """Vectors to the picture before, in pixels of the delivered picture.

        Args:
            picture: as decoded.
            resized: gives the picture scaled to the size of the fit and not turned; called only where needed.
            index: of the frame, for messages.
            fresh: do not look back at the picture before.

        Returns:
            ``[N]`` of ``VECTOR_DTYPE``, or ``None``.

        Raises:
            MotionError: ``codec`` was asked for, and this picture shows that its vectors cannot be used.
        """
        frame = picture.frame
        self.recode_cpu_ms = 0.0
        verdict, self._verdict = self._verdict, None
        if verdict is not None and (better := verdict.better(self.source)) is not self.source:
            self._change(better, index, str(verdict))
        if self._open or self.source is MotionSource.CODEC:
            unfit = picture.unfit or unfit_picture(frame)
            if unfit is not None and self._asked == "codec":
                raise self._refusal(unfit, f"from frame {index} on ")
            if unfit is not None:
                self._open, self._contest = False, None
            if self._asked == "auto" and picture.doubt != self._doubt:  # it is said again with every picture
                self._doubt = picture.doubt
                unfit = unfit or picture.doubt
            if unfit is not None and self.source is MotionSource.CODEC:
                self._recoder = None  # it has not seen the picture before
                self._change(MotionSource.RECODE, index, unfit)
        # Across pictures that are not shown, the stream's own vectors do not lead to the last one shown.
        alone = fresh or picture.cut
        own = None
        if self._open or self.source is MotionSource.CODEC:
            own = None if alone else vectors_from_picture(frame)
        across = self._across(picture, alone=alone or self.source is not MotionSource.CODEC)
        if self._open and self._in_contest(picture, own):
            contested = self._contested(frame, resized(), own, fresh=fresh)
            return contested if across is None else across
        if self.source is MotionSource.CODEC:
            return across if across is not None else self._fit.vectors(own, frame.height, frame.width)
        if self.source is MotionSource.RECODE:
            return self._fit.vectors(self._recoded(resized(), fresh=fresh), self._fit.height, self._fit.width)
        if self._still is None:
            height, width = self._fit.height, self._fit.width
            self._still = self._fit.vectors(still_vectors(height, width), height, width)
        return None if fresh else self._still

    def _recoded(self, scaled: av.VideoFrame, *, fresh: bool) -> NDArray[np.void] | None:
        """Recoded vectors, in pixels of the scaled picture."""
        if self._recoder is None:
            self._recoder = Recoder(self._fit.height, self._fit.width, scale=self._recode_scale)
        start = time.thread_time_ns()
        vectors = self._recoder.vectors(scaled, fresh=fresh)
        self.recode_cpu_ms += (time.thread_time_ns() - start) / 1e6
        return vectors

    def _across(self, picture: Picture, *, alone: bool) -> NDArray[np.void] | None:
        """Vectors of an intra picture, in pixels of the delivered picture."""
        if self._bridge is None:
            return None
        size = self._fit.height, self._fit.width
        start = time.thread_time_ns()
        vectors = self._bridge.vectors(picture, size, alone=alone)
        if vectors is None:
            return None
        self.recode_cpu_ms = (time.thread_time_ns() - start) / 1e6
        return self._fit.vectors(vectors, *size)

    def _in_contest(self, picture: Picture, own: NDArray[np.void] | None) -> bool:
        if min(self._fit.height, self._fit.width) < SMALLEST:
            self._open = False
            return False
        if self._contest is None:
            self._contest = Contest(self._fit.height, self._fit.width)
        return self._contest.wants(own is not None and not picture.damaged)

    def _contested(
        self, frame: av.VideoFrame, scaled: av.VideoFrame, own: NDArray[np.void] | None, *, fresh: bool
    ) -> NDArray[np.void] | None:
        """Vectors of the source that is used; the verdict counts from the next picture on."""
        height, width = self._fit.height, self._fit.width
        assert self._contest is not None
        # Where recoded vectors are not in use, the encoder has not seen the picture before the first of a round.
        idle = self._contest.begins and self.source is MotionSource.CODEC
        recoded = self._recoded(scaled, fresh=fresh or idle)
        in_scaled = Fit(height, width, turns=0).vectors(own, frame.height, frame.width)
        verdict = self._contest.step(scaled, in_scaled, recoded)
        if self.source is MotionSource.CODEC:
            vectors = self._fit.vectors(own, frame.height, frame.width)
        else:
            vectors = self._fit.vectors(recoded, height, width)
        self._verdict = verdict
        return vectors

    def _change(self, source: MotionSource, index: int, why: str) -> None:
        before, self.source = self.source, source
        self.reason = f"changed over from {before.value} at frame {index}: {why}"
        _log.warning("%s: motion %s (%s)", self._uri, source.value, self.reason)

    def _choice(self, pictures: PictureSource) -> tuple[MotionSource, str]:
        if self._asked == "codec":
            if pictures.unfit is not None:
                raise self._refusal(pictures.unfit)
            return MotionSource.CODEC, "asked for"
        if self._asked != "auto":
            return MotionSource(self._asked), "asked for"
        if pictures.unfit is not None:
            return MotionSource.RECODE, pictures.unfit
        if not pictures.made_by_x264:
            return MotionSource.RECODE, "the stream's vectors could be used, but its encoder is not known for good ones"
        return MotionSource.CODEC, "no B-frames, one reference frame, made by x264: free and trustworthy"

    def _refusal(self, unfit: str, since: str = "") -> MotionError:
        return MotionError(f"{self._uri}: {since}its own vectors cannot be used: {unfit}; type --motion recode")
