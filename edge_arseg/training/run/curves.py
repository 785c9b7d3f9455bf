"""Loss and mIoU over the steps of a run, as a picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edge_arseg.training.run.folder import CURVES


def plot_curves(records: Sequence[Mapping[str, Any]], folder: Path) -> Path:
    """Draw the log of a run to ``curves.png`` in ``folder``.

    Args:
        records: each with ``step``, ``loss`` and ``miou`` (per cent).
        folder: of the run.

    Returns:
        Where the picture is.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4), layout="constrained")
    FigureCanvasAgg(figure)
    losses = figure.add_subplot()
    steps = [record["step"] for record in records]
    losses.plot(steps, [record["loss"] for record in records], color="tab:gray", label="loss")
    losses.set(xlabel="step", ylabel="loss (mean since the last score)", ylim=(0, None))
    scores = losses.twinx()
    scores.plot(steps, [record["miou"] for record in records], color="tab:blue", label="mIoU")
    scores.set(ylabel="mIoU, held back (%)", ylim=(0, 100))
    scores.grid(alpha=0.3)
    figure.legend(loc="outside upper center", ncols=2)
    path = folder / CURVES
    partial = folder / f".{CURVES}"
    figure.savefig(partial, dpi=120, format="png")
    partial.replace(path)
    return path
