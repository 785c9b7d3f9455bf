"""Every graph of every variant in every precision: taken by TensorRT-RTX, and computed in the types that were meant."""

import pytest
from published_states import published_states
from small_networks import own_network

from edge_arseg.compiler.export_settings import ExportSettings
from edge_arseg.compiler.exporter import graphs_from_network
from edge_arseg.compiler.graph_gate import classifiers, result_from_graph
from edge_arseg.compiler.layer_types import LayerTypes
from edge_arseg.compiler.quantization.calibration import PreparedBranch
from edge_arseg.compiler.quantization.layers import layers_from_graph, observed_tensors
from edge_arseg.compiler.quantization.precision import PrecisionPlan, graphs_from_plan
from edge_arseg.compiler.quantization.preparation import prepared_graph
from edge_arseg.compiler.quantization.ranges import Range
from edge_arseg.compiler.tensorrt_builder import TensorRtBuilder
from edge_arseg.network.variants import VARIANTS
from edge_arseg.spec.manifest import Precision, Role

BRANCHES = (Role.HR, Role.LR, Role.FUSE)


@pytest.fixture(scope="module", params=["own", *(pytest.param(name, marks=pytest.mark.slow) for name in VARIANTS)])
def graphs(request):
    network = own_network() if request.param == "own" else published_states(request.param)[2]
    return graphs_from_network(network, ExportSettings(90, 122, 0.5, 5))


@pytest.fixture(scope="module")
def builder():
    return TensorRtBuilder(pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx is not installed (extra: gate)"))


def in_precision(graphs, precision, *, keep_float=None):
    """All graphs in one precision, with what the manifest would state. Any ranges do: only types are looked at."""
    branches = {}
    if precision is Precision.INT8:
        for role in BRANCHES:
            model = prepared_graph(graphs[role])
            branches[role] = PreparedBranch(model, layers_from_graph(model, role))
    ranges = {
        role: dict.fromkeys(observed_tensors(branch.model, branch.layers), Range(-1.0, 1.0))
        for role, branch in branches.items()
    }
    plan = PrecisionPlan(dict.fromkeys(BRANCHES, precision), activations="int8", keep_float=keep_float or {})
    made = graphs_from_plan(graphs, branches, ranges, plan)
    return {role: (model.SerializeToString(), plan.stated(role)) for role, model in made.items()}


@pytest.mark.gate
@pytest.mark.parametrize("precision", [Precision.FP32, Precision.FP16, Precision.INT8])
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
