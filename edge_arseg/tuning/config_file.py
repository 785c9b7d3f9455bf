"""A setting as the file that ``run --config`` takes."""

import json

from edge_arseg.motion.keyframe import SCENE_CUT
from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.runtime.bundles.zoo import typed_name
from edge_arseg.runtime.engines.contract import EngineOptions
from edge_arseg.tuning.search.setting import Setting


def toml_from_setting(setting: Setting, bundle: Bundle, engines: EngineOptions, notes: list[str]) -> str:
    """Return a TOML document with the table ``[run]``.

    Args:
        setting: it.
        bundle: that it runs.
        engines: as they were settled.
        notes: lines that stand above it as comments.
    """
    values: dict[str, object] = {
        "bundle": typed_name(bundle.path.resolve()),
        "mode": setting.mode.value,
        "backend": engines.backend,
        "fusion": engines.fusion,
        "threads": engines.threads,
        "keyframes": setting.keyframes,
        "interval": setting.interval,
        "scene-cut": SCENE_CUT,
        "motion": setting.motion,
        "recode-scale": setting.recode_scale,
        "unchecked": engines.unchecked or None,
    }
    lines = [*(f"# {line}" for line in notes), "[run]"]
    lines += [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items() if value is not None]
    return "\n".join(lines) + "\n"
