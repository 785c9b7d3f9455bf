"""What ``inspect`` says of bundles that were compiled or quantized; no torch, no engine library."""

import hashlib
import json

import pytest
from support.bundles.small import small_contents, small_manifest, write_small_bundle

from edge_arseg.runtime.bundles.reading import MANIFEST, read_bundle
from edge_arseg.runtime.kernels.cuda.image import source_digest
from edge_arseg.spec.engine_key import RECORD, EngineKey, PlanRecord, graph_digests, json_from_record, plan_file
from edge_arseg.spec.entries import FileEntry, KernelEntry, QuantizationEntry
from edge_arseg.spec.manifest import Precision, Role, json_from_manifest

CALIBRATION = {
    "recipe": {"name": "street", "method": "percentile"},
    "clips": [{"source": "a", "by_distance": {"0": 3, "1": 2}}, {"source": "b", "by_distance": {"0": 4}}],
}
SENSITIVITY = {
    "max_drop": 0.5,
    "layers": {
        "hr": [
            {"layer": "n1", "weight": "stem.weight", "sqnr_db": 21.0, "in_float": True},
            {"layer": "n2", "weight": "stage1.weight", "sqnr_db": 30.0, "in_float": True},
            {"layer": "n3", "weight": "stage2.weight", "sqnr_db": 40.0, "in_float": False},
        ],
        "lr": [{"layer": "n1", "weight": "thin.weight", "sqnr_db": 33.0, "in_float": False}],
    },
    "scores": {
        "fp32": {"conditions": {"source": "val.mp4"}, "modes": {"hr": {"miou": 65.5}, "ar": {"miou": 64.0}}},
        "quantized": {"conditions": {"source": "val.mp4"}, "modes": {"hr": {"miou": 65.25}, "ar": {"miou": 64.4}}},
    },
}
COMPILED = ("cubin of sm_87", "ptx of sm_90")


def write_rich_bundle(path, *, sensitivity=SENSITIVITY, calibration=CALIBRATION, recipe="street"):
    """Quantized, compiled for a board, with kernels for two GPUs."""
    from dataclasses import replace

    write_small_bundle(path)
    contents = small_contents() | {
        "quantization/calibration.json": json.dumps(calibration).encode(),
        "quantization/sensitivity.json": json.dumps(sensitivity).encode(),
        "kernels/fusion_sm87.cubin": COMPILED[0].encode(),
        "kernels/fusion_sm90.ptx": COMPILED[1].encode(),
    }
    for name, data in contents.items():
        (path / name).parent.mkdir(exist_ok=True)
        (path / name).write_bytes(data)
    manifest = small_manifest(contents)
    graphs = {**manifest.graphs, Role.HR: replace(manifest.graphs[Role.HR], precision=Precision.MIXED)}
    manifest = replace(
        manifest,
        graphs=graphs,
        target="jetson-orin-nano-8gb",
        compiled_from="c" * 64,
        kernels=(
            KernelEntry("kernels/fusion_sm87.cubin", 87, source_digest(), "nvcc 12.6"),
            KernelEntry("kernels/fusion_sm90.ptx", 90, "0" * 64, "NVRTC 13.0"),
        ),
        quantization=QuantizationEntry(
            "int8",
            "f" * 64,
            recipe,
            recipe and "d" * 64,
            "quantization/calibration.json",
            "quantization/sensitivity.json",
        ),
    )
    (path / MANIFEST).write_text(json_from_manifest(manifest))
    return path


@pytest.fixture
def rich(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return write_rich_bundle(tmp_path / "rich.arseg")


def write_plans(bundle, root=None, *, roles=(Role.HR, Role.LR)):
    key = EngineKey(
        graph_digests(bundle.manifest), "tensorrt", "10.3.0.30", (8, 7), 8, "p3767-0005", ("strongly-typed",)
    )
    folder = (root or bundle.path / "engines") / key.name
    folder.mkdir(parents=True)
    plans = {}
    for role in roles:
        data = f"plan of {role.value}".encode()
        (folder / plan_file(role)).write_bytes(data)
        plans[role] = FileEntry(hashlib.sha256(data).hexdigest(), len(data))
    (folder / RECORD).write_text(json_from_record(PlanRecord(key, plans, "2026-01-02T03:04:05+00:00")))
    return folder


def lines_with(text, *words):
    return [line for line in text.splitlines() if all(word in line for word in words)]


def test_target_and_origin(edge_arseg, rich):
    out = edge_arseg("inspect", rich).out
    assert lines_with(out, "target", "jetson-orin-nano-8gb")
    assert lines_with(out, "compiled from", "c" * 16)
    assert lines_with(out, "hr", "mixed")


def test_kernels_by_gpu_and_whether_they_are_of_this_version(edge_arseg, rich):
    out = edge_arseg("inspect", rich).out
    assert lines_with(out, "fusion_sm87.cubin", "sm_87", "nvcc 12.6", "as installed")
    assert lines_with(out, "fusion_sm90.ptx", "sm_90", "NVRTC 13.0", "another version")
    data = json.loads(edge_arseg("inspect", rich, "--json").out)
    assert [(kernel["sm"], kernel["file"]) for kernel in data["kernels"]] == [
        (87, "kernels/fusion_sm87.cubin"),
        (90, "kernels/fusion_sm90.ptx"),
    ]


def test_calibration_float_layers_and_drop(edge_arseg, rich):
    out = edge_arseg("inspect", rich).out
    assert lines_with(out, "quantized from", "f" * 16)
    assert lines_with(out, "calibration", "recipe street, percentile, 9 frames", "int8 activations")
    assert lines_with(out, "mIoU below float32", "hr 0.25, ar -0.40 points, on val.mp4; 0.5 allowed per branch")
    assert lines_with(out, "hr layers in float", "2 of 3: stem.weight, stage1.weight")
    assert lines_with(out, "lr layers in float", "0 of 1")
    summary = json.loads(edge_arseg("inspect", rich, "--json").out)["quantization_summary"]
    assert (summary["recipe"], summary["method"], summary["frames"]) == ("street", "percentile", 9)
    assert summary["in_float"] == {"hr": ["stem.weight", "stage1.weight"], "lr": []}
    assert summary["drop"] == pytest.approx({"hr": 0.25, "ar": -0.4})


def test_a_drop_that_nobody_measured_is_not_zero(edge_arseg, tmp_path):
    path = write_rich_bundle(tmp_path / "unscored.arseg", sensitivity={**SENSITIVITY, "scores": None})
    assert lines_with(edge_arseg("inspect", path).out, "mIoU below float32", "not measured")
    assert json.loads(edge_arseg("inspect", path, "--json").out)["quantization_summary"]["drop"] == {}


def test_float16_has_no_calibration(edge_arseg, tmp_path):
    path = write_rich_bundle(
        tmp_path / "half.arseg",
        sensitivity={**SENSITIVITY, "layers": {}},
        calibration={**CALIBRATION, "clips": []},
        recipe=None,
    )
    out = edge_arseg("inspect", path).out
    assert "calibration" not in out
    assert "layers in float" not in out


def test_records_that_lack_something_are_refused(edge_arseg, tmp_path):
    path = write_rich_bundle(tmp_path / "odd.arseg", sensitivity={"layers": {}})
    answer = edge_arseg("inspect", path)
    assert answer.code == 3
    assert "quantization/sensitivity.json" in answer.err
    assert "Quantize the float32 bundle again" in answer.err


def test_engines_in_the_bundle_and_in_the_users_cache(edge_arseg, rich, tmp_path):
    bundle = read_bundle(rich)
    inside = write_plans(bundle)
    cached = write_plans(bundle, tmp_path / "cache/edge-arseg/engines" / bundle.digest[:16], roles=(Role.FUSE,))
    (inside / "lr.plan").write_bytes(b"plan of Lr")
    out = edge_arseg("inspect", rich).out
    for words in (("library", "tensorrt 10.3.0.30"), ("GPU", "p3767-0005, sm_87, 8 SMs"), ("flags", "strongly-typed")):
        assert len(lines_with(out, *words)) == 2
    assert [line.split()[1] for line in lines_with(out, "folder")] == [str(inside), str(cached)]
    assert lines_with(out, "hr.plan", "0.0 MB, as built")
    assert lines_with(out, "lr.plan", "SHA-256", "expected")
    engines = json.loads(edge_arseg("inspect", rich, "--json").out)["engines"]
    assert [engine["folder"] for engine in engines] == [str(inside), str(cached)]
    assert [sorted(engine["plans"]) for engine in engines] == [["hr", "lr"], ["fuse"]]
    assert [list(engine["faults"]) for engine in engines] == [["lr"], []]
    assert engines[0]["key"]["version"] == "10.3.0.30"


def test_a_bundle_that_has_none_of_it_says_nothing_of_it(edge_arseg, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = write_small_bundle(tmp_path / "small.arseg")
    out = edge_arseg("inspect", path).out
    for word in ("target", "kernels", "engines", "quantized", "float32", "compiled"):
        assert word not in out, word
    data = json.loads(edge_arseg("inspect", path, "--json").out)
    assert (data["kernels"], data["engines"], data["quantization_summary"]) == ([], [], None)
