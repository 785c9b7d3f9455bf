"""A street that does not exist, driven along by a camera: pictures with exact labels, for demos and tests."""

from edge_arseg.street.drive import Scene, frames_from_street, scenes_from_street
from edge_arseg.street.options import StreetOptions, street_from_query

__all__ = [
    "Scene",
    "StreetOptions",
    "frames_from_street",
    "scenes_from_street",
    "street_from_query",
]
