"""Files below a folder that stands for ``/``: of this machine, or of a copy of another one's files."""

import os
import stat
from collections import deque
from pathlib import Path
from shlex import quote

from edge_arseg.errors import OptionError

LIMIT = 64 << 20
"""Bytes read of one file at most."""

TOP = ("proc", "sys", "etc", "dev", "usr", "var")
"""Folders of ``/`` that something is read from."""

_CHECKED = (*TOP, "proc/device-tree", "proc/device-tree/compatible", "etc/nv_tegra_release", "etc/nv_boot_control.conf")
"""What an archive that was unpacked with other permissions may hide."""

_LINKS = 40
"""Symbolic links followed on the way to one file, as in the kernel."""


class FileTree:
    """Reads files below a root, and nothing outside it.

    Symbolic links are followed as if the root were ``/``: ``/proc/device-tree`` is an absolute link on a board, and in
    a copy of a board's files it must not lead to the files of the machine that holds the copy. Only ordinary files are
    read, so that a pipe or a device in their place cannot block.
    """

    def __init__(self, root: Path = Path("/")):
        self._root = root

    def text(self, path: str) -> str:
        """Return the content of a file, bytes that are not UTF-8 replaced; nothing where it cannot be read."""
        found = self._found(path)
        if found is None:
            return ""
        try:
            descriptor = os.open(found, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(descriptor, "rb") as file:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    return ""
                return file.read(LIMIT).decode(errors="replace")
        except OSError:
            return ""

    def has_file(self, path: str) -> bool:
        """Return whether an ordinary file is there, readable or not."""
        found = self._found(path)
        try:
            return found is not None and stat.S_ISREG(found.lstat().st_mode)
        except OSError:
            return False

    def names(self, path: str) -> list[str]:
        """Return the sorted names in a folder; none where it cannot be read."""
        found = self._found(path)
        if found is None:
            return []
        try:
            return sorted(path.name for path in found.iterdir())
        except OSError:
            return []

    def lost_link(self, path: str) -> str | None:
        """Return what a symbolic link names, where that is not below the root; ``None`` where it leads to something."""
        link = self._root / path
        try:
            return None if self._found(path) else str(link.readlink())
        except OSError:
            return None

    def _found(self, path: str) -> Path | None:
        """Return where a path leads below the root, or ``None`` where it leads nowhere."""
        ahead = deque(path.split("/"))
        behind: list[str] = []
        links = 0
        while ahead:
            name = ahead.popleft()
            if name in ("", "."):
                continue
            if name == "..":
                del behind[-1:]
                continue
            here = self._root.joinpath(*behind, name)
            try:
                if not stat.S_ISLNK(here.lstat().st_mode):
                    behind.append(name)
                    continue
                target = str(here.readlink())
            except OSError:
                return None
            links += 1
            if links > _LINKS:
                return None
            if target.startswith("/"):
                behind.clear()
            ahead.extendleft(reversed(target.split("/")))
        return self._root.joinpath(*behind)


def check_root(root: Path) -> None:
    """Refuse a folder that is no copy of a machine's files, or may not be read: what is read would all be missing.

    Raises:
        OptionError: nothing of ``TOP`` is in it, or this user may not read what is.
    """
    for place in (root / name for name in _CHECKED):
        try:
            mode = place.lstat().st_mode
        except OSError:
            continue
        asked = os.R_OK | os.X_OK if stat.S_ISDIR(mode) else os.R_OK
        if not stat.S_ISLNK(mode) and not os.access(place, asked):
            raise OptionError(f"{place} may not be read by this user; type: sudo chmod -R a+rX {quote(str(root))}")
    if _is_root(root):
        return
    try:
        inside = [child for child in sorted(root.iterdir()) if child.is_dir() and _is_root(child)]
    except OSError:
        inside = []
    meant = f"; did you mean {inside[0]}?" if inside else ""
    raise OptionError(
        f"{root}: none of {', '.join(TOP)} is in it, expected a folder that stands for /, as `cp -L --parents FILE... "
        f"FOLDER` makes one{meant}"
    )


def _is_root(folder: Path) -> bool:
    return any(os.path.lexists(folder / name) for name in TOP)
