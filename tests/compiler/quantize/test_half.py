"""Float16 graphs, typed, with the warp in float32."""

import numpy as np
import onnx
import onnxruntime as ort
import pytest

from edge_arseg.compiler.onnx_graph import OnnxGraph, shapes_from_model
from edge_arseg.compiler.quantize.half import fp16_from_fp32, with_feature_type
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.spec.manifest import Role

HALF, SINGLE = onnx.TensorProto.FLOAT16, onnx.TensorProto.FLOAT


@pytest.fixture(scope="module")
def graphs(own_bundle):
    bundle = read_bundle(own_bundle)
    return {role: onnx.load(bundle.graph_path(role)) for role in Role}


def types(model):
    values = (*model.graph.input, *model.graph.output)
    return {value.name: value.type.tensor_type.elem_type for value in values}


@pytest.mark.parametrize("features", ["float32", "float16"])
def test_features_have_the_type_asked_for_and_the_rest_stays(graphs, features):
    wanted = HALF if features == "float16" else SINGLE
    for role, model in graphs.items():
        for seen in (types(fp16_from_fp32(model, features=features)), types(with_feature_type(model, features))):
            assert set(seen) == set(types(model))
            for name, kind in seen.items():
                expected = wanted if "feature" in name else types(model)[name]
                assert kind == expected, (role, name)


def test_layers_are_in_float16(graphs):
    model = fp16_from_fp32(graphs[Role.HR])
    assert all(tensor.data_type != SINGLE for tensor in model.graph.initializer if len(tensor.dims) == 4)


def test_positions_and_similarity_stay_in_float32(graphs):
    model = fp16_from_fp32(graphs[Role.FUSE], features="float16")
    kinds = {name: elem_type for name, (elem_type, _) in shapes_from_model(model).items()}
    for node in model.graph.node:
        if node.op_type in ("GridSample", "Softmax"):
            assert {kinds[name] for name in (*node.input, *node.output) if name in kinds} == {SINGLE}, node.name
    graph = OnnxGraph(model)
    (sample,) = [node for node in graph.nodes if node.op_type == "GridSample"]
    adds = [node for node in graph.in_front(sample) if node.op_type in ("Add", "Mul", "Resize")]
    assert adds
    assert all(kinds[node.output[0]] == SINGLE for node in adds)
    convs = [node for node in graph.nodes if node.op_type == "Conv"]
    assert all(kinds.get(node.output[0]) == HALF for node in convs if node.name in ("query", "key", "value"))


def test_the_fusion_in_float16_is_close(graphs):
    model = graphs[Role.FUSE]
    generator = np.random.default_rng(0)
    feeds = {}
    for value in model.graph.input:
        shape = [dimension.dim_value for dimension in value.type.tensor_type.shape.dim]
        feeds[value.name] = generator.normal(0.0, 2.0 if value.name == "flow" else 1.0, shape).astype(np.float32)
    expected = ort.InferenceSession(model.SerializeToString()).run(["fused_feature"], feeds)[0]
    half = {name: array if name == "flow" else array.astype(np.float16) for name, array in feeds.items()}
    options = ort.SessionOptions()
    options.log_severity_level = 4
    session = ort.InferenceSession(fp16_from_fp32(model, features="float16").SerializeToString(), options)
    seen = session.run(["fused_feature"], half)[0]
    assert seen.dtype == np.float16
    error = np.abs(seen.astype(np.float32) - expected)
    assert error.max() < 0.05
    assert error.max() > 0.0


def test_opset_stays_below_twenty(graphs):
    for model in graphs.values():
        assert fp16_from_fp32(model).opset_import[0].version == 19
