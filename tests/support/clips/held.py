"""Pictures of four colours, and stills of them that say which way up they are held."""

import struct
import zlib
from fractions import Fraction

import av
import numpy as np

COLOURS = {(1, 0, 0): "R", (0, 1, 0): "G", (0, 0, 1): "B", (1, 1, 1): "W"}


def marked(height=96, width=128):
    """Red, green / blue, white."""
    rgb = np.zeros((height, width, 3), np.uint8)
    top, left = slice(height // 2), slice(width // 2)
    bottom, right = slice(height // 2, None), slice(width // 2, None)
    rgb[top, left], rgb[top, right] = (255, 0, 0), (0, 255, 0)
    rgb[bottom, left], rgb[bottom, right] = (0, 0, 255), (255, 255, 255)
    return rgb


def quarters(rgb):
    """Letters of the quarters: top left, top right, bottom left, bottom right."""
    height, width = rgb.shape[:2]
    places = [(y, x) for y in (height // 4, 3 * height // 4) for x in (width // 4, 3 * width // 4)]
    return "".join(COLOURS[tuple((rgb[place] > 127).astype(int))] for place in places)


def still(codec, rgb, pixels):
    context = av.CodecContext.create(codec, "w")
    context.height, context.width = rgb.shape[:2]
    context.pix_fmt, context.time_base = pixels, Fraction(1, 25)
    frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format=pixels)
    return b"".join(bytes(packet) for given in (frame, None) for packet in context.encode(given))


def exif(orientation):
    return b"II*\0" + struct.pack("<IHHHIII", 8, 1, 0x112, 3, 1, orientation, 0)


def jpeg(rgb, orientation):
    data, tags = still("mjpeg", rgb, "yuvj420p"), b"Exif\0\0" + exif(orientation)
    return data[:2] + b"\xff\xe1" + (len(tags) + 2).to_bytes(2, "big") + tags + data[2:]


def png(rgb, orientation):
    data, chunk = still("png", rgb, "rgb24"), b"eXIf" + exif(orientation)
    at = data.index(b"IDAT") - 4
    return data[:at] + struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) + data[at:]


def webp(rgb, orientation):
    """Simple WebP, made extended as EXIF data needs it."""
    data, tags = still("libwebp", rgb, "yuv420p"), exif(orientation)
    sides = b"".join((side - 1).to_bytes(3, "little") for side in rgb.shape[1::-1])
    chunks = b"VP8X" + struct.pack("<IBxxx", 10, 8) + sides + data[12:] + b"EXIF" + struct.pack("<I", len(tags)) + tags
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WEBP" + chunks


def tiff(rgb, orientation, order="<"):
    """Uncompressed, with one strip."""
    height, width = rgb.shape[:2]
    longs = {256: width, 257: height, 259: 1, 262: 2, 273: 8, 277: 3, 278: height, 279: rgb.size}
    tags = {tag: struct.pack(order + "HHII", tag, 4, 1, value) for tag, value in longs.items()}
    for tag, value in ((258, 8), (274, orientation)):
        tags[tag] = struct.pack(order + "HHIHH", tag, 3, 1, value, 0)
    index = struct.pack(order + "H", len(tags)) + b"".join(entry for _, entry in sorted(tags.items())) + bytes(4)
    head = struct.pack(order + "2sHI", b"II" if order == "<" else b"MM", 42, 8 + rgb.size)
    return head + rgb.tobytes() + index


STORED = {
    1: lambda rgb: rgb,
    2: lambda rgb: rgb[:, ::-1],
    3: lambda rgb: rgb[::-1, ::-1],
    4: lambda rgb: rgb[::-1],
    5: lambda rgb: rgb.transpose(1, 0, 2),
    6: lambda rgb: np.rot90(rgb, 1),
    7: lambda rgb: np.rot90(rgb.transpose(1, 0, 2), 2),
    8: lambda rgb: np.rot90(rgb, -1),
}
"""How a picture is stored that each of EXIF's numbers shows upright."""
