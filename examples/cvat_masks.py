"""Masks for CVAT to correct: an archive in its format "Segmentation mask 1.1", with the frames they belong to.

usage: python examples/cvat_masks.py VIDEO BUNDLE MASKS.zip [EVERY]

Make a task of the frames in ``images/``, then upload the archive as its annotations.
"""

import io
import sys
import zipfile

import av
import numpy as np

from edge_arseg import Segmenter


def png(rgb: np.ndarray) -> bytes:
    """Return ``[H, W, 3] uint8`` as a PNG file."""
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
    file = io.BytesIO()
    with av.open(file, "w", format="image2pipe") as output:
        stream = output.add_stream("png", rate=1)
        stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, "rgb24"
        for packet in (*stream.encode(frame), *stream.encode(None)):
            output.mux(packet)
    return file.getvalue()


def main(video: str, bundle: str, target: str, every: str = "10") -> None:
    """Write every tenth frame, or each ``EVERY``-th, with its mask; an existing file is kept."""
    names = []
    with Segmenter(bundle) as segmenter, zipfile.ZipFile(target, "x") as archive:
        classes = segmenter.bundle.manifest.model.classes
        colours = np.zeros((256, 3), np.uint8)  # what the network did not see is black: CVAT's background
        colours[: len(classes)] = [info.color for info in classes]
        for result in segmenter.stream(video, picture=True):
            if result.frame.index % int(every):
                continue
            names.append(f"frame_{result.frame.index:06d}")
            shown = result.at_source()  # as large as the picture; ``class_map`` has bars that are no picture
            assert result.frame.picture is not None  # it was asked for
            archive.writestr(f"images/{names[-1]}.png", png(result.frame.picture))
            archive.writestr(f"SegmentationClass/{names[-1]}.png", png(colours[shown]))
            archive.writestr(f"SegmentationObject/{names[-1]}.png", png(colours[shown]))
        lines = ["# label:color_rgb:parts:actions", "background:0,0,0::"]
        lines += [f"{info.name}:{','.join(map(str, info.color))}::" for info in classes if any(info.color)]
        archive.writestr("labelmap.txt", "\n".join(lines) + "\n")
        archive.writestr("ImageSets/Segmentation/default.txt", "\n".join(names) + "\n")
    print(f"{len(names)} masks of {len(classes)} classes in {target}")


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    main(*sys.argv[1:])
