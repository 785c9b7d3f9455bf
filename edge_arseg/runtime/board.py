"""Which board this is: read from files that every user may read.

In the order of NVIDIA's own ``detect_jetson.sh``: strings of the device tree, boot configuration (Thor's tree is
generic), model name, chip. The module's part number decides; carriers, memory sizes and SM counts never do, because
several modules share them. What cannot be told is left open.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from edge_arseg.runtime.host_memory import HostMemory, host_memory
from edge_arseg.spec.engine_key import module_from_compatible
from edge_arseg.spec.jetpack import JetPackTable
from edge_arseg.spec.target import Configuration, Kind, Target

_RELEASE = re.compile(r"R(\d+) \(release\), REVISION: (\d+(?:\.\d+)*)")
_SUPER = "-super"


@dataclass(frozen=True, slots=True)
class Board:
    """What was found.

    Attributes:
        target: ``id`` of the target it is; ``None``: a Jetson whose module is not known.
        reason: how that was told, or why not.
        candidates: targets it may be, where it is not known.
        model: the device tree's name of it.
        part: number of the module, or of the kit where the tree names no module.
        configuration: which set of power modes the device tree is for; ``None`` where it is no Jetson.
        l4t: release of Jetson Linux, like ``36.4.3``.
        jetpack: that this release belongs to.
        gpu: names of desktop GPUs, as their driver gives them.
        memory: of the machine.
    """

    target: str | None
    reason: str
    candidates: tuple[str, ...] = ()
    model: str | None = None
    part: str | None = None
    configuration: Configuration | None = None
    l4t: str | None = None
    jetpack: str | None = None
    gpu: tuple[str, ...] = ()
    memory: HostMemory = field(default_factory=HostMemory)

    @property
    def is_jetson(self) -> bool:
        """Whether this is a Jetson, known or not."""
        return self.configuration is not None


def board_from_files(known: dict[str, Target], table: JetPackTable, root: Path = Path("/")) -> Board:
    """Find out which board this is. Missing, empty and broken files count as not there.

    Args:
        known: all targets.
        table: of JetPack releases.
        root: of the file system.
    """
    tree = root / "proc/device-tree"
    strings = [text for text in _text(tree / "compatible").split("\0") if text]
    model = _text(tree / "model").strip("\0 \n") or None
    memory = host_memory(root)
    jetsons = [target for target in known.values() if target.kind is Kind.JETSON]
    chip = _chip(jetsons, strings, _text(root / "sys/module/tegra_fuse/parameters/tegra_chip_id").strip())
    if chip is None and not (model or "").lower().startswith("nvidia jetson"):
        gpu = tuple(_desktop_gpus(root))
        if gpu:
            return Board("cuda", "the NVIDIA driver lists a GPU", model=model, gpu=gpu, memory=memory)
        return Board("cpu", "no Jetson's device tree and no NVIDIA driver", model=model, memory=memory)
    part = module_from_compatible("\0".join(strings).encode())
    target, reason = _identity(jetsons, strings, part, _text(root / "etc/nv_boot_control.conf"), model)
    l4t = l4t_release(root)
    release = table.release(l4t) if l4t else None
    return Board(
        target,
        reason,
        candidates=() if target else _candidates(jetsons, part, chip),
        model=model,
        part=part,
        configuration=Configuration.SUPER if any(t.endswith(_SUPER) for t in strings) else Configuration.NORMAL,
        l4t=l4t,
        jetpack=release.name if release else None,
        memory=memory,
    )


def l4t_release(root: Path = Path("/")) -> str | None:
    """Return the release of Jetson Linux, from its release file or its package; ``None`` where neither says."""
    if match := _RELEASE.search(_text(root / "etc/nv_tegra_release")):
        return f"{match[1]}.{match[2]}"
    status = _text(root / "var/lib/dpkg/status")
    match = re.search(r"^Package: nvidia-l4t-core\n(?:.+\n)*?Version: (\d+(?:\.\d+)*)", status, re.MULTILINE)
    return match[1] if match else None


def _identity(
    jetsons: list[Target], strings: list[str], part: str | None, boot: str, model: str | None
) -> tuple[str | None, str]:
    for target in jetsons:
        if part in target.parts:
            return target.id, f"module {part} in the device tree"
    for target in jetsons:
        for text in strings:
            if text.removesuffix(_SUPER) in target.compatible:
                return target.id, f"{text} in the device tree"
    for target in jetsons:
        for spec in target.boot_specs:
            if re.search(rf"{re.escape(spec)}(?![\w]*\d)", boot):
                return target.id, f"{spec} in /etc/nv_boot_control.conf"
    named = [target for target in jetsons if any(name in (model or "").lower() for name in target.models)]
    if named:
        best = max(named, key=lambda target: max(len(name) for name in target.models))
        return best.id, f"the board calls itself {model!r}"
    if part:
        return None, f"{part} in the device tree is the number of no module known here"
    return None, "nothing names the module: not the device tree, nor /etc/nv_boot_control.conf"


def _candidates(jetsons: list[Target], part: str | None, chip: str | None) -> tuple[str, ...]:
    family = (part or "").partition("-")[0]
    same = [target.id for target in jetsons if family and any(p.startswith(f"{family}-") for p in target.parts)]
    return tuple(same or [target.id for target in jetsons if target.chip == chip])


def _chip(jetsons: Iterable[Target], strings: list[str], chip_id: str) -> str | None:
    part = module_from_compatible("\0".join(strings).encode())
    for target in jetsons:
        if f"nvidia,{target.chip}" in strings or part in target.parts:
            return target.chip
        if any(text.removesuffix(_SUPER) in target.compatible for text in strings):
            return target.chip
        if chip_id.isdigit() and int(chip_id) == target.chip_id:
            return target.chip
    return next((text.removeprefix("nvidia,") for text in strings if text.startswith("nvidia,tegra")), None)


def _desktop_gpus(root: Path) -> list[str]:
    found = []
    for file in sorted((root / "proc/driver/nvidia/gpus").glob("*/information")):
        match = re.search(r"^Model:\s*(.+?)\s*$", _text(file), re.MULTILINE)
        found.append(match[1] if match else "an NVIDIA GPU")
    return found


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode(errors="replace")
    except OSError:
        return ""
