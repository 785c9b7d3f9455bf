"""Int8 graphs without their Q/DQ pairs: the float graphs with rounded weights that they stand for."""

from functools import partial

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import numpy_helper
from support.graphs.quantization import SHAPE, identity_shortcut, joined, one_conv, pooled, weighted_shortcut

from edge_arseg.compiler.graph_writer import GraphWriter
from edge_arseg.compiler.onnx_graph import OnnxGraph
from edge_arseg.compiler.quantize.calibrate.ranges import Range
from edge_arseg.compiler.quantize.dialects import DIALECTS
from edge_arseg.compiler.quantize.floating import float_from_qdq
from edge_arseg.compiler.quantize.qdq import qdq_from_ranges
from edge_arseg.compiler.quantize.rules.layers import layers_from_graph, observed_tensors
from edge_arseg.errors import ExportError
from edge_arseg.network.checkpoint.graph_constants import constants_from_graph
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.runtime.bundles.zoo import ZOO
from edge_arseg.spec.manifest import Role

GRAPHS = (one_conv, identity_shortcut, weighted_shortcut, joined, pooled)


def random_input(seed):
    return np.random.default_rng(seed).normal(size=SHAPE).astype(np.float32)


def from_to(least, most):
    return np.linspace(least, most, int(np.prod(SHAPE)), dtype=np.float32).reshape(SHAPE)


def all_values(model, x):
    """Every activation of a graph by name."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    given = {value.name for value in copy.graph.output}
    inferred = onnx.shape_inference.infer_shapes(copy)
    copy.graph.output.extend(value for value in inferred.graph.value_info if value.name not in given)
    session = ort.InferenceSession(copy.SerializeToString(), providers=["CPUExecutionProvider"])
    return dict(zip([value.name for value in copy.graph.output], session.run(None, {"x": x}), strict=True))


def rounded(model, x, activations="uint8"):
    """A graph in int8, with the ranges that it has on one input."""
    layers = layers_from_graph(model, Role.HR)
    values = all_values(model, x) | {"x": x}
    seen = {name: values[name] for name in observed_tensors(model, layers)}
    ranges = {name: Range(min(0.0, float(value.min())), max(0.0, float(value.max()))) for name, value in seen.items()}
    return qdq_from_ranges(model, layers, ranges, {}, dialect=DIALECTS[activations])


def with_constants(model, constants):
    """A graph with other values for its constants."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for tensor in copy.graph.initializer:
        tensor.CopyFrom(numpy_helper.from_array(constants[tensor.name], tensor.name))
    return copy


@settings(max_examples=40)
@given(st.sampled_from(GRAPHS), st.sampled_from(["uint8", "int8"]), st.integers(0, 2**32 - 1))
def test_it_is_the_original_graph_with_the_rounded_weights(make, activations, seed):
    """On the input that the ranges are of no value reaches a limit, so the graphs are the same function there."""
    model = make()
    x = random_input(seed)
    found = float_from_qdq(rounded(model, x, activations))
    assert not {"QuantizeLinear", "DequantizeLinear"} & {node.op_type for node in found.graph.node}
    constants = constants_from_graph(found)
    for tensor in model.graph.initializer:
        weights, step = numpy_helper.to_array(tensor), np.abs(numpy_helper.to_array(tensor)).max() / 63.0
        np.testing.assert_allclose(constants[tensor.name], weights, atol=step / 2 + 1e-6)
    expected = all_values(with_constants(model, constants), x)["y"]
    largest = np.abs(expected).max()
    # The limits are those of the float graph; rounded weights may pass them by what they were rounded.
    np.testing.assert_allclose(all_values(found, x)["y"], expected, atol=0.05 * largest + 1e-6)


@settings(max_examples=40)
@given(st.sampled_from(GRAPHS), st.sampled_from(["uint8", "int8"]), st.integers(0, 2**32 - 1))
def test_it_gives_what_the_integers_give_up_to_the_rounding_of_activations(make, activations, seed):
    x = random_input(seed)
    model = rounded(make(), x, activations)
    integers, floats = all_values(model, x)["y"], all_values(float_from_qdq(model), x)["y"]
    # Each of at most four roundings on the way is half a step of 1/255 or 1/127 of what is there, and layers add.
    np.testing.assert_allclose(floats, integers, atol=0.08 * np.abs(integers).max())


def rectified_graph(kind, *limits):
    """A convolution that passes its input on, and a rectifier."""
    graph = GraphWriter()
    weight = graph.constant("w", np.eye(2, dtype=np.float32)[:, :, None, None])
    passed = graph.op("Conv", "x", weight, name="conv")
    ends = [graph.constant(f"limit_{index}", np.array(limit, np.float32)) for index, limit in enumerate(limits)]
    graph.op(kind, passed, *ends, name="y")
    return graph.model("hr", {"x": ("float32", SHAPE)}, {"y": ("float32", SHAPE)})


@pytest.mark.parametrize(("kind", "limits", "least", "most"), [("Relu", (), 0.0, 8.0), ("Clip", (0.0, 6.0), 0.0, 6.0)])
def test_a_rectifier_that_the_quantizer_left_out_is_there_again(kind, limits, least, most):
    x = from_to(-8.0, 8.0)
    model = rounded(rectified_graph(kind, *limits), x)
    assert kind not in {node.op_type for node in model.graph.node}
    found = float_from_qdq(model)
    np.testing.assert_allclose(all_values(found, x)["y"], np.clip(x, least, most), atol=1e-4)


def test_a_rectifier_is_not_repeated_behind_what_keeps_its_range():
    graph = GraphWriter()
    weight = graph.constant("w", np.eye(2, dtype=np.float32)[:, :, None, None])
    rectified = graph.op("Relu", graph.op("Conv", "x", weight, name="first"), name="relu")
    pooled_ = graph.op("MaxPool", rectified, name="pool", kernel_shape=[1, 1])
    graph.op("Conv", pooled_, graph.constant("turned_w", -np.eye(2, dtype=np.float32)[:, :, None, None]), name="y")
    model = graph.model("hr", {"x": ("float32", SHAPE)}, {"y": ("float32", SHAPE)})
    x = from_to(-1.0, 1.0)
    found = float_from_qdq(rounded(model, x))
    clips = [node.output[0] for node in found.graph.node if node.op_type == "Clip"]
    assert len(clips) == 1
    np.testing.assert_allclose(all_values(found, x)["y"], -np.maximum(x, 0.0), atol=1e-4)


def test_a_float_graph_comes_back_as_it_is():
    model = identity_shortcut()
    assert float_from_qdq(model).graph == model.graph


def test_a_graph_that_computes_with_integers_is_refused():
    graph = GraphWriter()
    scale, zero = graph.constant("scale", np.float32(0.1)), graph.constant("zero", np.uint8(0))
    integers = graph.op("QuantizeLinear", "x", scale, zero, name="integers")
    more = graph.op("Reshape", integers, graph.integers(*SHAPE), name="turned")
    graph.op("DequantizeLinear", more, scale, zero, name="y")
    model = graph.model("hr", {"x": ("float32", SHAPE)}, {"y": ("float32", SHAPE)})
    with pytest.raises(ExportError, match=r"hr: Reshape turned computes with integers"):
        float_from_qdq(model)


@pytest.mark.parametrize("name", ["camvid-compact-360x480-int8", "camvid-lite1-360x480-int8"])
def test_the_shipped_bundles_agree_with_torch_at_least_as_they_do_in_int8(name):
    bundle = read_bundle(ZOO / f"{name}.arseg")
    golden = bundle.golden_frames()
    model = onnx.load(bundle.graph_path(Role.HR))
    found = float_from_qdq(model)
    run = partial(_class_map, frame=golden.frames[0])
    agreements = [float((run(graph) == golden.hr_maps[0]).mean()) for graph in (model, found)]
    assert agreements[1] > 0.995
    assert agreements[1] >= agreements[0]
    graph = OnnxGraph(found)
    assert {"feature", "class_map"} <= {name for node in graph.nodes for name in node.output}
    assert all(value.dtype != np.int8 for value in graph.constants.values())


def _class_map(model, frame):
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(["class_map"], {"frame": frame})[0]
