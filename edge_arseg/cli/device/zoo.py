"""``edge-arseg zoo``."""

from pathlib import Path

import click

from edge_arseg.cli.lazy_group import SettledGroup
from edge_arseg.cli.options import BUNDLE, json_option
from edge_arseg.cli.output import gmacs, megabytes, print_json, print_table


@click.group(cls=SettledGroup, path=("zoo",), context_settings={"help_option_names": ["-h", "--help"]})
def zoo() -> None:
    """List, locate or copy the bundles in the package."""


@zoo.command("list")
@json_option
def list_bundles(as_json: bool) -> None:
    """List the bundles in the package by name.

    Every command takes these names where it takes a bundle.
    """
    from edge_arseg.runtime.bundles.zoo import lightest_bundles, shipped_bundles, shipped_name

    bundles = {shipped_name(bundle.path): bundle for bundle in shipped_bundles()}
    if as_json:
        print_json(
            {
                "bundles": [
                    {
                        "name": name,
                        "path": str(bundle.path),
                        "digest": bundle.digest,
                        "bytes": sum(entry.bytes for entry in bundle.manifest.files.values()),
                        "frame": [bundle.manifest.height, bundle.manifest.width],
                        "classes": [one.name for one in bundle.manifest.model.classes],
                        "precisions": {r.value: e.precision.value for r, e in bundle.manifest.graphs.items()},
                    }
                    for name, bundle in bundles.items()
                ]
            }
        )
        return
    rows = []
    for name, bundle in bundles.items():
        manifest = bundle.manifest
        precisions = ", ".join(dict.fromkeys(entry.precision.value for entry in manifest.graphs.values()))
        size = megabytes(sum(entry.bytes for entry in manifest.files.values()))
        frame = f"{manifest.height}x{manifest.width}"
        cost = gmacs(manifest.cost.mean_macs(manifest.gop))
        rows.append([name, frame, str(len(manifest.model.classes)), precisions, cost, size])
    print_table("bundles in the package", ["bundle", "frame", "classes", "precisions", "GMACs a frame", "size"], rows)
    lightest = " or ".join(shipped_name(bundle.path) for bundle in lightest_bundles([*bundles.values()]))
    click.echo(f"without -b: {lightest}\nothers by name: edge-arseg run VIDEO -b NAME")


@zoo.command()
@click.argument("name", type=BUNDLE)
def path(name: Path) -> None:
    """Print the folder of the bundle NAME."""
    from edge_arseg.runtime.bundles.reading import read_bundle

    click.echo(str(read_bundle(name, digests=False).path))


@zoo.command()
@click.argument("name", type=BUNDLE)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Folder to write, NAME.arseg. [default: NAME.arseg, here]"
)
@click.option("--force", is_flag=True, help="Permission to replace a bundle that is there. [default: refused]")
def copy(name: Path, output: Path | None, force: bool) -> None:
    """Copy the bundle NAME out of the package, whole or not at all."""
    from edge_arseg.compiler.writing import NewBundle
    from edge_arseg.runtime.bundles.reading import SUFFIX, read_bundle
    from edge_arseg.runtime.bundles.zoo import ZOO, shipped_name

    bundle = read_bundle(name)
    stem = shipped_name(bundle.path) if bundle.path.parent == ZOO else bundle.stem
    place = NewBundle(output or Path(f"{stem}{SUFFIX}"), force=force, inputs=[bundle.path], needed=bundle.size())
    click.echo(str(place.copy(bundle).path))
