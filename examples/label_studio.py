"""Pre-annotations for Label Studio: every tenth frame as an image, with a brush mask for each class in it.

usage: python examples/label_studio.py VIDEO BUNDLE FOLDER [EVERY]

FOLDER/images has the frames, FOLDER/tasks.json what is imported, FOLDER/config.xml the labelling interface. The tasks
name the frames as files of a local storage: start Label Studio with LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED=true and
LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT=FOLDER.
"""

import json
import sys
from pathlib import Path
from xml.sax.saxutils import quoteattr

import av
import numpy as np

from edge_arseg import Segmenter

SIZES = (3, 4, 8, 16)
"""Bits of a run's length; each run takes the shortest that holds it. They are written in the head of the code."""


def write_png(rgb: np.ndarray, path: Path) -> None:
    """Write ``[H, W, 3] uint8``."""
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
    with av.open(str(path), "w", format="image2", options={"update": "1"}) as output:
        stream = output.add_stream("png", rate=1)
        stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, "rgb24"
        for packet in (*stream.encode(frame), *stream.encode(None)):
            output.mux(packet)


def rle(mask: np.ndarray) -> list[int]:
    """Return a mask as Label Studio's brush code: runs of the bytes of an RGBA picture, whose alpha is what counts.

    The bits are: 32 for the number of bytes; 5 for the width of a value, less 1; four times 4 for the widths of
    lengths, less 1. Then for each run: 1, because it repeats one value; 2 for which width its length has; the length
    less 1; the value.

    Args:
        mask: ``[H, W] bool``.
    """
    flat = np.repeat(mask.reshape(-1).astype(np.uint8) * 255, 4)  # white where it is set, in all four channels
    edges = np.flatnonzero(np.diff(flat)) + 1
    starts, ends = np.r_[0, edges], np.r_[edges, len(flat)]
    bits = [f"{len(flat):032b}", f"{7:05b}", *(f"{size - 1:04b}" for size in SIZES)]
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        value = f"{flat[start]:08b}"
        left = end - start
        while left:
            length = min(left, 1 << SIZES[-1])
            place = next(number for number, size in enumerate(SIZES) if length <= 1 << size)
            bits.append(f"1{place:02b}{length - 1:0{SIZES[place]}b}{value}")
            left -= length
    text = "".join(bits)
    text += "0" * (-len(text) % 8)
    return [int(text[at : at + 8], 2) for at in range(0, len(text), 8)]


def main(video: str, bundle: str, target: str, every: str = "10") -> None:
    """Write the folder; it must not exist."""
    folder, tasks = Path(target), []
    (folder / "images").mkdir(parents=True)
    with Segmenter(bundle) as segmenter:
        manifest = segmenter.bundle.manifest
        for result in segmenter.stream(video, picture=True):
            if result.frame.index % int(every):
                continue
            name = f"frame_{result.frame.index:06d}.png"
            assert result.frame.picture is not None  # it was asked for
            write_png(result.frame.picture, folder / "images" / name)
            shown = result.at_source()  # as large as the picture; ``class_map`` has bars that are no picture
            height, width = shown.shape
            found = [
                {
                    "id": f"{result.frame.index}-{info.name}",
                    "type": "brushlabels",
                    "from_name": "tag",
                    "to_name": "image",
                    "original_width": width,
                    "original_height": height,
                    "image_rotation": 0,
                    "value": {"format": "rle", "rle": rle(mask), "brushlabels": [info.name]},
                }
                for index, info in enumerate(manifest.model.classes)
                if (mask := shown == index).any()
            ]
            task = {"image": f"/data/local-files/?d=images/{name}"}
            tasks.append({"data": task, "predictions": [{"model_version": manifest.name, "result": found}]})
        labels = "".join(
            f'    <Label value={quoteattr(info.name)} background="#{bytes(info.color).hex()}"/>\n'
            for info in manifest.model.classes
        )
    (folder / "tasks.json").write_text(json.dumps(tasks))
    (folder / "config.xml").write_text(
        f'<View>\n  <Image name="image" value="$image"/>\n  <BrushLabels name="tag" toName="image">\n{labels}'
        "  </BrushLabels>\n</View>\n"
    )
    print(f"{len(tasks)} tasks in {folder / 'tasks.json'}")


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    main(*sys.argv[1:])
