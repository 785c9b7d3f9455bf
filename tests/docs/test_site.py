"""The site that make docs builds."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_site_builds_without_a_warning_and_opens_at_the_index(tmp_path):
    pytest.importorskip("furo")
    pytest.importorskip("myst_parser")
    options = ("-q", "-W", "--keep-going", "-c", "docs", "-d", tmp_path / "trees", "-b", "html")
    command = [sys.executable, "-m", "sphinx", *map(str, options), ".", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert "url=docs/index.html" in (tmp_path / "site/index.html").read_text()
    index = (tmp_path / "site/docs/index.html").read_text()
    assert index.index("getting_started.html") < index.index("running.html") < index.index("glossary.html")
    assert (tmp_path / "site/CHANGELOG.html").is_file()
