"""What OpenVINO made of a graph, kept in the user's cache: loading it takes a tenth of the time of making it."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from edge_arseg.storage.scratch import temporary_folder
from edge_arseg.storage.user_folders import user_cache


@contextmanager
def cache_settings(graph: Path, *, facts: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Give the settings to compile a graph with; where nothing can be written, there are none.

    OpenVINO itself tells graphs apart by path, time and size. Here each has a folder named by its content and by what
    else the result depends on. The folder appears when it is complete, so that no other process reads half of it.

    Args:
        graph: an ONNX file.
        facts: what the result depends on: versions, the CPU, settings.
    """
    root = user_cache() / "openvino"
    with ExitStack() as stack:
        part = None
        try:
            key = hashlib.sha256(graph.read_bytes() + repr(sorted(facts.items())).encode()).hexdigest()[:32]
            folder = root / key
            if not folder.is_dir():
                root.mkdir(parents=True, exist_ok=True)
                part = stack.enter_context(temporary_folder(root, ".part"))
        except OSError:
            yield {}
            return
        yield {"CACHE_DIR": str(part or folder)}
        if part is not None and any(part.iterdir()):
            with suppress(OSError):  # another process was first
                os.replace(part, folder)  # noqa: PTH105
