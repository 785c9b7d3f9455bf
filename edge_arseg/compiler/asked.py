"""Precisions of graphs, as a caller names them."""

from collections.abc import Mapping

from edge_arseg.arguments import named
from edge_arseg.errors import OptionError
from edge_arseg.spec.manifest import Precision, Role


def precisions_named(precisions: Mapping[Role, Precision]) -> dict[Role, Precision]:
    """Return precisions by role, also those that are given by their names.

    Raises:
        OptionError: no mapping, or a name is none of those that there are.
    """
    if not isinstance(precisions, Mapping):
        raise OptionError(f"precisions {precisions!r} seen, expected one by role, like {{'hr': 'fp16'}}")
    return {
        named(Role, role, "role"): named(Precision, precision, "precision") for role, precision in precisions.items()
    }
