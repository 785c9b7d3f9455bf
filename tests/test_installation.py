"""What is advised to install something: commands that work where the package is, and none that asks for it by name."""

import ast
import configparser
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from edge_arseg import installation
from edge_arseg.installation import checkout_of, install_extra, install_packages, pip, program, reinstall, requirements

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("**/*.md"))]
ELSEWHERE = {
    "av",
    "fsspec",
    "nvidia-cuda-nvrtc",
    "nvidia-cuda-nvrtc-cu12",
    "nvidia-ml-py",
    "onnxruntime-gpu",
    "openvino",
    "pycuda",
    "tensorrt",
}
"""Packages of pip's index that are advised beside those of ``setup.cfg``."""


def extras():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    return {
        name: [line for line in lines.split("\n") if line] for name, lines in config["options.extras_require"].items()
    }


def name_of(requirement):
    return re.match(r"[A-Za-z0-9_.-]+", requirement)[0]


def calls():
    """Return function and texts of every call of an advice function in the package."""
    found = []
    for path in sorted((ROOT / "edge_arseg").rglob("*.py")):
        text = path.read_text()
        if "install_extra" not in text and "install_packages" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                found.append((node.func.id, [a.value for a in node.args if isinstance(a, ast.Constant)]))
    return found


@pytest.fixture
def no_torch(monkeypatch):
    real = installation.find_spec
    monkeypatch.setattr(installation, "find_spec", lambda name: None if name == "torch" else real(name))


@pytest.fixture
def plain_pip(monkeypatch):
    monkeypatch.setattr(installation, "pip", lambda arguments: f"pip {arguments}")


def test_in_a_checkout_the_extra_is_installed_beside_the_code(tmp_path, plain_pip):
    (tmp_path / "a clone").mkdir()
    (tmp_path / "a clone/setup.cfg").write_text("[metadata]\nname = edge-arseg\n")
    package = tmp_path / "a clone/edge_arseg"
    assert install_extra("cpu", package=package) == f"pip install -e '{tmp_path}/a clone[cpu]'"
    assert reinstall(package=package).startswith(f"git -C '{tmp_path}/a clone' pull && pip install -e ")


def test_from_a_wheel_the_packages_of_the_extra_are_named(tmp_path, plain_pip):
    assert checkout_of(tmp_path / "site-packages/edge_arseg") is None
    assert install_extra("cpu", package=tmp_path / "edge_arseg") == "pip install 'numba>=0.59'"
    assert shlex.split(install_extra("openvino", package=tmp_path / "x")) == ["pip", "install", *extras()["openvino"]]


def test_another_project_around_the_package_is_no_checkout(tmp_path):
    (tmp_path / "setup.cfg").write_text("[metadata]\nname = other\n")
    assert checkout_of(tmp_path / "edge_arseg") is None


def test_the_host_half_begins_with_pytorch_for_cpus(tmp_path, plain_pip, no_torch):
    first, second = install_extra("host", package=tmp_path / "edge_arseg").split(" && ")
    assert first == "pip install torch --index-url https://download.pytorch.org/whl/cpu"
    assert shlex.split(second)[2:] == [one for one in extras()["host"] if name_of(one) != "torch"]
    assert "0.2 GB" in installation.host_advice()
    assert "6 GB" in installation.host_advice()


def test_pip_is_that_of_the_python_that_runs(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin/python"))
    monkeypatch.setattr(installation.shutil, "which", lambda name: str(tmp_path / "bin" / name))
    assert pip("install x") == "pip install x"
    monkeypatch.setattr(installation.shutil, "which", lambda name: "/usr/bin/pip" if name == "pip" else None)
    assert pip("install x") == f"{tmp_path}/bin/python -m pip install x"
    monkeypatch.setattr(installation, "find_spec", lambda name: None)
    monkeypatch.setattr(installation.shutil, "which", lambda name: {"uv": "/usr/bin/uv"}.get(name))
    assert pip("install x") == f"uv pip install x --python {tmp_path}/bin/python"


def test_the_metadata_lists_what_setup_cfg_lists():
    for name, wanted in extras().items():
        assert requirements(name) == wanted, f"install the checkout again: {name}"
    assert "numpy>=1.26" in requirements()


def test_advice_in_the_code_comes_from_one_place():
    for path in (ROOT / "edge_arseg").rglob("*.py"):
        if path.name != "installation.py":
            assert re.search(r"pip install\b(?!ed)", path.read_text()) is None, path


def test_every_extra_and_package_that_the_code_advises_is_one():
    asked = [texts for name, texts in calls() if name == "install_extra" and texts]
    assert ["cpu"] in asked
    assert {texts[0] for texts in asked} <= set(extras())
    packages = {name_of(text) for name, texts in calls() if name == "install_packages" for text in texts}
    assert {"pycuda", "av"} <= packages
    assert packages <= ELSEWHERE


def advised(text):
    """Return the arguments of every ``pip install`` in a page; what a shell puts in, ``$(...)``, stands for itself."""
    text = re.sub(r"\$\(([^)]*)\)", r"\1", text)
    return [
        shlex.split(re.split(r"\s#|[;)`]|&&", found, maxsplit=1)[0])
        for found in re.findall(r"pip install ([^\n|]+)", text)
    ]


def fault(arguments):
    """Say why a command that a page advises cannot work from a clone."""
    known = {name_of(line) for lines in extras().values() for line in lines} | ELSEWHERE | {"numpy"}
    for argument in arguments:
        file = ".whl" in argument or "/" in argument or (ROOT / argument).is_file()
        if re.match(r"edge[-_]arseg", argument) and not file:
            return f"{argument}: on no index"
        if own := re.fullmatch(r"\.\[([\w,-]+)\]", argument):
            if unknown := set(own[1].split(",")) - set(extras()):
                return f"no extra {unknown}"
        elif argument[0].isalnum() and not file and name_of(argument) not in known:
            return f"{argument}: a package nobody knows"
    return None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_a_page_advises_works_from_a_clone(page):
    faults = [seen for arguments in advised(page.read_text()) if arguments and (seen := fault(arguments))]
    assert faults == []


def test_advice_that_does_not_work_would_be_found():
    (command,) = advised("type: pip install 'edge-arseg[host]'\n")
    assert fault(command) == "edge-arseg[host]: on no index"
    assert fault(["-e", ".[hots]"]) == "no extra {'hots'}"
    assert fault(["-e", ".[host]"]) is None


@pytest.mark.slow
@pytest.mark.parametrize("extra", ["cpu", "openvino"])
def test_pip_can_resolve_what_is_advised(extra):
    for command in (install_extra(extra), install_extra(extra, package=Path("/nowhere/edge_arseg"))):
        words = command.replace(" install ", " install --dry-run -q --no-build-isolation ", 1)
        done = subprocess.run(["bash", "-c", words], capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, (command, done.stderr)


def test_packages_that_need_quotes_get_them():
    assert install_packages("a<2", again=True).endswith("install --force-reinstall 'a<2'")


def test_the_program_is_named_as_a_shell_finds_it(tmp_path, monkeypatch):
    """After ``make run`` nothing is activated, so the plain name would not be found."""
    folder = tmp_path / "a b" / ".venv" / "bin"
    folder.mkdir(parents=True)
    script = folder / "edge-arseg"
    monkeypatch.setattr(sys, "executable", str(folder / "python"))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert program() == f"'{folder / 'python'}' -m edge_arseg"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    monkeypatch.chdir(folder.parents[1])
    assert program() == ".venv/bin/edge-arseg"
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    assert shlex.split(program()) == [str(script)]
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    assert program() == "edge-arseg"
