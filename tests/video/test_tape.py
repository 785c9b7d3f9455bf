"""What a live source sent is kept and replayed exactly."""

import io
import time
from itertools import islice, pairwise
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest
from support.clips.lossy_sender import LossySender
from support.clips.rtsp_server import RtspServer, free_port, missing

from edge_arseg import LiveOptions, SourceError, open_video
from edge_arseg.errors import OptionError, SinkError
from edge_arseg.video.tape import records
from edge_arseg.video.tape.reader import Tape
from edge_arseg.video.tape.writer import TapeWriter

SIZE = (144, 192)
needs_server = pytest.mark.skipif(missing() is not None, reason=str(missing()))


def told(frame):
    """All that a frame says, but when it came on this machine."""
    vectors = tuple(None if one is None else crc32(one.tobytes()) for one in (frame.vectors, *frame.missed))
    facts = (frame.index, frame.time_s, frame.intra, frame.damaged, frame.source.value)
    return (*facts, vectors, crc32(np.ascontiguousarray(frame.rgb)))


class Counting(TapeWriter):
    count = 0

    def connection(self, *arguments, **keywords):
        self.count += 1
        super().connection(*arguments, **keywords)


def recorded(url, path, count, *, motion="auto", slow_s=0.0, leaving=None, **options):
    frames = []
    with (
        Counting(path, "udp://camera") as tape,
        open_video(url, size=SIZE, motion=motion, tape=tape, **options) as reader,
    ):
        ends_at = count
        for frame in reader:
            frames.append(told(frame))
            time.sleep(slow_s if frame.index % 3 == 0 else 0)
            if leaving is not None and tape.count == 1:
                ends_at = len(frames) + count
                if len(frames) == count:
                    leaving()
            if len(frames) >= min(ends_at, 500):
                break
    return frames


def replayed(path, *, motion="auto", query=""):
    with open_video(f"replay://{path}{query}", size=SIZE, motion=motion) as reader:
        return [told(frame) for frame in reader]


def test_losses_drops_and_an_outage_over_udp_are_replayed_twice_as_they_were(tmp_path):
    port, path = free_port(), tmp_path / "udp.tape"
    with LossySender(tmp_path, port, lost=12) as sender:
        camera = f"udp://127.0.0.1:{port}"
        options = {"motion": "codec", "slow_s": 0.15, "timeout_s": (5.0, 0.6)}
        frames = recorded(camera, path, 12, leaving=lambda: sender.leave(1.5), **options)
    first, second = replayed(path, motion="codec"), replayed(path, motion="codec")
    assert first == second
    assert first == frames
    assert any(frame[3] for frame in frames)  # damaged
    assert any(len(frame[5]) > 1 for frame in frames)  # drops, with their motion
    assert len(Tape(path, "").connections) >= 2
    assert max(after[1] - before[1] for before, after in pairwise(frames)) > 0.9  # the outage


@needs_server
def test_a_connection_over_rtsp_is_replayed_and_every_frame_of_it_where_that_is_asked_for(tmp_path):
    path = tmp_path / "rtsp.tape"
    with RtspServer() as server:
        frames = recorded(server.url, path, 20, slow_s=0.1)
    assert replayed(path) == frames
    every = replayed(path, query="?frames=every")
    assert [frame[0] for frame in every] == list(range(every[-1][0] + 1))
    assert {frame[:3] for frame in frames} <= {frame[:3] for frame in every}
    assert len(every) > len(frames)


def whole_of(path):
    file = io.BytesIO(path.read_bytes())
    file.readline()
    return file


def test_what_a_killed_process_leaves_is_replayed_up_to_its_last_whole_record(tmp_path):
    port, path, torn = free_port(), tmp_path / "whole.tape", tmp_path / "torn.tape"
    with LossySender(tmp_path, port, lost=10_000):
        frames = recorded(f"udp://127.0.0.1:{port}", path, 15)
    data = path.read_bytes()
    lengths = set()
    for cut in np.linspace(len(data) // 4, len(data) - 1, 12).astype(int):
        torn.write_bytes(data[:cut])
        left = replayed(torn)
        assert left == frames[: len(left)]
        lengths.add(len(left))
    assert max(lengths) >= 14
    (opened,) = (content for letter, content in records.records(whole_of(path)) if letter == b"C")
    torn.write_bytes(data + records.record(b"C", opened))  # opened again, and killed before a packet came
    every = {frame[0]: frame[:5] for frame in replayed(torn, query="?frames=every")}
    assert [every[frame[0]] for frame in frames] == [frame[:5] for frame in frames]
    damaged = bytearray(data)
    damaged[len(data) // 2] ^= 1
    torn.write_bytes(damaged)
    left = replayed(torn)
    assert left == frames[: len(left)]
    assert len(left) < len(frames)


def test_no_login_is_in_the_file_and_nothing_is_overwritten(tmp_path):
    port, path = free_port(), tmp_path / "a.tape"
    with LossySender(tmp_path, port, lost=10_000), TapeWriter(path, "udp://***@camera") as tape:
        tape.end("udp://me:secret@camera: gone")
        with open_video(f"udp://me:secret@127.0.0.1:{port}", size=SIZE, tape=tape) as reader:
            list(islice(reader, 10))
    assert b"secret" not in path.read_bytes()
    assert path.stat().st_size > 10_000
    with pytest.raises(SinkError, match="force"):
        TapeWriter(path, "x")


def test_what_cannot_be_recorded_or_replayed_is_told(tmp_path):
    with pytest.raises(OptionError, match="only what cameras and streams send is recorded"):
        open_video("test://street", tape=object())
    (tmp_path / "no.tape").write_bytes(b"hello")
    (tmp_path / "new.tape").write_bytes(b"EDGE-ARSEG TAPE 9\n")
    (tmp_path / "empty.tape").write_bytes(b"EDGE-ARSEG TAPE 1\n")
    for name, words in (
        ("no.tape", "no recording; expected a file that --record made"),
        ("new.tape", "a recording of revision 9; this version reads 1"),
        ("empty.tape", "no packet in it"),
        ("nowhere.tape", "No such file"),
    ):
        with pytest.raises(SourceError, match=words):
            open_video(f"replay://{tmp_path / name}")


def test_a_full_disk_ends_the_recording_and_not_the_run(tmp_path, caplog):
    port = free_port()
    with LossySender(tmp_path, port, lost=10_000):
        frames = recorded(f"udp://127.0.0.1:{port}", Path("/dev/full"), 5, live=LiveOptions())
    assert len(frames) == 5
    assert "the recording ends here: No space left on device; the run continues" in caplog.text
