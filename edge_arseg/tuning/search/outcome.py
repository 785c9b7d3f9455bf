"""What a setting came to."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from edge_arseg.tuning.search.parts import Parts


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a setting came to; each with its 95 % interval where there is one.

    Attributes:
        miou: per cent, the mean over the distances from the keyframe.
        mean_ms: of a frame, mean over a GOP.
        slow_ms: median of the frames of the slower branch: of keyframes, unless they are made in the background.
        j_per_frame: ``None``: not measured.
        parts: what the values are made of; ``None``: not known.
    """

    miou: float
    miou_low: float
    miou_high: float
    mean_ms: float
    mean_low: float
    mean_high: float
    slow_ms: float
    j_per_frame: float | None = None
    parts: Parts | None = None

    @property
    def joules(self) -> float:
        """Energy of a frame as limits see it: what was not measured holds none."""
        return math.inf if self.j_per_frame is None else self.j_per_frame

    def whole(self, frames: int) -> bool:
        """Whether mIoU is that of all labelled frames, which are so many: the setting was not given up before."""
        return self.miou == self.miou and (self.parts is None or self.parts.frames >= frames)


def frames_scored(outcomes: Iterable[Outcome]) -> int:
    """Return how many labelled frames are scored of a setting that is not given up: all settings have the same."""
    return max((one.parts.frames for one in outcomes if one.parts is not None), default=0)


def json_from_outcome(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome for the study: ``None`` in place of ``nan``, which JSON has not."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(one) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [plain(one) for one in value]
        return value if value == value else None

    found: dict[str, Any] = plain(asdict(outcome))
    return found


def outcome_from_json(told: Mapping[str, Any]) -> Outcome:
    """Read an outcome that ``json_from_outcome`` wrote."""

    def number(value: float | None) -> float:
        return float("nan") if value is None else value

    parts = told["parts"] and Parts(
        hr_ms=number(told["parts"]["hr_ms"]),
        lr_ms=number(told["parts"]["lr_ms"]),
        hr_frames=told["parts"]["hr_frames"],
        lr_frames=told["parts"]["lr_frames"],
        by_distance=tuple(number(one) for one in told["parts"]["by_distance"]),
        maps=tuple(told["parts"]["maps"]),
        frames=told["parts"]["frames"],
    )
    rest = {key: value if key == "j_per_frame" else number(value) for key, value in told.items() if key != "parts"}
    return Outcome(**rest, parts=parts)
