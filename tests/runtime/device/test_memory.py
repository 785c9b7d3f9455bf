"""Nothing of the size of a frame is made anew for each frame, and long videos take no more memory than short ones."""

import ctypes
import itertools
import resource
import tracemalloc
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from support.bundles.fake import write_fake_bundle
from support.clips.moving import chainable, encode, moving

from edge_arseg.motion import kernels
from edge_arseg.motion.warp_error import POINTS, WarpError
from edge_arseg.runtime.segmenter import Segmenter


@pytest.fixture(scope="module")
def fake_bundle(tmp_path_factory):
    return write_fake_bundle(tmp_path_factory.mktemp("fake") / "fake.arseg", size=(288, 384))


def growth(segmenter, clip, motion):
    """Most bytes that Python and NumPy held in GOPs 3 to 5 beyond what they held before."""
    gop, before = segmenter.bundle.manifest.gop, 0
    tracemalloc.start()
    try:
        for number, _ in enumerate(segmenter.stream(clip, motion=motion)):
            if number == 2 * gop:
                tracemalloc.reset_peak()
                before = tracemalloc.get_traced_memory()[0]
            if number == 5 * gop:
                return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    raise AssertionError("the clip is too short")


@pytest.mark.parametrize(("motion", "share"), [("zero", 0.9), ("codec", 3), ("recode", 3)])
def test_no_array_of_a_frame_is_made_after_the_first_gop(fake_bundle, tmp_path, motion, share):
    """``zero``: not even a class map. With vectors, which come anew for each frame: not even the RGB.

    Without Numba a flow is chained with temporary arrays of half a class map each.
    """
    if find_spec("numba") is None:
        share = max(share, 2)
    clip = chainable(tmp_path / "a.mp4", 30)
    with Segmenter(fake_bundle, backend="fake", fusion="graph") as segmenter:
        assert growth(segmenter, clip, motion) < share * 288 * 384


def test_the_measure_sees_an_array_of_a_frame(fake_bundle, tmp_path, monkeypatch):
    """The same with an engine that copies its class map."""
    from edge_arseg.runtime.engines.fake import FakeEngine

    run = FakeEngine._run
    monkeypatch.setattr(FakeEngine, "_run", lambda engine, feeds: {n: a.copy() for n, a in run(engine, feeds).items()})
    clip = chainable(tmp_path / "a.mp4", 30)
    with Segmenter(fake_bundle, backend="fake", fusion="graph") as segmenter:
        assert growth(segmenter, clip, "zero") > 0.9 * 288 * 384


@pytest.mark.parametrize("fusion", ["kernel", "graph"])
def test_nor_with_real_engines_and_kernels(own_bundle, tmp_path, monkeypatch, fusion):
    """Without the warp error, whose places are as many as pixels of so small a frame; see the next test."""
    if fusion == "kernel":
        pytest.importorskip("numba")
    monkeypatch.setattr(WarpError, "of", lambda *_: None)
    clip = chainable(tmp_path / "a.mp4", 30)
    with Segmenter(own_bundle, fusion=fusion, threads=1) as segmenter:
        assert growth(segmenter, clip, "zero") < 2.7 * 90 * 122  # the RGB has 3


def test_the_warp_error_takes_no_more_for_a_large_frame():
    frame, flow = np.zeros((1088, 1920), np.uint8), np.zeros((272, 480, 2), np.float32)
    error = WarpError(1088, 1920)
    error.key(frame)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        assert error.of(frame, flow) == 0
        assert tracemalloc.get_traced_memory()[1] - before < (3000 if kernels.COMPILED else 70 * POINTS)
    finally:
        tracemalloc.stop()


def rss_mb():
    """Memory of the process in use: what the C library keeps of freed memory is given back first."""
    ctypes.CDLL(None).malloc_trim(0)
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6


def grown_mb(segmenter, clip, motion):
    """Growth of the process from frame 500 to the last."""
    before = 0.0
    for number, _ in enumerate(segmenter.stream(clip, motion=motion)):
        if number == 500:
            before = rss_mb()
    assert number == 4999
    return rss_mb() - before


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory):
    pictures = itertools.islice(itertools.cycle(list(moving(50))), 5000)
    return encode(tmp_path_factory.mktemp("long") / "a.mp4", pictures, bf=0, refs=1, preset="ultrafast")


@pytest.mark.slow
@pytest.mark.parametrize("motion", ["codec", "recode"])
def test_memory_is_flat_over_5000_frames(fake_bundle, long_clip, motion):
    with Segmenter(fake_bundle, backend="fake", fusion="graph") as segmenter:
        assert grown_mb(segmenter, long_clip, motion) < 6


@pytest.mark.slow
def test_memory_is_flat_with_real_engines(own_bundle, long_clip):
    with Segmenter(own_bundle) as segmenter:
        assert grown_mb(segmenter, long_clip, "auto") < 6
