"""MP4 files edited box by box: what muxers of FFmpeg do not write."""

import struct


def _boxes(data):
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        yield data[at + 4 : at + 8], data[at + 8 : at + size]
        at += size


def _box(name, body):
    return struct.pack(">I", 8 + len(body)) + name + body


_FOLDERS = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts")


def _edited(data, edits):
    """``data`` with the bodies of some boxes replaced by what their function makes of them."""
    done = b""
    for name, body in _boxes(data):
        if name in _FOLDERS:
            body = _edited(body, edits)
        elif name in edits:
            body = edits[name](body)
        done += _box(name, body)
    return done


def _bodies(data):
    found = {}
    for name, body in _boxes(data):
        found.update(_bodies(body) if name in _FOLDERS else {name: body})
    return found


def with_matrix(path, a, b, c, d):
    """Set the matrix of the track: x, y are shown at a x + c y, b x + d y."""
    numbers = [round(value * 65536) for value in (a, b, 0, c, d, 0, 0, 0)]
    matrix = struct.pack(">9i", *numbers, 1 << 30)
    path.write_bytes(_edited(path.read_bytes(), {b"tkhd": lambda body: body[:40] + matrix + body[76:]}))
    return path


def with_edits(path, *spans, rate=25):
    """Show only pictures from ``first`` on, ``count`` of them, for each (first, count)."""
    bodies = _bodies(path.read_bytes())
    movie, media = (int.from_bytes(bodies[name][12:16], "big") for name in (b"mvhd", b"mdhd"))
    edits = b"".join(struct.pack(">Iihh", n * movie // rate, first * media // rate, 1, 0) for first, n in spans)
    listed = bytes(4) + struct.pack(">I", len(spans)) + edits
    path.write_bytes(_edited(path.read_bytes(), {b"elst": lambda body: listed}))  # the index is the last box
    return path


def with_empty_samples(path, *numbers):
    """Take the bytes of some samples away: the encoder left these pictures out. One chunk, the index the last box."""
    data = path.read_bytes()
    bodies = _bodies(data)
    count = int.from_bytes(bodies[b"stsz"][8:12], "big")
    sizes = list(struct.unpack(f">{count}I", bodies[b"stsz"][12:]))
    start = int.from_bytes(bodies[b"stco"][8:12], "big") - data.index(b"mdat") - 4
    samples = bodies[b"mdat"][:start]
    for n, size in enumerate(sizes):
        samples += b"" if n in numbers else bodies[b"mdat"][start : start + size]
        start += size
    told = bodies[b"stsz"][:12] + struct.pack(f">{count}I", *(0 if n in numbers else s for n, s in enumerate(sizes)))
    path.write_bytes(_edited(data, {b"mdat": lambda body: samples, b"stsz": lambda body: told}))
    return path


def joined(path, first, second):
    """Two files of one codec, no B-frames, one chunk and one rate as one track with two sample descriptions."""
    one, two = first.read_bytes(), second.read_bytes()
    a, b = _bodies(one), _bodies(two)
    counts = [int.from_bytes(bodies[b"stsz"][8:12], "big") for bodies in (a, b)]
    offsets = [int.from_bytes(bodies[b"stco"][8:12], "big") for bodies in (a, b)]
    offsets[1] += len(a[b"mdat"]) + one.index(b"mdat") - two.index(b"mdat")
    step = a[b"stts"][12:16]
    length = struct.unpack(">I", step)[0] * sum(counts)
    tables = {
        b"mdat": a[b"mdat"] + b[b"mdat"],
        b"stsd": bytes(4) + struct.pack(">I", 2) + a[b"stsd"][8:] + b[b"stsd"][8:],
        b"stts": struct.pack(">4I", 0, 1, sum(counts), int.from_bytes(step, "big")),
        b"stss": struct.pack(">4I", 0, 2, 1, counts[0] + 1),
        b"stsc": struct.pack(">2I", 0, 2) + struct.pack(">6I", 1, counts[0], 1, 2, counts[1], 2),
        b"stsz": a[b"stsz"][:8] + struct.pack(">I", sum(counts)) + a[b"stsz"][12:] + b[b"stsz"][12:],
        b"stco": struct.pack(">4I", 0, 2, *offsets),
        b"elst": bytes(4) + struct.pack(">IIihh", 1, 1 << 30, 0, 1, 0),
        b"mdhd": a[b"mdhd"][:16] + struct.pack(">I", length) + a[b"mdhd"][20:],
    }
    path.write_bytes(_edited(one, {name: lambda body, name=name: tables[name] for name in tables}))
    return path
