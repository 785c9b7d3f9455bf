"""Scales, integers and places of Q/DQ nodes on graphs small enough to write down what they must be."""

import logging
from dataclasses import replace

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import numpy_helper
from support.graphs.quantization import SHAPE, conv, identity_shortcut, joined, one_conv, pooled, weighted_shortcut

from edge_arseg.compiler.graph_writer import GraphWriter
from edge_arseg.compiler.onnx_graph import OnnxGraph
from edge_arseg.compiler.quantize.calibrate.ranges import Range
from edge_arseg.compiler.quantize.dialects import DIALECTS, ONNX_RUNTIME, TENSORRT
from edge_arseg.compiler.quantize.qdq import qdq_from_ranges
from edge_arseg.compiler.quantize.rules.layers import Layers, layers_from_graph, observed_tensors
from edge_arseg.compiler.quantize.rules.preparation import prepared_graph
from edge_arseg.compiler.quantize.rules.tensorrt import residual_inputs
from edge_arseg.errors import ExportError
from edge_arseg.spec.manifest import Role


def quantized(model, ranges, activations, **options):
    layers = layers_from_graph(model, Role.HR)
    return qdq_from_ranges(model, layers, ranges, {}, dialect=DIALECTS[activations], **options)


def everywhere(model, low=-1.0, high=1.0):
    return dict.fromkeys(observed_tensors(model, layers_from_graph(model, Role.HR)), Range(low, high))


def constants(model):
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


def run(model, x):
    return ort.InferenceSession(model.SerializeToString(), disabled_optimizers=["WeightBiasQuantization"]).run(
        None, {"x": x}
    )[0]


def quantized_inputs(model, node_name):
    """Which inputs of a node come from a ``DequantizeLinear``."""
    graph = OnnxGraph(model)
    (node,) = [node for node in graph.nodes if node.name == node_name]
    made = [graph.producer(name) for name in node.input]
    return [node is not None and node.op_type == "DequantizeLinear" for node in made]


def test_numbers_for_onnx_runtime():
    model = quantized(one_conv(), {"x": Range(-1.0, 1.55), "y": Range(0.0, 2.55)}, "uint8")
    found = constants(model)
    assert found["x_scale"] == pytest.approx(0.01)
    assert found["x_zero_point"] == 100
    assert found["x_zero_point"].dtype == np.uint8
    assert found["y_scale"] == pytest.approx(0.01)
    assert found["y_zero_point"] == 0
    assert found["conv_w_scale"].tolist() == pytest.approx([1.27 / 64, 0.0254 / 64])  # one for each output channel
    assert found["conv_w_quantized"][:, :, 0, 0].tolist() == [[64, -25], [64, 32]]  # 7 bits
    assert found["conv_w_zero_point"].tolist() == [0, 0]
    assert found["conv_b_quantized"].dtype == np.int32
    # The rectifier is gone: integers from 0 on cannot be negative.
    assert [node.op_type for node in model.graph.node if node.op_type == "Relu"] == []


def test_numbers_for_tensorrt():
    model = quantized(one_conv(), {"x": Range(-1.0, 1.27), "y": Range(0.0, 2.54)}, "int8")
    found = constants(model)
    assert found["x_scale"] == pytest.approx(0.01)
    assert found["x_zero_point"] == 0
    assert found["x_zero_point"].dtype == np.int8
    assert found["conv_w_quantized"][:, :, 0, 0].tolist() == [[127, -50], [127, 64]]
    assert found["conv_b"].dtype == np.float32
    assert "y_scale" not in found  # results stay in float
    assert [node.op_type for node in model.graph.node][-1] == "Relu"
    assert all(not value.any() for name, value in found.items() if name.endswith("zero_point"))


@pytest.mark.parametrize("activations", ["uint8", "int8"])
def test_the_quantized_graph_computes_what_the_integers_say(activations):
    model = one_conv()
    x = np.random.default_rng(0).uniform(-1.0, 1.0, SHAPE).astype(np.float32)
    seen = run(quantized(model, {"x": Range(-1.0, 1.0), "y": Range(0.0, 2.0)}, activations), x)
    expected = run(model, x)
    assert np.abs(seen - expected).max() < 0.02
    assert np.abs(seen - expected).max() > 1e-5  # it is quantized


def test_values_outside_the_range_saturate():
    x = np.full(SHAPE, 5.0, np.float32)
    seen = run(quantized(one_conv(), {"x": Range(-1.0, 1.0), "y": Range(0.0, 0.5)}, "uint8"), x)
    assert seen.max() == pytest.approx(0.5, abs=1e-6)


def test_a_shortcut_that_is_quantized_for_a_convolution_is_quantized_for_the_sum():
    model = identity_shortcut()
    assert residual_inputs(model, ("stem", "first", "second")) == ["stem_relu"]
    result = quantized(model, everywhere(model), "int8")
    assert quantized_inputs(result, "sum") == [False, True]
    assert quantized_inputs(result, "second") == [True, True, False]


def test_of_two_convolutions_the_shorter_way_is_the_shortcut():
    model = weighted_shortcut()
    assert residual_inputs(model, ("stem", "first", "second", "shortcut")) == ["shortcut"]
    assert quantized_inputs(quantized(model, everywhere(model), "int8"), "sum") == [True, False]


def test_no_convolution_in_int8_no_residual():
    model = weighted_shortcut()
    assert residual_inputs(model, ("stem", "first", "shortcut")) == ["second"]  # the shortcut's own sum fuses
    assert residual_inputs(model, ("stem", "first")) == []
    result = quantized(model, everywhere(model), "int8", keep_float=("second", "shortcut"))
    assert quantized_inputs(result, "sum") == [False, False]


def test_onnx_runtime_gets_both_summands_and_the_sum_in_integers():
    model = weighted_shortcut()
    result = quantized(model, everywhere(model), "uint8")
    assert quantized_inputs(result, "sum") == [True, True]


def test_what_is_joined_shares_a_scale_for_tensorrt():
    model = joined()
    ranges = everywhere(model) | {"one_relu": Range(0.0, 1.0), "two_relu": Range(0.0, 12.7), "both": Range(0.0, 12.7)}
    found = constants(quantized(model, ranges, "int8"))
    assert found["both_scale"] == pytest.approx(0.1)
    assert found["two_relu_scale"] == pytest.approx(0.1)
    assert constants(quantized(model, ranges, "uint8"))["one_relu_scale"] == pytest.approx(1.0 / 255)


def test_a_rule_of_a_dialect_is_followed():
    model = weighted_shortcut()
    own = replace(TENSORRT, input_rules=(lambda graph, layers: ["sum"],), scale_rules=())
    result = qdq_from_ranges(model, layers_from_graph(model, Role.HR), everywhere(model), {}, dialect=own)
    assert quantized_inputs(result, "sum") == [False, False]
    assert quantized_inputs(result, "y") == [True]


def test_layers_in_float_have_float_weights():
    model = identity_shortcut()
    for activations in ("uint8", "int8"):
        result = quantized(model, everywhere(model), activations, keep_float=("first",))
        found = constants(result)
        assert "first_w" in found
        assert "first_w_quantized" not in found
        assert "second_w_quantized" in found


def test_all_layers_in_float_is_the_graph_itself():
    model = identity_shortcut()
    result = quantized(model, everywhere(model), "uint8", keep_float=("stem", "first", "second"))
    assert result == model


def test_one_layer_alone():
    model = identity_shortcut()
    result = qdq_from_ranges(model, Layers(("first",), ()), everywhere(model), {}, dialect=ONNX_RUNTIME)
    weights = [name for name in constants(result) if name.endswith("_w_quantized")]
    assert weights == ["first_w_quantized"]


def test_a_range_that_is_missing_is_named():
    model = identity_shortcut()
    ranges = everywhere(model)
    del ranges["first_relu"]
    with pytest.raises(ExportError, match="first"):
        quantized(model, ranges, "uint8")


def test_the_same_ranges_give_the_same_file():
    model = joined()
    one, other = (quantized(model, everywhere(model), "uint8").SerializeToString() for _ in range(2))
    assert one == other
    assert b"onnx.quantize" not in one


def test_the_graph_that_came_is_not_changed():
    model = joined()
    before = model.SerializeToString(deterministic=True)
    quantized(model, everywhere(model), "int8")
    assert model.SerializeToString(deterministic=True) == before


def test_a_tensor_that_was_always_zero_gets_a_scale():
    model = one_conv()
    found = constants(quantized(model, {"x": Range(0.0, 0.0), "y": Range(0.0, 0.0)}, "uint8"))
    assert found["x_scale"] > 0
    onnx.checker.check_model(quantized(model, {"x": Range(0.0, 0.0), "y": Range(0.0, 0.0)}, "int8"), full_check=True)


def test_averages_are_no_layers():
    layers = layers_from_graph(pooled(), Role.HR)
    assert layers.weighted == ("conv", "y")
    found = constants(quantized(pooled(), everywhere(pooled()), "uint8"))
    assert "averages" in found
    assert found["dense_w_quantized"].dtype == np.int8


def test_what_a_program_has_switched_off_in_its_log_stays_off():
    """Quantizing switched everything on again."""
    logging.disable(logging.ERROR)
    try:
        quantized(one_conv(), {"x": Range(-1.0, 1.55), "y": Range(0.0, 2.55)}, "uint8")
        assert logging.root.manager.disable == logging.ERROR
    finally:
        logging.disable(logging.NOTSET)


def test_the_last_row_of_an_average_that_rounds_up_stays():
    graph = GraphWriter()
    kept = conv(graph, "x", "first", weight=np.eye(2)[:, :, None, None])
    window = {"kernel_shape": [3, 3], "strides": [3, 3], "ceil_mode": 1, "count_include_pad": 1}
    conv(graph, graph.op("AveragePool", kept, name="mean", **window), "y", weight=np.eye(2)[:, :, None, None])
    model = prepared_graph(graph.model("hr", {"x": ("float32", SHAPE)}, {"y": ("float32", (1, 2, 2, 2))}))
    seen = run(quantized(model, everywhere(model, 0.0, 4.0), "uint8"), np.full(SHAPE, 3, np.float32))
    np.testing.assert_allclose(seen, np.full((1, 2, 2, 2), 3), atol=0.05)  # 1 and 0.33 at the border without
