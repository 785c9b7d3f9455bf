"""The versions that setup.cfg asks for."""

import configparser
import re

from tools.machines.folders import PROJECT

DEVICE = ("numpy", "av", "click", "rich", "pydantic", "onnxruntime", "numba")
"""The device half with its CPU kernels."""

HOST = ("torch", "onnx", "onnxscript", "safetensors", "matplotlib", "numba", "openvino")
TOOLS = ("pytest", "hypothesis")


def lower_bounds() -> dict[str, str]:
    """Return the lowest version of each package that setup.cfg allows, over all extras."""
    config = configparser.ConfigParser()
    config.read(PROJECT / "setup.cfg")
    texts = [config["options"]["install_requires"], *config["options.extras_require"].values()]
    return dict(re.findall(r"^\s*([A-Za-z0-9_.-]+)>=([0-9.]+)", "\n".join(texts), re.MULTILINE))
