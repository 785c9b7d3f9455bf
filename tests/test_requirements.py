"""What a half of the package imports is what its extra installs."""

import ast
import configparser
import re
import sys
from pathlib import Path

import edge_arseg

ROOT = Path(__file__).parents[1]
PACKAGE = Path(edge_arseg.__file__).parent
HOST = ("network", "compiler", "training")
DEVICE = ("spec", "video", "motion", "runtime", "evaluation", "bench")
ELSEWHERE = {"tensorrt", "pycuda", "openvino", "pynvml"}
"""From JetPack, from the board's own CUDA, or with an extra of their own; imported where they are asked for only."""


def required(*names):
    """Names of the distributions that the package and some extras ask for."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    lines = config["options"]["install_requires"].splitlines()
    for name in names:
        lines += config["options.extras_require"][name].splitlines()
    return {re.match(r"[A-Za-z0-9_.-]+", line)[0] for line in lines if line.strip()}


def imported(*folders):
    """Top-level names of the modules that are imported anywhere in folders of the package, and are not Python's."""
    found = set()
    for folder in folders:
        for path in (PACKAGE / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Import):
                    found |= {alias.name.split(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module:
                    found.add(node.module.split(".")[0])
    return found - set(sys.stdlib_module_names) - {"edge_arseg"}


def test_the_host_extra_installs_all_that_the_host_half_imports():
    """Numba too: `train prepare` renders with it, and the attention of `train lr` is compiled by it."""
    needed = imported(*HOST)
    assert {"torch", "onnx", "numba"} <= needed
    # llvmlite is a part of Numba; timm, with torchvision, which it needs, has an extra of its own
    assert needed - ELSEWHERE - {"torchvision"} <= required("host", "timm") | {"llvmlite"}


EXTRAS = {"jinja2", "vl_convert", "cv2", "paho", "rerun", "gi"}
"""Imported where a page with plots is made, where TC is asked for, and by the sinks and sources that are named after
them (``gi`` by the distribution's Python); without them it is said what to install."""


def test_a_board_needs_the_package_and_numba_alone():
    needed = imported(*DEVICE)
    assert {"numpy", "av", "numba"} <= needed
    assert (
        needed - ELSEWHERE <= required("cpu") | {"llvmlite", "pydantic_core"} | EXTRAS
    )  # parts of Numba and of pydantic
    assert not {"numba", "torch", "onnx"} & required()


def test_the_pages_that_train_ask_for_the_host_half():
    page = (ROOT / "docs/training.md").read_text()
    assert "pip install -e '.[host]'" in page
