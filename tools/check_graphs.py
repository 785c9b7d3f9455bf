"""Every graph of bundles through TensorRT-RTX, on a machine without a GPU.

Run: ``python tools/check_graphs.py NAME.arseg ...``. Exits with 1 where a graph is not taken, or not computed in the
types that were meant.
"""

import sys
from pathlib import Path

from edge_arseg.compiler.engines.gate import GateResult, result_from_graph
from edge_arseg.compiler.engines.tensorrt import TensorRtBuilder
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.spec.manifest import Role


def results_from_bundle(path: Path) -> dict[Role, GateResult]:
    """Check every graph of one bundle."""
    import tensorrt_rtx

    builder, bundle = TensorRtBuilder(tensorrt_rtx), read_bundle(path)
    return {
        role: result_from_graph(bundle.graph_path(role).read_bytes(), entry.precision, builder)
        for role, entry in bundle.manifest.graphs.items()
    }


def main(paths: list[str]) -> int:
    passed = True
    for path in map(Path, paths):
        for role, result in results_from_bundle(path).items():
            kept = len(result.unquantized)
            print(
                f"{path.name} {role.value}: {result.layers} layers, {result.weighted} convolutions, {kept} not "
                f"quantized, {len(result.float32)} in float32, plan {result.plan_bytes / 1e6:.1f} MB"
            )
            for fault in result.faults:
                print(f"  {fault}")
            passed = passed and not result.faults
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
