"""``edge-arseg verify``."""

from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import click

from edge_arseg.cli.engine_choice import announced_choice
from edge_arseg.cli.options import backend_option, json_option
from edge_arseg.cli.output import print_json, print_table
from edge_arseg.errors import BuildError, EnvironmentUnfitError, GateError


@click.command()
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option(
    "--min-agreement",
    type=click.FloatRange(0, 1),
    help="Gate of this run, share of the pixels, 0 to 1. [default: the bundle's, 0.99 in float32, 0.98 quantized]",
)
@backend_option
@json_option
def verify(bundle: Path, min_agreement: float | None, backend: str, as_json: bool) -> None:
    """Check a BUNDLE: every file's digest, then its golden frames through the engines.

    The CUDA fusion kernel is checked with them where the bundle holds one for the GPU that is here, whatever the
    backend; else why it was not run is said.

    The backend is the one that `run` would take; where none gives the right classes, the one that agrees most.

    Exits with 1 where fewer pixels than --min-agreement get the expected class, with 3 where the bundle is damaged.
    """
    from edge_arseg.runtime.bundles.reading import read_bundle
    from edge_arseg.runtime.engines.opening import engines_from_bundle
    from edge_arseg.runtime.engines.options import AUTO, EngineOptions
    from edge_arseg.runtime.kernel_check import CheckedKernel
    from edge_arseg.runtime.pipeline import Mode
    from edge_arseg.runtime.verification import agreements, gate_text, required_agreement, verified_roles

    checked = read_bundle(bundle)
    golden = checked.golden_frames()
    gate = gate_text(checked.manifest) if min_agreement is None else f"{min_agreement:.2%}, from the command line"
    if min_agreement is None:
        min_agreement = required_agreement(checked.manifest)
    chosen = "as named"
    if backend == AUTO:
        choice, _ = announced_choice(checked, (), tuple(Mode), EngineOptions(), gate=False)
        backend, chosen = choice.options.backend, choice.how
    with ExitStack() as stack:
        engines = stack.enter_context(engines_from_bundle(checked, verified_roles(checked.manifest), backend=backend))
        kernel, not_run = None, ""
        try:
            kernel = stack.enter_context(CheckedKernel(checked))
        except (BuildError, EnvironmentUnfitError) as error:
            not_run = str(error)
        rows = agreements(engines, golden, kernel)
    worst = min(rows, key=lambda row: row.agreement)
    passed = worst.agreement >= min_agreement
    if as_json:
        print_json(
            {
                "bundle": str(bundle),
                "digest": checked.digest,
                "backend": backend,
                "chosen": chosen,
                "passed": passed,
                "worst_agreement": worst.agreement,
                "min_agreement": min_agreement,
                "gate": gate,
                "fusion_kernel": {"ran": kernel.file} if kernel else {"not_run": not_run},
                "rows": [asdict(row) for row in rows],
            }
        )
    else:
        print_table(
            f"{bundle}: {len(checked.manifest.files)} files as written; class maps on {backend}",
            ["output", "distance", "agreement"],
            [[row.output, row.distance, f"{row.agreement:.4%}"] for row in rows],
        )
        click.echo(f"gate: {gate}")
        click.echo(f"CUDA fusion kernel: {kernel.file if kernel else f'not run: {not_run}'}")
    if not passed:
        raise GateError(
            f"{worst.output} at distance {worst.distance}: {worst.agreement:.4%} of the pixels agree, "
            f"{min_agreement:.4%} expected (gate: {gate})"
        )
