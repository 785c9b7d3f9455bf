"""The plans of one engine key on disk: written whole or not at all, and never taken for good without their digest."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

from edge_arseg.errors import BundleError, SinkError
from edge_arseg.runtime.bundles.plans import plan_fault
from edge_arseg.runtime.bundles.reading import sha256_of
from edge_arseg.spec.engine_key import RECORD, EngineKey, PlanRecord, json_from_record, plan_file, record_from_json
from edge_arseg.spec.entries import FileEntry
from edge_arseg.spec.manifest import Role
from edge_arseg.storage.fault import advice_on
from edge_arseg.storage.files.lock import Lock, is_running
from edge_arseg.storage.files.whole import write_whole
from edge_arseg.storage.folders import check_writable


class PlanStore:
    """The folder ``<root>/<key>/``, and the timing cache beside it.

    Attributes:
        folder: of the plans.
        key: what they depend on.
    """

    def __init__(self, root: Path, key: EngineKey):
        self.key = key
        self.folder = root / key.name
        major_minor = "".join(map(str, key.compute_capability))
        device = "".join(letter if letter.isalnum() or letter == "-" else "_" for letter in key.device)
        self._timing = root / f"timing-{key.library}-{key.version}-sm_{major_minor}-{device}.cache"

    def check_writable(self, advice: str) -> None:
        """Make the folder, and see whether it can be written into, before any time is spent on a build.

        Args:
            advice: what to type where it cannot be written.

        Raises:
            SinkError: it cannot be written.
        """
        check_writable(self.folder, advice)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SinkError(f"{self.folder}: cannot be written ({error.strerror or error}); {advice}") from error

    def record(self) -> PlanRecord:
        """Return what is there; without plans where there is no record or none that can be read."""
        record = _record_in(self.folder / RECORD)
        return PlanRecord(self.key, {}, "") if record is None or record.key != self.key else record

    def has(self, role: Role) -> bool:
        """Return whether the plan of a role is there and is what was written."""
        record = self.record()
        return role in record.plans and not plan_fault(self.folder, record, role)

    def beside(self, role: Role) -> Path | None:
        """Return another folder whose plan of a role `run` takes as well: it was built with other flags, as another
        amount of scratch memory; ``None`` where there is none.
        """
        for folder, record in self._records():
            other = PlanStore(self.folder.parent, record.key)
            if other.folder == folder and not self.key.differences(record.key) and other.has(role):
                return folder
        return None

    def part(self, role: Role) -> Path:
        """Return where a plan is written before it has its name; leftovers of killed builds are removed, and those of
        another build that runs now are left alone.
        """
        own = self.folder / f".{plan_file(role)}.part-{os.getpid()}"
        for leftover in self.folder.glob(f".{plan_file(role)}.part-*"):
            process = leftover.name.rpartition("-")[2]
            if leftover == own or not (process.isdigit() and is_running(int(process))):
                leftover.unlink(missing_ok=True)
        return own

    def earlier_seconds(self, role: Role) -> float | None:
        """Return how long building a role took here before, the longest of all plans of this library and GPU beside
        this folder; ``None`` where that is not known.
        """
        own = self.key.library, self.key.device
        alike = (record for _, record in self._records() if (record.key.library, record.key.device) == own)
        return max((record.seconds[role] for record in alike if role in record.seconds), default=None)

    def keep(self, role: Role, part: Path, extra: Mapping[str, str], *, seconds: float | None = None) -> FileEntry:
        """Give a written plan its name, and record its digest last: what has no digest does not exist.

        One process at a time does so: another build's plan in the same record is not lost.

        Args:
            role: of the plan.
            part: see ``part``.
            extra: names of files beside the plan to their text; they are for people and are not recorded.
            seconds: that the build took; ``None``: not known.

        Raises:
            SinkError: the folder cannot be written.
        """
        try:
            entry = FileEntry(sha256_of(part), part.stat().st_size)
            with part.open("rb") as file:
                os.fsync(file.fileno())
            lock = Lock(self.folder)
            try:
                lock.wait()
                self._record_plan(role, part, entry, extra, seconds)
            finally:
                lock.release()
        except OSError as error:
            raise SinkError(f"{self.folder}: the plan cannot be kept: {advice_on(error, self.folder)}") from error
        return entry

    def _record_plan(
        self, role: Role, part: Path, entry: FileEntry, extra: Mapping[str, str], seconds: float | None
    ) -> None:
        record = self.record()
        others = {other: kept for other, kept in record.plans.items() if other is not role}
        self._write_record(replace(record, plans=others))  # from here on the old plan does not exist
        part.replace(self.folder / plan_file(role))
        for name, text in extra.items():
            write_whole(self.folder / name, text.encode(), sync=True)
        times = record.seconds if seconds is None else {**record.seconds, role: seconds}
        self._write_record(replace(record, plans={**others, role: entry}, seconds=times))

    def timing_cache(self) -> bytes:
        """Return what earlier builds learnt; empty where there is nothing, or not with the digest beside it."""
        try:
            data = self._timing.read_bytes()
            digest = self._digest.read_text().split()[0]
        except (OSError, IndexError, UnicodeDecodeError):
            return b""
        return data if hashlib.sha256(data).hexdigest() == digest else b""

    def keep_timing_cache(self, data: bytes) -> None:
        """Keep what a build learnt for the next one; losing it costs time only, so no error is raised."""
        if not data:
            return
        try:
            write_whole(self._timing, data, sync=True)
            write_whole(self._digest, f"{hashlib.sha256(data).hexdigest()}  {self._timing.name}\n".encode(), sync=True)
        except OSError:
            self._timing.unlink(missing_ok=True)

    @property
    def _digest(self) -> Path:
        return self._timing.with_name(f"{self._timing.name}.sha256")

    def _records(self) -> Iterator[tuple[Path, PlanRecord]]:
        """Yield the folders beside this one, itself among them, with their records; what cannot be read is left out."""
        for file in sorted(self.folder.parent.glob(f"*/{RECORD}")):
            if (record := _record_in(file)) is not None:
                yield file.parent, record

    def _write_record(self, record: PlanRecord) -> None:
        built = datetime.now(timezone.utc).isoformat(timespec="seconds")
        write_whole(self.folder / RECORD, json_from_record(replace(record, built=built)).encode(), sync=True)


def _record_in(file: Path) -> PlanRecord | None:
    """Return the record in a file; ``None`` where there is none that can be read."""
    try:
        return record_from_json(file.read_bytes(), where=str(file))
    except (OSError, BundleError):
        return None
