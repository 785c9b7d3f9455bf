"""``edge-arseg eval``."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge_arseg.cli.engine_choice import announced_choice
from edge_arseg.cli.options import bundle_option, engine_options, json_option, motion_options, stream_option
from edge_arseg.cli.output import note, print_fields, print_json, print_table
from edge_arseg.cli.progress import Meter
from edge_arseg.cli.source import SOURCE, source_from_environment
from edge_arseg.quantity import counted
from edge_arseg.runtime.engines.contract import EngineOptions

if TYPE_CHECKING:
    from edge_arseg.evaluation.scores import Scores
    from edge_arseg.runtime.choice.engine_choice import Choice
    from edge_arseg.runtime.mode import Mode

FOLDER = click.Path(path_type=Path)


@click.command()
@bundle_option
@click.option(
    "--clip",
    type=SOURCE,
    help="Clip to score on: a file, images://DIR/*.png?rate=15, test://street, @FILE with one of these in its first "
    "line. [default: EDGE_ARSEG_SOURCE, if set]",
)
@click.option("--images", type=FOLDER, help="Folder of images to score on, in place of a clip. [default: none]")
@click.option(
    "--labels",
    type=FOLDER,
    required=True,
    help="Folder of labels, PNG files of class numbers: one for each frame in order, or named like the images.",
)
@click.option(
    "--mode",
    help="Modes to score, separated by commas. [default: those the bundle has of ar,hr,lr; for images of hr,lr]",
)
@motion_options
@stream_option
@click.option(
    "--interval", type=click.IntRange(1), help="Frames from keyframe to keyframe. [default: the bundle's GOP]"
)
@click.option(
    "--phases",
    default="0",
    show_default=True,
    help="Frames on which the first keyframe is set: all, or numbers like 0,3,6,9; one run for each. Frames from the "
    "largest on are scored: with all, each of them at every distance from its keyframe.",
)
@click.option(
    "--encode",
    metavar="RATE",
    help="Bits per second, like 1M or 500k, at which the frames are encoded first, from each phase on. [default: the "
    "clip is taken as it is]",
)
@click.option(
    "--scene-cut",
    type=click.FloatRange(0, 1),
    help="Share of a frame without motion vectors, 0 to 1, above which it becomes a keyframe. [default: keyframes at "
    "fixed distances]",
)
@click.option(
    "--optical-flow",
    is_flag=True,
    help="Temporal consistency along dense optical flow too, TC; needs the extra flow (OpenCV). [default: off]",
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    help="Number of frames or images that are scored, from the first on. [default: all]",
)
@engine_options
@json_option
def eval(
    bundle: Path | None,
    clip: str | None,
    images: Path | None,
    labels: Path,
    mode: str | None,
    motion: str,
    recode_scale: float,
    stream: int | None,
    interval: int | None,
    phases: str,
    encode: str | None,
    scene_cut: float | None,
    optical_flow: bool,
    limit: int | None,
    engines: EngineOptions,
    as_json: bool,
) -> None:
    """Score a bundle on labelled frames.

    Frames are segmented as `run` would do it. For a clip: mIoU, IoU of each class, mIoU by distance from the keyframe,
    and how steady the class maps are, of AR-Seg (ar) and of its branches alone (hr, lr). For images: the branches
    alone.
    """
    if clip is None and images is None:
        clip = source_from_environment()
    if (clip is None) == (images is None):
        raise click.UsageError("give either --clip or --images")
    if images is not None:
        _refuse_options_of_clips(
            {
                "--interval": interval is not None,
                "--phases": phases != "0",
                "--encode": encode is not None,
                "--scene-cut": scene_cut is not None,
                "--optical-flow": optical_flow,
            }
        )
    from edge_arseg.evaluation.clip_scores import ClipOptions, scores_from_clip
    from edge_arseg.evaluation.image_scores import ImageOptions, scores_from_images
    from edge_arseg.evaluation.labels.encoding import bitrate_from_text
    from edge_arseg.evaluation.passes import phases_from_text
    from edge_arseg.evaluation.scores import json_from_scores

    _check_inputs(clip, images, labels)
    choice, modes = _choice(bundle, mode, engines, of_images=images is not None)
    with Meter() as meter:
        if clip is not None:
            clip_options = ClipOptions(
                modes=modes,
                motion=motion,
                phases=phases_from_text(phases, interval or choice.bundle.manifest.gop),
                limit=limit,
                scene_cut=scene_cut,
                encode_bitrate=None if encode is None else bitrate_from_text(encode),
                recode_scale=recode_scale,
                stream=stream,
                interval=interval,
                optical_flow=optical_flow,
            )
            scores = scores_from_clip(choice, clip, labels, clip_options, progress=meter.show)
        else:
            assert images is not None
            image_options = ImageOptions(modes=modes, limit=limit)
            scores = scores_from_images(choice, images, labels, image_options, progress=meter.show)
    _note_broken_chain(scores)
    if as_json:
        print_json(json_from_scores(scores))
    else:
        _print(scores)


def _refuse_options_of_clips(given: dict[str, bool]) -> None:
    lost = [option for option, here in given.items() if here]
    if lost:
        raise click.UsageError(f"{', '.join(lost)} seen with --images, expected a --clip: single images have no motion")


def _check_inputs(clip: str | None, images: Path | None, labels: Path) -> None:
    """Raise ``SourceError`` or ``DataError`` for what is missing, before the choice, which may take minutes."""
    from edge_arseg.evaluation.labels.pairing import image_paths, label_paths
    from edge_arseg.video.presence import refuse_missing
    from edge_arseg.video.uri import source_from_uri

    if clip is not None:
        refuse_missing(source_from_uri(clip))
    elif images is not None:
        image_paths(images)
    label_paths(labels)


def _choice(
    bundle: Path | None, mode: str | None, engines: EngineOptions, *, of_images: bool
) -> "tuple[Choice, tuple[Mode, ...]]":
    from edge_arseg.evaluation.image_scores import checked_image_modes
    from edge_arseg.evaluation.modes import modes_from_text
    from edge_arseg.runtime.mode import Mode

    usual = (Mode.HR, Mode.LR) if of_images else (Mode.AR, Mode.HR, Mode.LR)
    asked = modes_from_text(mode) if mode else ()
    if of_images and asked:
        asked = checked_image_modes(asked)
    return announced_choice(bundle, asked, usual, engines)


def _note_broken_chain(scores: "Scores") -> None:
    broken = scores.modes["ar"].broken_steps if "ar" in scores.modes else 0
    if broken:
        note(
            f"note: the chain of motion breaks on {counted(broken, 'frame')} between keyframes (the stream's "
            "own keyframes lie there); type --encode 1M to encode from each phase on, or --motion recode"
        )


def _print(scores: "Scores") -> None:
    conditions, modes = scores.conditions, scores.modes
    first = next(iter(modes.values()))
    sizes = ", ".join(f"{height}x{width}" for height, width in conditions.label_sizes)
    fields: list[tuple[str, object]] = [
        ("bundle", f"{scores.bundle}, digest {scores.digest[:16]}"),
        ("ran on", f"{conditions.backend}{', unchecked' if conditions.unchecked else ''}: {conditions.chosen}"),
        (
            "scored",
            f"{counted(first.frames, 'label')} of {sizes}, {conditions.counted:.1f} % of their pixels have a class",
        ),
    ]
    clip = conditions.interval is not None
    if clip:
        every = "frame" if conditions.interval == 1 else f"{conditions.interval} frames"
        keyframes = f"every {every}, phases {','.join(map(str, conditions.phases))}"
        cut = "off" if conditions.scene_cut is None else f"{conditions.scene_cut:g}"
        fields += [
            ("keyframes", f"{keyframes}, from frame {conditions.first_frame} on, scene cuts {cut}"),
            ("encoded as", conditions.encoding or "the clip as it is"),
            ("motion", f"{first.motion_source}: {first.motion_reason}"),
            ("recode scale", f"{conditions.recode_scale:g}"),
        ]
        if first.unmeasured:
            fields.append(("not measured", f"{_ranges(first.unmeasured)} from a keyframe: no scored frame lies there"))
    print_fields(f"{conditions.source} (per cent)", fields)
    click.echo()
    rows: list[list[object]] = [["mIoU", *(_cell(m.miou) for m in modes.values())]]
    if clip:
        rows += [
            ["mIoU, pixels pooled", *(_cell(m.miou_pooled) for m in modes.values())],
            ["worst distance", *("-" if m.worst_distance is None else m.worst_distance for m in modes.values())],
            ["temporal consistency", *(_cell(m.temporal_consistency) for m in modes.values())],
            ["flicker", *(_cell(m.flicker, 2) for m in modes.values())],
        ]
        if first.flow_consistency is not None:
            rows.append(["TC by optical flow", *(_cell(m.flow_consistency) for m in modes.values())])
    print_table("scores", ["", *modes], rows)
    click.echo()
    if clip:
        seen = [d for m in modes.values() for d, score in enumerate(m.by_distance) if not math.isnan(score)]
        distances = range(max(seen, default=-1) + 1)  # what lies behind them is told above
        table = [[d, *(_cell(m.by_distance[d]) for m in modes.values())] for d in distances]
        print_table("mIoU by distance", ["distance", *modes], table)
        click.echo()
    names = list(first.per_class)
    print_table("IoU", ["class", *modes], [[n, *(_cell(m.per_class[n]) for m in modes.values())] for n in names])


def _ranges(ranges: Sequence[tuple[int, int]]) -> str:
    texts = [f"{first} to {last}" if first < last else str(first) for first, last in ranges]
    one = len(ranges) == 1 and ranges[0][0] == ranges[0][1]
    return f"distance{'' if one else 's'} {', '.join(texts)}"


def _cell(value: float | None, digits: int = 1) -> str:
    return "-" if value is None or math.isnan(value) else f"{value:.{digits}f}"
