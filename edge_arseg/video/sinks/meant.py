"""Names that people type for sinks, and how these are written."""

import re
from collections.abc import Collection
from pathlib import Path

from edge_arseg.storage.url import printable

_BY_ENDING = {
    "jsonl://{path}": ("json", "jsonl", "ndjson", "txt", "log", "csv"),
    "raw://{path}": ("raw", "bin", "yuv", "rgb"),
    "masks://{stem}": ("png", "jpg", "jpeg", "bmp", "tif", "tiff", "webp"),
    "{stem}.npz": ("npy", "h5", "hdf5", "mat", "pt", "pkl"),
    "-b {path}, which names a bundle": ("arseg",),
    "{stem}.mp4": ("mpg", "mpeg", "wmv", "flv", "ts", "m2ts", "mts", "3gp", "ogv", "y4m", "h264", "mp5", "mpeg4"),
}
_BY_NAME = {
    "masks://{path}": ("mask", "masks", "labels", "png", "pngs", "images"),
    "jsonl://{path}.jsonl": ("json", "jsonl", "lines", "stdout"),
    "raw://{path}.raw": ("raw",),
    "null://": ("null", "none"),
}


_ONE_SLASH = re.compile(r"([a-z0-9]+):/?([^/].*)", re.IGNORECASE)


def sink_meant(path: str, schemes: Collection[str]) -> str:
    """Return how the sink is written that a plain name probably stands for; empty where that is open.

    Args:
        path: as typed; its ending is none of a sink, or it has none.
        schemes: of sinks.
    """
    if (match := _ONE_SLASH.fullmatch(path)) and match[1].lower() in schemes:
        rooted = f"/{match[2]}" if ":/" in path else ""
        absolute = rooted and Path(rooted).parent != Path("/") and Path(rooted).parent.is_dir()
        return printable(f"{match[1].lower()}://{rooted if absolute else match[2]}")
    file = Path(path)
    ending = file.suffix.lower().removeprefix(".")
    stem = path.removesuffix(file.suffix)
    if path in ("-", "/"):
        return "jsonl://-" if path == "-" else ""
    for written, names in (_BY_ENDING if ending else _BY_NAME).items():
        if (ending or file.name.lower()) in names:
            return printable(written.format(path=path, stem=stem))
    return "" if ending else printable(f"masks://{path.rstrip('/')}")
