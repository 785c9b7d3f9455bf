"""What an H.264 sequence parameter set says that decides whether the stream's vectors can be used."""

from dataclasses import dataclass

from edge_arseg.video.vectors.h264_units import parameter_sets


@dataclass(frozen=True, slots=True)
class SequenceParameters:
    """What a stream may use.

    Attributes:
        max_refs: reference frames, at most.
        progressive: every frame is coded whole, never in fields.
        corner_cut: columns on the left or rows at the top are coded and not shown.
    """

    max_refs: int
    progressive: bool
    corner_cut: bool = False


# Profiles whose parameter sets carry chroma format, bit depth and scaling lists.
_HIGH_PROFILES = (100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135)


def sps_from_unit(unit: bytes) -> SequenceParameters | None:
    """Read a sequence parameter set; ``None`` where it is cut off."""
    try:
        return _parameters(_Bits(unit))
    except IndexError:
        return None


def parameter_sets_of_extradata(extradata: bytes | None) -> list[bytes]:
    """The sequence parameter sets in avcC or Annex B codec data."""
    data = extradata or b""
    if data[:1] != b"\x01":
        return parameter_sets(data)
    # avcC: 6 bytes, then for each unit a 16-bit length and the unit
    units, at = [], 6
    for _ in range(data[5] & 31 if len(data) > 5 else 0):
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        units.append(data[at + 2 : end].rstrip(b"\0"))
        at = end
    return [unit for unit in units if unit]


class _Bits:
    def __init__(self, unit: bytes) -> None:
        # A 3 that follows two zeros was put in so that no start code appears.
        self._data = unit.replace(b"\0\0\3", b"\0\0")
        self._at = 8  # behind the header of the unit

    def bits(self, count: int) -> int:
        value = 0
        for _ in range(count):
            value = value << 1 | self._data[self._at >> 3] >> (7 - self._at % 8) & 1
            self._at += 1
        return value

    def golomb(self) -> int:
        zeros = 0
        while not self.bits(1):
            zeros += 1
        return (1 << zeros) - 1 + self.bits(zeros)

    def signed(self) -> int:
        value = self.golomb()
        return (value + 1) // 2 if value % 2 else -(value // 2)


def _parameters(unit: _Bits) -> SequenceParameters:
    profile = unit.bits(8)
    unit.bits(16)  # constraints, level
    unit.golomb()  # id
    if profile in _HIGH_PROFILES:
        chroma = unit.golomb()
        if chroma == 3:
            unit.bits(1)
        unit.golomb()  # luma depth
        unit.golomb()  # chroma depth
        unit.bits(1)
        if unit.bits(1):
            for n in range(12 if chroma == 3 else 8):
                if unit.bits(1):
                    _skip_scaling_list(unit, 16 if n < 6 else 64)
    unit.golomb()  # frame number length
    order = unit.golomb()
    if order == 0:
        unit.golomb()
    elif order == 1:
        unit.bits(1)
        unit.signed()
        unit.signed()
        for _ in range(unit.golomb()):
            unit.signed()
    max_refs = unit.golomb()
    unit.bits(1)
    unit.golomb()  # width
    unit.golomb()  # height
    progressive = bool(unit.bits(1))
    if not progressive:
        unit.bits(1)  # fields or frames in each macroblock
    unit.bits(1)  # how direct blocks get their vectors
    left = top = 0
    if unit.bits(1):
        left = unit.golomb()
        unit.golomb()  # right
        top = unit.golomb()
    return SequenceParameters(max_refs, progressive, corner_cut=left > 0 or top > 0)


def _skip_scaling_list(unit: _Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + unit.signed()) % 256
        last = following or last
