"""Names that people type for sinks, and how these are written."""

from pathlib import Path

from edge_arseg.storage.url import printable

_BY_ENDING = {
    "jsonl://{path}": ("json", "jsonl", "ndjson", "txt", "log", "csv"),
    "raw://{path}": ("raw", "bin", "yuv", "rgb"),
    "masks://{stem}": ("png", "jpg", "jpeg", "bmp", "tif", "tiff", "webp"),
    "{stem}.npz": ("npy", "h5", "hdf5", "mat", "pt", "pkl"),
    "{stem}.mp4": ("mpg", "mpeg", "wmv", "flv", "ts", "m2ts", "mts", "3gp", "ogv", "y4m", "h264", "mp5", "mpeg4"),
}
_BY_NAME = {
    "masks://{path}": ("mask", "masks", "labels", "png", "pngs", "images"),
    "jsonl://{path}.jsonl": ("json", "jsonl", "lines", "stdout"),
    "raw://{path}.raw": ("raw",),
    "null://": ("null", "none"),
}


def sink_meant(path: str) -> str:
    """Return how the sink is written that a plain name probably stands for; empty where that is open.

    Args:
        path: as typed; its ending is none of a sink, or it has none.
    """
    file = Path(path)
    ending = file.suffix.lower().removeprefix(".")
    stem = path.removesuffix(file.suffix)
    if path in ("-", "/"):
        return "jsonl://-" if path == "-" else ""
    for written, names in (_BY_ENDING if ending else _BY_NAME).items():
        if (ending or file.name.lower()) in names:
            return printable(written.format(path=path, stem=stem))
    return "" if ending else printable(f"masks://{path.rstrip('/')}")
