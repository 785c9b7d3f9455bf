import json
from importlib.metadata import version

from support.bundles.fake import write_fake_bundle

from edge_arseg.bench.conditions import installed_versions
from edge_arseg.bench.record import record_from_bundle, record_now, write_record
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.runtime.engines.contract import EngineOptions
from edge_arseg.runtime.engines.opening import BACKENDS, packages_of_backends
from edge_arseg.runtime.mode import Mode


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


def test_the_record_of_a_bundle_says_all_that_was_chosen(tmp_path):
    bundle = read_bundle(write_fake_bundle(tmp_path / "fake.arseg"))
    gop = bundle.manifest.gop
    record, speed = record_from_bundle(
        bundle,
        "test://street?size=96x128&frames=15",
        modes=[Mode.HR],
        frames=gop,
        engines=EngineOptions(backend="fake", fusion="graph"),
        motion="zero",
    )
    assert (record.name, list(record.values["modes"])) == ("speed", ["hr"])
    assert record.values["modes"]["hr"]["mean_ms"] == speed.modes["hr"].mean_ms
    assert record.values["verdict"] == speed.verdict
    settings = record.settings
    assert settings["bundle_digest"] == bundle.digest
    assert (settings["bundle"], settings["frames"], settings["motion"], settings["backend"]) == (
        bundle.manifest.name,
        gop,
        "zero",
        "fake",
    )
    assert settings["source"] == "test://street?size=96x128&frames=15"


def test_a_record_has_the_versions_of_what_each_backend_names(monkeypatch):
    assert {"onnxruntime", "onnxruntime-gpu", "openvino", "tensorrt", "pycuda"} <= set(packages_of_backends())
    assert "pytest" not in installed_versions()
    monkeypatch.setitem(BACKENDS, "toy", "toys:ToyEngine [pytest,not-there]")
    assert installed_versions()["pytest"] == version("pytest")
    assert "not-there" not in installed_versions()
