"""``edge-arseg doctor``."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from edge_arseg.cli.options import json_option
from edge_arseg.cli.output import print_fields, print_json, print_table, progress
from edge_arseg.errors import EnvironmentUnfitError

if TYPE_CHECKING:
    from edge_arseg.doctor.engine_table import EngineTable


@click.command()
@click.option(
    "--again",
    is_flag=True,
    help="Trials of every bundle in the package on every engine anew, in place of those remembered; `run` follows "
    "them from then on. Takes some ten seconds. [default: off]",
)
@json_option
def doctor(again: bool, as_json: bool) -> None:
    """Say what this machine can do, and what to type for the rest.

    The bundles in the package are tried on every engine that is here: how many of the golden pixels get the expected
    class, how long a frame takes, and what `run` will use. Trials are remembered.

    Exits with 3 where something that `run` needs is missing.
    """
    from edge_arseg.doctor.engine_table import engine_table
    from edge_arseg.doctor.findings import device_ready, findings
    from edge_arseg.runtime.device.cpu_features import cpu_features

    found = findings()
    table = engine_table(again=again, progress=progress)
    found.append(table.finding)
    ready = device_ready(found)
    if as_json:
        print_json(
            {
                "ready": ready,
                "findings": [asdict(finding) for finding in found],
                "cpu": asdict(cpu_features()),
                "engines": [{**asdict(row), "passes": row.passes} for row in table.rows],
                "run": {"bundle": table.bundle, "backend": table.backend, "how": table.how},
            }
        )
    else:
        marks = {"ok": "ok", "missing": "MISSING", "note": "note"}
        rows = [(finding.subject, marks[finding.verdict], finding.seen) for finding in found]
        print_table("edge_arseg on this machine", ["", "", "seen"], rows, left=True)
        if advice := [(finding.subject, finding.advice) for finding in found if finding.advice]:
            click.echo()
            print_fields("to do, where you need it", advice)
        _print_engines(table)
    if not ready:
        raise EnvironmentUnfitError("something that `run` needs is missing; see the lines marked MISSING")


def _print_engines(table: "EngineTable") -> None:
    ran = [row for row in table.rows if row.agreement is not None]
    if not ran:
        return
    rows = [
        [
            row.bundle,
            row.backend,
            f"{row.agreement:.2%}",
            f"{row.required:.2%}",
            "-" if row.frame_ms is None else f"{row.frame_ms:.1f}",
            "" if row.passes else "fails here: not used",
        ]
        for row in ran
    ]
    click.echo()
    columns = ["bundle", "backend", "agrees", "required", "ms a frame", ""]
    print_table("bundles in the package on the engines that are here", columns, rows)
    backends = dict.fromkeys(row.backend for row in table.rows)
    if absent := [name for name in backends if name not in {row.backend for row in ran}]:
        click.echo(f"not here: {', '.join(absent)}")
