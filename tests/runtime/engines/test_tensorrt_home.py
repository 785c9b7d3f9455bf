import sys

import pytest

from edge_arseg.runtime.engines.tensorrt.library import tensorrt_advice, tensorrt_owner

HERE = f"python{sys.version_info.major}.{sys.version_info.minor}"


@pytest.mark.parametrize(
    ("owner", "advice"),
    [
        (HERE, f"{HERE} -m venv --system-site-packages .venv"),
        ("python3", "python3 -m venv --system-site-packages .venv"),
        (
            "python3.99",
            f"python3.99 -m venv --system-site-packages .venv (TensorRT was made for python3.99, this is "
            f"Python {HERE[6:]})",
        ),
    ],
)
def test_the_python_that_has_tensorrt_is_named(tmp_path, owner, advice):
    (tmp_path / f"usr/lib/{owner}/dist-packages/tensorrt").mkdir(parents=True)
    assert tensorrt_owner(tmp_path) == owner
    assert tensorrt_advice(tmp_path) == advice


def test_without_tensorrt_the_package_is_named(tmp_path):
    assert tensorrt_owner(tmp_path) is None
    assert tensorrt_advice(tmp_path).startswith("sudo apt install python3-libnvinfer")
