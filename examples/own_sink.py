"""A sink of your own: a CSV file with the share of every class, frame by frame.

usage: python examples/own_sink.py VIDEO BUNDLE SHARES.csv
"""

import csv
import sys

import numpy as np

from edge_arseg import Bundle, SegmentedFrame, Segmenter, Sink, run_to_sinks


class SharesSink(Sink):
    """One row per frame: time, branch, then the share of each class, 0 to 1."""

    def __init__(self, target: str, bundle: Bundle):
        super().__init__(target)
        self._names = [info.name for info in bundle.manifest.model.classes]
        self._file = open(target, "x", newline="")  # noqa: PTH123, SIM115 - closed in _close; an existing file is kept
        self._rows = csv.writer(self._file)
        self._rows.writerow(["time_s", "branch", *self._names])

    def _write(self, result: SegmentedFrame) -> None:
        pixels = np.bincount(result.shown_map().reshape(-1), minlength=len(self._names))
        shares = [f"{share:.4f}" for share in pixels[: len(self._names)] / result.shown_map().size]
        self._rows.writerow([f"{result.frame.time_s:.3f}", result.branch.value, *shares])

    def _close(self) -> None:
        self._file.close()


def main(video: str, bundle: str, target: str) -> None:
    """Segment a video into the CSV file; any other sink could be named beside it."""
    with Segmenter(bundle) as segmenter:
        run = run_to_sinks(segmenter, video, [SharesSink(target, segmenter.bundle), "null://"])
    print(f"{run.frames} frames, {run.keyframes} keyframes, {run.label}")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
