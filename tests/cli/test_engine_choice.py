"""What the commands say of the bundle and the engine that they take, and where they refuse."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from support.bundles.toy import GOP, HEIGHT, WIDTH, ToyEngine, toy_golden, write_label, write_toy_bundle

from edge_arseg.runtime.engines.opening import BACKENDS
from edge_arseg.video.sources.street_clip import write_street

ROOT = Path(__file__).parents[2]


class OtherEngine(ToyEngine):
    """The toy by another name."""


@pytest.fixture(autouse=True)
def toys(monkeypatch, tmp_path):
    for name in ("Toy", "Other"):
        monkeypatch.setitem(BACKENDS, name.lower(), f"{__name__}:{name}Engine")
    monkeypatch.setattr("edge_arseg.runtime.choice.engine_choice.CANDIDATES", ("toy",))
    monkeypatch.setattr(
        "edge_arseg.runtime.head.kernels_available", lambda: False
    )  # the toy has no weights for a kernel
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def good(tmp_path):
    return write_toy_bundle(tmp_path / "good.arseg")


@pytest.fixture
def bad(tmp_path):
    """Expects another class of one pixel in sixteen."""
    golden = toy_golden()
    maps = {name: getattr(golden, name).copy() for name in ("hr_maps", "ar_maps", "lr_maps")}
    for wrong in maps.values():
        wrong[:, :, ::16] = (wrong[:, :, ::16] + 1) % 11
    return write_toy_bundle(tmp_path / "bad.arseg", name="bad", golden=replace(golden, **maps))


@pytest.fixture
def clip(tmp_path):
    write_street(tmp_path / "clip.mp4", size=(HEIGHT, WIDTH), count=2 * GOP, gop=GOP)
    for i in range(2 * GOP):
        write_label(tmp_path / f"labels/{i:06d}.png", toy_golden().hr_maps[0])
    return tmp_path / "clip.mp4"


@pytest.fixture
def commands(clip, tmp_path):
    """Every command that runs a bundle, without the bundle."""
    return {
        "run": ("run", clip, "null://"),
        "demo": ("demo", clip, "-o", tmp_path / "out", "--json"),
        "bench": ("bench", clip, "--frames", GOP, "--json"),
        "eval": ("eval", "--clip", clip, "--labels", tmp_path / "labels", "--json"),
    }


@pytest.mark.parametrize("command", ["run", "demo", "bench", "eval"])
@pytest.mark.parametrize("backend", [(), ("--backend", "toy")], ids=["auto", "named"])
def test_a_bundle_that_gives_wrong_classes_ends_with_3(edge_arseg, commands, bad, command, backend):
    for _ in range(2):  # found, and remembered
        answer = edge_arseg(*commands[command], "-b", bad, *backend)
        assert answer.code == 3
        assert answer.out == ""
        assert "on toy 93.75% of the golden pixels get the expected class here, 99.00% expected" in answer.err
        assert "  --unchecked: runs it anyway" in answer.err


def conditions_of(command, record):
    """Where a verb's record says what ran and how it was chosen."""
    if command == "bench":
        run = record["runs"][0]
        return {**run["settings"], "agreement": run["agreement"], "chosen": run["chosen"]}
    return record["conditions"] if command == "eval" else record


@pytest.mark.parametrize("command", ["run", "demo", "bench", "eval"])
def test_unchecked_runs_it_with_a_warning_and_marks_the_record(edge_arseg, commands, bad, command):
    answer = edge_arseg(*commands[command], "-b", bad, "--unchecked")
    assert answer.code == 0, answer.err
    assert f"warning: {bad}: on toy 93.75% of the golden pixels" in answer.err
    if command == "run":
        return
    record = json.loads(answer.out)
    record = conditions_of(command, record)
    assert (record["unchecked"], record["agreement"], record["backend"]) == (True, 0.9375, "toy")


@pytest.mark.parametrize("command", ["demo", "bench", "eval"])
def test_records_name_what_ran_and_how_it_was_chosen(edge_arseg, commands, good, command):
    answer = edge_arseg(*commands[command], "-b", good)
    assert answer.code == 0, answer.err
    record = json.loads(answer.out)
    digest = record["runs"][0]["bundle"]["digest"] if command == "bench" else record["digest"]
    assert len(digest) == 64
    record = conditions_of(command, record)
    assert (record["unchecked"], record["agreement"], record["backend"]) == (False, 1.0, "toy")
    assert record["chosen"].startswith("the only one that gives the right classes here, ")


def test_one_line_says_what_was_chosen_and_why(edge_arseg, commands, good, monkeypatch, tmp_path):
    monkeypatch.setattr("edge_arseg.runtime.bundles.zoo.ZOO", tmp_path)
    first = edge_arseg(*commands["run"])
    assert first.code == 0, first.err
    assert "first use on this machine: trying what can run here; it is remembered ..." in first.err
    again = edge_arseg(*commands["run"]).err
    assert "first use" not in again
    (line,) = [line for line in again.splitlines() if "toy on toy" in line]
    assert line.startswith("toy on toy: the only one that gives the right classes here, ")
    assert line.endswith(" ms a frame; remembered")


def test_a_backend_named_alone_gets_a_bundle_of_the_package(edge_arseg, commands, good, bad, monkeypatch, tmp_path):
    monkeypatch.setattr("edge_arseg.runtime.bundles.zoo.ZOO", tmp_path)
    answer = edge_arseg(*commands["run"], "--backend", "other")
    assert answer.code == 0, answer.err
    assert "toy on other: the only one that gives the right classes here" in answer.err


def test_the_fake_backend_is_not_compared(edge_arseg, commands, tmp_path):
    from support.bundles.fake import write_fake_bundle

    answer = edge_arseg(*commands["run"], "-b", write_fake_bundle(tmp_path / "fake.arseg"), "--backend", "fake")
    assert answer.code == 0, answer.err
    assert "fake on fake: as named; it computes nothing" in answer.err


def test_verify_compares_what_run_refuses(edge_arseg, good, bad):
    """Its gate is its own: exit 1, and none with ``--min-agreement 0``."""
    answer = edge_arseg("verify", bad, "--json")
    assert answer.code == 1, answer.err
    assert json.loads(answer.out)["worst_agreement"] == 0.9375
    assert "unchecked" not in answer.err
    assert edge_arseg("verify", bad, "--min-agreement", 0).code == 0
    answer = edge_arseg("verify", good, "--json")
    assert answer.code == 0
    assert json.loads(answer.out)["chosen"].startswith("the only one that gives the right classes here")


# bundles for a board


@pytest.fixture
def board(tmp_path):
    return write_toy_bundle(tmp_path / "onano.arseg", name="onano", target="jetson-orin-nano-8gb")


@pytest.mark.parametrize("command", ["run", "demo", "bench", "eval"])
def test_a_bundle_for_a_board_says_that_its_engine_is_missing(edge_arseg, commands, board, command):
    answer = edge_arseg(*commands[command], "-b", board)
    assert answer.code == 0, answer.err
    (line,) = [line for line in answer.err.splitlines() if line.startswith("warning: ")]
    for words in (
        "onano.arseg was compiled for jetson-orin-nano-8gb, whose engine is TensorRT",
        "TensorRT is not installed for this Python",
        "type there: edge-arseg compile onano.arseg",
        "toy runs instead",
        "--backend toy takes it without this line",
    ):
        assert words in line, words
    assert "warning" not in edge_arseg(*commands[command], "-b", board, "--backend", "toy").err


def test_a_bundle_for_a_board_gets_no_verdict_elsewhere(edge_arseg, commands, board, good):
    for backend in ((), ("--backend", "toy")):
        record = json.loads(edge_arseg(*commands["bench"], "-b", board, *backend).out)
        assert record["verdicts"] == []
        assert record["no_verdict"] == (
            "the bundle was compiled for jetson-orin-nano-8gb and TensorRT, toy ran; time it on the "
            "machine that it was compiled for"
        )
        assert record["runs"][0]["latency"]["all"]["frame"]["count"] == GOP
    assert "pay" in json.loads(edge_arseg(*commands["bench"], "-b", good).out)["verdicts"][0]["text"]


# doctor


def test_doctor_shows_every_bundle_on_every_engine(edge_arseg, good, bad, monkeypatch, tmp_path):
    monkeypatch.setattr("edge_arseg.runtime.bundles.zoo.ZOO", tmp_path)
    monkeypatch.setattr("edge_arseg.runtime.choice.engine_choice.CANDIDATES", ("toy", "other", "tensorrt"))
    answer = edge_arseg("doctor", "--json")
    assert answer.code == 0, answer.out + answer.err
    assert "trying toy on other ..." in answer.err
    told = json.loads(answer.out)
    assert [(row["backend"], row["agreement"], row["required"], row["passes"]) for row in told["engines"]] == [
        ("toy", 0.9375, 0.99, False),
        ("other", 0.9375, 0.99, False),
        ("tensorrt", None, 0.99, False),
        ("toy", 1.0, 0.99, True),
        ("other", 1.0, 0.99, True),
        ("tensorrt", None, 0.99, False),
    ]
    assert told["run"]["backend"] in ("toy", "other")
    assert {"model", "present", "absent", "note"} == set(told["cpu"])
    again = edge_arseg("doctor")
    assert "trying" not in again.err
    for words in ("CPU features", "93.75%", "fails here: not used", "100.00%", "not here: tensorrt", "; remembered"):
        assert words in again.out, words
    assert "trying toy on other ..." in edge_arseg("doctor", "--again").err


def test_doctor_says_where_nothing_passes(edge_arseg, bad, monkeypatch, tmp_path):
    monkeypatch.setattr("edge_arseg.runtime.bundles.zoo.ZOO", tmp_path)
    answer = edge_arseg("doctor")
    assert answer.code == 3
    assert "no bundle in the package gives the right classes on an engine here" in answer.out


def test_what_is_remembered_costs_no_engine_library(tmp_path):
    """Neither the choice nor its file needs a library that computes."""
    code = (
        "import sys\n"
        "from edge_arseg.runtime.choice.engine_choice import choice_from_options\n"
        "from edge_arseg.runtime.engines.contract import EngineOptions\n"
        "from edge_arseg.runtime.mode import Mode\n"
        "choice = choice_from_options(None, [Mode.HR], EngineOptions(), candidates=('onnxruntime',))\n"
        "loaded = sorted({'onnxruntime', 'openvino', 'numba'} & set(sys.modules))\n"
        "print(choice.how.endswith('; remembered'), loaded)"
    )
    command = [sys.executable, "-c", code]
    first, second = (subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120) for _ in range(2))
    assert first.returncode == 0, first.stderr
    assert first.stdout.startswith("False ['")
    assert second.stdout == "True []\n"
