"""The wheel: complete, and enough on its own for the device half."""

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DEVICE_TESTS = ("tests/storage", "tests/spec", "tests/motion", "tests/runtime", "tests/bench", "tests/cli/test_main.py")


def run(*command: object, **options: object) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=600, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    pytest.importorskip("build.__main__")  # the folder of that name in the checkout can be imported too
    source = tmp_path_factory.mktemp("source")
    tracked = run("git", "ls-files", "-co", "--exclude-standard", cwd=ROOT).stdout.splitlines()
    for name in tracked:
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", source / "dist", source)
    (path,) = (source / "dist").glob("*.whl")
    return path


@pytest.fixture(scope="module")
def device_python(wheel, tmp_path_factory) -> Path:
    """A new environment with the wheel and what it requires, and nothing else but what runs the tests."""
    folder = tmp_path_factory.mktemp("device")
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv/bin/python"
    run(python, "-m", "pip", "install", "-q", "--disable-pip-version-check", wheel, "pytest", "hypothesis")
    return python


def test_the_wheel_holds_every_module_and_data_file(wheel):
    inside = set(zipfile.ZipFile(wheel).namelist())
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "edge_arseg").rglob("*.py")}
    assert modules - inside == set()
    assert {name for name in inside if name.endswith(".py")} == modules
    assert "edge_arseg/py.typed" in inside
    assert any(name.endswith("LICENSE") for name in inside)
    for name in ("roboto-medium.npz", "LICENSE-roboto.txt"):
        assert f"edge_arseg/video/overlay/text/{name}" in inside
    for folder in ("targets", "calibration"):
        assert f"edge_arseg/data/{folder}/README.md" in inside


def test_the_wheel_asks_for_no_host_library(device_python):
    installed = run(device_python, "-m", "pip", "list", "--format", "freeze").stdout.lower()
    assert "onnxruntime==" in installed
    for name in ("torch", "onnx", "safetensors", "tensorrt", "numba"):
        assert f"\n{name}==" not in installed


@pytest.mark.slow
def test_the_device_half_passes_its_tests_there(device_python, tmp_path):
    shutil.copytree(ROOT / "tests", tmp_path / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "setup.cfg", tmp_path)
    done = run(device_python, "-m", "pytest", "-q", "-m", "not slow", *DEVICE_TESTS, cwd=tmp_path)
    assert " passed" in done.stdout or "[100%]" in done.stdout


def test_the_device_half_runs_a_bundle_there(device_python, own_bundle, tmp_path):
    command = device_python.with_name("edge-arseg")
    run(command, "verify", own_bundle, cwd=tmp_path)
    run(command, "run", "test://street?size=90x122&frames=6", "out.mp4", "-b", own_bundle, cwd=tmp_path)
    assert (tmp_path / "out.mp4").stat().st_size > 1000


@pytest.mark.slow
def test_what_is_advised_there_can_be_typed_there(device_python, tmp_path):
    """From a wheel the packages of the extra are named, for the very Python that runs."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    code = "from edge_arseg.installation import install_extra; print(install_extra('cpu'))"
    advice = run(device_python, "-c", code, cwd=tmp_path, env=environment).stdout
    assert "edge-arseg" not in advice.replace(str(device_python), "")
    run("bash", "-c", advice, cwd=tmp_path, env=environment)
    run(device_python, "-c", "import numba", cwd=tmp_path, env=environment)
