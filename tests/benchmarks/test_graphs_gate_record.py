"""What the page says of the graph gate is what the record says, and the record is of everything."""

import json
from pathlib import Path

from edge_arseg.network.variants import VARIANTS
from edge_arseg.spec.manifest import Role

ROOT = Path(__file__).parents[2]
VALUES = json.loads((ROOT / "benchmarks/results/graphs_gate.json").read_text())["values"]
PRECISIONS = ("fp32", "fp16", "int8")


def test_every_graph_of_every_variant_was_built_as_it_was_meant():
    assert set(VALUES) == {*VARIANTS, "camvid-compact"}
    for name, precisions in VALUES.items():
        assert tuple(precisions) == PRECISIONS, name
        for precision, rows in precisions.items():
            assert set(rows) == {role.value for role in Role}, (name, precision)
            for role, row in rows.items():
                assert row["built"], (name, precision, role)
                assert row["faults"] == row["warnings"] == [], (name, precision, role)


def test_nothing_but_classifiers_is_in_float():
    for name, precisions in VALUES.items():
        for rows in (precisions["fp16"], precisions["int8"]):
            assert all(row["in_float32"] == 0 for row in rows.values()), name
        left = {role: precisions["int8"][role]["not_quantized"] for role in ("hr", "lr", "fuse")}
        meant = {role: precisions["int8"][role]["float_by_intent"] for role in ("hr", "lr", "fuse")}
        assert left == meant == {"hr": 1, "lr": 0, "fuse": 1}, name


def test_the_record_at_full_size_says_the_same():
    full = json.loads((ROOT / "benchmarks/results/graphs_gate_720x960.json").read_text())
    assert (full["settings"]["height"], full["settings"]["width"]) == (720, 960)
    rows = [row for precisions in full["values"].values() for graphs in precisions.values() for row in graphs.values()]
    assert len(rows) == 45
    assert all(row["built"] and row["faults"] == row["warnings"] == [] for row in rows)
    for name, precisions in full["values"].items():
        for precision, graphs in precisions.items():
            for role, row in graphs.items():
                small = VALUES[name][precision][role]
                same = ("stated", "convolutions", "in_float32", "not_quantized", "float_by_intent")
                assert {key: row[key] for key in same} == {key: small[key] for key in same}, (name, precision, role)


def test_the_page_shows_the_record():
    page = (ROOT / "docs/compiling.md").read_text()
    for name, precisions in VALUES.items():
        of_hr = [precisions[precision]["hr"] for precision in PRECISIONS]
        plans = " | ".join(f"{row['plan_bytes'] / 1e6:.1f}" for row in of_hr)
        assert f"| {name} | {of_hr[0]['convolutions']} | {of_hr[2]['not_quantized']} | {plans} |" in page
    assert f"{sum(len(rows) for p in VALUES.values() for rows in p.values())} graphs" in page


def test_make_graphs_gate_takes_the_record():
    recipe = (ROOT / "Makefile").read_text().partition("\ngraphs-gate:")[2].partition("\n\n")[0]
    assert "tools/check_variants.py --record benchmarks/results/graphs_gate.json" in recipe
