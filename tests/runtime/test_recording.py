"""A run on a live source, and the same run from what was recorded of it."""

import json
from zlib import crc32

import numpy as np
import pytest
from support.clips.lossy_sender import LossySender
from support.clips.rtsp_server import free_port

from edge_arseg import Sink, run_to_sinks
from edge_arseg.runtime.bundles.zoo import default_bundle
from edge_arseg.runtime.segmenter import Segmenter

OF_THE_MACHINE = ("latency_ms", "age_ms")


class Digests(Sink):
    """Checksums of the masks."""

    def __init__(self):
        super().__init__("digests")
        self.found = []

    def _write(self, result):
        self.found.append((result.frame.index, crc32(np.ascontiguousarray(result.class_map))))


def ran(segmenter, source, lines, **options):
    digests = Digests()
    run_to_sinks(segmenter, source, [f"jsonl://{lines}", digests], **options)
    said = [json.loads(line) for line in lines.read_text().splitlines()]
    return [{name: value for name, value in one.items() if name not in OF_THE_MACHINE} for one in said], digests.found


@pytest.mark.timed  # the sender does not wait for an emulated machine
def test_a_run_over_udp_with_losses_is_replayed_with_the_same_lines_and_masks(tmp_path):
    port, tape = free_port(), tmp_path / "camera.tape"
    with Segmenter(default_bundle()) as segmenter:
        with LossySender(tmp_path, port, lost=30):
            live = ran(segmenter, f"udp://127.0.0.1:{port}", tmp_path / "live.jsonl", record=tape, limit=40)
        first = ran(segmenter, f"replay://{tape}", tmp_path / "first.jsonl")
        second = ran(segmenter, f"replay://{tape}", tmp_path / "second.jsonl")
    assert first == second
    assert len(live[0]) == len(live[1]) == 40
    assert (first[0][:40], first[1][:40]) == live
    assert len(first[0]) <= 43  # frames that were taken, and not written any more
    assert sum(line["branch"] == "hr" for line in live[0]) >= 3
