"""The walk of docs/architecture.md that ends in ``compile``, as the calls really go."""

from support.compiling.machines import HOST, NANO
from support.walks.rooms import rooms_entered, ways_back

from edge_arseg.compiler.target.compile import compile_bundle
from edge_arseg.compiler.target.options import CompileOptions
from edge_arseg.runtime.bundles.reading import read_bundle


def test_a_compilation_comes_back_only_to_the_rooms_that_it_asked_before_it_began(own_bundle, tmp_path):
    """What cannot be done is refused before an hour's work; converting and writing follow, then the check."""
    bundle, options = read_bundle(own_bundle), CompileOptions(output=tmp_path / "own-nano.arseg")
    entered = rooms_entered(lambda: compile_bundle(bundle, NANO, options, machine=HOST))
    assert entered == [
        "compiler.target",
        "compiler.machine",
        "compiler.quantize",
        "compiler.writing",
        "compiler.quantize",
        "compiler.onnx_graph",
        "compiler.entries",
        "compiler.writing",
        "runtime.verification",
        "runtime.engines",
        "runtime.verification",
        "compiler.engines",
    ]
    assert set(ways_back(entered)) == {"compiler.quantize", "compiler.writing", "runtime.verification"}
