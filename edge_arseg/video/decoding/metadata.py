"""Titles and tags of containers, which old recorders wrote in any encoding; of all of them lengths alone are read."""

import re
from collections.abc import Mapping
from typing import Any

import av

ANY_ENCODING: Mapping[str, Any] = {} if int(av.__version__.split(".")[0]) >= 19 else {"metadata_errors": "replace"}
"""Keywords of ``av.open`` with which titles of other encodings than UTF-8 are no error. PyAV 19 needs none, and refuses
the one that older versions need."""

_CLOCK = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)")


def tagged_duration_s(stream: Any) -> float | None:
    """Second at which a stream ends by its tags, as writers of Matroska set them; ``None`` where none says it."""
    tags = (text for name, text in stream.metadata.items() if name.upper().startswith("DURATION"))
    clock = _CLOCK.fullmatch(next(tags, ""))
    return None if clock is None else 3600 * int(clock[1]) + 60 * int(clock[2]) + float(clock[3])
