"""A report as JSON: everything that the page draws."""

import json
import math
from dataclasses import asdict
from typing import Any

from edge_arseg.bench.report.content import Report


def json_from_report(report: Report) -> str:
    """Return one object with the fields of ``Report``; what has no number is ``null``."""
    return json.dumps(_plain(asdict(report)), indent=1, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
