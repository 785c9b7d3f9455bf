"""The folder that a demo writes to."""

import json
import os
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType

from edge_arseg.errors import SinkError
from edge_arseg.storage.files.lock import Lock, lock_on
from edge_arseg.storage.files.output import check_output
from edge_arseg.storage.folders import made_folders, remove_folders
from edge_arseg.storage.url import label_of
from edge_arseg.video.sinks import plan_sinks
from edge_arseg.video.sinks.base import sink_errors
from edge_arseg.video.uri import source_from_uri

OVERLAY, LINES, STREET, SUMMARY = "overlay.mp4", "frames.jsonl", "street.mp4", "summary.json"
MARK = ".edge-arseg-demo"
"""Says that the outputs here are a demo's."""


class DemoFolder:
    """A folder whose outputs a demo may replace, because a demo wrote them; files of anybody else stay.

    In a ``with`` block the folder exists, and no other demo writes to it.

    Args:
        path: the folder.
        force: files of the same names may be replaced, whoever wrote them.

    Attributes:
        replaces: outputs that are there may be replaced.
    """

    def __init__(self, path: Path, *, force: bool = False) -> None:
        self.path = path
        self.replaces = force or os.path.lexists(path / MARK) or _is_summary(path / SUMMARY)
        self._made: list[Path] = []
        self._marked = False
        self._lock: Lock | None = None

    def check(self, source: str | None) -> None:
        """Refuse to overwrite the source, or files that no demo wrote. Nothing is opened for writing.

        Args:
            source: what is read; ``None``: the rendered street, which is written here.

        Raises:
            SinkError: it would overwrite one.
            SourceError: the source is no source.
        """
        plan_sinks(self.sinks, source=source, force=self.replaces)
        read = None if source is None else source_from_uri(source).path
        for name in (SUMMARY, STREET) if source is None else (SUMMARY,):
            check_output(self.path / name, force=self.replaces, inputs=[] if read is None else [read])

    @property
    def sinks(self) -> tuple[str, str]:
        """The overlay and the lines, as names of sinks."""
        return f"file:{self.path / OVERLAY}", f"jsonl://{self.path / LINES}"

    def __enter__(self) -> "DemoFolder":
        label = label_of(self.path)
        with sink_errors(label, option="-o"), ExitStack() as failed:
            self._made = made_folders(self.path)
            failed.callback(self._leave)
            self._lock = lock_on(self.path)
            if self._lock is None:
                raise SinkError(f"cannot write {label}: a running process writes to it; choose another folder with -o")
            if not os.path.lexists(self.path / MARK):
                self._marked = True
                (self.path / MARK).write_text("Files of `edge-arseg demo`; the next demo replaces them.\n")
            failed.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    def _leave(self) -> None:
        """Leave no mark and no folder that this demo made where it wrote nothing."""
        if self._marked and not any((self.path / name).exists() for name in (OVERLAY, LINES, STREET, SUMMARY)):
            with suppress(OSError):
                (self.path / MARK).unlink()
            remove_folders(self._made)
        if self._lock is not None:
            self._lock.release()


def _is_summary(path: Path) -> bool:
    """Whether a file is the summary that a demo wrote."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and {"bundle", "digest", "source", "ran", "files"} <= content.keys()
