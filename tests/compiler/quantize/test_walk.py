"""The walk of docs/architecture.md through ``quantize``, as the calls really go."""

from support.walks.rooms import VALUES, rooms_entered, ways_back

from edge_arseg.compiler.quantize.options import QuantizeOptions
from edge_arseg.compiler.quantize.quantize import quantize_bundle
from edge_arseg.runtime.bundles.reading import read_bundle

GRAPHS = ("compiler.onnx_graph", "compiler.graph_writer", "compiler.entries")
"""Where graphs are changed, written and described, layer by layer."""


def test_quantizing_comes_back_only_to_clips_and_engines(own_bundle, recipe_file, tmp_path):
    """Clips are looked for before anything runs. Engines run them, then one layer after another in integers, then the
    golden frames of the result."""
    bundle, options = read_bundle(own_bundle), QuantizeOptions(recipe=str(recipe_file), threads=1)
    entered = rooms_entered(
        lambda: quantize_bundle(bundle, tmp_path / "own-int8.arseg", options), but=(*VALUES, *GRAPHS)
    )
    assert entered == [
        "compiler.quantize",
        "compiler.writing",
        "video",
        "runtime.engines",
        "runtime.pipeline",
        "video",
        "street",
        "runtime.segment",
        "runtime.keyframes",
        "motion",
        "runtime.engines",
        "runtime.verification",
        "runtime.engines",
    ]
    assert set(ways_back(entered)) == {"video", "runtime.engines"}
