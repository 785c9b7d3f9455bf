"""Files that a muxer of FFmpeg opens by itself, and what went wrong in writing them."""

from contextlib import suppress
from pathlib import Path
from typing import IO


class MuxedFiles:
    """Opens the files of a muxer that writes several, and remembers the first fault in writing them.

    FFmpeg's muxers for HLS and DASH keep such faults to themselves, and name what is not whole in their playlist. To
    the muxer all goes well here too: what its files raised would come out in the middle of others of its calls.
    """

    def __init__(self) -> None:
        self._fault: OSError | None = None

    def open(self, name: str, flags: int, options: dict[str, str]) -> "MuxedFile":
        """Open a file by FFmpeg's name of it, to write it anew."""
        file: IO[bytes] | None = None
        try:
            file = Path(name.removeprefix("file:")).open("wb")  # noqa: SIM115 - FFmpeg closes it
        except OSError as error:
            self.keep(error)
        return MuxedFile(file, self)

    def keep(self, fault: OSError) -> None:
        """Remember a fault, if it is the first."""
        self._fault = self._fault or fault

    def check(self) -> None:
        """Raise the fault.

        Raises:
            OSError: a file could not be opened, written or closed.
        """
        if self._fault is not None:
            raise self._fault


class MuxedFile:
    """A file as a muxer writes it; nothing is raised."""

    def __init__(self, file: IO[bytes] | None, files: MuxedFiles) -> None:
        self._file, self._files = file, files

    def write(self, data: bytes) -> int:
        """Write all of ``data``, so that the file is whole when FFmpeg gives it its name."""
        if self._file is not None:
            try:
                self._file.write(data)
                self._file.flush()
            except OSError as error:
                self._give_up(error)
        return len(data)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            try:
                self._file.close()
            except OSError as error:
                self._give_up(error)

    def _give_up(self, fault: OSError) -> None:
        self._files.keep(fault)
        file, self._file = self._file, None
        with suppress(OSError):
            if file is not None:
                file.close()
