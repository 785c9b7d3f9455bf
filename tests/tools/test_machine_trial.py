"""What is tried with another Python, and what of it a record keeps."""

import json
from subprocess import CompletedProcess

import pytest

from tools.machines.bundles import shipped
from tools.machines.trial import tried_with

REPORT = '<testsuites><testsuite><testcase classname="a" name="b"/>{}</testsuite></testsuites>'
FAILED = '<testcase classname="a" name="c"><failure/></testcase>'


@pytest.mark.parametrize(("passed", "case", "good"), [(True, "", True), (False, "", False), (True, FAILED, False)])
def test_every_bundle_and_every_test_has_to_pass(tmp_path, passed, case, good):
    def run(command, *, capture=False):
        if "verify" in command:
            said = {"worst_agreement": 0.99, "passed": passed}
        elif "pytest" in command:
            assert command[-1] == "tests/motion"
            (tmp_path / "report.xml").write_text(REPORT.format(case))
            said = {}
        else:
            said = {"python": "3.13.5"}
        return CompletedProcess(command, 0, json.dumps(said), "")

    tried = tried_with(run, "python", "/elsewhere.xml", tmp_path / "report.xml", parts=["tests/motion"])
    assert tried.good is good
    assert tried.settings == {"versions": {"python": "3.13.5"}}
    assert [row["bundle"] for row in tried.values["verifications"]] == shipped()
    assert tried.values["tests"] == {"passed": 1, "failed": int(bool(case)), "skipped": 0}
    assert tried.values["failures"] == (("a::c",) if case else ())
