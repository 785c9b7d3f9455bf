"""The page about the GPU kernel's registers belongs to the source that is there, and shows no spills."""

import importlib.util
from pathlib import Path

from edge_arseg.runtime.cuda_fusion.source_files import source_digest

SCRIPT = Path(__file__).parents[2] / "benchmarks/cuda_resources.py"


def script():
    spec = importlib.util.spec_from_file_location("cuda_resources", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_current():
    table = script().table_from_record()
    again = "the kernel has changed: run `python benchmarks/cuda_resources.py`"
    assert {found["source"] for found in table.values()} == {source_digest()}, again
    assert script().PAGE.read_text() == script().page_from_table(table), again


def test_no_entry_spills_on_any_board():
    table = script().table_from_record()
    assert set(table) >= {"sm_75", "sm_87", "sm_90", "sm_110"}
    for sm, found in table.items():
        for entry, resources in found["entries"].items():
            assert resources["spill_bytes"] == resources["stack_bytes"] == 0, (sm, entry)
            assert resources["registers"] <= 255
