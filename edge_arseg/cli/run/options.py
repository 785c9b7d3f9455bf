"""What is typed of a run, besides its source and its sinks."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edge_arseg.spec.geometry.placement import OutputSize
from edge_arseg.video.delivery.options import LiveOptions
from edge_arseg.video.overlay.style import OverlayStyle

if TYPE_CHECKING:
    from edge_arseg.archive.settings import Settings
    from edge_arseg.motion.keyframe import Policy
    from edge_arseg.runtime.choice.engine_choice import Choice
    from edge_arseg.runtime.mode import Mode


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Options of ``run``, by the names of its parameters.

    Attributes:
        mode: ``ar``, ``hr`` or ``lr``; ``None``: the bundle's own.
        keyframes, interval, scene_cut, follow_codec: when a frame becomes a keyframe; see ``policy_named``.
        segment_s: seconds of a segment of an overlay video; ``None``: one file.
        record: file that keeps what a live source sends; ``None``: nothing does.
        force: results that are there may be replaced.
        motion, recode_scale, stream, fit, output_size, limit, live, style: see ``run_to_sinks``.
    """

    mode: str | None
    motion: str
    recode_scale: float
    stream: int | None
    fit: str | None
    output_size: OutputSize
    keyframes: str
    interval: int | None
    scene_cut: float
    follow_codec: bool
    limit: int | None
    live: LiveOptions
    segment_s: float | None
    record: Path | None
    style: OverlayStyle
    force: bool

    def policy(self, choice: "Choice") -> "Policy":
        """Return the keyframe policy for a bundle."""
        from edge_arseg.motion.policies.naming import policy_named

        interval = self.interval or choice.bundle.manifest.gop
        return policy_named(self.keyframes, interval, self.scene_cut, follow_codec=self.follow_codec)

    def settings(self, choice: "Choice", mode: "Mode", asked_backend: str) -> "Settings":
        """Return the settings of many videos; see ``Settings`` for the arguments."""
        from edge_arseg.archive.settings import Settings

        return Settings(
            bundle=choice.bundle.path.resolve(),
            bundle_digest=choice.bundle.digest,
            engines=choice.options,
            asked_backend=asked_backend,
            mode=mode,
            keyframes=self.keyframes,
            interval=self.interval or choice.bundle.manifest.gop,
            scene_cut=self.scene_cut,
            follow_codec=self.follow_codec,
            motion=self.motion,
            recode_scale=self.recode_scale,
            stream=self.stream,
            fit=self.fit,
            output_size=self.output_size,
            live=self.live,
            limit=self.limit,
            style=self.style,
        )
