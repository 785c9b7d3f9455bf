import pytest

from edge_arseg.errors import OptionError
from edge_arseg.video.presence import refuse_live
from edge_arseg.video.uri import source_from_uri


@pytest.mark.parametrize("uri", ["0", "rtsp://camera/stream", "udp://@:5000", "csi://0"])
def test_a_live_source_cannot_be_asked_again(uri):
    with pytest.raises(OptionError, match="never gives the same frames twice; record it to a file first"):
        refuse_live(source_from_uri(uri))


@pytest.mark.parametrize("uri", ["drive.mp4", "test://street", "images://frames/%06d.png", "replay://drive.tape"])
def test_what_lies_on_a_disk_can(uri):
    refuse_live(source_from_uri(uri))
