"""The plans of a bundle: where they lie, which one fits this machine, and why others do not."""

import logging
from collections.abc import Mapping
from pathlib import Path
from shlex import quote

from edge_arseg.errors import BuildError, transient
from edge_arseg.runtime.bundles.reading import Bundle, sha256_of
from edge_arseg.spec.engine_key import (
    FOLDER,
    RECORD,
    EngineKey,
    PlanRecord,
    graph_digests,
    plan_file,
    record_from_json,
)
from edge_arseg.spec.manifest import Role
from edge_arseg.storage.user_folders import user_cache

_log = logging.getLogger(__name__)


def engine_roots(
    bundle: Path, digest: str, *, environment: Mapping[str, str] | None = None, home: Path | None = None
) -> tuple[Path, Path]:
    """Return the two folders that may hold ``<key>/``: in the bundle, and in the user's cache for read-only bundles.

    Args:
        bundle: the folder ``NAME.arseg``.
        digest: ``Bundle.digest``; keeps bundles of one name apart in the cache.
        environment: instead of the process's; ``XDG_CACHE_HOME`` is looked at.
        home: instead of the user's.
    """
    return bundle / FOLDER, user_cache(environment=environment, home=home) / FOLDER / digest[:16]


def compile_command(bundle: Bundle) -> str:
    """Return what to type to build plans here."""
    return f"edge-arseg compile {quote(str(bundle.path))}"


def plan_from_bundle(
    bundle: Bundle,
    role: Role,
    *,
    version: str,
    compute_capability: tuple[int, int],
    sm_count: int,
    device: str,
    roots: tuple[Path, ...] | None = None,
) -> Path:
    """Return the plan of a role that fits the machine, its digest checked: a plan is code that is trusted.

    Args:
        bundle: checked.
        role: of the graph.
        version: ``tensorrt.__version__``.
        compute_capability, sm_count, device: see ``EngineKey``.
        roots: folders that hold ``<key>/``; by default ``engine_roots``.

    Raises:
        BuildError: there is none, none that fits, or it is damaged; with what to type.
    """
    wanted = EngineKey(graph_digests(bundle.manifest), "tensorrt", version, compute_capability, sm_count, device)
    roots = roots or engine_roots(bundle.path, bundle.digest)
    records = records_from_bundle(bundle, roots)
    if not records:
        raise BuildError(
            f"{bundle.path}: no plans built for TensorRT in {' or '.join(map(str, roots))}; "
            f"build them on this machine: {compile_command(bundle)}"
        )
    fitting = [(folder, record) for folder, record in records if not wanted.differences(record.key)]
    if not fitting:
        nearest_folder, nearest = min(records, key=lambda pair: len(wanted.differences(pair[1].key)))
        error = BuildError(
            f"{nearest_folder}: {'; '.join(wanted.differences(nearest.key))}. Plans fit one GPU and one TensorRT; "
            f"build them on this machine: {compile_command(bundle)}"
        )
        # a power mode turns multiprocessors off, and until the board has come up it is another one
        raise transient(error) if sm_count != nearest.key.sm_count else error
    # those left differ in flags: the last one built is what the user meant
    folder, record = max(
        (pair for pair in fitting if role in pair[1].plans), key=lambda pair: pair[1].built, default=fitting[0]
    )
    if role not in record.plans:
        built = ", ".join(sorted(other.value for other in record.plans)) or "none"
        raise BuildError(
            f"{folder}: no plan for {role.value} (there are {built}); "
            f"the build was not finished; to continue it, type {compile_command(bundle)}"
        )
    return _checked(folder, record, role, bundle)


def records_from_bundle(bundle: Bundle, roots: tuple[Path, ...] | None = None) -> list[tuple[Path, PlanRecord]]:
    """Return every folder of plans of a bundle with its record, whatever GPU they were built for.

    Args:
        bundle: checked.
        roots: folders that hold ``<key>/``; by default ``engine_roots``.
    """
    roots = roots or engine_roots(bundle.path, bundle.digest)
    files = [file for root in roots for file in sorted(root.glob(f"*/{RECORD}"))]
    return [(file.parent, record) for file in files if (record := _read(file))]


def plan_fault(folder: Path, record: PlanRecord, role: Role) -> str:
    """Say how the plan of a role differs from its record: missing, of another length, edited; empty: it does not."""
    path, entry = folder / plan_file(role), record.plans[role]
    if not path.is_file():
        return "missing"
    if (size := path.stat().st_size) != entry.bytes:
        return f"{size} bytes seen, {entry.bytes} expected"
    if (digest := sha256_of(path)) != entry.sha256:
        return f"SHA-256 {digest[:16]}... seen, {entry.sha256[:16]}... expected"
    return ""


def _read(file: Path) -> PlanRecord | None:
    try:
        return record_from_json(file.read_bytes(), where=str(file))
    except (OSError, ValueError) as error:  # a cache: what cannot be read is not there
        _log.warning("%s", error)
        return None


def _checked(folder: Path, record: PlanRecord, role: Role, bundle: Bundle) -> Path:
    path = folder / plan_file(role)
    if seen := plan_fault(folder, record, role):
        raise BuildError(f"{path}: {seen}; delete {folder} and build again: {compile_command(bundle)}")
    return path
