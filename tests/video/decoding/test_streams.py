"""Which stream is taken, and what is no video at all."""

import logging
import zlib
from fractions import Fraction
from types import SimpleNamespace

import av
import numpy as np
import pytest
from support.clips.broken import audio_only
from support.clips.moving import chainable, encode, moving

from edge_arseg.errors import OptionError, SourceError
from edge_arseg.video import open_video
from edge_arseg.video.decoding.streams import chosen_stream


def several(path, *sizes, codec="libx264", disposition=()):
    """A container with a grey stream of each (width, height), of levels 40, 80, 120, ..."""
    with av.open(str(path), "w") as output:
        streams = []
        for width, height in sizes:
            stream = output.add_stream(codec, rate=25, options={"bf": "0", "refs": "1"})
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            streams.append(stream)
        for stream, bits in zip(streams, disposition, strict=False):
            stream.disposition = bits
        for stage in (*range(6), None):
            for n, stream in enumerate(streams):
                rgb = np.full((stream.height, stream.width, 3), 40 + 40 * n, np.uint8)
                frame = None if stage is None else av.VideoFrame.from_ndarray(rgb, format="rgb24")
                output.mux(stream.encode(frame))
    return path


def level(source, **options):
    with open_video(source, **options) as reader:
        frames = list(reader)
    assert len(frames) == 6
    return round(float(np.median(frames[0].rgb)) / 40)


@pytest.mark.parametrize("ending", ["mkv", "mp4", "ts", "mov"])
def test_the_largest_stream_is_taken_and_the_others_are_named(tmp_path, ending, caplog):
    clip = several(tmp_path / f"a.{ending}", (64, 48), (128, 96), (96, 64))
    with caplog.at_level(logging.WARNING):
        assert level(clip) == 2
        assert level(clip) == 2
    said = (
        f"{clip}: taking stream 1 (h264, 128x96) and not stream 0 (h264, 64x48), stream 2 (h264, 96x64); "
        "--stream N takes stream N"
    )
    assert [record.getMessage() for record in caplog.records] == [said]  # once, however often it is opened


def test_another_stream_can_be_chosen(tmp_path):
    clip = several(tmp_path / "a.mkv", (64, 48), (128, 96), (96, 64))
    assert [level(clip, stream=n) for n in (0, 1, 2)] == [1, 2, 3]
    with pytest.raises(OptionError, match=r"its stream 7 is no video; expected .*: stream 0 \(h264, 64x48\), stream 1"):
        open_video(clip, stream=7)
    with pytest.raises(OptionError, match="only containers have streams"):
        open_video("test://street?frames=2&size=64x64", stream=0)


def test_streams_of_one_size_are_taken_in_order(tmp_path):
    assert level(several(tmp_path / "a.mkv", (64, 48), (64, 48))) == 1


def test_sound_before_the_video_counts_in_the_number(tmp_path):
    sound, clip = audio_only(tmp_path / "a.m4a"), tmp_path / "a.mkv"
    several(tmp_path / "two.mkv", (64, 48), (128, 96))
    with (
        av.open(str(sound)) as first,
        av.open(str(tmp_path / "two.mkv")) as second,
        av.open(str(clip), "w") as output,
    ):
        given = [first.streams[0], *second.streams]
        made = {stream: output.add_stream_from_template(stream) for stream in given}
        for container in (first, second):
            for packet in container.demux():
                if packet.dts is not None:
                    packet.stream = made[packet.stream]
                    output.mux(packet)
    assert level(clip) == 2
    assert level(clip, stream=1) == 1
    with pytest.raises(OptionError, match="its stream 0 is no video"):
        open_video(clip, stream=0)


def cover(path, *, video):
    """A file with sound and a large cover, and perhaps a small video."""
    still = av.VideoFrame.from_ndarray(np.full((400, 400, 3), 200, np.uint8), format="rgb24")
    with av.open(str(path), "w") as output:
        sound = output.add_stream("aac", 44100)
        if video:
            small = output.add_stream("libx264", 25)
            small.width, small.height, small.pix_fmt = 64, 48, "yuv420p"
        stuck = output.add_stream("png", 25)
        stuck.width, stuck.height, stuck.pix_fmt = 400, 400, "rgb24"
        stuck.disposition = 0x400
        output.mux(stuck.encode(still))
        samples = av.AudioFrame.from_ndarray(np.zeros((1, 4410), np.float32), format="fltp", layout="mono")
        samples.rate = 44100
        output.mux(sound.encode(samples))
        output.mux(sound.encode(None))
        for n in range(7 if video else 0):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 40, np.uint8), format="rgb24")
            output.mux(small.encode(frame if n < 6 else None))
    return path


def test_a_cover_is_no_video(tmp_path):
    with pytest.raises(SourceError, match="no video in it, only audio and a cover; expected a video stream"):
        open_video(cover(tmp_path / "song.mp4", video=False))
    assert level(cover(tmp_path / "clip.mp4", video=True)) == 1


@pytest.mark.parametrize("ending", ["txt", "nfo", "ans", "asc", "diz"])
def test_text_is_no_video(tmp_path, ending):
    (tmp_path / f"a.{ending}").write_bytes(b"\x1b[31mhello\x1b[0m world\n" * 200)
    with pytest.raises(SourceError, match=f"a.{ending}: this is text, which FFmpeg would draw"):
        open_video(tmp_path / f"a.{ending}")


def test_subtitles_are_no_video(tmp_path):
    (tmp_path / "a.srt").write_text("1\n00:00:00,000 --> 00:00:02,000\nhello\n")
    with pytest.raises(SourceError, match="no video in it, only subtitle; expected a video stream"):
        open_video(tmp_path / "a.srt")


@pytest.mark.skipif(av.library_versions["libavcodec"][0] > 62, reason="not known of this FFmpeg")
def test_an_animated_webp_is_named_as_such_and_a_still_one_is_read(tmp_path):
    def webp(name, codec, count):
        with av.open(str(tmp_path / name), "w", format="webp") as output:
            stream = output.add_stream(codec, rate=25)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for rgb in moving(count, height=48, width=64):
                output.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p")))
            output.mux(stream.encode(None))
        return tmp_path / name

    with open_video(webp("still.webp", "libwebp", 1)) as reader:
        assert len(list(reader)) == 1
    with pytest.raises(SourceError, match="an animated WebP, which this FFmpeg cannot decode; convert it to GIF"):
        list(open_video(webp("moving.webp", "libwebp_anim", 6)))


@pytest.mark.parametrize("ending", ["avi", "mkv"])
def test_titles_in_any_encoding_are_no_reason_to_fail(tmp_path, ending):
    clip = tmp_path / f"a.{ending}"
    with av.open(str(clip), "w") as output:
        output.metadata["title"] = "StraQe"
        stream = output.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.metadata["title"] = "StraQe"
        for rgb in (*moving(6, height=48, width=64), None):
            output.mux(stream.encode(None if rgb is None else av.VideoFrame.from_ndarray(rgb, format="rgb24")))
    clip.write_bytes(clip.read_bytes().replace(b"StraQe", b"Stra\xdfe"))
    with open_video(clip) as reader:
        assert len(list(reader)) == 6


@pytest.mark.parametrize(("transfer", "name"), [("smpte2084", "PQ"), ("arib-std-b67", "HLG")])
def test_an_hdr_picture_is_told_of_once(tmp_path, caplog, transfer, name):
    clip = encode(tmp_path / "a.mp4", moving(3), x264_params=f"transfer={transfer}")
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            with open_video(clip) as reader:
                assert len(list(reader)) == 3
    assert [record.getMessage() for record in caplog.records] == [
        f"{clip}: an HDR picture ({name}); it is used without tone mapping, paler than SDR, which may cost accuracy"
    ]


def test_hdr_images_are_told_of_once(tmp_path, caplog):
    context = av.CodecContext.create("png", "w")
    context.width, context.height, context.pix_fmt, context.time_base = 64, 48, "rgb24", Fraction(1, 25)
    frames = (av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24"), None)
    png = b"".join(bytes(packet) for frame in frames for packet in context.encode(frame))
    kind = b"cICP" + bytes([9, 16, 0, 1])  # BT.2020, PQ
    chunk = (4).to_bytes(4, "big") + kind + zlib.crc32(kind).to_bytes(4, "big")
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(png[:33] + chunk + png[33:])
    with caplog.at_level(logging.WARNING), open_video(f"images://{tmp_path}/%d.png") as reader:
        assert len(list(reader)) == 3
    assert [record.getMessage() for record in caplog.records] == [
        f"images://{tmp_path}/%d.png: an HDR picture (PQ); it is used without tone mapping, paler than SDR, which may "
        "cost accuracy"
    ]


def test_an_ordinary_clip_is_not_talked_about(tmp_path, caplog):
    with open_video(chainable(tmp_path / "a.mp4", 3)) as reader:
        list(reader)
    assert caplog.records == []


def fake(index, width, height, *, disposition=0, frames=0, codec="h264", kind="video"):
    context = None if codec is None else SimpleNamespace(width=width, height=height, name=codec)
    facts = {"metadata": {}, "average_rate": None}
    return SimpleNamespace(
        index=index, type=kind, codec_context=context, disposition=disposition, frames=frames, **facts
    )


def test_empty_tracks_thumbnails_and_what_cannot_be_decoded_are_passed_over():
    main = fake(3, 64, 48, frames=10)
    thumbnails, empty, unknown = (
        fake(0, 640, 480, disposition=0xC00, frames=5),
        fake(1, 640, 480),
        fake(2, 9, 9, codec=None),
    )
    assert chosen_stream("a", [thumbnails, empty, unknown, main]) is main
    with pytest.raises(SourceError, match="no decoder for its video"):
        chosen_stream("a", [unknown])
    with pytest.raises(SourceError, match="only in tiles"):
        chosen_stream("a", [fake(0, 512, 512, disposition=0x80000), fake(1, 512, 512, disposition=0x80000)])


def test_among_equals_the_containers_own_choice_wins():
    preferred = fake(1, 64, 48, disposition=1)
    assert chosen_stream("b", [fake(0, 64, 48), preferred]) is preferred


def test_a_single_picture_beside_a_video_is_no_video():
    """A recorder's thumbnail without a mark, larger than the video; the still that an animated AVIF begins with."""
    video, thumbnail, unknown = fake(0, 64, 48, frames=20), fake(1, 640, 480, frames=1), fake(1, 640, 480)
    assert chosen_stream("c", [video, thumbnail]) is video
    assert chosen_stream("c", [fake(0, 64, 48, frames=1), thumbnail]) is thumbnail
    assert chosen_stream("c", [fake(0, 64, 48), unknown]) is unknown  # no container says how many there are


@pytest.mark.parametrize("ending", ["mkv", "mp4"])
def test_a_thumbnail_that_no_mark_tells_from_the_video_is_none(tmp_path, ending):
    path = tmp_path / f"a.{ending}"
    with av.open(str(path), "w") as output:
        streams = [output.add_stream(codec, 25) for codec in ("libx264", "mjpeg")]
        for stream, kind, sides in zip(streams, ("yuv420p", "yuvj420p"), ((128, 96), (256, 192)), strict=True):
            stream.width, stream.height, stream.pix_fmt = *sides, kind
        for n, rgb in enumerate(moving(12, height=96, width=128)):
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            frame.pts, frame.time_base = n, Fraction(1, 25)
            output.mux(streams[0].encode(frame.reformat(format="yuv420p")))
            if n == 0:
                output.mux(streams[1].encode(frame.reformat(256, 192, "yuvj420p")))
        for stream in streams:
            output.mux(stream.encode(None))
    with open_video(path) as reader:
        assert (len(list(reader)), reader.width) == (12, 128)
    with open_video(path, stream=1) as reader:
        assert (len(list(reader)), reader.width) == (1, 256)


def test_every_picture_of_an_animated_avif_is_a_frame(tmp_path):
    clip = encode(tmp_path / "a.avif", moving(6, height=96, width=128), "libsvtav1")
    with open_video(clip) as reader:
        assert len(list(reader)) == 6
    with pytest.raises(SourceError, match=r"a\.avif: more than one picture in it"):
        open_video(f"images://{tmp_path}/*.avif")
