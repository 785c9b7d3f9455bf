"""``edge-arseg verify``."""

from dataclasses import asdict
from pathlib import Path

import click

from edge_arseg.cli.engine_choice import announced_choice
from edge_arseg.cli.options import BUNDLE, backend_option, json_option
from edge_arseg.cli.output import print_json, print_table
from edge_arseg.quantity import counted


@click.command()
@click.argument("bundle", type=BUNDLE)
@click.option(
    "--min-agreement",
    type=click.FloatRange(0, 1),
    help="Share of the golden pixels, 0 to 1, that have to get the expected class. [default: the bundle's, 0.99 in "
    "float32, 0.98 quantized]",
)
@backend_option
@json_option
def verify(bundle: Path, min_agreement: float | None, backend: str, as_json: bool) -> None:
    """Check a BUNDLE: every file's digest, and the golden frames.

    The golden frames go through the engines. The CUDA fusion kernel is checked with them where the bundle holds one for
    the GPU that is here, whatever the backend; else why it was not run is said.

    The backend is the one that `run` would take; where none gives the right classes, the one that agrees most.

    Exits with 1 where fewer pixels than --min-agreement get the expected class, with 3 where the bundle is damaged.
    """
    from edge_arseg.runtime.bundles.reading import read_bundle
    from edge_arseg.runtime.engines.contract import AUTO, EngineOptions
    from edge_arseg.runtime.mode import Mode
    from edge_arseg.runtime.verification import verify_bundle

    checked = read_bundle(bundle)
    if backend == AUTO:
        choice, _ = announced_choice(checked, (), tuple(Mode), EngineOptions(), gate=False)
        found = verify_bundle(choice, min_agreement=min_agreement)
    else:
        found = verify_bundle(checked, backend=backend, min_agreement=min_agreement)
    if as_json:
        print_json(
            {
                "bundle": str(bundle),
                "digest": checked.digest,
                "backend": found.backend,
                "chosen": found.chosen,
                "passed": found.passed,
                "worst_agreement": found.worst.agreement,
                "min_agreement": found.min_agreement,
                "gate": found.gate,
                "fusion_kernel": {"ran": found.kernel} if found.kernel else {"not_run": found.kernel_not_run},
                "rows": [asdict(row) for row in found.rows],
            }
        )
    else:
        print_table(
            f"{bundle}: {counted(len(checked.manifest.files), 'file')} as written; class maps on {found.backend}",
            ["output", "distance", "agreement"],
            [[row.output, row.distance, f"{row.agreement:.4%}"] for row in found.rows],
        )
        click.echo(f"gate: {found.gate}{'; passed' if found.passed else '; FAILED'}")
        click.echo(f"CUDA fusion kernel: {found.kernel or f'not run: {found.kernel_not_run}'}")
    found.require()
