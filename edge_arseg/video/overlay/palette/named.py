"""Colours of the classes of streets."""

from typing import Final


def _colors(table: str) -> dict[str, tuple[int, int, int]]:
    """Read lines of ``name red green blue``."""
    rows = [line.split() for line in table.strip().splitlines()]
    return {name: (int(red), int(green), int(blue)) for name, red, green, blue in rows}


NAMED: Final = _colors("""
    sky 131 201 255
    building 157 84 73
    pole 226 240 212
    road 134 83 159
    sidewalk 255 111 207
    tree 19 135 26
    sign 255 217 0
    fence 174 149 96
    car 31 91 254
    person 248 34 45
    rider 255 158 43
    void 32 32 36
    wall 107 115 152
    traffic_light 255 230 159
    terrain 145 229 129
    truck 31 31 117
    bus 37 162 162
    train 9 73 72
    motorcycle 136 23 233
    bicycle 133 42 84
""")
"""What ``tools/palette_search.py`` prints: near to what people expect, far from each other for all kinds of vision."""

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
