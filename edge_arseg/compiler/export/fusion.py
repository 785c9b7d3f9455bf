"""The graphs behind the branches: ``fuse``, ``head`` and ``lr_head``, written operator by operator.

These are AR-Seg's own and the same for every backbone, so they are written and not traced: a few hundred nodes with
readable names, in milliseconds.
"""

import numpy as np
import onnx
from torch import nn

from edge_arseg.compiler.export.attention import write_local_attention
from edge_arseg.compiler.export.settings import ExportSettings
from edge_arseg.compiler.graph_writer import GraphWriter
from edge_arseg.network.network import Network
from edge_arseg.spec import tensor as names

FeatureShape = tuple[int, int, int, int]
Values = dict[str, tuple[str, tuple[int, ...]]]


def fuse_graph(network: Network, settings: ExportSettings, *, logits: bool = False) -> onnx.ModelProto:
    """Write ``fuse``: keyframe feature, flow and LR feature to fused feature and class map.

    Args:
        network: gives CReFF's and the head's weights.
        settings: frame size, LR scale and flow grid.
        logits: add the debug output ``logits``.
    """
    shape, lr_shape = feature_shape(network, settings), lr_feature_shape(network, settings)
    graph = GraphWriter()
    warped = _write_warp(graph, shape, settings)
    lr = _write_resize(graph, names.LR_FEATURE, lr_shape, shape[2:], align_corners=True)
    creff = network.creff
    attended = write_local_attention(
        graph,
        _write_conv(graph, lr, creff.query, "query"),
        _write_conv(graph, warped, creff.key, "key"),
        _write_conv(graph, warped, creff.value, "value"),
        shape=shape[1:],
        window=creff.window,
        position_bias=creff.position_bias.detach().cpu().numpy(),
    )
    fused = graph.op("Add", lr, attended, name=names.FUSED_FEATURE)
    outputs: Values = {names.FUSED_FEATURE: ("float32", shape)}
    outputs |= _write_decoder(graph, fused, shape, network, None, settings, logits=logits)
    inputs = {
        names.KEY_FEATURE: ("float32", shape),
        names.FLOW: ("float32", settings.flow_shape),
        names.LR_FEATURE: ("float32", lr_shape),
    }
    return graph.model("fuse", inputs, outputs)


def head_graph(network: Network, settings: ExportSettings, *, logits: bool = False) -> onnx.ModelProto:
    """Write ``head``: fused feature to class map, for use behind a fusion kernel."""
    shape = feature_shape(network, settings)
    graph = GraphWriter()
    outputs = _write_decoder(graph, names.FUSED_FEATURE, shape, network, None, settings, logits=logits)
    return graph.model("head", {names.FUSED_FEATURE: ("float32", shape)}, outputs)


def lr_head_graph(network: Network, settings: ExportSettings, *, logits: bool = False) -> onnx.ModelProto:
    """Write ``lr_head``: LR feature to class map, without fusion, to measure the LR branch alone."""
    shape = lr_feature_shape(network, settings)
    graph = GraphWriter()
    outputs = _write_decoder(graph, names.LR_FEATURE, shape, network, settings.lr_size, settings, logits=logits)
    return graph.model("lr_head", {names.LR_FEATURE: ("float32", shape)}, outputs)


def feature_shape(network: Network, settings: ExportSettings) -> FeatureShape:
    """Return ``[1, C, h, w]`` of the HR branch's feature."""
    return (1, network.hr.channels, *network.hr.feature_size(settings.height, settings.width))


def lr_feature_shape(network: Network, settings: ExportSettings) -> FeatureShape:
    """Return ``[1, C, h', w']`` of the LR branch's feature."""
    return (1, network.lr.channels, *network.lr.feature_size(*settings.lr_size))


def _write_warp(graph: GraphWriter, shape: FeatureShape, settings: ExportSettings) -> str:
    """Append ``network.warp``: resize the flow, normalise by size - 1, sample with half-pixel corners and zeros."""
    rows, columns = shape[2:]
    flow = graph.op("Unsqueeze", graph.op("Transpose", names.FLOW, perm=[2, 0, 1]), graph.integers(0))
    flow = _write_resize(graph, flow, (1, 2, *settings.flow_shape[:2]), (rows, columns), align_corners=True)
    factor = rows / settings.height
    step = np.array([2.0 * factor / (columns - 1), 2.0 * factor / (rows - 1)], np.float32)
    x = np.linspace(-1.0, 1.0, columns)[None].repeat(rows, 0)
    y = np.linspace(-1.0, 1.0, rows)[:, None].repeat(columns, 1)
    graph.constant("warp_step", step)
    graph.constant("warp_grid", np.stack([x, y], 2)[None].astype(np.float32))
    moved = graph.op("Mul", graph.op("Transpose", flow, perm=[0, 2, 3, 1]), "warp_step")
    return graph.op(
        "GridSample",
        names.KEY_FEATURE,
        graph.op("Add", moved, "warp_grid"),
        name="warped_feature",
        mode="bilinear",
        padding_mode="zeros",
        align_corners=0,
    )


def _write_conv(graph: GraphWriter, x: str, conv: nn.Conv2d, name: str) -> str:
    """Append a convolution with its weights."""
    weight = graph.constant(f"{name}_weight", conv.weight.detach().cpu().numpy())
    assert conv.bias is not None
    bias = graph.constant(f"{name}_bias", conv.bias.detach().cpu().numpy())
    pads = 2 * [conv.kernel_size[0] // 2, conv.kernel_size[1] // 2]
    return graph.op("Conv", x, weight, bias, name=name, group=conv.groups, pads=pads)


def _write_resize(
    graph: GraphWriter, x: str, shape: FeatureShape, size: tuple[int, int], *, align_corners: bool
) -> str:
    """Append a bilinear resize, or nothing where the size is right already."""
    if tuple(shape[2:]) == tuple(size):
        return x
    sizes = graph.integers(*shape[:2], *size)
    transformation = "align_corners" if align_corners else "half_pixel"
    return graph.op("Resize", x, "", "", sizes, mode="linear", coordinate_transformation_mode=transformation)


def _write_decoder(
    graph: GraphWriter,
    feature: str,
    shape: FeatureShape,
    network: Network,
    image_size: tuple[int, int] | None,
    settings: ExportSettings,
    *,
    logits: bool = False,
) -> Values:
    """Append ``network.head``'s LR head and the argmax; returns the outputs they make.

    Log-probabilities differ from scores by one number per pixel, so the class map is taken from the scores.
    """
    head = network.lr_head
    classes = head.classifier.out_channels
    scores, size = _write_conv(graph, feature, head.classifier, "classifier"), shape[2:]
    if head.upscale != 1:
        larger = (head.upscale * size[0], head.upscale * size[1])
        scores, size = _write_resize(graph, scores, (1, classes, *size), larger, align_corners=False), larger
    elif image_size is not None:
        scores, size = _write_resize(graph, scores, (1, classes, *size), image_size, align_corners=True), image_size
    at_frame = _write_resize(graph, scores, (1, classes, *size), settings.frame_size, align_corners=True)
    winner = graph.op("ArgMax", at_frame, axis=1, keepdims=0)
    flat = graph.op("Squeeze", winner, graph.integers(0))
    graph.op("Cast", flat, name=names.CLASS_MAP, to=onnx.TensorProto.UINT8)
    outputs: Values = {names.CLASS_MAP: ("uint8", settings.frame_size)}
    if logits:
        if head.log_probabilities:
            scores = graph.op("LogSoftmax", scores, axis=1)
            scores = _write_resize(graph, scores, (1, classes, *size), settings.frame_size, align_corners=True)
        else:
            scores = at_frame
        graph.op("Identity", scores, name=names.LOGITS)
        outputs[names.LOGITS] = ("float32", (1, classes, *settings.frame_size))
    return outputs
