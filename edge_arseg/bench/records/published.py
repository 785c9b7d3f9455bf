"""Numbers that others published, which a workload brings along."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from edge_arseg.bench.records.run import BenchRun


@dataclass(frozen=True, slots=True)
class Published:
    """One row of a published table.

    Attributes:
        source: where it stands, like ``AR-Seg, CVPR 2023, table 1``.
        row: what it is called there.
        mode: ``ar``, ``hr`` or ``lr``: which of our runs stands beside it.
        lr_scale: of that run; ``None`` for the HR branch alone.
        bundle: pattern of the bundle's name, like ``*psp18*``.
        miou: per cent; ``gmacs``: of a frame, mean over a GOP (the paper's "GFLOPs"); ``ms``: of a frame. ``None``:
            not published.
        note: what makes it another thing than ours, in one sentence; empty where nothing does.
    """

    source: str
    row: str
    mode: str
    lr_scale: float | None = None
    bundle: str = "*"
    miou: float | None = None
    gmacs: float | None = None
    ms: float | None = None
    note: str = ""

    def stands_beside(self, run: BenchRun) -> bool:
        """Whether a run is what this row is about."""
        same_scale = self.lr_scale is None or abs(run.bundle.lr_scale - self.lr_scale) < 1e-6
        return run.settings.mode == self.mode and same_scale and fnmatchcase(run.bundle.name, self.bundle)
