"""``edge-arseg targets``."""

from collections.abc import Iterable
from dataclasses import asdict
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge_arseg.cli.lazy_group import SettledGroup
from edge_arseg.cli.options import TARGET, json_option
from edge_arseg.cli.output import print_fields, print_json, print_table

if TYPE_CHECKING:
    from edge_arseg.runtime.device.board import Board
    from edge_arseg.spec.targets.target import Target

TIERS = {0: "not supported", 1: "first tier", 2: "expected to work", 3: "graphs only"}

COLUMNS = ["target", "support", "GPU", "SMs", "GB", "JetPack", "FP32, FP16 TFLOPS, INT8 TOPS", "GB/s"]


@click.group(cls=SettledGroup, path=("targets",), context_settings={"help_option_names": ["-h", "--help"]})
def targets() -> None:
    """List the target boards, show one, or detect this one.

    Bundles are compiled for them.
    """


@targets.command("list")
@click.option("--markdown", is_flag=True, help="Table in Markdown, as in docs/targets.md. [default: off]")
@json_option
def list_targets(markdown: bool, as_json: bool) -> None:
    """List all targets."""
    from edge_arseg.spec.targets.files import targets as known_targets

    known = known_targets()
    if as_json:
        print_json({"targets": [_plain(target) for target in known.values()]})
    elif markdown:
        click.echo(markdown_table(known.values()))
    else:
        print_table("targets", COLUMNS[:-2], [_row(target)[:-2] for target in known.values()], left=True)


def markdown_table(known: Iterable["Target"]) -> str:
    """Return the table of ``docs/targets.md``."""
    lines = [COLUMNS, ["---"] * len(COLUMNS), *(_row(target, code=True) for target in known)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _row(target: "Target", *, code: bool = False) -> list[str]:
    gpu, memory = target.gpu, target.memory
    peaks = bandwidth = "-"
    if gpu:
        best = target.peaks(mhz=max(gpu.max_mhz.values()), sms=gpu.sms)
        int8 = f"{best.int8_tops:.1f}" if best.int8_tops else "none"
        peaks = f"{best.fp32_tflops:.2f}, {best.fp16_tflops:.1f}, {int8}"
    if memory:
        bandwidth = f"{max(memory.bandwidth_gbs.values()):g}"
    return [
        f"`{target.id}`" if code else target.id,
        TIERS[target.tier],
        gpu.compute_capability if gpu else "-",
        str(gpu.sms) if gpu else "-",
        "/".join(map(str, memory.gb)) if memory else "-",
        ", ".join(release.name for release in target.jetpacks) or "-",
        peaks,
        bandwidth,
    ]


@targets.command()
@click.argument("name", type=TARGET)
@json_option
def show(name: str, as_json: bool) -> None:
    """Show all that is declared of the target NAME.

    A mark (?) stands behind what is not verified.
    """
    from edge_arseg.spec.targets.files import target_named

    target = target_named(name)
    if as_json:
        print_json(_plain(target))
        return
    _print(target)


@targets.command()
@click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path("/"),
    show_default=True,
    metavar="DIR",
    help="Folder that stands for /: a copy of another machine's files. Nothing outside it is read.",
)
@json_option
def detect(root: Path, as_json: bool) -> None:
    """Say which target this machine is, and how that was told.

    Exits with 3 where this is a Jetson whose module is not known: name the target yourself then, with --target.

    With --root it looks at a copy of another machine's files: /proc/device-tree, /etc/nv_tegra_release,
    /etc/nv_boot_control.conf, /proc/meminfo, /proc/driver/nvidia/gpus, /sys/module, /sys/devices/soc0,
    /dev, /var/lib/dpkg/status. Whatever of them is missing counts as not there.
    """
    from edge_arseg.errors import EnvironmentUnfitError
    from edge_arseg.runtime.device.board import board_from_files
    from edge_arseg.runtime.device.file_tree import FileTree, check_root
    from edge_arseg.spec.targets.files import jetpack_table
    from edge_arseg.spec.targets.files import targets as known_targets

    check_root(root)
    board = board_from_files(known_targets(), jetpack_table(), root)
    tree = "proc/device-tree"
    if root != Path("/") and not board.is_jetson and (led := FileTree(root).lost_link(tree)):
        raise EnvironmentUnfitError(
            f"{root / tree} is a link to {led}, which was not copied, so which board this is cannot be told. Copy what "
            f"it leads to, on the board: cp -L --parents /{tree}/compatible /{tree}/model FOLDER"
        )
    if as_json:
        print_json({**_plain(board), "is_jetson": board.is_jetson})
    else:
        _print_board("this machine" if root == Path("/") else str(root), board)
    if board.target is None:
        raise EnvironmentUnfitError(
            f"{board.reason}; it may be one of {', '.join(board.candidates) or 'none that is known'}. "
            f"{board.advice}{'. Or name' if board.advice else 'Name'} it yourself: edge-arseg compile BUNDLE "
            "--target NAME"
        )


def _print_board(name: str, board: "Board") -> None:
    fields: list[tuple[str, object]] = [("target", board.target or "unknown"), ("because", board.reason)]
    if board.candidates:
        fields.append(("one of", ", ".join(board.candidates)))
    fields += [
        (name, value)
        for name, value in (
            ("model", board.model),
            ("part", board.part),
            ("power modes", board.configuration.value if board.configuration and not board.advice else None),
            ("Jetson Linux", board.l4t),
            ("JetPack", board.jetpack),
            ("GPU", ", ".join(board.gpu)),
        )
        if value
    ]
    if board.memory.total:
        free = f", {board.memory.available / 1e9:.1f} free" if board.memory.available else ""
        fields.append(("memory", f"{board.memory.total / 1e9:.1f} GB{free}"))
    print_fields(name, fields)


def _print(target: "Target") -> None:
    print_fields(f"{target.id}: {target.name}", _fields(target))
    if target.modes:
        click.echo()
        _print_modes(target)
    if target.sources:
        click.echo()
        print_fields("sources", list(target.sources.items()))


def _fields(target: "Target") -> list[tuple[str, object]]:
    fields: list[tuple[str, object]] = [("support", TIERS[target.tier])]
    if target.reason:
        fields.append(("why", target.reason))
    if target.parts:
        fields += [("modules", ", ".join(target.parts)), ("chip", target.chip)]
    if target.jetpacks:
        fields.append(("JetPack", ", ".join(f"{r.name} (TensorRT {r.tensorrt})" for r in target.jetpacks)))
    if target.precision:
        made = target.precision
        fields.append(("graphs", f"hr {made.hr.value}, lr {made.lr.value}, fuse {made.fuse.value}"))
        fields.append(("can run", ", ".join(choice.value for choice in made.choices)))
    fields += _gpu_fields(target)
    if memory := target.memory:
        speed = ", ".join(f"{value:g} GB/s {name.value}" for name, value in memory.bandwidth_gbs.items())
        sizes = "/".join(map(str, memory.gb))
        text = f"{sizes} GB, {memory.bus_bits} bit, {speed}"
        fields.append(("memory", _marked(target, "memory.bandwidth_gbs", text)))
    if target.kind.value == "jetson":
        dla = f"{target.dla.count} x version {target.dla.version} (not used here)" if target.dla else "none"
        fields.append(("DLA", _marked(target, "dla.count", dla)))
    if target.rails:
        fields.append(("power total", _marked(target, "rails", " + ".join(target.rails.total))))
    if video := target.video:
        have = [name for name in ("nvenc", "nvdec", "ofa") if getattr(video, name)]
        fields.append(("video units", ", ".join(have) or "none"))
    return fields


def _gpu_fields(target: "Target") -> list[tuple[str, object]]:
    gpu = target.gpu
    if gpu is None:
        return []
    fields: list[tuple[str, object]] = [
        ("GPU", f"{gpu.architecture}, compute capability {gpu.compute_capability}"),
        ("SMs", _marked(target, "gpu.sms", str(gpu.sms))),
    ]
    for configuration in target.configurations():
        mhz = gpu.max_mhz[configuration]
        peaks = target.peaks(mhz=mhz, sms=gpu.sms)
        text = (
            f"{mhz:g} MHz: FP32 {peaks.fp32_tflops:.2f} TFLOPS, FP16 {peaks.fp16_tflops:.2f}, "
            f"INT8 {peaks.int8_tops:.1f} TOPS, dense"
        )
        fields.append((f"peaks, {configuration.value}", _marked(target, f"gpu.max_mhz.{configuration.value}", text)))
    return fields


def _marked(target: "Target", path: str, text: str) -> str:
    doubt = target.doubt(path)
    return f"{text} (? {doubt})" if doubt else text


def _print_modes(target: "Target") -> None:
    columns = ["id", "name", "W", "SMs", "GPU MHz", "EMC MHz", "DLA MHz"]
    for configuration in target.configurations():
        rows = [
            [
                f"{mode.id}{' *' if mode.default else ''}",
                mode.name,
                *(_cell(value) for value in (mode.watts, mode.sms, mode.gpu_mhz, mode.emc_mhz, mode.dla_mhz)),
            ]
            for mode in target.modes
            if mode.configuration is configuration
        ]
        if rows:
            title = f"power modes, {configuration.value} configuration (* default; caps, not measured)"
            print_table(title, columns, rows)


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"


def _plain(record: Any) -> dict[str, Any]:
    """Return a record as JSON takes it."""

    def plain(value: Any) -> Any:
        if isinstance(value, Enum):
            return value.value
        if isinstance(value, dict):
            return {plain(key): plain(child) for key, child in value.items()}
        if isinstance(value, (list, tuple)):
            return [plain(child) for child in value]
        return value

    return plain(asdict(record))
