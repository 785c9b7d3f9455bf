"""Segment a video, and say of every frame how much of it is road.

usage: python examples/segment_video.py VIDEO [BUNDLE]
"""

import sys

from edge_arseg import Segmenter


def main(video: str, bundle: str | None = None) -> None:
    """Print one line per frame; without a bundle, the fastest of the package runs."""
    with Segmenter(bundle) as segmenter:
        classes = segmenter.bundle.manifest.model.classes
        road = [info.name for info in classes].index("road")
        for result in segmenter.stream(video):
            share = (result.shown_map() == road).mean()
            time_s, branch = result.frame.time_s, result.branch.value
            print(f"{time_s:7.2f} s  {branch}  road {share:6.1%}  {result.latency_ms:6.1f} ms")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(*sys.argv[1:])
