"""The units of an H.264 packet that say what its vectors may refer to."""

from collections.abc import Iterator

_SLICES = range(1, 6)
_PARAMETERS = 7


def length_size(extradata: bytes | None) -> int:
    """Bytes of the length before each unit, as avcC codec data says; 0: units stand between start codes (Annex B)."""
    return (extradata[4] & 3) + 1 if extradata and extradata[0] == 1 and len(extradata) > 4 else 0


def parameter_sets(data: bytes, size: int = 0) -> list[bytes]:
    """The sequence parameter sets in a packet whose units have lengths of ``size`` bytes."""
    # Zeros at the end belong to the next start code.
    return [data[start:end].rstrip(b"\0") for start, end in units(data, size) if data[start] & 31 == _PARAMETERS]


def is_referred_to(data: bytes, size: int = 0) -> bool:
    """Other pictures may refer to this one; ``False`` for one of an upper temporal layer."""
    return all(data[start] & 0x60 for start, _ in units(data, size) if data[start] & 31 in _SLICES)


def units(data: bytes, size: int) -> Iterator[tuple[int, int]]:
    """Where each unit of a packet starts and ends, none of them empty; those of H.265 too."""
    if size:
        at = 0
        while at + size < len(data):
            start = at + size
            at = start + int.from_bytes(data[at:start], "big")
            if at > start:
                yield start, min(at, len(data))
        return
    start = data.find(b"\0\0\1") + 3
    while start >= 3:
        at = data.find(b"\0\0\1", start)
        if start < (at if at >= 0 else len(data)):
            yield start, at if at >= 0 else len(data)
        start = at + 3
