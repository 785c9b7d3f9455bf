"""Outcomes and comparisons as JUnit XML, for CI systems."""

from collections.abc import Sequence
from xml.etree import ElementTree

from edge_arseg.bench.compare.comparison import Comparison
from edge_arseg.bench.compare.requirement import Outcome


def junit_from_gates(comparisons: Sequence[Comparison], outcomes: Sequence[Outcome]) -> str:
    """Return one test suite with a case for each requirement of each run, and for each quantity that was judged."""
    suite = ElementTree.Element("testsuite", name="edge-arseg report")
    failures = 0
    for outcome in outcomes:
        case = ElementTree.SubElement(suite, "testcase", classname=outcome.run, name=str(outcome.requirement))
        if not outcome.passed:
            failures += 1
            ElementTree.SubElement(case, "failure", message=outcome.text)
    for comparison in comparisons:
        for change in comparison.changes:
            if not change.judged:
                continue
            name = f"{change.quantity} ({change.branch}) at most {comparison.allowed_percent:g} % worse"
            case = ElementTree.SubElement(suite, "testcase", classname=comparison.after, name=name)
            if change.failed:
                failures += 1
                ElementTree.SubElement(case, "failure", message=str(change))
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(failures))
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"
