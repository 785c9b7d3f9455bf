"""The ways through the project that must give the reference's logits."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from support.golden.cases import GoldenCase
from support.gpu import host as cuda_host

from edge_arseg.compiler.export.branches import hr_graph, lr_graph
from edge_arseg.compiler.export.export import decoder_weights, fusion_weights
from edge_arseg.compiler.export.fusion import fuse_graph, head_graph, lr_head_graph
from edge_arseg.compiler.export.settings import ExportSettings
from edge_arseg.network.network import Network
from edge_arseg.runtime.engines.onnxruntime.engine import OnnxRuntimeEngine
from edge_arseg.spec import tensor as names

Logits = dict[str, np.ndarray]


def torch_logits(network: Network, case: GoldenCase, folder: Path) -> Logits:
    """``hr``, ``lr`` and ``ar`` logits ``[classes, H, W]`` from the torch network."""
    key, current, flow = (torch.from_numpy(array) for array in (case.key_rgb, case.cur_rgb, case.flow))
    with torch.inference_mode():
        return {
            "hr": network.hr_logits(key)[0].numpy(),
            "lr": network.lr_logits(current, case.scale)[0].numpy(),
            "ar": network.ar_logits(key, current, flow, case.scale)[0].numpy(),
        }


def graph_logits(network: Network, case: GoldenCase, folder: Path) -> Logits:
    """The same from the exported graphs on ONNX Runtime; each graph's class map must be its logits' argmax."""
    engines = golden_engines(network, case, folder)
    key = engines["hr"].run({names.FRAME: case.key_rgb})
    lr_feature = engines["lr"].run({names.FRAME: case.cur_rgb})[names.LR_FEATURE]
    lr = engines["lr_head"].run({names.LR_FEATURE: lr_feature})
    fused = engines["fuse"].run(
        {names.KEY_FEATURE: key[names.FEATURE], names.FLOW: case.flow, names.LR_FEATURE: lr_feature}
    )
    found = {}
    for name, outputs in (("hr", key), ("lr", lr), ("ar", fused)):
        found[name] = outputs[names.LOGITS][0]
        same = np.mean(outputs[names.CLASS_MAP] == found[name].argmax(0))
        if same < 0.9999:
            raise AssertionError(f"{case.name} {name}: class map and logits agree on {same:.4%} of the pixels only")
    return found


def kernel_logits(network: Network, case: GoldenCase, folder: Path) -> Logits:
    """``ar`` logits with the CPU fusion kernel and the ``head`` graph in place of the ``fuse`` graph.

    The decode kernel's class map must be their argmax.
    """
    from edge_arseg.runtime.kernels.numba_fuse import FusionKernel, FusionShapes
    from edge_arseg.runtime.kernels.numba_head import DecodeKernel, DecodeShapes

    engines = golden_engines(network, case, folder)
    key = engines["hr"].run({names.FRAME: case.key_rgb})[names.FEATURE]
    lr_feature = engines["lr"].run({names.FRAME: case.cur_rgb})[names.LR_FEATURE]
    shapes = FusionShapes(
        key.shape[1], key.shape[2:], lr_feature.shape[2:], case.flow.shape[:2], frame_height=case.key_rgb.shape[0]
    )
    fused = FusionKernel(shapes, fusion_weights(network)).run(key, case.flow, lr_feature)
    logits = engines["head"].run({names.FUSED_FEATURE: fused})[names.LOGITS][0]
    classifier = decoder_weights(network.lr_head)
    decoded = DecodeShapes(fused.shape[1], fused.shape[2:], case.key_rgb.shape[:2], network.lr_head.upscale)
    class_map = DecodeKernel(decoded, classifier.weight, classifier.bias).run(fused)
    same = np.mean(class_map == logits.argmax(0))
    if same < 0.9999:
        raise AssertionError(f"{case.name}: decode kernel and logits agree on {same:.4%} of the pixels only")
    return {"ar": logits}


def cuda_logits(network: Network, case: GoldenCase, folder: Path) -> Logits:
    """``ar`` logits with the GPU fusion kernel's source, run on the host in float32, and the ``head`` graph."""
    from edge_arseg.runtime.kernels.cuda import Storage
    from edge_arseg.spec.weights import FusionShapes

    engines = golden_engines(network, case, folder)
    key = engines["hr"].run({names.FRAME: case.key_rgb})[names.FEATURE]
    lr_feature = engines["lr"].run({names.FRAME: case.cur_rgb})[names.LR_FEATURE]
    shapes = FusionShapes(
        key.shape[1], key.shape[2:], lr_feature.shape[2:], case.flow.shape[:2], frame_height=case.key_rgb.shape[0]
    )
    plan = cuda_host.plan_on_host(shapes, Storage.EXACT)
    fused = cuda_host.run_on_host(plan, fusion_weights(network), key[0], case.flow, lr_feature[0])
    return {"ar": engines["head"].run({names.FUSED_FEATURE: fused[None]})[names.LOGITS][0]}


def golden_engines(network: Network, case: GoldenCase, folder: Path) -> dict[str, OnnxRuntimeEngine]:
    """Export the case's graphs with logits into ``folder``, unless they are there, and open them."""
    settings = ExportSettings(*case.key_rgb.shape[:2], case.scale, flow_block=1)
    exports = {
        "hr": lambda: hr_graph(network, settings, logits=True),
        "lr": lambda: lr_graph(network, settings),
        "lr_head": lambda: lr_head_graph(network, settings, logits=True),
        "fuse": lambda: fuse_graph(network, settings, logits=True),
        "head": lambda: head_graph(network, settings, logits=True),
    }
    engines = {}
    for name, export in exports.items():
        path = folder / f"{case.name}_{name}.onnx"
        if not path.exists():
            path.write_bytes(export().SerializeToString())
        engines[name] = OnnxRuntimeEngine(path)
    return engines


PATHS: dict[str, Callable[[Network, GoldenCase, Path], Logits]] = {
    "torch": torch_logits,
    "onnx": graph_logits,
    **({"kernel": kernel_logits} if find_spec("numba") else {}),
    **({"cuda": cuda_logits} if cuda_host.compiler() else {}),
}
"""The kernel path is there where Numba is, the CUDA source's where a C++ compiler is."""
