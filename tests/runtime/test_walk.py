"""The walk of docs/architecture.md from ``run`` to a mask, as the calls really go."""

from support.walks.rooms import rooms_entered, ways_back

from edge_arseg.runtime.choice.engine_choice import settled
from edge_arseg.runtime.engines.contract import EngineOptions
from edge_arseg.runtime.mode import Mode
from edge_arseg.runtime.run import run_to_sinks


def test_a_run_goes_down_through_the_rooms_once(own_bundle, tmp_path):
    """Sinks and sources alone are asked again: what would be overwritten, whether a picture is wanted, then to open."""
    choice, _ = settled(own_bundle, [Mode.AR], (), EngineOptions(backend="onnxruntime"))
    entered = rooms_entered(
        lambda: run_to_sinks(choice, "test://street?size=90x122&frames=6", [tmp_path / "overlay.mp4"], mode=Mode.AR)
    )
    assert entered == [
        "runtime.run",
        "video.sinks",
        "video",
        "runtime.segmenter",
        "runtime.pipeline",
        "runtime.mode",
        "runtime.engines",
        "runtime.fusion",
        "runtime.head",
        "runtime.kernels",
        "video.sinks",  # whether one of them wants the picture
        "video",
        "street",
        "video.sinks",
        "video",
        "runtime.live",
        "runtime.segment",
        "runtime.keyframes",
        "motion",
    ]
    assert set(ways_back(entered)) == {"video", "video.sinks"}
