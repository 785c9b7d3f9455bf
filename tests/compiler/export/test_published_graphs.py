"""The graphs of the published models, exported once each: right, clean and reproducible."""

import re
import shutil
from dataclasses import dataclass

import numpy as np
import onnx
import pytest
import torch
from support.golden.cases import GOLDEN, GoldenCase, golden_case, golden_network
from support.networks.published_states import published_states
from support.networks.small import own_network
from support.networks.tracing import TRACED

from edge_arseg.compiler.export import branches
from edge_arseg.compiler.export.branches import hr_graph, lr_graph
from edge_arseg.compiler.export.export import graph_entry, graphs_from_network
from edge_arseg.compiler.export.fusion import fuse_graph, head_graph, lr_head_graph
from edge_arseg.compiler.export.settings import ExportSettings
from edge_arseg.network.network import Network
from edge_arseg.network.variants import VARIANTS
from edge_arseg.runtime.engines.onnxruntime.engine import OnnxRuntimeEngine
from edge_arseg.spec import tensor as names
from edge_arseg.spec.manifest import Role
from edge_arseg.spec.tensor import TensorSpec
from edge_arseg.testing.networks import random_frame
from tools.check_golden import MAX_ERROR, MIN_AGREEMENT, rows_from_logits

SIZE = (90, 122)  # of the odd golden files: divisible by 2 at most


@dataclass(frozen=True)
class Exported:
    """A network with its graphs; ``hr``, ``fuse`` and ``lr_head`` have the debug output ``logits``."""

    network: Network
    case: GoldenCase
    settings: ExportSettings
    graphs: dict[Role, onnx.ModelProto]


@pytest.fixture(
    scope="module",
    # Cityscapes has four times the pixels, and psp18 a feature of the size of the frame.
    params=[pytest.param(one, marks=pytest.mark.slow) if one != "camvid-bise18" else one for one in VARIANTS],
)
def exported(request, tmp_path_factory):
    case, network = _golden(request.param, tmp_path_factory.mktemp(request.param))
    settings = ExportSettings(*SIZE, case.scale, flow_block=1)
    graphs = {
        Role.HR: hr_graph(network, settings, logits=True),
        Role.LR: lr_graph(network, settings),
        Role.FUSE: fuse_graph(network, settings, logits=True),
        Role.HEAD: head_graph(network, settings),
        Role.LR_HEAD: lr_head_graph(network, settings, logits=True),
    }
    return Exported(network, case, settings, graphs)


def _golden(variant, folder):
    """The odd golden file and its network; without the reference's files, frames and weights of our own."""
    file = GOLDEN / f"golden_{variant}_odd.npz"
    if file.exists():
        case = golden_case(file)
        network = golden_network(case, folder)
        shutil.rmtree(folder)
        return case, network
    network = published_states(variant)[2]
    key, current = (random_frame(*SIZE, seed=seed) for seed in (0, 1))
    flow = 4.0 * torch.randn(*SIZE, 2, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        logits = {
            "hr": network.hr_logits(key),
            "lr": network.lr_logits(current, 0.5),
            "ar": network.ar_logits(key, current, flow, 0.5),
        }
    arrays = {name: value[0].numpy() for name, value in logits.items()}
    return GoldenCase(variant, variant, 0, 0, 0.5, 1, key.numpy(), current.numpy(), flow.numpy(), arrays, {}), network


def run(folder, graph, **feeds):
    path = folder / f"{graph.graph.name}.onnx"
    path.write_bytes(graph.SerializeToString())
    with OnnxRuntimeEngine(path) as engine:
        return {name: np.array(value) for name, value in engine.run(feeds).items()}


def test_on_onnx_runtime_they_give_the_reference_s_logits(exported, tmp_path):
    case, graphs = exported.case, exported.graphs
    hr = run(tmp_path, graphs[Role.HR], frame=case.key_rgb)
    lr = run(tmp_path, graphs[Role.LR], frame=case.cur_rgb)
    lr_head = run(tmp_path, graphs[Role.LR_HEAD], lr_feature=lr["lr_feature"])
    fuse = run(tmp_path, graphs[Role.FUSE], key_feature=hr["feature"], flow=case.flow, lr_feature=lr["lr_feature"])
    head = run(tmp_path, graphs[Role.HEAD], fused_feature=fuse["fused_feature"])
    outputs = {"hr": hr, "lr": lr_head, "ar": fuse}
    rows = rows_from_logits(case, "onnx", {name: output["logits"][0] for name, output in outputs.items()})
    assert len(rows) == 3
    for row in rows:
        assert row.error <= MAX_ERROR, row
        assert row.agreement >= MIN_AGREEMENT, row
    for name, output in outputs.items():
        assert np.mean(output["class_map"] == case.logits[name].argmax(0)) >= MIN_AGREEMENT, name
    np.testing.assert_array_equal(head["class_map"], fuse["class_map"])


def test_inputs_and_outputs_are_those_of_the_contract(exported):
    classes, settings, network = len(exported.network.model.classes), exported.settings, exported.network
    feature = TensorSpec("float32", (1, network.hr.channels, *network.hr.feature_size(*SIZE)))
    lr_feature = TensorSpec("float32", (1, network.hr.channels, *network.hr.feature_size(*settings.lr_size)))
    frame, class_map = TensorSpec("uint8", (*SIZE, 3)), TensorSpec("uint8", SIZE)
    logits = {names.LOGITS: TensorSpec("float32", (1, classes, *SIZE))}
    flow = TensorSpec("float32", (*SIZE, 2))
    expected = {
        Role.HR: ({names.FRAME: frame}, {names.FEATURE: feature, names.CLASS_MAP: class_map} | logits),
        Role.LR: ({names.FRAME: frame}, {names.LR_FEATURE: lr_feature}),
        Role.FUSE: (
            {names.KEY_FEATURE: feature, names.FLOW: flow, names.LR_FEATURE: lr_feature},
            {names.FUSED_FEATURE: feature, names.CLASS_MAP: class_map} | logits,
        ),
        Role.HEAD: ({names.FUSED_FEATURE: feature}, {names.CLASS_MAP: class_map}),
        Role.LR_HEAD: ({names.LR_FEATURE: lr_feature}, {names.CLASS_MAP: class_map} | logits),
    }
    for role, graph in exported.graphs.items():
        entry = graph_entry(role, graph)
        assert (entry.inputs, entry.outputs) == expected[role], role


def test_opsets_are_those_that_every_tensorrt_imports_rightly(exported):
    for role, graph in exported.graphs.items():
        (opset,) = graph.opset_import
        assert opset.domain == "", role
        assert 16 <= opset.version <= 19, role
        assert not graph.functions, role
        assert {node.domain for node in graph.graph.node} <= {""}, role


def test_every_tensor_has_a_static_shape(exported):
    for role, graph in exported.graphs.items():
        inferred = onnx.shape_inference.infer_shapes(graph, strict_mode=True, data_prop=True).graph
        for value in (*inferred.input, *inferred.output):
            dimensions = value.type.tensor_type.shape.dim
            assert all(dimension.dim_value > 0 for dimension in dimensions), (role, value.name)
        assert not any(dimension.dim_param for v in inferred.value_info for dimension in v.type.tensor_type.shape.dim)


def test_nothing_of_the_machine_that_exported_is_inside(exported):
    trace = re.compile(rb"site-packages|\.py\b|/home/|/tmp/|stack_trace|pkg\.torch")
    for role, graph in exported.graphs.items():
        without_weights = onnx.ModelProto()
        without_weights.CopyFrom(graph)
        for constant in without_weights.graph.initializer:
            assert constant.data_location == onnx.TensorProto.DEFAULT, (role, constant.name)
            constant.ClearField("raw_data")
        found = trace.search(without_weights.SerializeToString())
        assert found is None, (role, found)


# Reproducibility and tiny sizes, on the small network


@pytest.mark.slow
def test_two_exports_of_a_network_are_equal_byte_for_byte(monkeypatch):
    monkeypatch.setattr(branches, "_traced", TRACED)
    settings = ExportSettings(45, 61, 0.5)
    for export in (hr_graph, fuse_graph, head_graph, lr_head_graph):
        first, second = (export(own_network(), settings).SerializeToString() for _ in range(2))
        assert first == second, export.__name__


def test_other_weights_give_other_graphs():
    settings = ExportSettings(45, 61, 0.5)
    one, other = (fuse_graph(own_network(seed=seed), settings) for seed in (0, 1))
    assert one.SerializeToString() != other.SerializeToString()
    assert [node.name for node in one.graph.node] == [node.name for node in other.graph.node]


@pytest.mark.slow
@pytest.mark.parametrize("variant", VARIANTS)
def test_the_smallest_size_exports_too(variant, tmp_path):
    network = published_states(variant)[2]
    settings = ExportSettings(17, 16, 0.5, flow_block=8)
    graphs = graphs_from_network(network, settings)
    key, frame, flow = random_frame(17, 16), random_frame(17, 16, seed=1), torch.randn(settings.flow_shape)
    hr = run(tmp_path, graphs[Role.HR], frame=key.numpy())
    lr = run(tmp_path, graphs[Role.LR], frame=frame.numpy())
    found = run(tmp_path, graphs[Role.FUSE], key_feature=hr["feature"], flow=flow.numpy(), lr_feature=lr["lr_feature"])
    with torch.inference_mode():
        expected = network.ar_logits(key, frame, flow, 0.5)[0].argmax(0).numpy()
    assert np.mean(found["class_map"] == expected) >= 0.99
