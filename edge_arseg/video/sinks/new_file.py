"""A file that gets its name with its first content."""

import errno
import os
from contextlib import suppress
from pathlib import Path

from edge_arseg.storage.files.identity import is_special
from edge_arseg.storage.files.lock import Lock, lock_on
from edge_arseg.storage.files.output import check_output
from edge_arseg.storage.files.whole import part_of
from edge_arseg.storage.folders import made_folders, remove_folders


class NewFile:
    """Where a sink writes one file: beside its place until the first content is there, then in its place.

    So a run that fails before its first frame leaves nothing and loses nothing, and from the first frame on the file
    can be read under its name while it grows, also after the process was killed. The file that is written is locked:
    no other process of this package replaces it.

    A device or pipe is written to as it is.

    Args:
        target: the URI, for messages.
        path: the file; its folder is made if missing.
        force: a file that is there may be replaced.

    Attributes:
        writes_to: the path to write to until ``publish``; nothing is there yet.

    Raises:
        SinkError: the file exists and ``force`` is not set, or a running process writes to it.
        OSError: the place cannot be written to.
    """

    def __init__(self, target: str, path: Path, *, force: bool) -> None:
        self._target, self._path, self._force = target, path, force
        self._lock: Lock | None = None
        self._made: list[Path] = []
        self.published = special = is_special(path)
        self.writes_to = path if special else part_of(path)
        if special:
            return
        if path.is_dir():
            raise IsADirectoryError(21, "Is a directory", str(path))
        self._check()
        self._made = made_folders(path.parent)
        try:
            self.writes_to.open("xb").close()  # says now, not after the first inference, that the place is read-only
            self.writes_to.unlink()
        except BaseException:
            self.discard()
            raise

    def publish(self) -> None:
        """Give the file its name, once, if there is one yet; what is written afterwards continues into it.

        Raises:
            SinkError: there is a file of this name now, or a running process writes to it.
            OSError: it cannot be renamed.
        """
        if self.published or not self.writes_to.exists():
            return
        self._lock = lock_on(self.writes_to)
        if self._force:
            self._check()
            self.writes_to.replace(self._path)
        else:
            self._rename_to_nothing()
        self.published = True

    def check_there(self) -> None:
        """Refuse to end well where nobody will find what was written.

        Raises:
            FileNotFoundError: the file was removed since it got its name.
        """
        if self._lock is not None and self._lock.nameless and not os.path.lexists(self._path):
            raise FileNotFoundError(errno.ENOENT, "it was removed while it was written", str(self._path))

    def discard(self) -> None:
        """Let go; remove what has no name yet. Safe to call twice."""
        if not self.published:
            with suppress(OSError):
                self.writes_to.unlink(missing_ok=True)
            remove_folders(self._made)
        if self._lock is not None:
            self._lock.release()

    def _check(self) -> None:
        check_output(self._path, force=self._force, what=self._target)

    def _rename_to_nothing(self) -> None:
        """A link fails where there is a file by now; not every file system has links."""
        try:
            os.link(self.writes_to, self._path)
        except FileExistsError:
            self._check()
            raise
        except OSError:
            self._check()
            self.writes_to.replace(self._path)
        else:
            self.writes_to.unlink()
