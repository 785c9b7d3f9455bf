"""Which board this is: read from files that every user may read.

In the order of NVIDIA's own ``detect_jetson.sh``: strings of the device tree, boot configuration (Thor's tree is
generic), model name, chip. The module's part number decides; carriers, memory sizes and SM counts never do, because
several modules share them. What cannot be told is left open.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

from edge_arseg.runtime.device.file_tree import FileTree
from edge_arseg.runtime.device.host_memory import HostMemory, host_memory
from edge_arseg.runtime.device.jetson_signs import (
    boot_control,
    chip_id,
    device_tree_text,
    likely_sign,
    module_from_boot_control,
    module_from_compatible,
    names_a_jetson,
    release_of,
    sure_sign,
)
from edge_arseg.spec.targets.jetpack import JetPack, JetPackTable
from edge_arseg.spec.targets.target import Configuration, Kind, Target

_SUPER = "-super"
_COMPATIBLE = re.compile(r"[a-z0-9-]+,[\x21-\x7e]+")
_GPUS = "proc/driver/nvidia/gpus"
_ADVICE = (
    "The device tree cannot be seen here, as in a container that is not privileged, and nowhere else does it say which "
    "module this is. Start the container with -v /etc/nv_boot_control.conf:/etc/nv_boot_control.conf:ro "
    "-v /etc/nv_tegra_release:/etc/nv_tegra_release:ro (and --runtime nvidia, for the GPU). Into a copy of a board's "
    "files, copy its /proc/device-tree/compatible and model too"
)


@dataclass(frozen=True, slots=True)
class Board:
    """What was found.

    Attributes:
        target: ``id`` of the target it is; ``None``: a Jetson whose module is not known.
        reason: how that was told, or why not.
        candidates: targets it may be, where it is not known.
        advice: what to mount or copy, where the device tree is hidden; else nothing.
        model: the device tree's name of it.
        part: number of the module, or of the kit where the tree names no module.
        configuration: which set of power modes the device tree is for, or the boot configuration where the tree is
            hidden; ``normal`` where neither says; ``None`` where it is no Jetson.
        l4t: release of Jetson Linux, like ``36.4.3``.
        jetpack: that this release belongs to.
        gpu: names of desktop GPUs, as their driver gives them.
        memory: of the machine.
    """

    target: str | None
    reason: str
    candidates: tuple[str, ...] = ()
    advice: str = ""
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

    A container often hides the device tree; whatever else shows a Jetson then makes it one whose module is not known.

    Args:
        known: all targets.
        table: of JetPack releases.
        root: of the file system. Nothing outside it is read, wherever the links in it lead.
    """
    tree = FileTree(root)
    strings = [text for text in device_tree_text(tree, "compatible").split("\0") if text]
    model = (device_tree_text(tree, "model") or tree.text("sys/devices/soc0/machine")).strip("\0 \n") or None
    memory = host_memory(root)
    gpu = tuple(_desktop_gpus(tree))
    jetsons = [target for target in known.values() if target.kind is Kind.JETSON]
    chip = _chip(jetsons, strings, chip_id(tree))
    named = bool(chip) or names_a_jetson(model or "")
    sign = sure_sign(tree) or next((f"the GPU {name}" for name in gpu if names_a_jetson(name)), None)
    if not (named or sign or gpu or _another_vendor(strings)):
        sign = likely_sign(tree)
    if not (named or sign):
        if gpu:
            return Board("cuda", "the NVIDIA driver lists a GPU", model=model, gpu=gpu, memory=memory)
        return Board("cpu", "no Jetson's device tree and no NVIDIA driver", model=model, memory=memory)
    part, boot = _part(jetsons, strings), boot_control(tree)
    noted, noted_super = module_from_boot_control(boot)
    target, reason = _identity(jetsons, strings, part, boot, noted, model)
    shown = any(text.startswith("nvidia,") for text in strings)
    hidden = target is None and part is None and not shown
    part = part if _is_module(jetsons, part) else noted or part
    if hidden and sign:
        reason = f"{sign} is that of a Jetson; {reason}"
    is_super = any(text.endswith(_SUPER) for text in strings) or (noted_super and not shown)
    l4t = l4t_release(root)
    release = table.release(l4t) if l4t else None
    return Board(
        target,
        reason,
        candidates=() if target else _candidates(jetsons, part, chip, release, model or ""),
        advice=_ADVICE if hidden else "",
        model=model,
        part=part,
        configuration=Configuration.SUPER if is_super else Configuration.NORMAL,
        l4t=l4t,
        jetpack=release.name if release else None,
        memory=memory,
    )


def l4t_release(root: Path = Path("/")) -> str | None:
    """Return the release of Jetson Linux, from its release file or its packages; ``None`` where neither says."""
    return release_of(FileTree(root))


def _identity(
    jetsons: list[Target], strings: list[str], part: str | None, boot: str, noted: str | None, model: str | None
) -> tuple[str | None, str]:
    for target in jetsons:
        if part in target.parts:
            return target.id, f"module {part} in the device tree"
    for target in jetsons:
        for text in strings:
            if text.removesuffix(_SUPER) in target.compatible:
                return target.id, f"{text} in the device tree"
    shown = _is_module(jetsons, part)
    for target in jetsons:
        if not shown and noted in target.parts:
            return target.id, f"module {noted} in /etc/nv_boot_control.conf"
    # Modules of one family boot by one name: a number that is not known says that this is another of them.
    newer = len(_family(jetsons, part if shown else noted)) > 1
    for target in () if newer else jetsons:
        for spec in target.boot_specs:
            if re.search(rf"{re.escape(spec)}(?![\w]*\d)", boot):
                return target.id, f"{spec} in /etc/nv_boot_control.conf"
    named = [target for target in jetsons if any(name in (model or "").lower() for name in target.models)]
    if named and not newer:
        best = max(named, key=lambda target: max(len(name) for name in target.models))
        return best.id, f"the board calls itself {model!r}"
    if part or noted:
        seen = f"{noted} in /etc/nv_boot_control.conf" if noted and not shown else f"{part} in the device tree"
        return None, f"{seen} is the number of no module known here"
    return None, "nothing names the module: not the device tree, nor /etc/nv_boot_control.conf"


def _family(jetsons: list[Target], number: str | None) -> list[str]:
    """Return the targets whose modules have the first half of a number, as ``p3767`` of ``p3767-0003``."""
    half = f"{(number or '').partition('-')[0]}-"
    return [target.id for target in jetsons if number and any(part.startswith(half) for part in target.parts)]


def _is_module(jetsons: list[Target], number: str | None) -> bool:
    """Return whether a number is that of a module, known or not, and of no carrier or kit."""
    return bool(_family(jetsons, number))


def _candidates(
    jetsons: list[Target], part: str | None, chip: str | None, release: JetPack | None, model: str
) -> tuple[str, ...]:
    same = _family(jetsons, part)
    if chip is not None:
        possible = same or [target.id for target in jetsons if target.chip == chip]
    else:
        running = [target.id for target in jetsons if release and release.name in {jp.name for jp in target.jetpacks}]
        possible = same or running or [target.id for target in jetsons]
    # A board that calls itself "Orin NX" is one of those, whichever it is.
    series = {one: _series(one) for one in possible}
    named = {one: len(name) for one, name in series.items() if re.search(rf"\b{name}\b", model.lower())}
    return tuple(one for one, length in named.items() if length == max(named.values())) or tuple(possible)


def _series(target: str) -> str:
    """The name of a board without its memory, as boards call themselves."""
    return re.sub(r"-(\d+gb|t\d+)$", "", target.removeprefix("jetson-")).replace("-", " ")


def _part(jetsons: list[Target], strings: list[str]) -> str | None:
    """Return the number of the module: one that is known, else one of its kind, else that of a carrier or kit."""
    known = {part for target in jetsons for part in target.parts}
    found = [part for text in strings if (part := module_from_compatible(text.encode()))]
    modules = [part for part in found if _is_module(jetsons, part)]
    return next((part for part in modules if part in known), next(iter(modules + found), None))


def _chip(jetsons: list[Target], strings: list[str], number: int | None) -> str | None:
    part = _part(jetsons, strings)
    for target in jetsons:
        if f"nvidia,{target.chip}" in strings or part in target.parts:
            return target.chip
        if any(text.removesuffix(_SUPER) in target.compatible for text in strings):
            return target.chip
    if tegra := next((text.removeprefix("nvidia,") for text in strings if text.startswith("nvidia,tegra")), None):
        return tegra
    return next((target.chip for target in jetsons if number is not None and number == target.chip_id), None)


def _another_vendor(strings: list[str]) -> bool:
    """Return whether the device tree is whole and that of another board."""
    return bool(strings) and all(_COMPATIBLE.fullmatch(text) and not text.startswith("nvidia,") for text in strings)


def _desktop_gpus(tree: FileTree) -> list[str]:
    found = []
    for name in tree.names(_GPUS):
        if tree.has_file(f"{_GPUS}/{name}/information"):
            match = re.search(r"^Model:[ \t]*(\S.*?)\s*$", tree.text(f"{_GPUS}/{name}/information"), re.MULTILINE)
            found.append(match[1] if match else "an NVIDIA GPU")
    return found
