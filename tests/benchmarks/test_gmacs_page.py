import importlib.util
from pathlib import Path

import pytest

pytest.importorskip("torch")

SCRIPT = Path(__file__).parents[2] / "benchmarks/gmacs.py"


@pytest.mark.slow
def test_the_generated_table_is_current():
    spec = importlib.util.spec_from_file_location("gmacs", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.main(["--check"]) == 0, "run `make tables`"
