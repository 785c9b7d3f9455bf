"""Whole files of every kind that the product reads, small, made the same way each time."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
from support.bundles.fake import write_fake_bundle
from support.bundles.small import write_small_bundle
from support.clips.moving import encode, moving

from edge_arseg.runtime.bundles.zoo import ZOO
from edge_arseg.spec.model import CAMVID_11
from edge_arseg.storage.data_folder import data_folder
from edge_arseg.testing.sum_graph import write_sum_graph
from edge_arseg.video.sinks.class_ids.png import palette_from_classes, png_from_indices

ROOT = Path(__file__).parents[2]
HEIGHT, WIDTH, FRAMES = 48, 64, 10

CLIPS = {  # name of the file to codec and options of the encoder
    "p.mp4": ("libx264", {"bf": 0, "refs": 1, "g": 5}),
    "b.mp4": ("libx264", {"bf": 2, "refs": 3}),
    "ten_bits.mp4": ("libx264", {"bf": 0, "pix_fmt": "yuv420p10le"}),
    "part2.mp4": ("mpeg4", {"g": 5}),
    "p.mov": ("libx264", {"bf": 0, "refs": 1}),
    "mjpeg.mov": ("mjpeg", {"pix_fmt": "yuvj420p"}),
    "p.mkv": ("libx264", {"bf": 0, "refs": 1}),
    "ffv1.mkv": ("ffv1", {}),
    "hevc.mkv": ("libx265", {"x265_params": "log-level=none:pools=1:frame-threads=1"}),
    "part2.avi": ("mpeg4", {"g": 5}),
    "mjpeg.avi": ("mjpeg", {"pix_fmt": "yuvj420p"}),
    "p.ts": ("libx264", {"bf": 0, "refs": 1, "g": 5}),
    "mpeg2.ts": ("mpeg2video", {"g": 5}),
    "p.h264": ("libx264", {"bf": 0, "refs": 1, "g": 5}),
    "part2.m4v": ("mpeg4", {}),
    "vp9.webm": ("libvpx-vp9", {"cpu_used": 8}),
    "vp8.webm": ("libvpx", {"cpu_used": 8}),
    "p.flv": ("libx264", {"bf": 0, "refs": 1}),
    "a.gif": ("gif", {"pix_fmt": "rgb8"}),
    "moving.webp": ("libwebp_anim", {}),
}
IMAGES = {
    "a.png": ("png", {"pix_fmt": "rgb24"}),
    "grey.png": ("png", {"pix_fmt": "gray"}),
    "alpha.png": ("png", {"pix_fmt": "rgba"}),
    "a.jpg": ("mjpeg", {"pix_fmt": "yuvj420p"}),
    "a.webp": ("libwebp", {"pix_fmt": "yuv420p"}),
    "a.bmp": ("bmp", {"pix_fmt": "bgr24"}),
    "a.tiff": ("tiff", {"pix_fmt": "rgb24"}),
}


@dataclass(frozen=True)
class Seed:
    """Files that are read together, by their path; ``damaged`` names those of them that may be changed."""

    kind: str
    name: str
    files: dict[str, bytes]
    damaged: tuple[str, ...]


def all_seeds(folder: Path) -> dict[str, list[Seed]]:
    """Make all seeds, by kind.

    Args:
        folder: empty, to make them in.
    """
    seeds: dict[str, list[Seed]] = {}
    for seed in (*_clips(folder), *_images(folder), *_labels(folder), *_bundles(folder), *_graphs(folder), *_texts()):
        seeds.setdefault(seed.kind, []).append(seed)
    # TS goes over a network as it is in a file
    seeds["stream"] = [Seed("stream", s.name, s.files, s.damaged) for s in seeds["clip"] if s.name.endswith(".ts")]
    return seeds


def _clips(folder: Path) -> Iterator[Seed]:
    for name, (codec, options) in CLIPS.items():
        # One thread: the number of threads is part of what an encoder writes.
        encode(folder / name, moving(FRAMES, height=HEIGHT, width=WIDTH), codec, threads=1, **options)
        yield Seed("clip", name, {name: (folder / name).read_bytes()}, (name,))
    turned = encode(folder / "t.mp4", moving(4, height=HEIGHT, width=WIDTH), rotation=90, threads=1, bf=0)
    yield Seed("clip", "turned.mp4", {"t.mp4": turned.read_bytes()}, ("t.mp4",))


def _images(folder: Path) -> Iterator[Seed]:
    for name, (codec, options) in IMAGES.items():
        content, ending = _image(folder / name, codec, **options), name.rpartition(".")[2]
        numbered = {f"{n:03d}.{ending}": content for n in range(3)}
        yield Seed("images", name, numbered, (f"001.{ending}", f"000.{ending}"))


def _labels(folder: Path) -> Iterator[Seed]:
    (picture,) = moving(1, height=HEIGHT, width=WIDTH)
    indexed = png_from_indices(picture[..., 0] % 11, palette_from_classes(CAMVID_11))
    yield Seed("labels", "palette", {"label.png": indexed}, ("label.png",))
    for pix_fmt in ("gray", "monob", "rgb24"):
        content = _image(folder / f"{pix_fmt}.png", "png", pix_fmt=pix_fmt)
        yield Seed("labels", pix_fmt, {"label.png": content}, ("label.png",))


def _image(path: Path, codec: str, *, pix_fmt: str) -> bytes:
    (picture,) = moving(1, height=HEIGHT, width=WIDTH)
    with av.open(str(path), "w", format="image2", options={"update": "1"}) as output:
        stream = output.add_stream(codec, 1)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, pix_fmt
        output.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=pix_fmt)))
        output.mux(stream.encode(None))
    return path.read_bytes()


def _bundles(folder: Path) -> Iterator[Seed]:
    for name, path in (
        ("fake", write_fake_bundle(folder / "fake.arseg")),
        ("small", write_small_bundle(folder / "small.arseg")),
    ):
        files = _files(path)
        yield Seed("bundle", name, files, tuple(files))
    for path in sorted(ZOO.glob("*-int8.arseg")):
        files = _files(path)
        parts = tuple(name for name in files if name.endswith((".json", ".npz", ".onnx")))
        yield Seed("shipped", path.stem, files, parts)


def _graphs(folder: Path) -> Iterator[Seed]:
    onnx = min(ZOO.glob("*-int8.arseg")) / "onnx"
    for path in (write_sum_graph(folder / "sum.onnx"), onnx / "head.onnx", onnx / "lr_head.onnx", onnx / "fuse.onnx"):
        yield Seed("graph", path.stem, {"graph.onnx": path.read_bytes()}, ("graph.onnx",))


def _texts() -> Iterator[Seed]:
    targets = {path.name: path.read_bytes() for path in sorted(data_folder("targets").glob("*.toml"))}
    yield Seed("targets", "targets", targets, tuple(targets))
    for path in sorted(data_folder("calibration").glob("*.toml")):
        yield Seed("recipe", path.stem, {"recipe.toml": path.read_bytes()}, ("recipe.toml",))
    classes = "".join(f'[[class]]\nname = "{c.name}"\ncolor = {list(c.color)}\n\n' for c in CAMVID_11)
    yield Seed("classes", "camvid", {"classes.toml": classes.encode()}, ("classes.toml",))
    for tree in sorted(path for path in (ROOT / "tests/runtime/device/boards").iterdir() if path.is_dir()):
        files = _files(tree)
        yield Seed("board", tree.name, files, tuple(files))


def _files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
