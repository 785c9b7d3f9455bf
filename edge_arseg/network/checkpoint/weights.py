"""Checking one published state_dict against what a network needs, and collecting every fault."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from edge_arseg.network.checkpoint.published import PREFIX, KeyLayout


@dataclass
class Faults:
    """What is wrong with one file; every list holds published names."""

    file: str
    missing: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    misshapen: list[str] = field(default_factory=list)
    unequal: list[str] = field(default_factory=list)
    not_finite: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.missing or self.unexpected or self.misshapen or self.unequal or self.not_finite)

    def __str__(self) -> str:
        titles = {
            "missing": self.missing,
            "unexpected": self.unexpected,
            "of another shape or type": self.misshapen,
            "stored twice with different values": self.unequal,
            "holding NaN or infinity": self.not_finite,
        }
        lines = [f"{self.file}:"]
        for title, keys in titles.items():
            if keys:
                lines.append(f"  {len(keys)} {title}:")
                lines.extend(f"    {key}" for key in keys)
        return "\n".join(lines)


def weights_from_state(
    state: dict[str, Tensor], wanted: dict[str, Tensor], layout: KeyLayout, *, optional: tuple[str, ...], file: str
) -> tuple[dict[str, Tensor], Faults]:
    """Pick the wanted weights out of a published state_dict.

    Args:
        state: as read from the file, with or without the ``module.`` prefix.
        wanted: published name without prefix to a tensor of the right shape and type.
        layout: of the architecture.
        optional: published prefixes that may be present and are not read.
        file: name of the file, for messages.

    Returns:
        The weights by published name, and the faults. Weights of faulty entries are left out.
    """
    faults = Faults(file)
    plain = {key.removeprefix(PREFIX): value for key, value in state.items()}
    if len(plain) != len(state):
        both = sorted(key for key in plain if key in state and PREFIX + key in state)
        faults.unequal.extend(f"{key} (with and without {PREFIX!r})" for key in both)
    known = _fold_aliases(plain, layout, faults)
    found: dict[str, Tensor] = {}
    for key, like in wanted.items():
        value = known.pop(key, None)
        if value is None:
            faults.missing.append(key)
        elif value.shape != like.shape or value.dtype != like.dtype:
            faults.misshapen.append(f"{key}: {described(value)} seen, {described(like)} expected")
        elif value.is_floating_point() and not bool(torch.isfinite(value).all()):
            faults.not_finite.append(key)
        else:
            found[key] = value
    faults.unexpected.extend(sorted(key for key in known if not key.startswith((*layout.training_only, *optional))))
    return found, faults


def _fold_aliases(plain: dict[str, Tensor], layout: KeyLayout, faults: Faults) -> dict[str, Tensor]:
    """Return the entries under their first names only, with pairs asserted equal."""
    folded = dict(plain)
    for second, first in layout.aliases:
        for key in [key for key in folded if key.startswith(second)]:
            value, name = folded.pop(key), first + key[len(second) :]
            if name not in folded:
                folded[name] = value
            elif not torch.equal(folded[name], value):
                faults.unequal.append(f"{name} and {key}")
    return folded


def described(tensor: Tensor) -> str:
    """Return type and shape, for messages."""
    return f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"
