import json

from edge_arseg.bench.record import record_now, write_record


def test_a_record_carries_its_conditions(tmp_path):
    record = record_now("speed", settings={"threads": 2}, values={"p50_ms": 1.5})
    path = write_record(record, tmp_path / "results/speed.json")
    data = json.loads(path.read_text())
    assert data["values"] == {"p50_ms": 1.5}
    assert data["settings"] == {"threads": 2}
    assert data["conditions"]["cores"] >= 1
    assert data["conditions"]["packages"]["numpy"]
    assert data["taken"].endswith("+00:00")
    assert [child.name for child in (tmp_path / "results").iterdir()] == ["speed.json"]
