"""Options as other programs call them, and what they are called here."""

import click

from edge_arseg.suggestion import did_you_mean, one_of

INPUTS = ("SOURCE", "INPUT", "CHECKPOINT", "DATASET", "MODEL", "BUNDLE", "RECORD", "NAME", "--clip")
MODELS = ("--bundle", "MODEL", "BUNDLE", "CHECKPOINT", "NAME", "--from")
SIZES = ("--size", "--output-size", "--crop")

OF_OTHERS: tuple[tuple[tuple[str, ...], str], ...] = (
    (INPUTS, "i in input path"),
    (("SOURCE", "INPUT", "--clip", "--images"), "camera file frames-dir image images img source url video"),
    (("DATASET", "--pairs", "--clip", "--images", "SOURCE", "INPUT"), "data data-dir dataset dir root"),
    (("SINK", "--output"), "dest dst format o out outdir output output-dir output-file save save-dir save-path show"),
    (MODELS, "b bundle checkpoint ckpt m model model-path net network onnx weight weights"),
    (("--from", "--weights", "--start"), "finetune init pretrained"),
    (("--backend", "--device"), "accelerator cpu cuda gpu gpus"),
    (("--target", "--backend"), "board d device platform"),
    (("--backend",), "delegate engine engines ep execution-provider provider providers runtime"),
    (("--threads", "--workers"), "cores cpu-threads nthreads num-threads t thread"),
    (("--workers", "--threads"), "j jobs num-workers"),
    (("--interval", "--gop"), "distance g gop gop-size key-interval keyframe-interval keyint"),
    (("--keyframes",), "adaptive key-policy policy"),
    (
        ("--limit", "--frames", "--steps"),
        "count duration frames max-frames n num-frames num-samples samples",
    ),
    (("--steps", "--frames", "--limit"), "epoch epochs iterations iters max-iters"),
    (("--turns", "--frames"), "loops repeat repeats runs warmup"),
    (("--batch",), "batch-size bs"),
    (("--rate",), "fps learning-rate lr lr0"),
    (("--weight-decay",), "decay wd"),
    (("--backbone",), "arch architecture encoder"),
    (("--held-back", "--score-every"), "split val val-split validation"),
    (("--resume",), "continue restart"),
    (SIZES, "dim height img-size imgsz input-size resize resolution s shape width"),
    (("--hr", "--precision"), "dtype fp16 half int8 quantize"),
    (("--clip", "--images"), "calib calib-data calibration calibration-data"),
    (("--labels", "SINK"), "annotations ground-truth gt label mask masks"),
    (("--encode",), "bitrate"),
    (("--motion",), "flow motion-vectors mv mvs"),
    (("--alpha",), "a blend opacity transparency"),
    (("--palette",), "cmap colormap colors colours"),
    (("--show-motion",), "arrows draw-motion"),
    (("--compare",), "side-by-side"),
    (("--power-mode", "--meter"), "nvpmodel power"),
    (("--force",), "f overwrite replace y yes"),
    (("--verbose",), "debug"),
    (("--quiet",), "s silent"),
    (("--json", "SINK"), "as-json csv jsonl"),
)
"""What it is here: options, and arguments by their names in the usage; to what other programs call it, without dashes.

Where a command has several of them, the first counts, and an option beside a second option."""


ELSEWHERE = {
    "target": "a bundle is made for a board by `edge-arseg compile --target`, and then named by -b",
    "labels": "`edge-arseg eval` scores a bundle on labels",
    "optical-flow": "`edge-arseg eval` and `bench` have it",
}
"""Options of other commands that are looked for where they cannot be."""


def option_meant(seen: str, command: click.Command) -> str:
    """Return what to type in place of an option that a command does not have; empty where nothing is near.

    Args:
        seen: what was typed, with its dashes.
        command: what was to take it.
    """
    name = seen.lstrip("-").lower().replace("_", "-")
    flags = [flag for param in command.params if isinstance(param, click.Option) for flag in param.opts]
    flags = [flag for flag in flags if flag.startswith("--")]
    if f"--{name}" in flags:
        return f"did you mean --{name}?"
    places = arguments_of(command)
    wanted = [place for here, others in OF_OTHERS if name in others.split() for place in here]
    first = next((place for place in wanted if place in flags or place in places), None)
    if first in places:
        return f"{first} is typed without an option"
    if first is not None:
        return f"did you mean {one_of([place for place in dict.fromkeys(wanted) if place in flags][:2])}?"
    if name in ELSEWHERE:
        return ELSEWHERE[name]
    words = {flag[2:]: flag for flag in flags}
    return did_you_mean(name, words, shown=words) if len(name) > 1 else ""


def arguments_of(command: click.Command) -> list[str]:
    """Return the arguments of a command as its usage has them, without brackets: ``SOURCE``, ``SINK``."""
    arguments = [param for param in command.params if isinstance(param, click.Argument)]
    names = [argument.metavar or argument.human_readable_name for argument in arguments]
    return [word.strip("[].") for name in names for word in name.upper().split()]
