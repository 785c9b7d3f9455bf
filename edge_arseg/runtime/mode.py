"""How frames are run: both branches, or one of them.

``ar`` is AR-Seg: keyframes through the HR branch, the frames between through the LR branch and the fusion. ``hr`` and
``lr`` run every frame through one branch, to compare with.
"""

from collections.abc import Sequence
from enum import Enum

from edge_arseg.arguments import check_kind, named
from edge_arseg.errors import OptionError
from edge_arseg.runtime.bundles.reading import Bundle


class Mode(str, Enum):
    """How frames are run."""

    AR = "ar"
    HR = "hr"
    LR = "lr"


def checked_mode(mode: Mode | str) -> Mode:
    """Return a mode, also one that is given by its name.

    Raises:
        OptionError: there is none of this name.
    """
    return named(Mode, mode, "mode")


def modes_from_bundle(bundle: Bundle) -> tuple[Mode, ...]:
    """Return the modes that a bundle can be run in: all, or ``hr`` where it has the HR branch alone."""
    return (Mode.HR,) if bundle.manifest.hr_only else tuple(Mode)


def settled_mode(bundle: Bundle, mode: Mode | None) -> Mode:
    """Return the mode asked for, else the bundle's own: ``ar``, or ``hr`` where it has the HR branch alone.

    Raises:
        OptionError: no bundle, no such mode, or one that needs a branch which the bundle has not.
    """
    check_kind("a bundle", bundle, Bundle, "what read_bundle gives; a name or a folder is for Segmenter(...)")
    able = modes_from_bundle(bundle)
    mode = None if mode is None else checked_mode(mode)
    if mode is not None and mode not in able:
        raise OptionError(
            f"{bundle.path}: has the HR branch alone, mode {mode.value} needs the LR branch too; type --mode hr, or "
            "train the LR branch (edge-arseg train lr) and export again"
        )
    return mode or able[0]


def modes_to_run(bundle: Bundle | None, asked: Sequence[Mode], usual: Sequence[Mode]) -> tuple[Mode, ...]:
    """Return the modes asked for; where there are none, those of ``usual`` that the bundle can be run in.

    Args:
        bundle: ``None``: one in the package, which has both branches.
        asked: by the user.
        usual: in their order; at least one is ``hr``.

    Raises:
        OptionError: no such mode, or one that needs a branch which the bundle has not.
    """
    if bundle is None:
        return tuple(checked_mode(mode) for mode in asked) or tuple(usual)
    able = modes_from_bundle(bundle)
    return tuple(settled_mode(bundle, mode) for mode in asked) or tuple(mode for mode in usual if mode in able)
