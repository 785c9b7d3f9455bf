"""Every graph at every precision, parsed and built as a strongly typed network by TensorRT-RTX, which needs no GPU."""

import onnx
import pytest
import torch

from edge_arseg.compiler.export_settings import ExportSettings
from edge_arseg.compiler.exporter import graphs_from_network
from edge_arseg.compiler.quantization.calibration import PreparedBranch
from edge_arseg.compiler.quantization.layers import layers_from_graph, observed_tensors
from edge_arseg.compiler.quantization.precision import PrecisionPlan, graphs_from_plan
from edge_arseg.compiler.quantization.preparation import prepared_graph
from edge_arseg.compiler.quantization.ranges import Range
from edge_arseg.network.network import Network
from edge_arseg.spec.classes import CAMVID_11, CAMVID_NORMALISATION
from edge_arseg.spec.manifest import Precision, Role
from edge_arseg.spec.model import Model

pytestmark = pytest.mark.gate
EXPECTED = ("Converting conv activation scales to fp32", "Converting conv weight scales to fp32")
"""TensorRT-RTX says so of float16 Q/DQ; it changes the type of a constant, not of a layer."""


@pytest.fixture(
    scope="module",
    params=[
        "own",
        pytest.param("compact", marks=pytest.mark.slow),
        pytest.param("bise18", marks=pytest.mark.slow),
        pytest.param("psp18", marks=pytest.mark.slow),
    ],
)
def graphs(request):
    """The float32 graphs of a network with weights of its own."""
    if request.param == "own":
        from small_networks import own_network

        network = own_network()
    else:
        torch.manual_seed(0)
        network = Network(Model("camvid-gate", request.param, CAMVID_11, CAMVID_NORMALISATION)).eval()
    return graphs_from_network(network, ExportSettings(90, 122, 0.5, 5))


def built(model: onnx.ModelProto) -> tuple[bool, list[str]]:
    """Parse and build; return whether it worked and what was said."""
    trt = pytest.importorskip("tensorrt_rtx")

    class Log(trt.ILogger):
        def __init__(self):
            trt.ILogger.__init__(self)
            self.said = []

        def log(self, severity, message):
            if severity <= trt.ILogger.WARNING:
                self.said.append(message)

    log = Log()
    builder = trt.Builder(log)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, log)
    if not parser.parse(model.SerializeToString()):
        return False, [str(parser.get_error(i)) for i in range(parser.num_errors)]
    return builder.build_serialized_network(network, builder.create_builder_config()) is not None, log.said


@pytest.mark.parametrize("precision", [Precision.FP16, Precision.INT8])
def test_every_graph_is_built_strongly_typed(graphs, precision):
    roles = (Role.HR, Role.LR, Role.FUSE)
    branches = {}
    for role in roles:
        model = prepared_graph(graphs[role])
        branches[role] = PreparedBranch(model, layers_from_graph(model, role))
    # Any ranges do: what is built does not depend on the numbers.
    ranges = {
        role: dict.fromkeys(observed_tensors(branch.model, branch.layers), Range(-1.0, 1.0))
        for role, branch in branches.items()
    }
    plan = PrecisionPlan(dict.fromkeys(roles, precision), activations="int8")
    for role, model in graphs_from_plan(graphs, branches, ranges, plan).items():
        done, said = built(model)
        unexpected = [line for line in said if not any(known in line for known in EXPECTED)]
        assert done, (role, said)
        assert unexpected == [], role
        if precision is Precision.INT8 and role in roles:
            weights = [t for t in model.graph.initializer if t.data_type == onnx.TensorProto.INT8 and len(t.dims) == 4]
            assert len(weights) == len(branches[role].layers.weighted) - _products(branches[role])


def _products(branch):
    return sum(node.op_type == "MatMul" and node.name in branch.layers.weighted for node in branch.model.graph.node)
