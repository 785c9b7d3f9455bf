"""The documents say what the code does."""

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import click
import pytest

from edge_arseg import __version__
from edge_arseg.cli.main import COMMANDS, cli
from edge_arseg.spec.manifest import Role, manifest_schema

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("[!.]*/*.md"), *ROOT.glob("edge_arseg/zoo/*.md")])


def commands_in(page: Path) -> list[list[str]]:
    """Return the ``edge-arseg ...`` lines of a page's shell blocks, split into words."""
    blocks = re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL)
    lines = [line.partition("#")[0].strip() for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return [shlex.split(line) for line in lines if line.startswith("edge-arseg ")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_mark_of_a_merge_is_left(page):
    assert not re.findall(r"^(?:<{7}|\|{7}|>{7})(?: .*)?$", page.read_text(), re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_parse(page):
    """Commands and options in the documents exist; nothing is run."""
    for words in commands_in(page):
        command = cli.get_command(click.Context(cli), words[1])
        assert command is not None, words
        command.make_context(words[1], words[2:], resilient_parsing=False)


def test_the_readme_names_every_command():
    readme = (ROOT / "README.md").read_text()
    for command in COMMANDS:
        assert f"| `{command}` |" in readme


def test_the_readme_has_commands_to_check():
    assert len(commands_in(ROOT / "README.md")) >= 5


def test_the_cost_table_is_the_measured_one():
    record = json.loads((ROOT / "benchmarks/results/gmacs.json").read_text())["values"]
    readme = (ROOT / "README.md").read_text()
    for variant, scales in record.items():
        row = scales["0.5"]
        between = row["lr_gmacs"] + row["fuse_gmacs"]
        cells = f"{row['hr_gmacs']:.2f} | {between:.2f} | {row['mean_gmacs']:.2f} | {row['saving']:.1%} |"
        assert re.search(rf"\| {variant}, \d+x\d+ \| {re.escape(cells)}", readme), cells


def test_the_format_page_names_every_field():
    page = (ROOT / "docs/bundle_format.md").read_text()
    for field in manifest_schema()["properties"]:
        assert f"`{field}`" in page
    for role in Role:
        assert f"onnx/{role.value}.onnx" in page


def test_version_and_changelog_agree():
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text()
    assert f"\nversion = {__version__}\n" in (ROOT / "setup.cfg").read_text()


def test_the_architecture_page_names_every_room():
    page = (ROOT / "docs/architecture.md").read_text()
    table = page.partition("## Rooms")[2].partition("\n\nPublic are")[0]
    packages = [path.parent.relative_to(ROOT / "edge_arseg") for path in ROOT.glob("edge_arseg/**/__init__.py")]
    for package in packages:
        if package.parts and package.parts[0] != "zoo":
            assert f"`{package.name}{'/' * (len(package.parts) == 1)}`" in table, package


def test_files_named_in_the_walks_exist():
    page = (ROOT / "docs/architecture.md").read_text()
    walks = page.partition("## A walk: one frame")[2].partition("## Before and after")[0]
    named = re.findall(r"`((?:\w+/)+\w+\.py)`", walks)
    assert len(named) > 20
    rooms = [ROOT, ROOT / "edge_arseg", ROOT / "edge_arseg/compiler", ROOT / "edge_arseg/compiler/quantize"]
    for file in named:
        assert any((room / file).is_file() for room in rooms), file


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_help_says_what_every_target_does():
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1].split()
    shown = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30
    ).stdout
    lines = [re.fullmatch(r"  make ([a-z0-9-]+) +\S.*", line) for line in shown.splitlines()]
    assert sorted(line[1] for line in lines) == sorted(phony)


GENERATED = re.compile(r"do not edit|writes this page|Written by `make tables`")
HAND_WRITTEN = [page for page in PAGES if page.name != "CHANGELOG.md" and not GENERATED.search(page.read_text()[:1000])]


@pytest.mark.parametrize("page", HAND_WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_lines_of_prose_fit_an_editor(page):
    """Tables, pictures, blocks of code and what has no place to break may be longer."""
    prose = re.sub(r"^(`{3,}).*?^\1", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    assert [line for line in prose.splitlines() if len(line) > 128 and " " in line and line[0] not in "|!<"] == []
