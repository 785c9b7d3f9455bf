"""HEIC pictures made of tiles, as phones write them; FFmpeg has no muxer for them."""

import struct

import av
from support.clips.moving import encode


def _box(name, *parts):
    body = b"".join(parts)
    return struct.pack(">I", 8 + len(body)) + name + body


def _full(name, *parts, version=0, flags=0):
    return _box(name, struct.pack(">I", version << 24 | flags), *parts)


def _coded(path, rgb):
    """One HEVC picture, and what its decoder is opened with."""
    options = {"x265_params": "log-level=none:keyint=1"}
    with av.open(str(encode(path, [rgb], "libx265", **options))) as file:
        stream = file.streams.video[0]
        return bytes(next(file.demux(stream))), stream.codec_context.extradata


def tiled(path, tiles):
    """A picture of tiles of one size, side by side."""
    coded = [_coded(path.with_suffix(".mp4"), rgb) for rgb in tiles]
    height, width = tiles[0].shape[:2]
    count, whole = len(tiles), len(tiles) + 1
    grid = bytes([0, 0, 0, count - 1]) + struct.pack(">HH", count * width, height)
    items = [(n + 1, b"hvc1", data) for n, (data, _) in enumerate(coded)] + [(whole, b"grid", grid)]
    named = [
        _full(b"infe", struct.pack(">HH", n, 0), kind, b"\0", version=2, flags=int(kind != b"grid"))
        for n, kind, _ in items
    ]
    properties = (
        _box(b"hvcC", coded[0][1]),
        _full(b"ispe", struct.pack(">II", width, height)),
        _full(b"ispe", struct.pack(">II", count * width, height)),
    )
    of_items = [struct.pack(">HB2B", n + 1, 2, 0x81, 2) for n in range(count)] + [struct.pack(">HBB", whole, 1, 3)]

    def index(start):
        places = b""
        for n, _, data in items:
            places += struct.pack(">HHHII", n, 0, 1, start, len(data))
            start += len(data)
        return _full(
            b"meta",
            _full(b"hdlr", bytes(4), b"pict", bytes(13)),
            _full(b"pitm", struct.pack(">H", whole)),
            _full(b"iinf", struct.pack(">H", len(items)), *named),
            _full(b"iref", _box(b"dimg", struct.pack(f">HH{count}H", whole, count, *range(1, whole)))),
            _box(b"iprp", _box(b"ipco", *properties), _full(b"ipma", struct.pack(">I", len(items)), *of_items)),
            _full(b"iloc", struct.pack(">BBH", 0x44, 0, len(items)), places),
        )

    kind = _box(b"ftyp", b"heic", bytes(4), b"mif1heic")
    start = len(kind) + len(index(0)) + 8
    path.write_bytes(kind + index(start) + _box(b"mdat", *[data for _, _, data in items]))
    return path
