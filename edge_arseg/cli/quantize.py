"""``edge-arseg quantize``."""

import math
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge_arseg.cli.checkpoint import PATH, require_host
from edge_arseg.cli.options import json_option
from edge_arseg.cli.output import print_json, print_table, progress

if TYPE_CHECKING:
    from edge_arseg.compiler.quantization.bundle_quantizer import QuantizedBundle
    from edge_arseg.compiler.quantization.measured_drop import Judge
    from edge_arseg.evaluation.scores import Scores

PRECISION = click.Choice(["fp32", "fp16", "int8"])
SHOWN = 8
"""Layers of each branch in the table; all are in the bundle."""


@click.command()
@click.argument("bundle", type=PATH)
@click.option("-o", "--output", type=PATH, required=True, help="The bundle to write.")
@click.option("--hr", type=PRECISION, default="int8", show_default=True, help="HR branch.")
@click.option("--lr", type=PRECISION, default="int8", show_default=True, help="LR branch.")
@click.option("--fuse", type=PRECISION, default="fp32", show_default=True, help="Fusion and features between graphs.")
@click.option(
    "--activations",
    type=click.Choice(["uint8", "int8"]),
    default="uint8",
    show_default=True,
    help="Integers of int8 graphs: uint8 for ONNX Runtime on x86, int8 for TensorRT.",
)
@click.option("--recipe", default="street", show_default=True, help="Calibration recipe: a name, or a .toml file.")
@click.option("--data", type=PATH, help="Folder that {data} in the recipe stands for.")
@click.option("--max-drop", type=click.FloatRange(0), help="Points of mIoU each branch may lose; needs --labels.")
@click.option("--labels", type=PATH, help="Folder of index PNGs, to score on. Not what you report on later.")
@click.option("--clip", help="Labelled clip.")
@click.option("--images", type=PATH, help="Folder of labelled images, instead of a clip.")
@click.option("--limit", type=click.IntRange(1), help="Score only the first so many frames or images.")
@click.option("--threads", type=click.IntRange(1), help="Of the engines. [default: all cores]")
@click.option("--force", is_flag=True, help="Replace a bundle that exists.")
@json_option
def quantize(
    bundle: Path,
    output: Path,
    hr: str,
    lr: str,
    fuse: str,
    activations: str,
    recipe: str,
    data: Path | None,
    max_drop: float | None,
    labels: Path | None,
    clip: str | None,
    images: Path | None,
    limit: int | None,
    threads: int | None,
    force: bool,
    as_json: bool,
) -> None:
    """Quantize a float32 BUNDLE, with ranges from clips.

    Ranks the layers by what they cost, and with --max-drop keeps the worst in float until each branch is within that
    of float32. Exits with 1 where that cannot be had.
    """
    if labels is not None and (clip is None) == (images is None):
        raise click.UsageError("--labels goes with either --clip or --images")
    if labels is None and (clip or images or max_drop is not None):
        raise click.UsageError("--clip, --images and --max-drop need --labels")
    require_host()
    from edge_arseg.compiler.quantization.bundle_quantizer import check_source, quantize_bundle
    from edge_arseg.compiler.quantization.precision import PrecisionPlan
    from edge_arseg.compiler.quantization.record import sha256_of_text
    from edge_arseg.runtime.bundle import read_bundle
    from edge_arseg.spec.manifest import Precision, Role
    from edge_arseg.spec.recipe import recipe_from_toml, recipe_path

    plan = PrecisionPlan(
        {Role.HR: Precision(hr), Role.LR: Precision(lr), Role.FUSE: Precision(fuse)}, activations=activations
    )
    file = recipe_path(recipe)
    text = file.read_text(encoding="utf-8")
    read = read_bundle(bundle)
    check_source(read)
    result = quantize_bundle(
        read,
        output,
        plan,
        recipe_from_toml(text, where=file.name),
        sha256_of_text(text),
        data=data,
        judge=_judge(labels, clip, images, limit, threads),
        max_drop=max_drop,
        force=force,
        threads=threads,
        progress=progress,
    )
    if as_json:
        print_json(_json(result))
    else:
        _print(result)


def _judge(
    labels: Path | None, clip: str | None, images: Path | None, limit: int | None, threads: int | None
) -> "Judge | None":
    from edge_arseg.compiler.quantization.measured_drop import judge_from_clip, judge_from_images
    from edge_arseg.runtime.engine_options import EngineOptions

    engines = EngineOptions(backend="onnxruntime", threads=threads)
    if labels is None:
        return None
    if clip is not None:
        return judge_from_clip(clip, labels, limit=limit, engines=engines)
    assert images is not None
    return judge_from_images(images, labels, limit=limit, engines=engines)


def _json(result: "QuantizedBundle") -> dict[str, object]:
    from edge_arseg.evaluation.scores import json_from_scores

    manifest = result.bundle.manifest
    return {
        "bundle": str(result.bundle.path),
        "digest": result.bundle.digest,
        "precisions": {role.value: entry.precision.value for role, entry in manifest.graphs.items()},
        "min_agreement": manifest.golden.min_agreement,
        "worst_agreement": min(row.agreement for row in result.agreement),
        "in_float": {role.value: sorted(layers) for role, layers in result.plan.keep_float.items()},
        "scores": None
        if result.scores is None
        else {"fp32": json_from_scores(result.scores[0]), "quantized": json_from_scores(result.scores[1])},
    }


def _print(result: "QuantizedBundle") -> None:
    manifest = result.bundle.manifest
    worst = min(row.agreement for row in result.agreement)
    print_table(
        f"{result.bundle.path}: golden frames agree with torch on {worst:.2%} of the pixels or more",
        ["graph", "precision", "MB"],
        [
            [role.value, entry.precision.value, f"{manifest.files[entry.file].bytes / 1e6:.1f}"]
            for role, entry in manifest.graphs.items()
        ],
    )
    for role, layers in result.layers.items():
        kept = result.plan.keep_float.get(role, frozenset())
        rows = [
            [entry.weight, f"{entry.sqnr_db:.1f}", "float" if entry.layer in kept else "int8"]
            for entry in layers[: max(SHOWN, len(kept))]
        ]
        click.echo()
        print_table(f"{role.value}: most sensitive of {len(layers)} layers", ["layer alone in int8", "dB", ""], rows)
    if result.scores is not None:
        for mode in result.scores[0].modes:
            _print_mode(mode, *result.scores)


def _print_mode(mode: str, reference: "Scores", seen: "Scores") -> None:
    old, new = reference.modes[mode], seen.modes[mode]
    rows = [("mIoU", old.miou, new.miou)]
    rows += [(name, iou, new.per_class[name]) for name, iou in old.per_class.items()]
    rows += [(f"distance {i}", a, b) for i, (a, b) in enumerate(zip(old.by_distance, new.by_distance, strict=True))]
    click.echo()
    print_table(
        f"{mode} on {reference.conditions.source}",
        ["", "float32", "quantized", "difference"],
        [[name, _per_cent(a), _per_cent(b), _per_cent(b - a, sign=True)] for name, a, b in rows],
    )


def _per_cent(value: float, *, sign: bool = False) -> str:
    return "-" if math.isnan(value) else f"{value:+.2f}" if sign else f"{value:.2f}"
