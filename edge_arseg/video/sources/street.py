"""The street drive rendered in code as a source of pictures."""

from collections.abc import Iterator
from urllib.parse import urlencode

import av

from edge_arseg.spec.geometry.swapped_size import LANDSCAPE, swap_meant
from edge_arseg.street import frames_from_street, street_from_query
from edge_arseg.video.decoding.notices import notice
from edge_arseg.video.decoding.picture import Picture, PictureSource
from edge_arseg.video.sources.kinds import Wishes
from edge_arseg.video.uri import Source


class StreetPictures:
    """The pictures of ``test://street?size=360x480&frames=120&rate=15&seed=1``.

    Raises:
        OptionError: an option behind ``?`` is unknown or out of range.
    """

    unfit: str | None = "rendered pictures carry no vectors"
    made_by_x264 = False

    def __init__(self, source: Source) -> None:
        self._options = street_from_query(urlencode(source.query))
        if told := swap_meant(self._options["size"], LANDSCAPE, "pictures of a street"):
            notice(f"{source.label}: {told}")
        self.rate: float | None = self._options["rate"]
        self.frame_count: int | None = self._options["count"]

    def pictures(self) -> Iterator[Picture]:
        """One picture after the other, rendered when asked for."""
        for frame in frames_from_street(**self._options):
            yield Picture(av.VideoFrame.from_ndarray(frame.rgb, format="rgb24"), frame.time_s)

    def close(self) -> None:
        """Nothing is held open."""


def pictures_from_source(source: Source, _wishes: Wishes) -> PictureSource:
    """Open a drive; errors are those of ``StreetPictures``."""
    return StreetPictures(source)
