import json

import pytest

pytest.importorskip("torch")

from edge_arseg.bench.report.markdown import markdown_from_speed
from edge_arseg.bench.speed import Speed, no_verdict_reason, speed_of_bundle
from edge_arseg.errors import OptionError
from edge_arseg.runtime import zoo
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.runtime.engines.contract import EngineOptions
from edge_arseg.runtime.mode import Mode

SOURCE = "test://street?size=90x122&frames=15"
ONE_THREAD = EngineOptions(threads=1)


@pytest.fixture(scope="module")
def speed(own_bundle):
    return speed_of_bundle(read_bundle(own_bundle), SOURCE, modes=[Mode.AR, Mode.HR], frames=20, engines=ONE_THREAD)


def test_frames_are_counted_by_their_place_in_the_gop(speed):
    """GOP 5, 24 frames of warm-up and 20 that count, from a source of 15 frames that is read again."""
    for mode in speed.modes.values():
        assert (mode.keyframe.count, mode.between.count) == (4, 16)
    assert set(speed.modes["ar"].stages["between"]) == {"decode", "motion", "lr", "fuse", "head"}
    assert set(speed.modes["ar"].stages["key"]) == {"decode", "motion", "hr"}
    assert set(speed.modes["hr"].stages["between"]) == {"decode", "motion", "hr"}


def test_the_mean_is_weighted_by_the_gop(speed):
    ar = speed.modes["ar"]
    assert ar.mean_ms == pytest.approx((ar.keyframe.p50 + 4 * ar.between.p50) / 5)
    assert speed.realised == pytest.approx(speed.modes["hr"].mean_ms / ar.mean_ms)
    assert 0 < ar.outside_networks < 1


def test_the_report_shows_every_mode(speed, own_bundle):
    page = markdown_from_speed(speed, read_bundle(own_bundle))
    assert page.startswith(f"**{speed.verdict}**")
    assert "| ar | keyframe | 4 |" in page
    assert "| hr | between | 16 |" in page
    assert "too few" in page


@pytest.mark.parametrize(
    ("realised", "says"), [(0.9, "AR does not pay here: 0.90x"), (2.4, "AR pays: 2.40x"), (None, "ar and hr together")]
)
def test_the_verdict_is_plain(realised, says):
    assert says in Speed({}, 3.0, realised, 1.0).verdict


def test_a_live_source_gets_no_verdict():
    """The wait for its next frame hides what either mode takes."""
    for source in ("rtsp://camera/stream", "/dev/video0"):
        no_verdict = no_verdict_reason(read_bundle(zoo.ZOO / "camvid-compact-360x480.arseg"), "onnxruntime", source)
        assert "record it to a file" in Speed({}, 3.0, None, 1.0, no_verdict).verdict
        assert Speed({}, 3.0, 0.9, 1.0, no_verdict).verdict.startswith("no verdict: frames of a live source")
    assert no_verdict_reason(read_bundle(zoo.ZOO / "camvid-compact-360x480.arseg"), "onnxruntime", SOURCE) == ""


def test_fewer_frames_than_a_gop_are_refused(own_bundle):
    with pytest.raises(OptionError, match="--frames 5"):
        speed_of_bundle(read_bundle(own_bundle), SOURCE, frames=4)


def test_the_command_writes_a_record(edge_arseg, own_bundle, tmp_path):
    target = tmp_path / "speed.json"
    answer = edge_arseg("bench", SOURCE, "-b", own_bundle, "--frames", 5, "--mode", "lr", "-o", target, "--json")
    assert answer.code == 0, answer.err
    record = json.loads(target.read_text())
    assert record == json.loads(answer.out)
    assert record["values"]["modes"]["lr"]["frames"] == 5
    assert record["settings"]["bundle_digest"] == read_bundle(own_bundle).digest
    assert edge_arseg("bench", SOURCE, "-b", own_bundle, "--mode", "nope").code == 2
