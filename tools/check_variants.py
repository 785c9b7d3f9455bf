#!/usr/bin/env python3
"""Every graph of every variant in every precision through TensorRT-RTX, on a machine without a GPU.

usage: python tools/check_variants.py [--record FILE] [--variants NAME,...] [--size HxW] [--again]    (make graphs-gate)

Random weights, small frames (90x122) unless --size says otherwise, LR at half the size. One line per graph: what its
convolutions compute in, and what is not as it was meant. Exits with 1 where anything is not. A variant and precision
that stand in the record, from the same version of TensorRT-RTX, are not built again without --again, so an interrupted
run goes on where it was.
"""

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import torch
from support.graphs.gate import BRANCHES, PRECISIONS, in_precision
from support.networks.published_states import published_states

from edge_arseg.bench.record import record_now, write_record
from edge_arseg.compiler.engines.gate import GateResult, result_from_graph
from edge_arseg.compiler.engines.tensorrt import TensorRtBuilder
from edge_arseg.compiler.export.export import graphs_from_network
from edge_arseg.compiler.export.settings import ExportSettings
from edge_arseg.network.network import Network
from edge_arseg.network.variants import VARIANTS
from edge_arseg.spec.manifest import Precision, Role
from edge_arseg.spec.model import CAMVID_11, CAMVID_NORMALISATION, Model
from edge_arseg.testing.networks import lived_in

NAMES = ("camvid-compact", "camvid-bise18", "cityscapes-bise18", "camvid-psp18", "cityscapes-psp18")


def network_of(name: str) -> Network:
    """A variant with random weights."""
    if name in VARIANTS:
        return published_states(name)[2]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return lived_in(Network(Model(name, name.removeprefix("camvid-"), CAMVID_11, CAMVID_NORMALISATION)))


def row_from_result(role: Role, stated: Precision, result: GateResult, seconds: float) -> dict[str, Any]:
    """What the record says of one graph; ``float_by_intent`` counts classifiers, which stay in float in int8."""
    quantized = stated in (Precision.INT8, Precision.MIXED) and role in BRANCHES
    faults = list(result.faults)
    if stated is Precision.FP16:
        by_intent = 0
    else:
        by_intent = len(set(result.unquantized) & set(result.classifier)) if quantized else 0
    if quantized and not result.weighted > len(result.unquantized):
        faults.append("no convolution is quantized")
    if quantized and result.float32:
        faults += [f"{name}: computes in float32" for name in result.float32]
    return {
        "stated": stated.value,
        "built": result.plan_bytes > 0,
        "layers": result.layers,
        "convolutions": result.weighted,
        "in_float32": len(result.float32),
        "not_quantized": len(result.unquantized) if quantized else None,
        "float_by_intent": by_intent,
        "plan_bytes": result.plan_bytes,
        "build_s": round(seconds, 1),
        "warnings": list(result.warnings),
        "faults": faults,
    }


def main() -> int:
    import tensorrt_rtx

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--record", type=Path)
    parser.add_argument("--variants", default=",".join(NAMES))
    parser.add_argument("--size", default="90x122")
    parser.add_argument("--again", action="store_true")
    options = parser.parse_args()
    height, width = map(int, options.size.split("x"))
    export = ExportSettings(height, width, 0.5, 5)
    settings = {**asdict(export), "library": f"tensorrt_rtx {tensorrt_rtx.__version__}", "weights": "random"}
    settings = json.loads(json.dumps(settings))
    values = {} if options.again else known(options.record, settings)
    builder = TensorRtBuilder(tensorrt_rtx)
    for name in options.variants.split(","):
        left = [precision for precision in PRECISIONS if precision.value not in values.get(name, {})]
        graphs = None
        for precision in left:
            graphs = graphs or graphs_from_network(network_of(name), export)
            rows = {}
            for role, (graph, stated) in in_precision(graphs, precision).items():
                start = time.monotonic()
                result = result_from_graph(graph, stated, builder)
                rows[role.value] = row_from_result(role, stated, result, time.monotonic() - start)
                print(f"{name} {precision.value} {role.value}: {told(rows[role.value])}", flush=True)
            values.setdefault(name, {})[precision.value] = rows
            if options.record:
                write_record(record_now("graphs_gate", settings=settings, values=values), options.record)
    wrong = [row for variant in values.values() for rows in variant.values() for row in rows.values() if row["faults"]]
    print(f"{len(wrong)} graphs are not as they were meant" if wrong else "every graph is as it was meant")
    return 1 if wrong else 0


def known(path: Path | None, settings: dict[str, Any]) -> dict[str, Any]:
    """Values of an earlier run with the same settings."""
    if path is None or not path.is_file():
        return {}
    record = json.loads(path.read_text())
    return record["values"] if record["settings"] == settings else {}


def told(row: dict[str, Any]) -> str:
    if not row["built"]:
        return f"NOT BUILT: {'; '.join(row['faults'])}"
    text = f"{row['stated']}, {row['convolutions']} convolutions, {row['in_float32']} in float32"
    if row["not_quantized"] is not None:
        text += f", {row['not_quantized']} not quantized ({row['float_by_intent']} classifiers)"
    return f"{text}, plan {row['plan_bytes'] / 1e6:.1f} MB; {'; '.join(row['faults']) or 'as meant'}"


if __name__ == "__main__":
    sys.exit(main())
