"""Files that were cut off, and whole ones that must not be taken for such."""

from fractions import Fraction

import av
import numpy as np
import pytest
from support.clips.broken import remuxed
from support.clips.moving import encode, moving

from edge_arseg.errors import SourceError
from edge_arseg.video import open_video
from edge_arseg.video.decoding.decode import Decoder
from edge_arseg.video.pieces.cuts import spans_of
from edge_arseg.video.uri import source_from_uri

CODECS = {
    "avi": ("mpeg4", "yuv420p"),
    "mkv": ("libx264", "yuv420p"),
    "webm": ("libvpx-vp9", "yuv420p"),
    "y4m": ("wrapped_avframe", "yuv420p"),
    "wmv": ("wmv2", "yuv420p"),
    "mp4": ("libx264", "yuv420p"),
    "mov": ("prores_ks", "yuv422p10le"),
    "flv": ("libx264", "yuv420p"),
    "ts": ("libx264", "yuv420p"),
    "gif": ("gif", "rgb8"),
    "apng": ("apng", "rgba"),
    "ogv": ("libvpx", "yuv420p"),
    "mxf": ("mpeg2video", "yuv420p"),
    "mpg": ("mpeg2video", "yuv420p"),
    "nut": ("libx264", "yuv420p"),
}


def clip(path, count=20, *, rate=25, fmt=None, bf=0, sound_s=0.0, options=None, pauses=()):
    """A clip in the codec of its ending; ``pauses``: frames that are left out, so that the one before stays longer."""
    codec, pix_fmt = CODECS[path.suffix[1:]]
    with av.open(str(path), "w", format=fmt, options=options or {}) as output:
        stream = output.add_stream(codec, rate, options={"g": "5", **({"bf": str(bf)} if "264" in codec else {})})
        stream.width, stream.height, stream.pix_fmt = 192, 144, pix_fmt
        sound = output.add_stream("libopus" if path.suffix == ".webm" else "aac", 48000) if sound_s else None
        for n, rgb in enumerate(moving(count)):
            if n not in pauses:
                frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format=pix_fmt)
                frame.pts, frame.time_base = n, Fraction(1, rate)
                output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
        for n in range(int(sound_s * 48000) // 960 if sound is not None else 0):
            heard = av.AudioFrame.from_ndarray(np.zeros((1, 960), np.float32), format="fltp", layout="mono")
            heard.rate, heard.pts = 48000, 960 * n
            output.mux(sound.encode(heard))
        if sound is not None:
            output.mux(sound.encode(None))
    return path


def shortened(whole, count):
    """The first ``count`` bytes of a file, negative: all but so many; beside it."""
    cut = whole.with_name(f"cut{whole.suffix}")
    cut.write_bytes(whole.read_bytes()[:count])
    return cut


def read(path, **options):
    count = 0
    try:
        with open_video(path, motion="zero", **options) as reader:
            for _ in reader:
                count += 1
    except SourceError as error:
        return count, str(error)
    return count, None


@pytest.mark.parametrize("ending", ["avi", "mkv", "webm", "wmv", "mp4", "mov", "flv"])
@pytest.mark.parametrize("share", [0.6, 0.85])
def test_a_container_that_says_how_long_it_is_tells_of_a_cut(tmp_path, ending, share):
    options = {"movflags": "faststart"} if ending in ("mp4", "mov") else None
    whole = clip(tmp_path / f"a.{ending}", options=options)
    size = whole.stat().st_size
    count, error = read(shortened(whole, int(size * share)))
    assert 1 < count < 20
    assert f"ends in damage after {count} " in error
    assert f" of 0.8 s, {int(size * share):,} of at least " in error


@pytest.mark.parametrize("ending", ["ogv", "mxf"])
@pytest.mark.parametrize("share", [0.6, 0.97])
def test_a_container_that_ends_inside_a_part_of_it_is_cut_off(tmp_path, ending, share):
    """One byte less than a whole page of an Ogg costs all pictures in it."""
    whole = clip(tmp_path / f"a.{ending}", 60)
    size = whole.stat().st_size
    count, error = read(shortened(whole, int(size * share)))
    assert 1 < count < 60
    assert f"the file is cut off or broken: {int(size * share):,} of at least " in error


def test_the_error_says_how_much_came_of_how_much(tmp_path):
    whole = clip(tmp_path / "a.mkv", rate=10)
    size = whole.stat().st_size
    with av.open(str(whole)) as container:
        place = [packet.pos for packet in container.demux(video=0) if packet.size][10]
    count, error = read(shortened(whole, place))
    assert count == 10
    assert error.endswith(
        "cut.mkv: ends in damage after 10 frames; the file is cut off or broken: 1.0 of 2.0 s, "
        f"{place:,} of at least {size:,} bytes are there"
    )


def test_a_partial_last_picture_of_y4m_is_an_error(tmp_path):
    whole = clip(tmp_path / "a.y4m")
    picture = 192 * 144 * 3 // 2
    assert read(shortened(whole, -(9 * (picture + 6)))) == (11, None)
    count, error = read(shortened(whole, -(8 * (picture + 6)) - 100))
    assert count == 11
    assert f"after 11 frames; the file is cut off or broken: {picture - 94:,} of more than {picture:,} bytes" in error
    count, error = read(shortened(whole, -picture - 2))
    assert count == 19
    assert "4 of more than 41,472 bytes of its last picture are there" in error


@pytest.mark.parametrize("back", [1, 50, 100, 200, 300, 400, 500, 700])
def test_an_mp4_that_lacks_its_last_bytes_is_whole_or_said_to_be_cut_off(tmp_path, back):
    whole = clip(tmp_path / "a.mp4")
    size = whole.stat().st_size
    count, error = read(shortened(whole, size - back))
    if error is None:
        assert (count, back) in ((20, 1), (20, 50))
    else:
        assert f"the file is cut off inside its index: {size - back:,} of at least {size:,} bytes are there" in error


def test_an_mp4_without_its_index_says_so(tmp_path):
    _, error = read(shortened(clip(tmp_path / "a.mp4"), 3000))
    assert "the file is cut off before its index: 3,000 of at least " in error


def test_a_fragmented_mp4_that_is_cut_is_an_error(tmp_path):
    whole = clip(tmp_path / "a.mp4", options={"movflags": "frag_keyframe+empty_moov"})
    count, error = read(shortened(whole, int(whole.stat().st_size * 0.6)))
    assert 4 < count < 20
    assert "ends in damage after" in error


def test_the_last_piece_of_a_cut_video_is_an_error_too(tmp_path):
    whole = clip(tmp_path / "a.mkv")
    cut = shortened(whole, int(whole.stat().st_size * 0.85))
    *spans, last = spans_of(source_from_uri(cut), 0.2)
    assert [read(cut, span=span) for span in spans] == [(5, None)] * len(spans)
    assert len(spans) > 1
    assert "ends in damage" in read(cut, span=last)[1]
    assert [read(whole, span=span) for span in spans_of(source_from_uri(whole), 0.2)] == [(5, None)] * 4


WHOLE = {
    **{ending: (f"a.{ending}", {}) for ending in CODECS},
    "b frames": ("a.mkv", {"bf": 2}),
    "b frames in mp4": ("a.mp4", {"bf": 2}),
    "sound is longer": ("a.mkv", {"sound_s": 3.0}),
    "sound is longer in webm": ("a.webm", {"sound_s": 3.0}),
    "sound is longer in avi": ("a.avi", {"sound_s": 3.0}),
    "sound is longer in wmv": ("a.wmv", {"sound_s": 3.0}),
    "sound is longer in mp4": ("a.mp4", {"sound_s": 3.0}),
    "sound is longer in flv": ("a.flv", {"sound_s": 3.0}),
    "video is longer": ("a.mkv", {"sound_s": 0.2}),
    "live matroska": ("a.mkv", {"options": {"live": "1"}}),
    "live webm": ("a.webm", {"options": {"live": "1"}}),
    "index first": ("a.mkv", {"options": {"cues_to_front": "1", "reserve_index_space": "2000"}}),
    "checksums": ("a.mkv", {"options": {"write_crc32": "1"}}),
    "variable rate": ("a.mkv", {"pauses": (3, 4, 5, 11, 18)}),
    "dropped frames in avi": ("a.avi", {"pauses": (3, 4, 5, 11, 17, 18)}),
    "dropped frames in wmv": ("a.wmv", {"pauses": (3, 4, 5, 11, 17, 18)}),
    "an odd rate": ("a.mkv", {"rate": 17}),
    "an odd rate in avi": ("a.avi", {"rate": 17}),
    "fragments": ("a.mp4", {"options": {"movflags": "frag_keyframe+empty_moov"}}),
    "dash": ("a.mp4", {"options": {"movflags": "dash+global_sidx"}}),
    "asf packets": ("a.wmv", {"options": {"packet_size": "1000"}}),
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_file_is_no_cut_one(tmp_path, name):
    file, options = WHOLE[name]
    count, error = read(clip(tmp_path / file, **options))
    assert error is None
    assert count == 20 - len(options.get("pauses", ())) or file == "a.avi"  # AVI repeats what is left out


@pytest.mark.parametrize("ending", ["avi", "mkv", "wmv", "y4m", "mp4"])
def test_a_limit_looks_for_no_end(tmp_path, ending):
    cut = clip(tmp_path / f"a.{ending}", options={"movflags": "faststart"} if ending == "mp4" else None)
    with open_video(shortened(cut, int(cut.stat().st_size * 0.8)), motion="zero") as reader:
        assert next(reader).index == 0


@pytest.mark.parametrize("ending", ["avi", "mkv", "mxf"])
def test_a_cut_behind_the_last_frame_costs_nothing(tmp_path, ending):
    whole = clip(tmp_path / f"a.{ending}")
    assert read(shortened(whole, -20)) == (20, None)


@pytest.mark.parametrize("ending", ["avi", "mkv", "mp4", "wmv", "flv", "ogv", "mxf"])
def test_what_is_joined_or_padded_is_whole(tmp_path, ending):
    first = clip(tmp_path / f"a.{ending}")
    both = tmp_path / f"both.{ending}"
    both.write_bytes(first.read_bytes() * 2)
    count, error = read(both)
    assert count >= 20
    assert error is None
    both.write_bytes(first.read_bytes() + bytes(1000))
    assert read(both)[1] is None


@pytest.mark.parametrize(
    ("ending", "codec", "pix_fmt"),
    [
        ("mp4", "libx264", "yuv420p"),
        ("flv", "flv", "yuv420p"),
        ("wmv", "wmv2", "yuv420p"),
        ("apng", "apng", "rgb24"),
    ],
)
def test_a_video_that_is_joined_to_another_is_told_of(tmp_path, caplog, ending, codec, pix_fmt):
    """FFmpeg reads the first: half of the pictures were missing without a word."""
    first = encode(tmp_path / f"a.{ending}", moving(20), codec, pix_fmt=pix_fmt)
    both = tmp_path / f"both.{ending}"
    both.write_bytes(first.read_bytes() * 2)
    assert read(both) == (20, None)
    assert read(first) == (20, None)
    assert [record.getMessage() for record in caplog.records] == [
        f"{both}: another video is joined to it, and FFmpeg reads the first alone; cut them apart"
    ]


def test_an_edit_list_that_hides_frames_is_no_cut(tmp_path):
    whole = encode(tmp_path / "a.mp4", moving(20), bf=2, g=5)
    remuxed(whole, tmp_path / "b.mp4", without=tuple(range(10)), use_editlist="1")
    assert read(tmp_path / "b.mp4")[1] is None


@pytest.mark.parametrize("ending", ["mkv", "y4m", "avi"])
def test_a_file_that_grows_is_not_taken_for_a_cut_one(tmp_path, ending):
    whole = clip(tmp_path / f"a.{ending}")
    data = whole.read_bytes()
    growing = shortened(whole, int(len(data) * 0.6))
    with open_video(growing, motion="zero") as reader:
        next(reader)
        with growing.open("ab") as file:
            file.write(data[int(len(data) * 0.6) : int(len(data) * 0.6) + 20])
        assert sum(1 for _ in reader) > 0


@pytest.mark.parametrize("grows", [True, False])
def test_a_last_packet_that_cannot_be_decoded_is_damage_where_nobody_writes(tmp_path, monkeypatch, grows):
    """A decoder may make a picture of a part of one, or refuse it."""
    refused, decode = [], Decoder._decode

    def strict(decoder, packet):
        if packet.is_corrupt:
            refused.append(packet.pos)
            raise av.error.InvalidDataError(1, "a part of a picture")
        return decode(decoder, packet)

    monkeypatch.setattr(Decoder, "_decode", strict)
    whole = clip(tmp_path / "a.avi")
    with av.open(str(whole)) as container:
        intra = [packet for packet in container.demux(video=0) if packet.is_keyframe][1]
    cut = shortened(whole, intra.pos + intra.size // 2)
    with open_video(cut, motion="zero") as reader:
        next(reader)
        if grows:
            with cut.open("ab") as file:
                file.write(bytes(20))
            assert sum(1 for _ in reader) > 0
        else:
            with pytest.raises(SourceError, match=r"ends in damage after .* the file is cut off or broken"):
                list(reader)
    assert len(refused) == 1


def test_a_file_that_was_written_into_a_pipe_is_whole(tmp_path):
    for ending in ("avi", "mkv", "wmv", "flv"):  # nobody went back to write sizes and durations

        class Pipe:
            def __init__(self):
                self.data = b""

            def write(self, data):
                self.data += data
                return len(data)

        whole, pipe = clip(tmp_path / f"a.{ending}"), Pipe()
        form = {"mkv": "matroska", "wmv": "asf"}.get(ending, ending)
        with av.open(str(whole)) as given, av.open(pipe, "w", format=form) as output:
            stream = output.add_stream_from_template(given.streams.video[0])
            for packet in given.demux(video=0):
                if packet.dts is not None:
                    packet.stream = stream
                    output.mux(packet)
        whole.write_bytes(pipe.data)
        assert read(whole) == (20, None)
        assert read(shortened(whole, int(len(pipe.data) * 0.7)))[1] is None or ending in ("wmv", "flv")


@pytest.mark.parametrize("share", [0.1, 0.3, 0.6, 0.97])
def test_a_gif_that_is_cut_inside_a_picture_is_an_error(tmp_path, share):
    """FFmpeg gives what is left of that picture as a sound one."""
    whole = clip(tmp_path / "a.gif", 8)
    size = whole.stat().st_size
    count, error = read(shortened(whole, int(size * share)))
    assert count == int(8 * share) + 1
    assert f"ends in damage after {count} of {count} frame" in error
    assert f"the file is cut off or broken: {int(size * share):,} of at least " in error


def test_a_gif_is_whole_without_its_last_byte_which_is_told_and_with_more_behind_it(tmp_path, caplog):
    """Many programs leave the end mark out, and a copy may end between two pictures."""
    whole = clip(tmp_path / "a.gif", 8)
    data = whole.read_bytes()
    assert read(whole) == (8, None)
    (tmp_path / "b.gif").write_bytes(data + bytes(1000))
    assert read(tmp_path / "b.gif") == (8, None)
    assert not caplog.records
    assert read(shortened(whole, -1)) == (8, None)
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path}/cut.gif: a GIF without its end mark; pictures behind its last one may be missing"
    ]
