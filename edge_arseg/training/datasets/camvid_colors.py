"""The 32 colours of CamVid's own labels, and what two labellings make of them."""

from edge_arseg.evaluation.labels.files import IGNORED
from edge_arseg.spec.model import CAMVID_11, CAMVID_12, ClassInfo

Colors = dict[tuple[int, int, int], int]

_TABLE = """
    64 128 64 Animal pedestrian
    192 0 128 Archway building
    0 128 192 Bicyclist bicyclist
    0 128 64 Bridge building
    128 0 0 Building building
    64 0 128 Car car
    64 0 192 CartLuggagePram pedestrian
    192 128 64 Child pedestrian
    192 192 128 Column_Pole column_pole
    64 64 128 Fence fence
    128 0 192 LaneMkgsDriv road
    192 0 64 LaneMkgsNonDriv road
    128 128 64 Misc_Text sign
    192 0 192 MotorcycleScooter bicyclist
    128 64 64 OtherMoving car
    64 192 128 ParkingBlock sidewalk
    64 64 0 Pedestrian pedestrian
    128 64 128 Road road
    128 128 192 RoadShoulder sidewalk
    0 0 192 Sidewalk sidewalk
    192 128 128 SignSymbol sign
    128 128 128 Sky sky
    64 128 192 SUVPickupTruck car
    0 0 64 TrafficCone column_pole
    0 64 64 TrafficLight sign
    192 64 128 Train car
    128 128 0 Tree tree
    192 128 192 Truck_Bus car
    64 0 64 Tunnel building
    192 192 0 VegetationMisc tree
    0 0 0 Void -
    64 192 0 Wall building
"""
"""Red, green, blue, CamVid's name, and the class of the usual 11-class labelling."""


def camvid_11_colors() -> tuple[tuple[ClassInfo, ...], Colors]:
    """The usual labelling: 31 colours merged into 11 classes, Void ignored."""
    names = {info.name: index for index, info in enumerate(CAMVID_11)}
    return CAMVID_11, {color: names.get(merged, IGNORED) for color, merged in _rows()}


def camvid_12_colors() -> tuple[tuple[ClassInfo, ...], Colors]:
    """The AR-Seg authors' labelling: 12 exact colours, Void a class of its own, the other 20 ignored."""
    exact = {info.color: index for index, info in enumerate(CAMVID_12)}
    return CAMVID_12, {color: exact.get(color, IGNORED) for color, _ in _rows()}


def _rows() -> list[tuple[tuple[int, int, int], str]]:
    rows = [line.split() for line in _TABLE.strip().splitlines()]
    return [((int(row[0]), int(row[1]), int(row[2])), row[4]) for row in rows]
