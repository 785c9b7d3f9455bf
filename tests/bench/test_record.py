import json
from dataclasses import replace
from importlib.metadata import version

from edge_arseg.bench.conditions import busy_from_conditions, conditions_now, installed_versions
from edge_arseg.bench.record import record_now, write_record
from edge_arseg.runtime.engines.opening import BACKENDS, packages_of_backends


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


def test_a_record_has_the_versions_of_what_each_backend_names(monkeypatch):
    assert {"onnxruntime", "onnxruntime-gpu", "openvino", "tensorrt", "pycuda"} <= set(packages_of_backends())
    assert "pytest" not in installed_versions()
    monkeypatch.setitem(BACKENDS, "toy", "toys:ToyEngine [pytest,not-there]")
    assert installed_versions()["pytest"] == version("pytest")
    assert "not-there" not in installed_versions()


def test_the_load_of_a_machine_is_not_said_to_be_on_the_cores_of_one_process():
    conditions = replace(conditions_now(), cores=1, load=3.21)
    assert busy_from_conditions(conditions) == (
        "the load average was 3.2 when it began, and this process may use 1 core"
    )
    assert busy_from_conditions(replace(conditions, cores=4)) == ""
