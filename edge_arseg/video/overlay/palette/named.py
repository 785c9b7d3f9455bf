"""Colours of the classes of streets."""

from typing import Final


def _colors(table: str) -> dict[str, tuple[int, int, int]]:
    """Read lines of ``name red green blue``."""
    rows = [line.split() for line in table.strip().splitlines()]
    return {name: (int(red), int(green), int(blue)) for name, red, green, blue in rows}


NAMED: Final = _colors("""
    sky 133 200 254
    building 191 109 90
    pole 222 243 229
    road 153 108 199
    sidewalk 180 45 139
    tree 53 190 69
    sign 238 207 0
    fence 212 212 134
    car 80 86 244
    person 204 4 31
    rider 223 107 3
    void 35 36 41
    wall 116 126 167
    traffic_light 251 181 102
    terrain 117 192 118
    truck 30 29 115
    bus 18 163 164
    train 26 93 101
    motorcycle 109 50 255
    bicycle 123 23 44
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
