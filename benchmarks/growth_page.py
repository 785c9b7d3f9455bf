"""The page of ``growth.py`` and its plots, made from its record alone."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

from edge_arseg.bench.report.plots.plot import BRANCH_COLOURS, LIGHT, spec_of
from edge_arseg.bench.report.plots.png import VEGA_LITE, library

ROOT = Path(__file__).resolve().parents[1]
PAGE, PLOTS = ROOT / "docs/growth.md", ROOT / "docs/growth"
LINEAR = 0.15
"""Share by which cost for each unit of work may differ from that before it, and be called linear."""

OWN = "engines of their own"
AXES = {
    "resolution": ("Resolution", "megapixels of a frame", "megapixels"),
    "gop": ("GOP", "frames from keyframe to keyframe", "GOP"),
    "lr_scale": ("LR scale", "LR scale", "LR scale"),
    "threads": ("Threads", "threads of the engines", "threads"),
    "streams": ("Streams in one process", "streams", "streams"),
}
STAGES = ("hr", "lr", "fuse", "head", "motion")
Points = list[dict[str, Any]]

HEAD = """# Cost as work grows

Generated from the record of `python benchmarks/growth.py`; do not edit. {machine}, {cores} cores; {versions}; backend
{backend}; load {load:.1f} when it was written, its own threads among it. The model shipped when this
was measured (window 7x7): float32 with random weights for resolution and LR scale, its int8 bundle for the rest. Each
point is a process of its own, and a median over {rounds} rounds. Memory is what opening and running the engines added.
"HR" is a keyframe, "LR" a frame between keyframes, the mean is over a GOP of 12.
"""


def write_page(record: Path) -> None:
    """Write docs/growth.md and docs/growth/*.svg."""
    data = json.loads(record.read_text())
    values, conditions = data["values"], data["conditions"]
    versions = ", ".join(f"{name} {conditions['packages'][name]}" for name in ("onnxruntime", "numpy"))
    text = HEAD.format(
        machine=conditions["cpu"],
        versions=versions,
        load=conditions["load"],
        rounds=data["settings"]["rounds"],
        backend=data["settings"]["backend"],
        cores=data["settings"]["cores"],
    )
    PLOTS.mkdir(exist_ok=True)
    for axis, (title, _, _) in AXES.items():
        if axis not in values:
            continue
        text += f"\n## {title}\n\n"
        section = {"streams": _streams, "gop": _gop, "threads": _threads}.get(axis, _size)
        for name, spec in _plots(axis, values[axis]).items():
            (PLOTS / f"{name}.svg").write_text(_svg(spec))
            text += f"![{title}: {name.replace('-', ' ')}](growth/{name}.svg)\n\n"
        text += section(axis, values[axis], data["settings"])
    PAGE.write_text(text)


def _table(columns: list[str], rows: list[list[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines) + "\n"


def _size(axis: str, points: Points, settings: dict[str, Any]) -> str:
    """Resolution and LR scale: time and memory of each branch, and where its time leaves the line."""
    unit = AXES[axis][2]
    work = (lambda x: x) if axis == "resolution" else (lambda x: x * x)
    rows = [
        [
            f"{one['x']:.2f}" if axis == "resolution" else f"{one['x']:g}",
            *(f"{one[f'{branch}_total_ms']:.1f}" for branch in ("hr", "lr")),
            *(f"{one.get(name, 0.0):.1f}" for name in ("lr_lr_ms", "lr_fuse_ms", "lr_head_ms", "lr_motion_ms")),
            f"{one['mean_ms']:.1f}",
            f"{one['memory_mb']:.0f}",
        ]
        for one in points
    ]
    text = _table([unit, "HR, ms", "LR, ms", "of it lr", "fuse", "head", "motion", "mean, ms", "MB"], rows)
    if axis == "resolution":
        for branch, name in (("hr", "a keyframe"), ("lr", "a frame between keyframes")):
            text += _bend(points, f"{branch}_total_ms", branch, name)
        per = [one["memory_mb"] / one["x"] for one in points]
        text += f"Memory is {per[0]:.0f} MB a megapixel at the smallest size and {per[-1]:.0f} at the largest.\n"
        return text
    first, last = points[0], points[-1]
    lr = [first["lr_lr_ms"], last["lr_lr_ms"]]
    pixels = work(last["x"]) / work(first["x"])
    rest = [sum(one.get(f"lr_{stage}_ms", 0.0) for stage in ("fuse", "head", "motion")) for one in (first, last)]
    return text + (
        f"From {first['x']:g} to {last['x']:g} the LR image has {pixels:.1f} times the pixels, and its engine takes "
        f"{lr[1] / lr[0]:.1f} times as long. Fusion, head and motion work on the keyframe's feature, whose size stays: "
        f"{rest[0]:.1f} ms and {rest[1]:.1f} ms. So the cost of a frame between keyframes has a floor that no LR scale "
        "goes below.\n"
    )


def _bend(points: Points, field: str, branch: str, name: str) -> str:
    """Say where time for each megapixel leaves that of the size before, and which stage does most of it."""
    for before, one in pairwise(points):
        per = before[field] / before["x"], one[field] / one["x"]
        if abs(per[1] / per[0] - 1) <= LINEAR:
            continue
        fields = {stage: f"{branch}_{stage}_ms" for stage in STAGES}
        stages = {
            stage: one.get(name_ms, 0.0) / one["x"] - before.get(name_ms, 0.0) / before["x"]
            for stage, name_ms in fields.items()
        }
        more = per[1] > per[0]
        stage = (max if more else min)(stages, key=lambda each: stages[each])
        why = (
            "its tensors no longer fit the caches, which the smaller ones did"
            if more
            else "what a pass costs whatever its size is shared by more pixels"
        )
        return (
            f"The time of {name} leaves the line at {one['x']:.2f} megapixels: {per[0]:.1f} ms a megapixel become "
            f"{per[1]:.1f}, most of it in `{stage}` ({stages[stage]:+.1f}). The likely reason: {why}.\n"
        )
    return f"The time of {name} grows in proportion to the pixels, within {LINEAR:.0%} from size to size.\n"


def _gop(axis: str, points: Points, settings: dict[str, Any]) -> str:
    rows = [
        [
            f"{one['x']:g}",
            f"{one['hr_total_ms']:.1f}",
            f"{one['lr_total_ms']:.1f}" if "lr_total_ms" in one else "-",
            f"{one['mean_ms']:.1f}",
            f"{one['memory_mb']:.0f}",
        ]
        for one in points
    ]
    floor, mb = points[-1]["lr_total_ms"], [one["memory_mb"] for one in points]
    near = next(one["x"] for one in points if one["mean_ms"] <= 1.1 * floor or one is points[-1])
    return _table(["GOP", "HR, ms", "LR, ms", "mean, ms", "MB"], rows) + (
        "The mean is `(HR + (GOP - 1) LR) / GOP`: it falls towards the time of a frame between keyframes and not "
        f"further. At a GOP of {near:g} it is within 10 % of that, or nearest to it; a longer one saves little more, "
        f"while mIoU falls with the distance. Memory is {min(mb):.0f} to {max(mb):.0f} MB at every GOP: the feature of "
        "one keyframe is kept, however long it counts.\n"
    )


def _threads(axis: str, points: Points, settings: dict[str, Any]) -> str:
    one = points[0]
    rows = [
        [
            f"{each['x']:g}",
            f"{each['hr_total_ms']:.1f}",
            f"{each['lr_total_ms']:.1f}",
            f"{one['hr_total_ms'] / each['hr_total_ms']:.2f}",
            f"{one['lr_total_ms'] / each['lr_total_ms']:.2f}",
            f"{each['memory_mb']:.0f}",
        ]
        for each in points
    ]
    last = points[-1]
    gains = {stage: one[f"lr_{stage}_ms"] / last[f"lr_{stage}_ms"] for stage in ("lr", "fuse", "head", "motion")}
    least = min(gains, key=lambda stage: gains[stage])
    return _table(["threads", "HR, ms", "LR, ms", "HR faster", "LR faster", "MB"], rows) + (
        f"With {last['x']:g} threads the stages of a frame between keyframes are faster by "
        + ", ".join(f"{stage} {gain:.2f}" for stage, gain in gains.items())
        + f" times: `{least}` gains least, so that frames between gain less than keyframes where it weighs.\n"
    )


def _streams(axis: str, points: Points, settings: dict[str, Any]) -> str:
    shared = [one for one in points if one["shared"]]
    apart = [one for one in points if not one["shared"]]
    rows = [
        [
            f"{a['x']:g}",
            f"{a['fps']:.1f}",
            f"{a['fps'] / a['x']:.1f}",
            f"{a['memory_of_others_mb']:.0f}",
            f"{b['fps']:.1f}",
            f"{b['memory_of_others_mb']:.0f}",
        ]
        for a, b in zip(shared, apart, strict=True)
    ]
    each = shared[-1]["memory_of_others_mb"] / (shared[-1]["x"] - 1)
    other = apart[-1]["memory_of_others_mb"] / (apart[-1]["x"] - 1)
    best = max(shared, key=lambda one: one["fps"])
    columns = ["streams", "frames a second", "each", "MB more", "engines each: frames a second", "MB more"]
    return _table(columns, rows) + (
        f"One thread for each stream's engines. A stream more takes {each:.0f} MB over shared weights and {other:.0f} "
        "MB with engines of its own. What is left is buffers: features, activations of a pass that runs at the same "
        "time, and the loop's own. All streams together are fastest with "
        f"{best['x']:g} ({best['fps']:.1f} frames a second) on {settings['cores']} cores: streams beyond the cores "
        "take turns.\n"
    )


def _plots(axis: str, points: Points) -> dict[str, dict[str, Any]]:
    title = AXES[axis][1]
    logarithmic = axis in ("resolution", "gop")
    x = {
        "field": "x",
        "type": "quantitative",
        "title": title,
        "scale": {"type": "log" if logarithmic else "linear", "nice": False, "padding": 12},
        "axis": {"values": sorted({round(one["x"], 2) for one in points}), "format": "~g"},
    }
    if axis == "streams":
        rows = [
            {"x": one["x"], "y": one[field], "line": "shared" if one["shared"] else OWN, "f": field}
            for one in points
            for field in ("fps", "memory_of_others_mb")
        ]
        return {
            "streams-frames-a-second": _lines([r for r in rows if r["f"] == "fps"], x, "frames a second, all streams"),
            "streams-memory": _lines([r for r in rows if r["f"] != "fps"], x, "MB that the other streams add"),
        }
    names = {"hr_total_ms": "HR", "lr_total_ms": "LR", "mean_ms": "mean"}
    rows = [
        {"x": one["x"], "y": one[field], "line": name}
        for one in points
        for field, name in names.items()
        if field in one and not (axis in ("resolution", "lr_scale", "threads") and field == "mean_ms")
    ]
    memory = [{"x": one["x"], "y": one["memory_mb"], "line": "memory"} for one in points]
    name = axis.replace("_", "-")
    return {
        f"{name}-time": _lines(rows, x, "ms of a frame", logarithmic=axis == "resolution"),
        f"{name}-memory": _lines(memory, x, "MB", logarithmic=axis == "resolution"),
    }


def _lines(rows: list[dict[str, Any]], x: dict[str, Any], title: str, *, logarithmic: bool = False) -> dict[str, Any]:
    names = list(dict.fromkeys(row["line"] for row in rows))
    colours = [
        {"HR": BRANCH_COLOURS["hr"], "LR": BRANCH_COLOURS["lr"], "mean": "var(--run2)"}.get(name, f"var(--run{number})")
        for number, name in enumerate(names)
    ]
    y = {"field": "y", "type": "quantitative", "title": title, "scale": {"type": "log" if logarithmic else "linear"}}
    colour = {
        "field": "line",
        "type": "nominal",
        "title": None,
        "scale": {"domain": names, "range": colours},
        "legend": {"orient": "bottom", **({"symbolStrokeWidth": 0} if OWN in names else {})}
        if len(names) > 1
        else None,
    }
    dash = {
        "field": "line",
        "type": "nominal",
        "scale": {"domain": names, "range": [[5, 4] if name == OWN else [1, 0] for name in names]},
        "legend": None,
    }
    own = {"strokeDash": dash} if OWN in names else {}  # it may lie on the other line, which stays to be seen below it
    return spec_of(
        height=220,
        legend=1 if len(names) > 1 else 0,
        data=rows,
        mark={"type": "line", "point": {"filled": True, "size": 60}, "strokeWidth": 2},
        encoding={"x": x, "y": y, "color": colour, **own},
    )


def _svg(spec: dict[str, Any]) -> str:
    text = json.dumps({**spec, "width": 620})
    for name, value in LIGHT.items():
        text = text.replace(f"var({name})", value)
    told = json.loads(text)
    told["config"] = {**told["config"], "background": "#ffffff", "font": "DejaVu Sans", "padding": 10}
    return library().vegalite_to_svg(told, vl_version=VEGA_LITE)
