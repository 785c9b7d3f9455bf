"""The page that leads from nothing to a running model does what it says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "from_nothing.md"


def steps() -> list[tuple[str, list[str]]]:
    """Return each command of the page with the lines that it must print."""
    blocks = re.findall(r"```console\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return [(block.splitlines()[0].removeprefix("$ "), block.splitlines()[1:]) for block in blocks]


def shape(line: str) -> str:
    """A line without its numbers and blanks, which differ from run to run."""
    return re.sub(r"\d+(?:\.\d+)?", "N", " ".join(line.split()))


def missing(expected: list[str], printed: str) -> list[str]:
    """Return the expected lines that do not come in this order; ``...`` at the end of a line stands for its rest."""
    lines, at, lost = [shape(line) for line in printed.splitlines()], 0, []
    for wanted in (shape(line) for line in expected if line.strip() != "..."):
        start = wanted.removesuffix("...").strip()
        fits = [
            i for i, line in enumerate(lines[at:], at) if line == wanted or (start != wanted and line.startswith(start))
        ]
        if fits:
            at = fits[0] + 1
        else:
            lost.append(wanted)
    return lost


@pytest.mark.slow
def test_the_page_leads_from_nothing_to_a_running_model(tmp_path):
    pytest.importorskip("torch")
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, module in (("edge-arseg", "-m edge_arseg"), ("python", "")):
        (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {module} "$@"\n')
        (programs / name).chmod(0o755)
    (tmp_path / "tools").symlink_to(ROOT / "tools")
    path = f"{programs}:{os.environ['PATH']}"
    variables = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "COLUMNS": "100"}
    for command, expected in steps():
        done = subprocess.run(
            ["bash", "-c", command], cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=900
        )
        printed = done.stderr + done.stdout
        assert done.returncode == 0, f"{command}\n{printed}"
        assert missing(expected, printed) == [], f"{command}\n{printed}"
    for left in ("overlay.mp4", "frames.jsonl", "bench.json"):
        assert (tmp_path / left).stat().st_size > 0
    assert len(list((tmp_path / "masks").glob("*.png"))) == 24


def test_the_story_has_every_step_in_order():
    verbs = [command.split()[1] for command, _ in steps() if command.startswith("edge-arseg")]
    assert verbs == ["train", "train", "train", "export", "verify", "quantize", "compile", "run", "eval", "bench"]


def test_a_line_that_is_not_printed_is_found():
    assert missing(["a 1", "...", "b ..."], "x\na  22\nb anything") == []
    assert missing(["b ...", "a 1"], "a 2\nb c") == ["a N"]
    assert missing(["a 1"], "a one") == ["a N"]
