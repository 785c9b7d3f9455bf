"""Colours of the classes of streets."""

from typing import Final


def _colors(table: str) -> dict[str, tuple[int, int, int]]:
    """Read lines of ``name red green blue``."""
    rows = [line.split() for line in table.strip().splitlines()]
    return {name: (int(red), int(green), int(blue)) for name, red, green, blue in rows}


NAMED: Final = _colors("""
    sky 143 203 255
    building 135 62 36
    pole 227 230 182
    road 129 70 139
    sidewalk 233 94 199
    tree 26 158 66
    sign 253 221 13
    fence 130 117 89
    car 33 82 231
    person 251 59 51
    rider 253 139 4
    void 24 28 30
    wall 108 113 147
    traffic_light 249 188 133
    terrain 154 231 110
    truck 12 32 124
    bus 35 173 170
    train 6 91 101
    motorcycle 153 51 250
    bicycle 121 16 48
""")
"""Found by ``tools/palette_search.py``: near to what people expect, and far from each other for all kinds of vision."""

SAME: Final = {
    "column_pole": "pole",
    "pedestrian": "person",
    "bicyclist": "rider",
    "cyclist": "rider",
    "vegetation": "tree",
    "traffic_sign": "sign",
    "traffic_sign_symbol": "sign",
    "pavement": "sidewalk",
    "background": "void",
}
"""Names of the same thing in other data sets."""
