"""``edge-arseg compile``."""

from dataclasses import asdict
from pathlib import Path

import click

from edge_arseg.cli.options import BUNDLE, TARGET, json_option
from edge_arseg.cli.output import print_json, print_table, progress, warn
from edge_arseg.errors import OptionError

PRECISION = click.Choice(["fp32", "fp16", "int8", "mixed"])
GRAPHS = ["hr", "lr", "fuse", "head", "lr_head"]


@click.command()
@click.argument("bundle", type=BUNDLE)
@click.option(
    "--target", type=TARGET, help="Board to compile for. [default: the bundle's own, else `local`: this machine]"
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Folder of the bundle to write. [default: NAME-TARGET.arseg, beside BUNDLE]",
)
@click.option("--hr", type=PRECISION, help="Precision of the HR branch. [default: the target's]")
@click.option("--lr", type=PRECISION, help="Precision of the LR branch. [default: the target's]")
@click.option("--fuse", type=PRECISION, help="Precision of the fuse graph. [default: the target's]")
@click.option(
    "--graph",
    "graphs",
    type=click.Choice(GRAPHS),
    multiple=True,
    help="Graph whose engine is built, in place of all; may be given again. [default: all]",
)
@click.option("--no-engines", is_flag=True, help="Bundle without engines, on the board too. [default: off]")
@click.option(
    "--workspace",
    type=click.IntRange(16),
    metavar="MIB",
    help="Scratch memory of a build in MiB, from 16 on. [default: by the memory of the machine]",
)
@click.option(
    "--opt-level",
    type=click.IntRange(0, 5),
    help="Level from 0 to 5 at which TensorRT looks for fast tactics; a higher one takes longer. [default: TensorRT's]",
)
@click.option(
    "--user-cache",
    is_flag=True,
    help="Engines in your own cache, for a bundle that is read-only. [default: in the bundle]",
)
@click.option(
    "--no-memory-check", is_flag=True, help="Permission to build where memory seems too little. [default: refused]"
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="List of the steps, with what cannot be done refused; none of them is done. [default: off]",
)
@click.option(
    "--force",
    is_flag=True,
    help="Permission to replace the bundle, and to build engines again that are there. [default: refused]",
)
@click.option("--dla", type=int, hidden=True)
@json_option
def compile(
    bundle: Path,
    target: str | None,
    output: Path | None,
    hr: str | None,
    lr: str | None,
    fuse: str | None,
    graphs: tuple[str, ...],
    no_engines: bool,
    workspace: int | None,
    opt_level: int | None,
    user_cache: bool,
    no_memory_check: bool,
    dry_run: bool,
    force: bool,
    dla: int | None,
    as_json: bool,
) -> None:
    """Compile a BUNDLE for a board.

    On a host: graphs in the board's precision and the fusion kernel, in a new bundle. On the board, the same command:
    the engines too. What an earlier run finished is kept, so it can be interrupted and typed again.
    """
    if dla is not None:
        raise OptionError(
            f"--dla {dla}: the DLA is not used in this version. Up to JetPack 6 it takes no Q/DQ graphs, JetPack 7.0 "
            "to 7.2.1 do not offer it, and Orin Nano and Thor have none. Leave out --dla: the GPU runs everything"
        )
    from edge_arseg.compiler.target.compile import compile_bundle, next_command, preview_compile
    from edge_arseg.compiler.target.options import CompileOptions
    from edge_arseg.runtime.bundles.reading import read_bundle
    from edge_arseg.spec.manifest import Precision, Role

    asked = {Role.HR: hr, Role.LR: lr, Role.FUSE: fuse}
    options = CompileOptions(
        precisions={role: Precision(name) for role, name in asked.items() if name},
        output=output,
        force=force,
        engines=not no_engines,
        roles=tuple(Role(name) for name in dict.fromkeys(graphs)) or None,
        user_cache=user_cache,
        workspace_bytes=None if workspace is None else workspace << 20,
        optimization_level=opt_level,
        memory_check=not no_memory_check,
    )
    checked = read_bundle(bundle)
    if dry_run:
        found = preview_compile(checked, target, options)
    else:
        found = compile_bundle(checked, target, options, progress=progress)
    following = "" if dry_run else next_command(found)
    if as_json:
        print_json(
            {
                "target": found.target.id,
                "bundle": str(found.bundle),
                "dry_run": dry_run,
                "engines_here": found.place.here,
                "engines": None if found.engines is None else str(found.engines),
                "steps": [asdict(step) for step in found.steps],
                "warnings": list(found.warnings),
                "next": following,
            }
        )
        return
    title = f"{bundle} for {found.target.id}" + (" (nothing was done)" if dry_run else "")
    print_table(
        title,
        ["step", "", ""],
        [(s.name, s.state.value, "; ".join(filter(None, (s.detail, s.estimate)))) for s in found.steps],
        left=True,
    )
    for warning in found.warnings:
        warn(warning)
    if following:
        click.echo(f"next: {following}")
