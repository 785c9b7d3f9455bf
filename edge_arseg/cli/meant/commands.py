"""Commands as other programs call them, and what they are called here."""

from collections.abc import Sequence

from edge_arseg.suggestion import did_you_mean, one_of

OF_OTHERS: dict[str, str] = {
    "run": "apply camera detect infer inference play predict process segment stream video",
    "bench": "benchmark latency measure perf power profile speed time trtexec",
    "compile": "build deploy engine tensorrt trt",
    "eval": "accuracy evaluate miou score test val validate",
    "doctor": "check env environment health info setup system",
    "inspect": "describe show summary",
    "zoo list": "bundles download fetch list ls models pull",
    "targets list": "boards devices list ls",
    "quantize": "calibrate int8 ptq",
    "export": "onnx torch2onnx",
    "train": "finetune fit",
    "report": "compare html plot",
    "completion": "complete completions shell",
    "--version": "version",
    "--help": "commands help usage",
    "--print-config behind a command": "config settings",
    "detect": "auto this",
    "list": "all ls",
    "show": "describe get info inspect",
    "path": "dir folder where which",
    "copy": "cp download export extract fetch get pull",
    "prepare": "data pairs",
    "hr": "stills teacher",
    "lr": "ar fusion",
}
"""A command here to what other programs call it."""

FEW = 5
"""A group with so many commands names them all."""


def command_meant(seen: str, commands: Sequence[str], path: tuple[str, ...]) -> str:
    """Return what to type in place of a command that is not there; empty where nothing is near.

    Args:
        seen: what was typed.
        commands: those that are there.
        path: words of the group.
    """
    theirs = [here for here, others in OF_OTHERS.items() if seen.lower() in others.split()]
    named = [here for here in theirs if here.split()[0] in commands or (not path and here.startswith("--"))]
    if path == ("zoo",) and seen.lower() in ("show", "inspect", "info"):
        return f"did you mean `edge-arseg inspect NAME`? {_all(commands)}"
    meant = f"did you mean {one_of(named[:2])}?" if named else did_you_mean(seen, commands)
    return " ".join(filter(None, (meant, _all(commands) if len(commands) <= FEW else "")))


def _all(commands: Sequence[str]) -> str:
    return f"expected {', '.join(commands[:-1])} or {commands[-1]}"
