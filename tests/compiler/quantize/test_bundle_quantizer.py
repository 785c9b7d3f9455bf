"""From a float32 bundle to a quantized one, by the command line, and what can go wrong."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import types

import onnx
import pytest
from onnx import numpy_helper
from support.children import Child

from edge_arseg.compiler.quantize import quantize as bundle_quantizer
from edge_arseg.compiler.quantize.search import budget
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.spec.manifest import Precision, Role
from edge_arseg.video.sinks.class_ids.png import palette_from_classes, png_from_indices

STREET = "test://street?size=90x122&frames=6"


@pytest.fixture(scope="module")
def labels(own_bundle, tmp_path_factory):
    """Index PNGs for six frames of the street, as HR in float32 sees them: its own score is 100."""
    from edge_arseg.runtime.mode import Mode
    from edge_arseg.runtime.segmenter import Segmenter

    folder = tmp_path_factory.mktemp("labels")
    with Segmenter(own_bundle, mode=Mode.HR, threads=1) as segmenter:
        palette = palette_from_classes(segmenter.bundle.manifest.model.classes)
        for index, result in enumerate(segmenter.stream(STREET)):
            (folder / f"{index:03d}.png").write_bytes(png_from_indices(result.class_map, palette))
    return folder


def test_the_manifest_says_how_it_was_made(own_bundle, int8_bundle):
    source, made = read_bundle(own_bundle), read_bundle(int8_bundle)
    precisions = {role.value: entry.precision for role, entry in made.manifest.graphs.items()}
    assert precisions == {
        "hr": Precision.INT8,
        "lr": Precision.INT8,
        "fuse": Precision.FP32,
        "head": Precision.FP32,
        "lr_head": Precision.FP32,
    }
    entry = made.manifest.quantization
    assert entry is not None
    assert (entry.activations, entry.source, entry.recipe) == ("uint8", source.digest, "tiny")
    assert made.manifest.name == "own-int8"
    assert made.manifest.provenance == source.manifest.provenance
    assert (made.manifest.revision, entry.weight_bits) == (3, 7)
    assert (made.manifest.golden.min_agreement, made.manifest.golden.because) == (0.98, None)
    assert (int8_bundle / "onnx/fuse.onnx").read_bytes() == (own_bundle / "onnx/fuse.onnx").read_bytes()
    size = (int8_bundle / "onnx/hr.onnx").stat().st_size / (own_bundle / "onnx/hr.onnx").stat().st_size
    assert size < 0.75


def test_every_layer_is_ranked(int8_bundle):
    record = json.loads((int8_bundle / "quantization/sensitivity.json").read_text())
    for role in ("hr", "lr"):
        layers = record["layers"][role]
        costs = [layer["sqnr_db"] for layer in layers]
        assert len(layers) == 13
        assert costs == sorted(costs)
        assert all(20.0 < cost < 90.0 for cost in costs)
        assert not any(layer["in_float"] for layer in layers)
    assert record["scores"] is None


def test_integer_kernels_and_nothing_in_float_between(int8_bundle, tmp_path):
    """What ONNX Runtime makes of it: every convolution but the classifier is an integer kernel."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "seen.onnx")
    options.log_severity_level = 4
    ort.InferenceSession(str(int8_bundle / "onnx/hr.onnx"), options)
    kinds = [node.op_type for node in onnx.load(tmp_path / "seen.onnx").graph.node]
    assert kinds.count("QLinearConv") == 13
    assert kinds.count("Conv") + kinds.count("FusedConv") == 1
    assert kinds.count("QuantizeLinear") == 1
    assert kinds.count("DequantizeLinear") <= 2


def test_it_verifies_runs_and_scores(edge_arseg, int8_bundle, labels, tmp_path):
    assert edge_arseg("verify", int8_bundle).code == 0
    assert edge_arseg("verify", int8_bundle, "--min-agreement", "1.0").code == 1
    masks = tmp_path / "masks"
    assert edge_arseg("run", STREET, f"masks://{masks}", "-b", int8_bundle, "--threads", "1").code == 0
    assert len(list(masks.glob("*.png"))) == 6
    answer = edge_arseg(
        *("eval", "-b", int8_bundle, "--clip", STREET, "--labels", labels, "--mode", "hr", "--threads", "1", "--json")
    )
    assert answer.code == 0
    assert json.loads(answer.out)["modes"]["hr"]["miou"] > 70.0
    assert "int8" in edge_arseg("inspect", int8_bundle).out


def test_an_engine_that_answers_wrongly_does_not_verify(edge_arseg, int8_bundle, tmp_path):
    """The threshold of a quantized bundle still catches a graph that computes something else."""
    import hashlib

    copy = tmp_path / "copy.arseg"
    shutil.copytree(int8_bundle, copy)
    model = onnx.load(copy / "onnx/lr.onnx")
    for tensor in model.graph.initializer:
        if tensor.name.endswith("weight_quantized"):
            tensor.CopyFrom(numpy_helper.from_array(-numpy_helper.to_array(tensor), tensor.name))
    data = model.SerializeToString()
    (copy / "onnx/lr.onnx").write_bytes(data)
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["files"]["onnx/lr.onnx"] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    (copy / "manifest.json").write_text(json.dumps(manifest))
    answer = edge_arseg("verify", copy)
    assert answer.code == 1
    assert "pixels agree" in answer.err


@pytest.fixture
def coarse(monkeypatch):
    """Golden frames that int8 gives other classes in one pixel of sixteen."""
    from edge_arseg.runtime.verification import Agreement

    rows = [Agreement("hr", 0, 0.999), Agreement("ar", 11, 0.9375)]
    monkeypatch.setattr(bundle_quantizer, "agreements_of_bundle", lambda bundle, threads: rows)


def test_a_bundle_below_the_gate_is_not_written(edge_arseg, own_bundle, recipe_file, tmp_path, coarse):
    path = tmp_path / "coarse.arseg"
    options = ("--recipe", recipe_file, "--lr", "fp32", "--threads", "1")
    answer = edge_arseg("quantize", own_bundle, "-o", path, *options)
    assert answer.code == 1
    assert "ar at distance 11: 93.75% of the golden pixels get torch's class, 98.00% expected" in answer.err
    for way in ("--max-drop", "--hr fp16", "--recipe", '--min-agreement SHARE --because "TEXT"'):
        assert way in answer.err
    assert list(tmp_path.iterdir()) == []


def test_another_gate_has_words_that_stay_with_the_bundle(edge_arseg, own_bundle, tmp_path, coarse):
    path = tmp_path / "coarse.arseg"
    options = ("--hr", "fp16", "--lr", "fp32", "--min-agreement", "0.93", "--because", "doors are enough for us")
    answer = edge_arseg("quantize", own_bundle, "-o", path, *options)
    assert answer.code == 0, answer.err
    golden = read_bundle(path).manifest.golden
    assert (golden.min_agreement, golden.because) == (0.93, "doors are enough for us")
    for verb in ("inspect", "verify"):
        assert "93.00%, because: doors are enough for us" in " ".join(edge_arseg(verb, path).out.split())


def test_a_gate_below_what_was_reached_is_refused_too(edge_arseg, own_bundle, tmp_path, coarse):
    options = ("--hr", "fp16", "--lr", "fp32", "--min-agreement", "0.94", "--because", "doors")
    answer = edge_arseg("quantize", own_bundle, "-o", tmp_path / "x.arseg", *options)
    assert answer.code == 1
    assert "93.75% of the golden pixels get torch's class, 94.00% expected" in answer.err


def test_layers_are_ranked_and_scored_with_exact_sums(edge_arseg, own_bundle, recipe_file, tmp_path, monkeypatch):
    """On a CPU that saturates, weights of 8 bits, for TensorRT, are added exactly wherever they are judged."""
    import onnxruntime

    from edge_arseg.runtime.engines.onnxruntime import integer_sums

    monkeypatch.setattr(integer_sums, "sums_saturate", lambda: True)
    session = onnxruntime.InferenceSession
    exact = []

    def opened(model, options, **named):
        loaded = onnx.load_model_from_string(model) if isinstance(model, bytes) else onnx.load(model)
        if any(tensor.data_type == onnx.TensorProto.INT8 for tensor in loaded.graph.initializer):
            exact.append(options.get_session_config_entry(integer_sums.EXACT))
        return session(model, options, **named)

    monkeypatch.setattr(onnxruntime, "InferenceSession", opened)
    options = ("--activations", "int8", "--recipe", recipe_file, "--lr", "fp32", "--threads", "1")
    answer = edge_arseg("quantize", own_bundle, "-o", tmp_path / "x.arseg", *options)
    assert answer.code == 0, answer.err
    assert exact == ["1"] * (13 * 4 + 1)  # each layer of hr alone, on four frames, and hr on the golden frames


def test_a_budget_keeps_layers_in_float(edge_arseg, own_bundle, recipe_file, labels, tmp_path):
    """Labels are float32's own answers, so any difference costs: some layers must stay, and the result holds."""
    path = tmp_path / "mixed.arseg"
    answer = edge_arseg(
        *("quantize", own_bundle, "-o", path, "--recipe", recipe_file, "--hr", "int8", "--lr", "fp32"),
        *("--labels", labels, "--clip", STREET, "--max-drop", "3", "--threads", "1", "--limit", "4"),
    )
    assert answer.code == 0, answer.err
    record = json.loads((path / "quantization/sensitivity.json").read_text())
    kept = [layer for layer in record["layers"]["hr"] if layer["in_float"]]
    trials = record["trials"]["hr"]
    assert len(kept) == min(trial["kept"] for trial in trials if trial["drop"] <= 3.0)
    assert kept == record["layers"]["hr"][: len(kept)]
    expected = "mixed" if kept else "int8"
    assert record["precisions"] == {"hr": expected, "lr": "fp32", "fuse": "fp32"}
    assert record["scores"]["fp32"]["modes"]["hr"]["miou"] == pytest.approx(100.0)
    drop = 100.0 - record["scores"]["quantized"]["modes"]["hr"]["miou"]
    assert drop <= 3.0
    assert "difference" in answer.out
    assert "distance 1" in answer.out


def test_a_budget_that_cannot_be_had(edge_arseg, own_bundle, recipe_file, labels, tmp_path, monkeypatch):
    path = tmp_path / "never.arseg"
    monkeypatch.setattr(bundle_quantizer, "drop_between", lambda reference, seen, mode: 5.0)
    answer = edge_arseg(
        *("quantize", own_bundle, "-o", path, "--recipe", recipe_file, "--hr", "int8", "--lr", "fp32"),
        *("--labels", labels, "--clip", STREET, "--max-drop", "0.5", "--threads", "1", "--limit", "2"),
    )
    assert answer.code == 1
    assert "mIoU is 5.00 points below float32 with all layers in float, 0.5 allowed" in answer.err
    assert "--hr fp16" in answer.err
    assert not path.exists()


def test_a_budget_that_float16_does_not_hold(edge_arseg, own_bundle, labels, tmp_path, monkeypatch):
    path = tmp_path / "never.arseg"
    monkeypatch.setattr(budget, "drop_between", lambda reference, seen, mode: 5.0)
    answer = edge_arseg(
        *("quantize", own_bundle, "-o", path, "--hr", "fp16", "--lr", "fp16"),
        *("--labels", labels, "--clip", STREET, "--max-drop", "0.5", "--threads", "1", "--limit", "2"),
    )
    assert (answer.code, "hr: mIoU is 5.00 points below float32, 0.5 allowed" in answer.err) == (1, True), answer.err
    assert not path.exists()


def test_float16_alone_needs_no_clips(edge_arseg, own_bundle, tmp_path):
    path = tmp_path / "half.arseg"
    answer = edge_arseg("quantize", own_bundle, "-o", path, "--hr", "fp16", "--lr", "fp16", "--fuse", "fp16", "--json")
    assert answer.code == 0, answer.err
    assert "calibrating" not in answer.err
    entry = read_bundle(path).manifest.quantization
    assert entry is not None
    assert (entry.recipe, entry.recipe_sha256) == (None, None)
    assert json.loads(answer.out)["worst_agreement"] > 0.99


def test_for_tensorrt_with_features_in_float16(edge_arseg, own_bundle, recipe_file, tmp_path):
    path = tmp_path / "trt.arseg"
    options = ("--activations", "int8", "--hr", "int8", "--lr", "fp16", "--fuse", "fp16", "--threads", "1")
    answer = edge_arseg("quantize", own_bundle, "-o", path, "--recipe", recipe_file, *options)
    assert answer.code == 0, answer.err
    bundle = read_bundle(path)
    graphs = bundle.manifest.graphs
    assert {role.value: entry.precision.value for role, entry in graphs.items()} == {
        "hr": "int8",
        "lr": "fp16",
        "fuse": "fp16",
        "head": "fp16",
        "lr_head": "fp16",
    }
    for role in Role:
        for name, spec in {**graphs[role].inputs, **graphs[role].outputs}.items():
            assert spec.dtype == ("float16" if "feature" in name else {"flow": "float32"}.get(name, "uint8"))
    assert edge_arseg("verify", path).code == 0
    assert edge_arseg("run", STREET, "null://", "-b", path, "--threads", "1").code == 0


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (["--labels", "x"], 2, "--clip or --images"),
        (["--labels", "x", "--clip", "a", "--images", "b"], 2, "--clip or --images"),
        (["--max-drop", "0.5"], 2, "need --labels"),
        (["--recipe", "nope"], 2, "known: camvid"),
        (["--hr", "fp16", "--lr", "fp16", "--recipe", "street"], 2, "--recipe street: no graph becomes int8"),
        (["--data", "."], 2, "recipe street has no {data} in it"),
        (["--recipe", "camvid"], 2, "--data DIR"),
        (["--hr", "int4"], 2, "int4"),
        (["--min-agreement", "0.9"], 2, "--min-agreement and --because need each other"),
        (["--because", "x"], 2, "--min-agreement and --because need each other"),
        (["--min-agreement", "0.9", "--because", " "], 2, "say why the gate is another one"),
        (["--min-agreement", "0.98", "--because", ""], 2, "say why the gate is another one"),
        (["--labels", "gone", "--images", "gone"], 3, "gone: no such folder"),
        (["--labels", ".", "--clip", "gone.mp4"], 3, "expected label PNGs"),
    ],
)
def test_what_cannot_be_meant(edge_arseg, own_bundle, tmp_path, options, code, says):
    answer = edge_arseg("quantize", own_bundle, "-o", tmp_path / "x.arseg", *options)
    assert answer.code == code
    assert says in answer.err
    assert not (tmp_path / "x.arseg").exists()


def test_a_quantized_bundle_is_quantized_again_from_its_floats(edge_arseg, int8_bundle, tmp_path):
    """Its layers were in int8 with ranges in the place of rectifiers, whose names the new pairs have too."""
    answer = edge_arseg("quantize", int8_bundle, "-o", tmp_path / "x.arseg", "--activations", "int8")
    assert answer.code == 0, answer.err
    assert "taking the quantization off hr, lr: weights stay rounded to 7 bits" in answer.err
    assert read_bundle(tmp_path / "x.arseg").manifest.graphs[Role.HR].precision is Precision.INT8


@pytest.mark.parametrize("full", ["of the result", "of trials"])
def test_a_disk_without_room_is_told_before_the_work(edge_arseg, own_bundle, tmp_path, monkeypatch, full):
    """It was told behind calibration, and behind hours of --max-drop; nothing of it was kept."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "trials"))
    (tmp_path / "trials").mkdir()
    place = tmp_path if full == "of the result" else tmp_path / "trials"
    rooms = {place: 1000}
    monkeypatch.setattr(shutil, "disk_usage", lambda seen: types.SimpleNamespace(free=rooms.get(seen, 10**12)))
    answer = edge_arseg("quantize", own_bundle, "-o", tmp_path / "x.arseg")
    assert answer.code == 4
    assert "the disk is full" in answer.err
    assert ("-o" if full == "of the result" else "export TMPDIR=FOLDER") in answer.err
    assert "calibrating" not in answer.err
    assert not (tmp_path / "x.arseg").exists()


def test_what_is_there_is_kept_without_force(edge_arseg, own_bundle, int8_bundle):
    before = (int8_bundle / "manifest.json").read_bytes()
    answer = edge_arseg("quantize", own_bundle, "-o", int8_bundle)
    assert answer.code == 2
    assert "--force" in answer.err
    assert (int8_bundle / "manifest.json").read_bytes() == before


KILLED = """
import os, sys, time
import edge_arseg.compiler.writing as writer
from edge_arseg.cli.main import exit_code

def stop(bundle):
    print("stopped", flush=True)
    time.sleep(600)

write = writer.NewBundle.write
writer.NewBundle.write = lambda *arguments: write(*arguments, check=stop)
exit_code(sys.argv[1:])
"""


def test_killed_while_it_writes_it_leaves_what_was_there(own_bundle, int8_bundle, tmp_path):
    path = tmp_path / "killed.arseg"
    shutil.copytree(int8_bundle, path)
    old = read_bundle(path)
    arguments = ["quantize", str(own_bundle), "-o", str(path), "--lr", "fp32"]
    command = [sys.executable, "-c", KILLED, *arguments, "--hr", "fp16", "--force", "--threads", "1"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with Child(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout.readline() == "stopped\n"
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert read_bundle(path) == old
    assert sum(child.name.startswith(".killed.arseg.part-") for child in tmp_path.iterdir()) == 1
