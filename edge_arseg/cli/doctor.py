"""``edge-arseg doctor``."""

from dataclasses import asdict

import click

from edge_arseg.cli.options import json_option
from edge_arseg.cli.output import print_json, print_table
from edge_arseg.errors import EnvironmentUnfitError


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Say what this machine can do, what it lacks, and what to type about it.

    Exits with 3 where something that `run` needs is missing.
    """
    from edge_arseg.bench.doctor import device_ready, findings

    found = findings()
    ready = device_ready(found)
    if as_json:
        print_json({"ready": ready, "findings": [asdict(finding) for finding in found]})
    else:
        marks = {"ok": "ok", "missing": "MISSING", "note": "note"}
        rows = [(finding.subject, marks[finding.verdict], finding.seen, finding.advice) for finding in found]
        print_table("edge_arseg on this machine", ["", "", "seen", "to do"], rows, left=True)
    if not ready:
        raise EnvironmentUnfitError("something that `run` needs is missing; see the lines marked MISSING")
