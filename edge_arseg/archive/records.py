"""Records of what is whole: one small file for each video, in a hidden folder beside the results."""

import json
from dataclasses import dataclass
from typing import Any

from edge_arseg.archive.fingerprint import Fingerprint
from edge_arseg.archive.outcome import Outcome, outcome_from_row
from edge_arseg.archive.shelf import Shelf, shelf_of

FOLDER = ".edge-arseg"
"""Name of the hidden folder."""

REVISION = 1
PLACING, WHOLE = "placing", "whole"


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of the results of one video.

    Attributes:
        state: ``placing``: all is made and gets its names now; ``whole``: all has its names.
        run: of the command that made them.
        settings: see ``Settings.digest``.
        fingerprint: of the video.
        results: places and the bytes of each.
        outcome: of the video.
    """

    state: str
    run: str
    settings: str
    fingerprint: Fingerprint
    results: tuple[tuple[str, int], ...]
    outcome: Outcome

    def row(self) -> dict[str, Any]:
        """Return the record as JSON has it."""
        return {
            "revision": REVISION,
            "state": self.state,
            "run": self.run,
            "settings": self.settings,
            "fingerprint": self.fingerprint.row(),
            "results": [list(result) for result in self.results],
            "outcome": self.outcome.row(),
        }


class Records:
    """The records of one archive.

    Args:
        place: folder that ``FOLDER`` lies in; it is made with the first record.
    """

    def __init__(self, place: str) -> None:
        self._shelf: Shelf = shelf_of(place).inside(FOLDER)

    def read(self, key: str) -> Record | None:
        """Return the record of a video; ``None`` where there is none that can be read.

        Raises:
            OSError: the folder cannot be looked into.
        """
        text = self._shelf.read(f"{key}.json")
        if text is None:
            return None
        try:
            row = json.loads(text)
            if row["revision"] != REVISION:
                return None
            return Record(
                row["state"],
                row["run"],
                row["settings"],
                Fingerprint(**row["fingerprint"]),
                tuple((str(name), int(size)) for name, size in row["results"]),
                outcome_from_row(row["outcome"]),
            )
        except (ValueError, KeyError, TypeError):  # half a record is none: the video is segmented again
            return None

    def write(self, key: str, record: Record) -> None:
        """Write a record, whole or not at all.

        Raises:
            OSError: it cannot be written.
        """
        self._shelf.write(f"{key}.json", json.dumps(record.row(), indent=1).encode())

    def there(self, record: Record) -> list[bool | None]:
        """Say of each result that a record names whether it is as long as it was; ``None``: it is not there."""
        sizes = [(shelf_of(place).size(""), size) for place, size in record.results]
        return [None if seen is None else seen == size for seen, size in sizes]
