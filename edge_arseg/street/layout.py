"""Measures of the street, in metres: x to the right of the centre line, y up, z along the drive."""

from typing import Final

PERIOD: Final = 128.0
"""The road surface and the facades repeat after this length."""
TEXELS_PER_METRE: Final = 16
"""Texture resolution of the road surface and the facades, along the street."""
LANE: Final = 3.2
"""From the centre line to the parked cars."""
KERB: Final = 5.2
"""From the centre line to the kerb."""
FACADE: Final = 9.0
"""From the centre line to the facades."""
ROOF: Final = 17.0
"""Height of the facade pictures; no building is higher."""
CAMERA_X: Final = 1.6
CAMERA_Y: Final = 1.45

SKY, BUILDING, POLE, ROAD, SIDEWALK, TREE, SIGN, FENCE, CAR, PEDESTRIAN, BICYCLIST = range(11)
"""Labels, in the order of ``edge_arseg.spec.model.CAMVID_11``."""
