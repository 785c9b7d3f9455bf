#!/usr/bin/env python3
"""Check every golden file of a folder through torch, the exported graphs on ONNX Runtime, and the kernels.

usage: python tools/check_golden.py DIR

Prints one table. Exits with 1 where an error exceeds 1e-4 of the largest logit, or where fewer than 99.99 % of the
pixels get the reference's class; with 2 where the folder holds no golden file.
"""

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import numpy as np
from support.golden.cases import OUTPUTS, GoldenCase, golden_case, golden_files, golden_network
from support.golden.paths import PATHS, Logits

MAX_ERROR = 1e-4
MIN_AGREEMENT = 0.9999


@dataclass(frozen=True)
class Row:
    case: str
    path: str
    output: str
    error: float
    agreement: float

    @property
    def passed(self) -> bool:
        return self.error <= MAX_ERROR and self.agreement >= MIN_AGREEMENT

    def __str__(self) -> str:
        verdict = "ok" if self.passed else "MISS"
        return f"{self.case:28s} {self.path:8s} {self.output:4s} {self.error:9.1e} {self.agreement:9.4%}  {verdict}"


def rows_from_logits(case: GoldenCase, path: str, found: Logits) -> list[Row]:
    rows = []
    for output in OUTPUTS:
        if output not in found:
            continue
        expected = case.logits[output]
        seen = found[output][:, :: case.stride, :: case.stride]
        error = float(np.abs(seen - expected).max() / np.abs(expected).max())
        agreement = float(np.mean(seen.argmax(0) == expected.argmax(0)))
        rows.append(Row(case.name, path, output, error, agreement))
    return rows


def check_case(case: GoldenCase) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        network = golden_network(case, Path(folder))
        return [
            row
            for path, logits in PATHS.items()
            for row in rows_from_logits(case, path, logits(network, case, Path(folder)))
        ]


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    files = golden_files(Path(arguments[0]))
    if not files:
        print(f"{arguments[0]}: no golden_*.npz inside", file=sys.stderr)
        return 2
    print(f"{'case':28s} {'path':8s} {'out':4s} {'error':>9s} {'argmax':>9s}")
    missed = 0
    for file in files:
        for row in check_case(golden_case(file)):
            print(row, flush=True)
            missed += not row.passed
    print(f"{missed} missed" if missed else f"{len(files)} files passed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
