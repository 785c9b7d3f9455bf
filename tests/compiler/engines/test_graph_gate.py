"""Every graph of a small network in every precision: taken by TensorRT-RTX, and computed in the types that were meant.

``check_variants.py`` asks the same of every variant; it takes half an hour, and `make graphs-gate` runs it.
"""

import onnx
import pytest
from onnx import TensorProto
from support.graphs.gate import BRANCHES, PRECISIONS, in_precision
from support.networks.small import own_network

from edge_arseg.compiler.engines.contract import BuildSettings
from edge_arseg.compiler.engines.gate import HARMLESS, classifiers, result_from_graph
from edge_arseg.compiler.engines.tensorrt import LayerTypes, TensorRtBuilder
from edge_arseg.compiler.export.export import graphs_from_network
from edge_arseg.compiler.export.settings import ExportSettings
from edge_arseg.compiler.quantize.rules.layers import layers_from_graph
from edge_arseg.compiler.quantize.rules.preparation import prepared_graph
from edge_arseg.spec.manifest import Precision, Role


@pytest.fixture(scope="module")
def graphs():
    return graphs_from_network(own_network(), ExportSettings(90, 122, 0.5, 5))


@pytest.fixture(scope="module")
def builder():
    return TensorRtBuilder(pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx is not installed (extra: gate)"))


@pytest.mark.gate
@pytest.mark.parametrize("precision", PRECISIONS)
def test_every_graph_is_computed_as_it_was_meant(graphs, builder, precision):
    for role, (graph, stated) in in_precision(graphs, precision).items():
        result = result_from_graph(graph, stated, builder)
        assert result.faults == (), role
        assert result.plan_bytes > 1000
        assert result.weighted > 0
        if precision is Precision.FP32:
            assert len(result.float32) == result.weighted
        else:
            assert result.float32 == (), role
        if precision is Precision.INT8 and role in BRANCHES:
            assert set(result.unquantized) <= set(result.classifier), role
            assert result.weighted > len(result.unquantized)


@pytest.mark.parametrize("role", BRANCHES)
def test_every_layer_that_may_be_is_quantized(graphs, role):
    """In the ONNX file, before any library sees it; products of matrices keep their operands apart from the weights."""
    layers = layers_from_graph(prepared_graph(graphs[role]), role)
    kinds = {node.name: node.op_type for node in prepared_graph(graphs[role]).graph.node}
    convolutions = [name for name in layers.weighted if kinds[name] != "MatMul"]
    model = onnx.load_from_string(in_precision(graphs, Precision.INT8)[role][0])
    weights = [t for t in model.graph.initializer if t.data_type == TensorProto.INT8 and len(t.dims) == 4]
    assert len(weights) == len(convolutions) > 2


@pytest.fixture(scope="module")
def own():
    return graphs_from_network(own_network(), ExportSettings(45, 61, 0.5, 5))


@pytest.mark.gate
def test_a_float32_graph_that_is_said_to_be_float16_is_noticed(own, builder):
    result = result_from_graph(own[Role.LR].SerializeToString(), Precision.FP16, builder)
    assert len(result.faults) == result.weighted > 5
    assert all("computes in float32" in fault for fault in result.faults)


@pytest.mark.gate
def test_a_graph_that_is_said_to_be_int8_is_noticed(own, builder):
    graph, _ = in_precision(own, Precision.FP16)[Role.HR]
    result = result_from_graph(graph, Precision.INT8, builder)
    assert len(result.classifier) == 1
    assert len(result.faults) == result.weighted - 1 > 5


@pytest.mark.gate
def test_layers_kept_in_float_are_told_and_are_a_fault_only_where_nobody_said_so(own, builder):
    model = prepared_graph(own[Role.LR])
    kept = frozenset(layers_from_graph(model, Role.LR).weighted[2:4])
    graph, stated = in_precision(own, Precision.INT8, keep_float={Role.LR: kept})[Role.LR]
    assert stated is Precision.MIXED
    result = result_from_graph(graph, stated, builder)
    assert result.faults == ()
    assert len(result.unquantized) == 2
    assert len(result_from_graph(graph, Precision.INT8, builder).faults) == 2


@pytest.mark.gate
def test_what_the_real_library_warns_of_is_heard(own, builder):
    """Whoever built before in this process: with a second logger of its own the gate would hear nothing and pass."""
    graph, stated = in_precision(own, Precision.INT8)[Role.HR]
    settings = BuildSettings(1 << 30)
    heard = [builder.build(graph, stated, settings, b"", lambda _: None).warnings for _ in range(2)]
    assert heard[0] == heard[1] != ()
    assert all(any(known in text for known in HARMLESS) for text in heard[0])


@pytest.mark.gate
def test_a_graph_that_is_not_taken_says_why(builder):
    result = result_from_graph(b"nonsense", Precision.FP32, builder)
    assert result.layers == 0
    assert "cannot read this graph" in result.faults[0]


def test_the_classifier_is_the_last_convolution_before_the_choice():
    def layer(name, kind, inputs, output):
        return LayerTypes(name, kind, tuple(inputs), (output,), ("FLOAT",))

    network = [
        layer("stem", "CONVOLUTION", ["image"], "a"),
        layer("features", "CONVOLUTION", ["a"], "b"),
        layer("relu", "ACTIVATION", ["b"], "feature"),
        layer("scores", "CONVOLUTION", ["feature"], "c"),
        layer("resize", "RESIZE", ["c"], "d"),
        layer("argmax", "TOPK", ["d"], "map"),
        layer("side", "CONVOLUTION", ["a"], "e"),
    ]
    assert classifiers(network) == ("scores",)
    assert classifiers(network[:3]) == ()
