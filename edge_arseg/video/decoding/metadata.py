"""Titles and tags of containers, which nothing here reads and old recorders wrote in any encoding."""

from collections.abc import Mapping
from typing import Any

import av

ANY_ENCODING: Mapping[str, Any] = {} if int(av.__version__.split(".")[0]) >= 19 else {"metadata_errors": "replace"}
"""Keywords of ``av.open`` with which titles of other encodings than UTF-8 are no error. PyAV 19 needs none, and refuses
the one that older versions need."""
