"""Sums of two products in 16 bits: what they can come to, from the weights alone, on any CPU."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from support.graphs.quantization import SHAPE, one_conv

from edge_arseg.compiler.graph_writer import GraphWriter
from edge_arseg.compiler.quantize.calibrate.ranges import Range
from edge_arseg.compiler.quantize.dialects import DIALECTS
from edge_arseg.compiler.quantize.qdq import qdq_from_ranges
from edge_arseg.compiler.quantize.rules.layers import layers_from_graph
from edge_arseg.compiler.quantize.rules.saturation import check_sums, pair_sums, weight_bits
from edge_arseg.errors import ExportError
from edge_arseg.runtime.bundles.zoo import ZOO
from edge_arseg.spec.manifest import Precision, Role, manifest_from_json

RANGES = {"x": Range(-1.0, 1.0), "y": Range(0.0, 2.0)}
INT8 = {
    path: manifest
    for path in sorted(ZOO.glob("*.arseg"))
    if (manifest := manifest_from_json((path / "manifest.json").read_bytes())).quantization
}
CONVOLUTIONS = {"camvid-compact-360x480-int8.arseg": 28, "camvid-lite1-360x480-int8.arseg": 75}


def layer(kind, weights, *, reshaped=None, left=False, **attributes):
    """A layer whose weights are dequantized, with one scale."""
    constants = [
        numpy_helper.from_array(np.array(weights, np.int8), "w"),
        numpy_helper.from_array(np.array(0.5, np.float32), "scale"),
    ]
    nodes = [helper.make_node("DequantizeLinear", ["w", "scale"], ["dequantized"])]
    name = "dequantized"
    if reshaped:
        nodes.append(helper.make_node(reshaped, [name], ["turned"]))
        name = "turned"
    nodes.append(helper.make_node(kind, [name, "x"] if left else ["x", name], ["y"], name="layer", **attributes))
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in "xy"]
    return helper.make_model(helper.make_graph(nodes, "hr", values[:1], values[1:], constants))


def quantized(activations):
    model = one_conv()
    return qdq_from_ranges(model, layers_from_graph(model, Role.HR), RANGES, {}, dialect=DIALECTS[activations])


def test_the_package_ships_quantized_bundles():
    assert {path.name for path in INT8} == {*CONVOLUTIONS}


@pytest.mark.parametrize("path", INT8, ids=lambda path: path.name)
def test_no_pair_of_a_shipped_bundle_can_saturate(path):
    manifest = INT8[path]
    assert manifest.quantization.weight_bits == 7
    integer = {role: entry for role, entry in manifest.graphs.items() if entry.precision is not Precision.FP32}
    assert sorted(role.value for role in integer) == ["hr", "lr"]
    for entry in integer.values():
        sums = pair_sums(onnx.load(path / entry.file))
        assert len(sums) == CONVOLUTIONS[path.name]
        assert max(255 * (found.first + found.second) for found in sums) == 32640  # at most 32767


@pytest.mark.parametrize(
    ("kind", "weights", "options", "channel", "pair"),
    [
        ("Conv", [[[[1, -9]], [[3, 2]]], [[[100, 0]], [[0, -28]]]], {}, 1, (100, 28)),
        ("Conv", [[[[100, 1]]], [[[90, -60]]]], {"group": 2}, 1, (90, 60)),  # depthwise: a channel meets itself alone
        ("ConvTranspose", [[[[1]], [[100]]], [[[2]], [[-28]]]], {}, 1, (100, 28)),
        ("ConvTranspose", [[[[1]], [[100]]], [[[2]], [[28]]]], {"group": 2}, 1, (100, 0)),
        ("MatMul", [[1, 100], [2, -28]], {}, 1, (100, 28)),
        ("MatMul", [[1, 2], [100, -28]], {"left": True}, 1, (100, 28)),
        ("Gemm", [[1, 100], [2, -28]], {}, 1, (100, 28)),
        ("Gemm", [[1, 2], [100, -28]], {"transB": 1}, 1, (100, 28)),
        ("Gemm", [[1, 100], [2, -28]], {"left": True, "transA": 1}, 1, (100, 28)),
        ("MatMul", [[1, 100], [2, -128]], {"reshaped": "Transpose"}, -1, (128, 100)),
    ],
)
def test_the_two_largest_of_an_output_channel_meet(kind, weights, options, channel, pair):
    (found,) = pair_sums(layer(kind, weights, **options))
    assert (found.layer, found.weight, found.channel, (found.first, found.second)) == ("layer", "w", channel, pair)
    assert found.value == 255 * sum(pair)


def test_weights_of_8_bits_are_refused_by_layer_and_value():
    wide = quantized("int8")  # for TensorRT, which adds in 32 bits
    assert weight_bits(wide) == 8
    with pytest.raises(ExportError, match=r"conv \(conv_w_quantized\), channel 1: 255 \* \(127 \+ 64\) = 48705"):
        check_sums(wide)


def test_weights_of_uint8_graphs_get_7_bits():
    assert weight_bits(quantized("uint8")) == 7
    assert weight_bits(one_conv()) is None


@pytest.mark.parametrize(("activations", "bits"), [("uint8", 7), ("int8", 8)])
def test_depthwise_layers_follow_the_rule_of_their_dialect(activations, bits):
    """A channel of 25 weights that are all the largest: 64 + 64 with 7 bits, 127 + 127 with 8."""
    graph = GraphWriter()
    weight = np.ones((2, 1, 5, 5), np.float32) * np.array([0.3, -2.0])[:, None, None, None]
    kernel = graph.constant("dw_w", weight.astype(np.float32))
    rectified = graph.op("Clip", graph.op("Conv", "x", kernel, name="dw", group=2, pads=[2] * 4), name="y")
    assert rectified == "y"
    model = graph.model("hr", {"x": ("float32", SHAPE)}, {"y": ("float32", SHAPE)})
    int8 = qdq_from_ranges(model, layers_from_graph(model, Role.HR), RANGES, {}, dialect=DIALECTS[activations])
    assert weight_bits(int8) == bits
    (found,) = pair_sums(int8)
    assert (found.first, found.second) == ((64, 64) if bits == 7 else (127, 127))


def test_a_quantizer_that_goes_back_to_8_bits_does_not_get_away_with_it(monkeypatch):
    from edge_arseg.compiler.quantize import qdq

    whole = qdq.QDQQuantizer
    monkeypatch.setattr(qdq, "QDQQuantizer", lambda *args, **options: whole(*args, **options | {"reduce_range": False}))
    with pytest.raises(ExportError, match=r"= 48705"):
        quantized("uint8")


@pytest.mark.parametrize(("first", "second", "fits"), [(64, 64, True), (127, 1, True), (127, 2, False)])
def test_the_limit_is_32767(first, second, fits):
    model = layer("Conv", [[[[first]], [[second]]]])
    assert weight_bits(model) == (7 if fits else 8)
    if fits:
        check_sums(model)
    else:
        with pytest.raises(ExportError, match="32895"):
            check_sums(model)
