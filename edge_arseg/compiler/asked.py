"""What a caller names: a bundle, roles of graphs, and their precisions."""

from collections.abc import Mapping
from enum import Enum
from os import PathLike
from typing import TypeVar

from edge_arseg.errors import OptionError
from edge_arseg.runtime.bundles.reading import Bundle, read_bundle
from edge_arseg.runtime.bundles.zoo import bundle_path
from edge_arseg.spec.manifest import Precision, Role

Named = TypeVar("Named", bound=Enum)


def bundle_given(bundle: Bundle | str | PathLike[str]) -> Bundle:
    """Return a bundle; one that is named by its folder, or by its name in the package, is read and checked.

    Raises:
        OptionError: it is neither.
        BundleError: there is none, or it is damaged.
    """
    if isinstance(bundle, Bundle):
        return bundle
    return read_bundle(bundle_path(bundle))


def named(kind: type[Named], value: object, what: str) -> Named:
    """Return one of a kind, also one that is given by its name.

    Args:
        kind: of which there are so many.
        value: one, or its name.
        what: it is, for the message.

    Raises:
        OptionError: there is none of this name.
    """
    try:
        return kind(value)
    except ValueError:
        known = ", ".join(str(one.value) for one in kind)
        raise OptionError(f"{what} {value!r} seen, expected one of {known}") from None


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
