"""Lines about a source that its user should know of, each said once."""

import logging
from functools import lru_cache

_log = logging.getLogger(__name__)


@lru_cache(maxsize=1000)
def notice(text: str) -> None:
    """Say it in the log, unless it was said before: a source may be opened many times."""
    _log.warning("%s", text)
