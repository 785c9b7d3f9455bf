"""``edge-arseg quantize``."""

import math
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge_arseg.cli.host.checkpoint import PATH, require_host
from edge_arseg.cli.options import BUNDLE, TARGET, json_option
from edge_arseg.cli.output import print_json, print_table, progress
from edge_arseg.cli.source import SOURCE

if TYPE_CHECKING:
    from edge_arseg.compiler.quantize.quantize import QuantizedBundle
    from edge_arseg.evaluation.scores import Scores

PRECISION = click.Choice(["fp32", "fp16", "int8"])
SHOWN = 8
"""Layers of each branch in the table; all are in the bundle."""


@click.command()
@click.argument("bundle", type=BUNDLE)
@click.option("-o", "--output", type=PATH, required=True, help="Folder of the bundle to write, NAME.arseg.")
@click.option(
    "--target",
    type=TARGET,
    help="Board that the result is for; sets precisions, activations and recipe. [default: ONNX Runtime on x86]",
)
@click.option("--hr", type=PRECISION, help="Precision of the HR branch. [default: int8]")
@click.option("--lr", type=PRECISION, help="Precision of the LR branch. [default: int8]")
@click.option(
    "--fuse", type=PRECISION, help="Precision of the fusion and the features. [default: the target's, else fp32]"
)
@click.option(
    "--activations",
    type=click.Choice(["uint8", "int8"]),
    help="Integers of int8 graphs: uint8 for ONNX Runtime on x86, int8 for TensorRT. "
    "[default: the target's, else uint8]",
)
@click.option("--recipe", help="Calibration recipe: a name, or a .toml file. [default: the target's, else street]")
@click.option("--data", type=PATH, help="Folder that {data} in the recipe stands for. [default: none]")
@click.option(
    "--max-drop",
    type=click.FloatRange(0),
    help="Points of mIoU that each branch may lose; needs --labels. [default: no limit, not measured]",
)
@click.option(
    "--keep-float",
    multiple=True,
    metavar="PATTERN",
    help="Layers that stay in float, by their name or that of their weights: 'hr:decoder.*', '*head*'. [default: none]",
)
@click.option(
    "--keep-costliest",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Number of layers of each branch that stay in float: those that cost most accuracy for each millisecond.",
)
@click.option(
    "--labels",
    type=PATH,
    help="Folder of labels to score on, PNG files of class numbers; not those that you report on later. [default: "
    "none]",
)
@click.option("--clip", type=SOURCE, help="Clip that --labels belong to. [default: none]")
@click.option(
    "--images", type=PATH, help="Folder of images that --labels belong to, in place of a clip. [default: none]"
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    help="Number of frames or images that are scored, from the first on. [default: all]",
)
@click.option("--threads", type=click.IntRange(1), help="Number of CPU threads of the engines. [default: all cores]")
@click.option(
    "--min-agreement",
    type=click.FloatRange(0, 1),
    help="Share of the golden pixels, 0 to 1, that have to get torch's class, here and wherever the bundle runs; needs "
    "--because. "
    "[default: 0.98]",
)
@click.option("--because", metavar="TEXT", help="Reason for another gate; stays in the bundle. [default: none]")
@click.option("--force", is_flag=True, help="Permission to replace a bundle that is there. [default: refused]")
@json_option
def quantize(
    bundle: Path,
    output: Path,
    target: str | None,
    hr: str | None,
    lr: str | None,
    fuse: str | None,
    activations: str | None,
    recipe: str | None,
    data: Path | None,
    max_drop: float | None,
    keep_float: tuple[str, ...],
    keep_costliest: int,
    labels: Path | None,
    clip: str | None,
    images: Path | None,
    limit: int | None,
    threads: int | None,
    min_agreement: float | None,
    because: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Quantize a BUNDLE, with ranges from clips.

    BUNDLE is in float32, or in int8 for ONNX Runtime: then its quantization is taken off first, and its weights stay
    rounded as they are.

    Ranks the layers by what they cost, and with --max-drop keeps the worst in float until each branch is within that
    of float32. Exits with 1, and writes nothing, where that is not possible or the golden frames do not reach the gate.
    """
    if (min_agreement is None) != (because is None):
        raise click.UsageError("--min-agreement and --because need each other: another gate needs its reason")
    require_host()
    from edge_arseg.compiler.quantize.gate import USUAL_GATE, Gate
    from edge_arseg.compiler.quantize.options import QuantizeOptions
    from edge_arseg.compiler.quantize.quantize import next_command, quantize_bundle
    from edge_arseg.runtime.bundles.reading import read_bundle
    from edge_arseg.spec.manifest import Precision, Role

    asked = {Role.HR: hr, Role.LR: lr, Role.FUSE: fuse}
    options = QuantizeOptions(
        target=target,
        precisions={role: Precision(name) for role, name in asked.items() if name},
        activations=activations,
        recipe=recipe,
        data=data,
        max_drop=max_drop,
        keep_float=keep_float,
        keep_costliest=keep_costliest,
        labels=labels,
        clip=clip,
        images=images,
        limit=limit,
        threads=threads,
        gate=USUAL_GATE if min_agreement is None else Gate(min_agreement, because),
        force=force,
    )
    result = quantize_bundle(read_bundle(bundle), output, options, progress=progress)
    following = next_command(result)
    if as_json:
        print_json({**_json(result), "next": following})
    else:
        _print(result)
        click.echo(f"next: {following}")


def _json(result: "QuantizedBundle") -> dict[str, object]:
    from edge_arseg.evaluation.scores import json_from_scores

    manifest = result.bundle.manifest
    return {
        "bundle": str(result.bundle.path),
        "digest": result.bundle.digest,
        "precisions": {role.value: entry.precision.value for role, entry in manifest.graphs.items()},
        "min_agreement": manifest.golden.min_agreement,
        "because": manifest.golden.because,
        "weight_bits": None if manifest.quantization is None else manifest.quantization.weight_bits,
        "worst_agreement": min(row.agreement for row in result.agreement),
        "in_float": {role.value: sorted(layers) for role, layers in result.choice.keep_float.items()},
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
        kept = result.choice.keep_float.get(role, frozenset())
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
