"""What decides the results of an archive, besides its videos."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edge_arseg.errors import BundleError
from edge_arseg.motion.keyframe import SCENE_CUT, Policy
from edge_arseg.motion.policies.naming import in_background, policy_named
from edge_arseg.runtime.bundles.reading import Bundle, read_bundle
from edge_arseg.runtime.choice.engine_choice import Choice
from edge_arseg.runtime.engines.contract import EngineOptions
from edge_arseg.runtime.mode import Mode
from edge_arseg.runtime.segmenter import Segmenter
from edge_arseg.spec.geometry.placement import SOURCE, OutputSize
from edge_arseg.video.delivery.options import AS_EVER, LiveOptions
from edge_arseg.video.overlay.style import DEFAULT_STYLE, OverlayStyle


@dataclass(frozen=True, slots=True)
class Settings:
    """The bundle and the options of every video. It can be pickled.

    Attributes:
        bundle: folder of the bundle on this machine.
        bundle_digest: see ``Bundle.digest``.
        engines: what the graphs run on, with the backend that was chosen.
        asked_backend: backend as it was asked for, ``auto`` too.
        mode, motion, recode_scale, stream, fit, output_size, live, limit, style: see ``run_to_sinks``.
        keyframes: ``fixed``, ``async``, ``adaptive`` or ``adaptive-async``.
        interval, scene_cut, follow_codec: see ``KeyframePolicy``.
    """

    bundle: Path
    bundle_digest: str
    engines: EngineOptions
    asked_backend: str
    mode: Mode
    keyframes: str
    interval: int
    scene_cut: float = SCENE_CUT
    follow_codec: bool = False
    motion: str = "auto"
    recode_scale: float = 1.0
    stream: int | None = None
    fit: str | None = None
    output_size: OutputSize = SOURCE
    live: LiveOptions = AS_EVER
    limit: int | None = None
    style: OverlayStyle = DEFAULT_STYLE

    @property
    def digest(self) -> str:
        """Name of all that changes results: neither the place of the bundle nor the number of threads does."""
        said: dict[str, Any] = asdict(self)
        del said["bundle"], said["engines"]
        said["fusion"], said["mode"] = self.engines.fusion, self.mode.value
        return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()

    def policy(self) -> Policy:
        """Return a new keyframe policy."""
        return policy_named(self.keyframes, self.interval, self.scene_cut, follow_codec=self.follow_codec)

    def open(self) -> Segmenter:
        """Open the engines. They were proved where the choice was made, and are not proved again.

        Raises:
            BundleError: the bundle is gone, or is another one by now.
            BuildError: an engine cannot be opened.
        """
        bundle = read_bundle(self.bundle, digests=False)
        if bundle.digest != self.bundle_digest:
            raise BundleError(f"{self.bundle}: it was replaced while videos were segmented; type the same again")
        return self.opened(bundle)

    def opened(self, bundle: Bundle) -> Segmenter:
        """Open the engines of a bundle that was read; errors are those of ``open``."""
        choice = Choice(bundle, self.engines, "as chosen before")
        return Segmenter(choice, mode=self.mode, policy=self.policy(), background=in_background(self.keyframes))
