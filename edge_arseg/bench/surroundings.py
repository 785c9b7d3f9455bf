"""The board that a measurement is taken on, its power mode, and why its times may say nothing about AR."""

import re
from pathlib import Path

from edge_arseg.bench.records.bench_record import BoardFacts
from edge_arseg.bench.sensors.base import number_of, text_of
from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.runtime.choice.target_engine import other_target
from edge_arseg.runtime.device.board import board_from_files
from edge_arseg.runtime.device.file_tree import FileTree
from edge_arseg.runtime.device.jetson_signs import power_mode_id
from edge_arseg.spec.targets.files import jetpack_table, targets
from edge_arseg.video.uri import source_from_uri

_MODE = re.compile(r"<\s*POWER_MODEL\s+ID=(\d+)\s+NAME=(\S+)\s*>")
_CPUFREQ = "sys/devices/system/cpu/cpufreq"


def board_facts(root: Path = Path("/")) -> BoardFacts:
    """Read what the board says of itself.

    Args:
        root: of the file system.

    Raises:
        TargetError: a file in ``targets/`` has faults.
    """
    board = board_from_files(targets(), jetpack_table(), root)
    policies = sorted(root.glob(f"{_CPUFREQ}/policy*"))
    governors = {text_of(policy / "scaling_governor") for policy in policies} - {""}
    limits = [(number_of(policy / "scaling_min_freq"), number_of(policy / "scaling_max_freq")) for policy in policies]
    return BoardFacts(
        target=board.target,
        model=board.model,
        jetpack=board.jetpack,
        l4t=board.l4t,
        gpu=board.gpu,
        power_mode=power_mode(root),
        governor=", ".join(sorted(governors)) or None,
        pinned=all(low == high for low, high in limits) if limits else None,
        container=(root / ".dockerenv").exists() or (root / "run/.containerenv").exists(),
    )


def power_mode(root: Path = Path("/")) -> str | None:
    """Return the name of ``nvpmodel``'s mode, from its status file; ``None`` where there is none."""
    tree = FileTree(root)
    number = power_mode_id(tree)
    if number is None:
        return None
    names = dict(_MODE.findall(tree.text("etc/nvpmodel.conf")))
    return names.get(str(number), f"mode {number}")


def no_verdict_reason(bundle: Bundle, backend: str, source: str) -> str:
    """Say why the times of a run do not tell whether AR pays; empty where they do."""
    if source_from_uri(source).live:
        return (
            "frames of a live source come at its own pace, and the wait for them hides what either mode takes; record "
            "it to a file and time that"
        )
    if other := other_target(bundle, backend):
        return f"{other}; time it on the machine that it was compiled for"
    return ""
