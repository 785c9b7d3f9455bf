"""Biases take back what rounded weights add to the mean of each channel."""

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import numpy_helper

from edge_arseg.compiler.graph_writer import GraphWriter
from edge_arseg.compiler.onnx_graph import OnnxGraph
from edge_arseg.compiler.quantize.calibrate.means import ChannelMean
from edge_arseg.compiler.quantize.calibrate.ranges import Range
from edge_arseg.compiler.quantize.dialects import DIALECTS
from edge_arseg.compiler.quantize.qdq import qdq_from_ranges
from edge_arseg.compiler.quantize.rules.biases import mean_shift
from edge_arseg.compiler.quantize.rules.layers import Layers
from edge_arseg.compiler.quantize.rules.preparation import prepared_graph

SIZE = (12, 16)
RANGES = {"x": Range(0.0, 4.0), "y": Range(-60.0, 60.0)}
FAR = np.array([3.0, 0.5, 2.0, 1.0, 3.5, 2.5])
"""Means of six channels, so far from zero that the error of the weights shows."""


def convolution(*, groups, kernel=3, bias=True, outputs=6):
    rng = np.random.default_rng(groups)
    weight = rng.normal(size=(outputs, 6 // groups, kernel, kernel)).astype(np.float32)
    graph = GraphWriter()
    inputs = ["x", graph.constant("w", weight)]
    if bias:
        inputs.append(graph.constant("b", rng.normal(size=outputs).astype(np.float32)))
    graph.op("Conv", *inputs, name="y", group=groups)  # no padding: each place sees all weights
    rows, columns = (side - kernel + 1 for side in SIZE)
    return graph.model("hr", {"x": ("float32", (1, 6, *SIZE))}, {"y": ("float32", (1, outputs, rows, columns))})


def activations(seed=0):
    noise = np.random.default_rng(seed).uniform(-0.5, 0.5, (1, 6, *SIZE))
    return (FAR[:, None, None] + noise).astype(np.float32)


def run(model, x):
    """The graph as it stands: no optimizer may move what is looked at."""
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    return ort.InferenceSession(model.SerializeToString(), options).run(None, {"x": x})[0]


def quantized(model, means, activations="uint8"):
    return qdq_from_ranges(model, Layers(("y",), ()), RANGES, means, dialect=DIALECTS[activations])


@pytest.mark.parametrize("activations_of", ["uint8", "int8"])
@pytest.mark.parametrize(("groups", "outputs"), [(1, 4), (2, 8), (6, 6), (6, 12)])
def test_the_mean_of_each_channel_is_that_of_float(groups, outputs, activations_of):
    model, x = convolution(groups=groups, outputs=outputs), activations()
    expected = run(model, x).mean(axis=(0, 2, 3))
    off = [
        np.abs(run(quantized(model, means, activations_of), x).mean(axis=(0, 2, 3)) - expected)
        for means in ({}, {"x": x.mean(axis=(0, 2, 3), dtype=np.float64)})
    ]
    step = 120.0 / 255.0 if activations_of == "uint8" else 0.0  # results of uint8 graphs are rounded too
    assert off[1].max() < 0.012 + 0.05 * step
    assert off[1].mean() < 0.5 * off[0].mean()


def test_only_the_bias_differs():
    model, x = convolution(groups=6), activations()
    means = {"x": x.mean(axis=(0, 2, 3), dtype=np.float64)}
    plain, corrected = (constants(quantized(model, one)) for one in ({}, means))
    assert plain.keys() == corrected.keys()
    assert [name for name in plain if not np.array_equal(plain[name], corrected[name])] == ["b_quantized"]
    rounded = plain["w_quantized"].astype(float) * plain["w_scale"][:, None, None, None]
    shift = ((rounded - constants(model)["w"]) * means["x"][:, None, None, None]).sum(axis=(1, 2, 3))
    unit = plain["x_scale"] * plain["w_scale"]
    assert np.abs(plain["b_quantized"] - shift / unit - corrected["b_quantized"]).max() <= 0.5 + 1e-3


def constants(model):
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


def test_a_convolution_without_a_bias_gets_one_and_two_that_share_one_are_parted():
    graph = GraphWriter()
    weight = graph.constant("w", np.ones((6, 6, 1, 1), np.float32))
    shared = graph.constant("b", np.arange(6, dtype=np.float32))
    first = graph.op("Conv", "x", weight, shared, name="first")
    second = graph.op("Conv", first, weight, shared, name="second")
    graph.op("Conv", second, weight, name="y")
    model = graph.model("hr", {"x": ("float32", (1, 6, *SIZE))}, {"y": ("float32", (1, 6, *SIZE))})
    prepared = prepared_graph(model)
    biases = [OnnxGraph(prepared).constants[node.input[2]] for node in prepared.graph.node]
    assert len({node.input[2] for node in prepared.graph.node}) == 3
    assert [bias.tolist() for bias in biases] == [[*range(6)], [*range(6)], [0] * 6]
    assert np.array_equal(run(prepared, activations()), run(model, activations()))
    onnx.checker.check_model(prepared, full_check=True)


def test_the_shift_of_groups_is_that_of_each_group():
    rng = np.random.default_rng(3)
    error, mean = rng.normal(size=(4, 3, 2, 2)), rng.normal(size=6)
    expected = [sum(error[o, i].sum() * mean[o // 2 * 3 + i] for i in range(3)) for o in range(4)]
    assert mean_shift(error, mean, groups=2) == pytest.approx(expected)


def test_a_mean_is_that_of_all_that_was_added():
    whole = np.random.default_rng(4).normal(size=(5, 3, 4, 7)).astype(np.float32)
    seen = ChannelMean()
    for part in (whole[:2], whole[2:3], whole[3:]):
        seen.add(part)
    assert seen.mean() == pytest.approx(whole.mean(axis=(0, 2, 3), dtype=np.float64))
    assert seen.mean().dtype == np.float64
