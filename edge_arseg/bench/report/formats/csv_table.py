"""The rows of a report as CSV."""

import csv
import io

from edge_arseg.bench.report.content import Report
from edge_arseg.bench.report.rows import ROW_FIELDS


def csv_from_report(report: Report) -> str:
    """Return a line for each run; a measure that was not measured is an empty cell."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(ROW_FIELDS)
    for row in report.rows:
        table.writerow(["" if (value := getattr(row, name)) is None else value for name in ROW_FIELDS])
    return text.getvalue()
