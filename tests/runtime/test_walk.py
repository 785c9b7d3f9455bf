"""The walk of docs/architecture.md from ``run`` to a mask, as the calls really go."""

from support.walks.rooms import rooms_entered, ways_back

from edge_arseg.runtime.choice.engine_choice import settled
from edge_arseg.runtime.engines.contract import EngineOptions
from edge_arseg.runtime.mode import Mode
from edge_arseg.runtime.run import run_to_sinks


def test_a_run_comes_back_only_to_the_room_of_its_source(own_bundle, tmp_path):
    """``video`` alone is asked again: it names the source for the sinks, opens it, and lends the overlay its arrays."""
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
        "video",
        "street",
        "video",
        "video.overlay",
        "runtime.live",
        "runtime.segment",
        "runtime.keyframes",
        "motion",
    ]
    assert set(ways_back(entered)) == {"video"}
