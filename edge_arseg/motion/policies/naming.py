"""Ways of keyframes by the name that ``--keyframes`` gives them."""

from edge_arseg.errors import OptionError
from edge_arseg.motion.keyframe import KeyframePolicy, Policy
from edge_arseg.motion.policies.adaptive import AdaptivePolicy

KEYFRAMES = ("fixed", "async", "adaptive", "adaptive-async")
AT_THEIR_FRAME = {"async": "fixed", "adaptive-async": "adaptive"}
"""What a way comes to where keyframes cannot be made in the background."""


def policy_named(name: str, interval: int, scene_cut: float, *, follow_codec: bool = False) -> Policy:
    """Return the policy of a way of keyframes.

    Args:
        name: one of ``KEYFRAMES``.
        interval: frames from keyframe to keyframe: at most, or on average where the way is adaptive.
        scene_cut, follow_codec: see ``KeyframePolicy``.

    Raises:
        OptionError: no such way, or a value is out of range.
    """
    if name not in KEYFRAMES:
        raise OptionError(f"keyframes {name!r} seen, expected one of {', '.join(KEYFRAMES)}")
    kind = AdaptivePolicy if name.startswith("adaptive") else KeyframePolicy
    return kind(interval, scene_cut, follow_codec)


def in_background(name: str) -> bool:
    """Whether keyframes are made beside the frames that follow them."""
    return name.endswith("async")
