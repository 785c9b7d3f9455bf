"""From a checkpoint to a bundle for a target, as ``export`` and ``compile`` do it; needs the host half.

usage: python examples/compile_from_python.py CHECKPOINT NAME.arseg [TARGET [BACKBONE]]
"""

import sys
from pathlib import Path

from edge_arseg import (
    CompileOptions,
    bundle_from_checkpoint,
    checkpoint_from_path,
    compile_bundle,
    verify_bundle,
)


def main(checkpoint: str, output: str, target: str = "cpu", backbone: str | None = None) -> None:
    """Export frames of 96x128 with GOP 5, compile, and check what came of it."""
    read = checkpoint_from_path(Path(checkpoint), backbone=backbone)
    bundle, agreement = bundle_from_checkpoint(read, output, size=(96, 128), gop=5)
    worst = min(row.agreement for row in agreement)
    print(f"{bundle.path}: {worst:.2%} of the pixels get torch's class, or more")

    compilation = compile_bundle(bundle, target, CompileOptions(), progress=print)
    for step in compilation.steps:
        print(f"{step.name}: {step.state.value}")

    if target == "cpu":
        verification = verify_bundle(compilation.bundle)
        print(f"{compilation.bundle}: {verification.worst.agreement:.2%} on {verification.backend}")


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4, 5):
        sys.exit(__doc__)
    main(*sys.argv[1:])
