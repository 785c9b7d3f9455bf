"""Lower bounds of a board that is not at hand, and of this machine, which is."""

import pytest
from support.bundles.fake import write_fake_bundle

from edge_arseg import Segmenter
from edge_arseg.bench.predict.peaks import peaks_of_target, peaks_of_this_cpu
from edge_arseg.bench.predict.roofline import prediction_of
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.runtime.bundles.zoo import default_bundle
from edge_arseg.spec.manifest import Precision
from edge_arseg.spec.targets.files import target_named


def test_peaks_are_those_that_nvidia_publishes():
    """Orin Nano 8GB: 8 SMs at 1020 MHz give 16.7 TFLOPS in FP16 and 33.4 TOPS, dense; 102 GB/s."""
    peaks = peaks_of_target(target_named("jetson-orin-nano-8gb"))
    assert "MAXN_SUPER" in peaks.name
    assert 2e-12 * peaks.macs_per_s[Precision.FP16] == pytest.approx(16.7, abs=0.05)
    assert 2e-12 * peaks.macs_per_s[Precision.INT8] == pytest.approx(33.4, abs=0.05)
    assert peaks.bytes_per_s == 102e9
    # the LR branch of camvid-psp18, 77 GMACs, at 100 % of that
    assert 1e3 * 77e9 / peaks.macs_per_s[Precision.FP16] == pytest.approx(9.2, abs=0.05)


def test_a_published_result_lies_above_its_bound_and_not_far():
    """ResNet-50 v1.5 in int8 on AGX Orin 64GB: 0.64 ms, MLPerf Inference 3.1, edge, closed, single stream."""
    peaks = peaks_of_target(target_named("jetson-agx-orin-64gb"))
    compute_ms = 1e3 * 4.09e9 / peaks.macs_per_s[Precision.INT8]
    memory_ms = 1e3 * 25.6e6 / peaks.bytes_per_s
    assert (compute_ms, memory_ms) == (pytest.approx(0.096, abs=0.001), pytest.approx(0.125, abs=0.001))
    assert max(compute_ms, memory_ms) < 0.64 < 10 * max(compute_ms, memory_ms)


def test_a_power_mode_caps_clocks_and_memory():
    slow = peaks_of_target(target_named("jetson-orin-nano-8gb"), "7W")  # 4 SMs at 408 MHz, memory at 2133 MHz
    assert slow.macs_per_s[Precision.FP16] == 4 * 408e6 * 2048 / 2
    assert slow.bytes_per_s == 68e9


def test_a_bound_is_the_larger_of_arithmetic_and_memory(tmp_path):
    bundle = read_bundle(write_fake_bundle(tmp_path / "fake.arseg"))
    peaks = peaks_of_target(target_named("jetson-orin-nano-8gb"), "MAXN_SUPER")
    found = prediction_of(bundle, peaks)
    hr = found.graphs["hr"]
    assert hr.precision is Precision.FP16  # what compile makes of float32 there
    assert hr.macs == bundle.manifest.cost.hr_macs
    # frame 48x64x3, feature 48x64 in half, class map 48x64, and half of the 15 bytes that are called weights
    assert hr.nbytes == 9216 + 6144 + 3072 + 7
    assert hr.ms == max(hr.compute_ms, hr.memory_ms) == pytest.approx(1e3 * hr.nbytes / 102e9)
    assert hr.bound_by == "memory"
    assert found.between_ms == found.graphs["lr"].ms + found.graphs["fuse"].ms
    assert found.mean_ms == pytest.approx((found.key_ms + 3 * found.between_ms) / 4)


@pytest.mark.timed
def test_no_branch_is_faster_here_than_its_bound():
    bundle = read_bundle(default_bundle())
    if bundle.manifest.graphs["hr"].precision is not Precision.FP32:
        bundle = read_bundle(bundle.path.with_name("camvid-compact-360x480.arseg"))
    bound = prediction_of(bundle, peaks_of_this_cpu(seconds=0.5))
    fastest = {}
    # one thread, as the suite gives NumPy, whose products the peak is measured by
    with Segmenter(bundle.path, backend="onnxruntime", threads=1) as segmenter:
        for result in segmenter.stream("test://street?frames=30"):
            for stage, ms in result.stages_ms.items():
                fastest[stage] = min(ms, fastest.get(stage, ms))
    for stage in ("hr", "lr"):
        assert bound.graphs[stage].ms < fastest[stage] < 30 * bound.graphs[stage].ms


def test_what_is_printed_is_called_a_bound_and_no_measurement(edge_arseg, tmp_path):
    bundle = write_fake_bundle(tmp_path / "fake.arseg")
    answer = edge_arseg("bench", "-b", bundle, "--predict", "jetson-orin-nano-8gb", "--power-mode", "15W")
    assert answer.code == 0, answer.err
    assert answer.out.startswith("**Predicted lower bound, not measured: fake (")
    assert "fp16 10.24 TFLOPS, int8 20.48 TOPS" in answer.out
    for words, code in ((("cpu",), 2), (("jetson-orin-nano-8gb", "--power-mode", "99W"), 2)):
        assert edge_arseg("bench", "-b", bundle, "--predict", *words).code == code
    assert edge_arseg("bench", "-b", bundle, "--power-mode", "15W").code == 2


def test_what_says_how_to_measure_is_refused_where_nothing_is(edge_arseg, tmp_path, monkeypatch):
    bundle = write_fake_bundle(tmp_path / "fake.arseg")
    asked = ("bench", "-b", bundle, "--predict", "jetson-orin-nano-8gb")
    answer = edge_arseg(*asked, "--mode", "ar", "--no-sensors", "--labels", tmp_path)
    assert answer.code == 2
    assert "--mode, --labels, --no-sensors seen with --predict, which measures nothing" in answer.err
    monkeypatch.setenv("EDGE_ARSEG_BENCH_FRAMES", "300")  # what holds for every bench is nobody's mistake here
    assert edge_arseg(*asked, "--interval", "4").code == 0
