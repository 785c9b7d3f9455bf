"""What a compiled engine depends on: the name of its folder, and the record beside it.

Both halves use this: ``compile`` writes ``engines/<key>/hr.plan lr.plan ... build.json``, the runtime looks for the
same key. Plans are plain files that ``trtexec`` can read too; what is known of them stands beside them.

Revisions of the record:

1. (2026) first.
"""

import functools
import hashlib
import json
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

from edge_arseg.errors import BundleError
from edge_arseg.quantity import counted
from edge_arseg.spec.entries import FileEntry, Sha256
from edge_arseg.spec.manifest import Manifest, Role
from edge_arseg.spec.plain import Field

REVISION = 1
RECORD = "build.json"
FOLDER = "engines"
"""Folder of the engines in a bundle; where it cannot be written, ``engine_roots`` names the user's cache."""


@dataclass(frozen=True, slots=True)
class EngineKey:
    """Everything that makes a plan valid or not. Two equal keys may share plans, two different ones may not.

    Attributes:
        graphs: SHA-256 of each graph that the plans are built from.
        library: ``tensorrt``.
        version: of the library, in full (``tensorrt.__version__``).
        compute_capability: of the GPU, major and minor.
        sm_count: multiprocessors that the power mode leaves on.
        device: part number of the module on a Jetson (``p3767-0003``), elsewhere the name CUDA gives the GPU. Boards of
            one compute capability and SM count still differ in memory and clocks, and tactics are chosen by timing.
        flags: of the build, sorted.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    graphs: dict[Role, Sha256]
    library: str
    version: str
    compute_capability: tuple[int, int]
    sm_count: Annotated[int, Field(ge=1)]
    device: str
    flags: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """First 16 hexadecimal digits of the SHA-256 of the fields: the folder's name."""
        fields = _adapter(EngineKey).dump_python(self, mode="json")
        fields["flags"] = sorted(fields["flags"])
        return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()[:16]

    def differences(self, other: "EngineKey") -> list[str]:
        """Say field by field what ``other``, a key seen, has that this one, the key wanted, has not; flags aside."""
        lines = []
        if changed := sorted(
            r.value for r in {*self.graphs, *other.graphs} if self.graphs.get(r) != other.graphs.get(r)
        ):
            lines.append(f"built from another version of {', '.join(changed)}")
        for name, text in (
            ("library", "{}"),
            ("version", f"{other.library} {{}}"),
            ("compute_capability", "compute capability {0[0]}.{0[1]}"),
            ("sm_count", "{} multiprocessors (the power mode sets them)"),
            ("device", "device {}"),
        ):
            seen, wanted = getattr(other, name), getattr(self, name)
            if seen != wanted:
                lines.append(f"built for {text.format(seen)}, here {text.format(wanted)}")
        return lines


@dataclass(frozen=True, slots=True)
class PlanRecord:
    """``build.json``: what lies in one folder ``engines/<key>/``.

    Attributes:
        key: the fields that the folder is named by.
        plans: digest and length of the plan of each role; the file is ``plan_file(role)``.
        built: when the last of them was finished, ISO 8601 in UTC.
        revision: of this record.
        seconds: that each build took, where it is known.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    key: EngineKey
    plans: dict[Role, FileEntry]
    built: str
    revision: int = REVISION
    seconds: dict[Role, Annotated[float, Field(ge=0)]] = field(default_factory=dict)


@functools.cache
def _adapter(kind: type) -> Any:
    """The validation library's view of a class; who only asks where engines lie does without it."""
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


def plan_file(role: Role) -> str:
    """Return the name of a role's plan in its folder."""
    return f"{role.value}.plan"


def json_from_record(record: PlanRecord) -> str:
    """Return a record as indented JSON."""
    return _adapter(PlanRecord).dump_json(record, indent=2).decode() + "\n"


def record_from_json(text: str | bytes, *, where: str = RECORD) -> PlanRecord:
    """Parse a record.

    Raises:
        BundleError: it is no record, or of another revision. Engines are a cache: the way out is to build again.
    """
    from pydantic import ValidationError

    try:
        record: PlanRecord = _adapter(PlanRecord).validate_json(text)
    except ValidationError as error:
        raise BundleError(
            f"{where}: not a record of plans ({counted(error.error_count(), 'wrong entry')}); delete its folder "
            "and build again"
        ) from error
    if record.revision != REVISION:
        raise BundleError(
            f"{where}: revision {record.revision} seen, this version reads {REVISION}; "
            "delete its folder and build again"
        )
    return record


def graph_digests(manifest: Manifest) -> dict[Role, str]:
    """Return the digest of every graph of a bundle, as a key wants them."""
    return {role: manifest.files[entry.file].sha256 for role, entry in manifest.graphs.items()}
