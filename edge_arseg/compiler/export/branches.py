"""The branches' graphs, ``hr`` and ``lr``, traced from torch: any backbone exports the same way."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import onnx
import torch
from torch import Tensor, nn

from edge_arseg.compiler.export.settings import ExportSettings
from edge_arseg.compiler.graph_writer import OPSET
from edge_arseg.errors import ExportError
from edge_arseg.network.layers import resize
from edge_arseg.network.network import Network
from edge_arseg.spec import tensor as names


class HrGraph(nn.Module):
    """Frame to feature and class map."""

    def __init__(self, network: Network, settings: ExportSettings, *, logits: bool):
        super().__init__()
        self.network, self.size, self.logits = network, settings.frame_size, logits
        self.backbone = network.hr.deployed()

    def forward(self, frame: Tensor) -> tuple[Tensor, ...]:
        """Map ``[H, W, 3] uint8`` to ``feature``, ``class_map`` and, where asked for, ``logits``."""
        head = self.network.hr_head
        feature = self.backbone(self.network.image_from_frame(frame))
        scores = resize(head.scores(feature, self.size), self.size, align_corners=True)
        class_map = scores.argmax(1)[0].to(torch.uint8)
        return (feature, class_map, head(feature, self.size, self.size)) if self.logits else (feature, class_map)


class LrGraph(nn.Module):
    """Frame to LR feature, resizing inside."""

    def __init__(self, network: Network, settings: ExportSettings):
        super().__init__()
        self.network, self.lr_scale = network, settings.lr_scale
        self.backbone = network.lr.deployed()

    def forward(self, frame: Tensor) -> Tensor:
        """Map ``[H, W, 3] uint8`` to ``lr_feature``."""
        return self.backbone(self.network.lr_image_from_frame(frame, self.lr_scale))


def hr_graph(network: Network, settings: ExportSettings, *, logits: bool = False) -> onnx.ModelProto:
    """Trace ``hr``: frame to feature and class map.

    Raises:
        ExportError: the backbone uses what cannot be exported.
    """
    outputs = [names.FEATURE, names.CLASS_MAP] + ([names.LOGITS] if logits else [])
    return _traced(HrGraph(network, settings, logits=logits), settings, outputs, "hr")


def lr_graph(network: Network, settings: ExportSettings) -> onnx.ModelProto:
    """Trace ``lr``: frame to LR feature.

    Raises:
        ExportError: the backbone uses what cannot be exported.
    """
    return _traced(LrGraph(network, settings), settings, [names.LR_FEATURE], "lr")


def _traced(module: nn.Module, settings: ExportSettings, outputs: list[str], name: str) -> onnx.ModelProto:
    frame = torch.zeros(*settings.frame_size, 3, dtype=torch.uint8)
    try:
        with _quiet(), torch.no_grad():
            program = torch.onnx.export(
                module.eval(),
                (frame,),
                input_names=[names.FRAME],
                output_names=outputs,
                opset_version=OPSET,
                dynamo=True,
                verbose=False,
            )
    except (torch.onnx.errors.OnnxExporterError, RuntimeError) as error:
        reason = str(error).strip().splitlines()
        raise ExportError(
            f"{name}: the backbone cannot be exported at opset {OPSET} ({reason[0] if reason else error!r}). "
            "Use operations with static shapes; see docs/backbones.md"
        ) from error
    assert program is not None
    model = program.model_proto
    _strip(model)
    model.graph.name = name
    onnx.checker.check_model(model, full_check=True)
    return model


def _strip(model: onnx.ModelProto) -> None:
    """Remove the tracer's notes (source paths, types), so that equal networks give equal files."""
    model.ClearField("metadata_props")
    model.ClearField("doc_string")
    model.graph.ClearField("metadata_props")
    model.graph.ClearField("doc_string")
    for part in (*model.graph.node, *model.graph.value_info, *model.graph.input, *model.graph.output):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    for constant in model.graph.initializer:
        constant.ClearField("metadata_props")


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's notes on libraries we do not use away from the user."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
