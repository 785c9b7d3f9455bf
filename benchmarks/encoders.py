#!/usr/bin/env python3
"""Compare backbones on pretrained encoders: cost, time of the HR graph in float32 and int8, pixels on which both agree.

usage: python benchmarks/encoders.py [--runs N] [--size HxW] [BACKBONE ...]

Weights are random: time does not depend on them, and agreement is that of quantization alone, not of a trained network.
ONNX Runtime, two threads, all graphs in one process, in turn, A B A B: on a busy machine the ratios count. Ranges come
from frames of the drawn street; agreement is taken on others.
"""

import argparse
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
from int8_speed import THREADS, int8_graph, session

from edge_arseg.bench.record import record_now, write_record
from edge_arseg.compiler.export.branches import hr_graph
from edge_arseg.compiler.export.macs import cost_from_model
from edge_arseg.compiler.export.settings import ExportSettings
from edge_arseg.compiler.quantize.rules.saturation import pair_sums
from edge_arseg.network.network import Network
from edge_arseg.spec.manifest import Role
from edge_arseg.spec.model import CAMVID_11, CAMVID_NORMALISATION, Model
from edge_arseg.testing.networks import lived_in
from edge_arseg.video.reader import open_video

RECORD = Path(__file__).parent / "results" / "encoders.json"
BACKBONES = (
    "compact",
    "lite0",
    "timm:efficientnet_lite0",
    "timm:mobilenetv3_large_100",
    "timm:mobilenetv4_conv_small",
    "timm:fastvit_t8",
    "timm:repvgg_a0",
    "timm:resnet18",
)
"""The first is what the others are compared with."""

CALIBRATION_FRAMES, COMPARED_FRAMES = 4, 4


def main() -> None:
    """Measure and write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("backbones", nargs="*", default=list(BACKBONES))
    parser.add_argument("--runs", type=int, default=40, help="rounds through all graphs")
    parser.add_argument("--size", default="360x480", help="rows x columns of a frame")
    parser.add_argument("--record", type=Path, default=RECORD, help="file to write")
    arguments = parser.parse_args()
    height, width = map(int, arguments.size.split("x"))
    frames = street(height, width)
    values: dict[str, dict[str, float]] = {}
    sessions: dict[tuple[str, str], ort.InferenceSession] = {}
    for backbone in arguments.backbones:
        print(f"{backbone}: exporting", flush=True)
        values[backbone], pair = prepared(backbone, height, width, frames)
        sessions |= {(backbone, precision): one for precision, one in pair.items()}
    times = in_turn(sessions, frames[0], arguments.runs)
    first = statistics.median(times[arguments.backbones[0], "fp32"])
    for backbone, row in values.items():
        fp32, int8 = (statistics.median(times[backbone, precision]) for precision in ("fp32", "int8"))
        row |= {
            "fp32_ms": fp32,
            "int8_ms": int8,
            "int8_speedup_ratio": fp32 / int8,
            "fp32_to_first_ratio": fp32 / first,
        }
        row["int8_minima_ratio"] = min(times[backbone, "fp32"]) / min(times[backbone, "int8"])
        print(backbone, {name: round(value, 3) for name, value in row.items()})
    settings = {"height": height, "width": width, "threads": THREADS, "runs": arguments.runs}
    write_record(record_now("encoders", settings=settings, values=values), arguments.record)


def street(height: int, width: int) -> list[np.ndarray]:
    """Return the frames that ranges come from, and those that are compared, from the drawn street."""
    count = CALIBRATION_FRAMES + COMPARED_FRAMES
    with open_video(
        f"test://street?size={height}x{width}&frames={count}", motion="zero", size=(height, width)
    ) as reader:
        return [frame.rgb.copy() for frame in reader]


def prepared(
    backbone: str, height: int, width: int, frames: Sequence[np.ndarray]
) -> tuple[dict[str, float], dict[str, ort.InferenceSession]]:
    """Export and quantize the HR graph; return what does not depend on time, and a session for each precision."""
    torch.manual_seed(0)
    model = Model("camvid-encoder", backbone, CAMVID_11, CAMVID_NORMALISATION)
    network = lived_in(Network(model))
    graph = hr_graph(network, ExportSettings(height, width, 0.5, 12))
    int8 = int8_graph(graph, Role.HR, list(frames[:CALIBRATION_FRAMES]))
    pair = {"fp32": session(graph), "int8": session(int8)}
    cost = cost_from_model(model, height=height, width=width, lr_scale=0.5)
    row = {
        "hr_gmacs": cost.hr_macs / 1e9,
        "parameters_million": sum(part.numel() for part in network.hr.deployed().parameters()) / 1e6,
        "int8_layers_count": float(len(pair_sums(int8))),
        "largest_pair_sum": float(max(entry.value for entry in pair_sums(int8))),
        "int8_agreement_percent": 100.0 * agreement(pair, frames[CALIBRATION_FRAMES:]),
    }
    return row, pair


def agreement(pair: dict[str, ort.InferenceSession], frames: Sequence[np.ndarray]) -> float:
    """Return the share of pixels that both precisions give one class."""
    maps = [{name: one.run(["class_map"], {"frame": frame})[0] for name, one in pair.items()} for frame in frames]
    return float(np.mean([np.mean(both["fp32"] == both["int8"]) for both in maps]))


def in_turn(
    sessions: dict[tuple[str, str], ort.InferenceSession], frame: np.ndarray, runs: int
) -> dict[tuple[str, str], list[float]]:
    """Run all sessions in turn; milliseconds, without two rounds that warm up."""
    times: dict[tuple[str, str], list[float]] = {key: [] for key in sessions}
    for number in range(runs + 2):
        for key, one in sessions.items():
            start = time.perf_counter()
            one.run(None, {"frame": frame})
            if number >= 2:
                times[key].append(1e3 * (time.perf_counter() - start))
    return times


if __name__ == "__main__":
    main()
