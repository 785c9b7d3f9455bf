"""The one door to Numba, where no cache can be written anywhere."""

import os
import subprocess
import sys

import pytest

from edge_arseg.installation import install_extra

NO_CACHE = """
import numba.core.caching as caching

def refused(self):
    raise OSError("read-only file system")

caching._CacheLocator.ensure_cache_path = refused
"""


def run(tmp_path, code):
    source = tmp_path / "loops.py"
    if not source.exists():  # Numba 0.59 keys its cache by the time of the file
        source.write_text(code)
    return subprocess.run(
        [sys.executable, "loops.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_without_a_writable_cache_anywhere_a_loop_is_compiled_all_the_same(tmp_path):
    pytest.importorskip("numba")
    done = run(
        tmp_path,
        NO_CACHE
        + "from numba import njit\n"
        + "from edge_arseg.compiled import compiled\n"
        + "twice = lambda x: x + x\n"
        + "try:\n    njit(cache=True)(twice)\n"
        + "except RuntimeError as error:\n    print(error)\n"
        + "function = compiled(nogil=True)(twice)\n"
        + "print(function(21), function.signatures, list(function.stats.cache_hits))\n",
    )
    assert done.returncode == 0, done.stderr
    assert "no locator available" in done.stdout
    assert "42 [(int64,)] []" in done.stdout


@pytest.mark.slow
def test_without_a_writable_cache_anywhere_the_attention_of_train_lr_is_compiled(tmp_path):
    pytest.importorskip("numba")
    pytest.importorskip("torch")
    done = run(
        tmp_path,
        NO_CACHE
        + "import torch\n"
        + "from edge_arseg.network.attention.compiled import compiled_attention\n"
        + "one = torch.ones(1, 2, 3, 3)\n"
        + "print(round(compiled_attention(one, one, one, 3, torch.zeros(9))[0, 0, 1, 1].item(), 5))\n",
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "1.0\n"


def test_with_a_writable_cache_a_loop_is_kept(tmp_path):
    pytest.importorskip("numba")
    code = (
        "from edge_arseg.compiled import compiled\n\n\n"
        "@compiled(nogil=True)\ndef twice(x):\n    return x + x\n\n\n"
        "print(twice(21), sum(twice.stats.cache_hits.values()))\n"
    )
    assert [run(tmp_path, code).stdout for _ in range(2)] == ["42 0\n", "42 1\n"]


def test_without_numba_the_error_says_what_to_install(tmp_path):
    done = run(
        tmp_path,
        "import sys\nsys.modules['numba'] = None\n"
        "from edge_arseg.compiled import numba_installed, require_numba\n"
        "print(numba_installed())\n"
        "require_numba('the renderer of simulated clips')\n",
    )
    assert done.stdout == "False\n"
    assert (
        "EnvironmentUnfitError: the renderer of simulated clips needs numba, which is not installed; "
        f"type: {install_extra('cpu')}"
    ) in done.stderr


def test_without_a_writable_cache_anywhere_motion_and_the_renderer_are_compiled(tmp_path):
    pytest.importorskip("numba")
    done = run(
        tmp_path,
        NO_CACHE
        + "from edge_arseg.motion.loops import compiled_motion\n"
        + "from edge_arseg.training.simulation.render import _mirrored\n"
        + "print(sorted(compiled_motion()), _mirrored(5.0, 3.0))\n",
    )
    assert done.returncode == 0, done.stderr
    names = ["compare_cells", "compose_flows", "fill_holes", "smooth_cells", "spread_vectors"]
    assert done.stdout == f"{names} 1.0\n"
