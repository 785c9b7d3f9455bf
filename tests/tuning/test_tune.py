"""From labels to a file that `run` takes, on a bundle whose scores are known."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.bundles.toy import ToyEngine, write_image, write_label

from edge_arseg.bench.record_files.reading import read_record, read_samples
from edge_arseg.cli.main import exit_code
from edge_arseg.errors import EnvironmentUnfitError, OptionError, SinkError
from edge_arseg.evaluation.clip_scores import ClipOptions, scores_from_clip
from edge_arseg.evaluation.labels.files import read_label
from edge_arseg.runtime.engines.contract import EngineOptions
from edge_arseg.runtime.engines.opening import BACKENDS
from edge_arseg.tuning import loop as loop_module
from edge_arseg.tuning import study as study_module
from edge_arseg.tuning.options import TuneOptions
from edge_arseg.tuning.search import proposal as proposal_module
from edge_arseg.tuning.search.limits import Limits
from edge_arseg.tuning.search.outcome import Outcome, json_from_outcome, outcome_from_json
from edge_arseg.tuning.search.parts import Parts
from edge_arseg.tuning.study import Study
from edge_arseg.tuning.trials import trial as trial_module
from edge_arseg.tuning.trials.tried import Cause, GivenUp
from edge_arseg.tuning.tune import tune

pytest.importorskip("optuna")
TRIES = ("backend=toy", "threads=1", "interval=1,2,8", "keyframes=fixed", "motion=zero")


@pytest.fixture(autouse=True)
def toy_backend(monkeypatch):
    monkeypatch.setitem(BACKENDS, "toy", "support.bundles.toy:ToyEngine")


@pytest.fixture
def options(toy, clip, tmp_path):
    return TuneOptions((toy,), clip, tmp_path / "labels", tries=TRIES, fusion="graph", frames=24)


@pytest.fixture
def all_tried(monkeypatch):
    """No setting is so far behind that it is not tried: the toy's branches take times that are much alike."""
    monkeypatch.setattr(proposal_module, "OPTIMISM", (1000.0,))


@pytest.fixture
def command(toy, clip, tmp_path):
    fixed = ("tune", toy, "--labels", tmp_path / "labels", "--clip", clip, "--fusion", "graph", "--frames", 24)
    tries = (word for text in TRIES for word in ("--try", text))
    return [str(word) for word in (*fixed, *tries, "-o", tmp_path / "tuned")]


def test_scores_are_those_of_eval_and_the_front_is_a_record_that_report_reads(
    options, toy, clip, tmp_path, monkeypatch, all_tried
):
    monkeypatch.setattr(trial_module, "surely_worse", lambda *_: False)  # all to their end, whatever the noise
    tuned = tune(options, tmp_path / "tuned")
    seen = {one.setting.interval: one.outcome.miou for one in tuned.tried.values()}
    assert seen[1] == 100.0 > seen[2] > seen[8]
    for one in tuned.tried.values():
        parts, interval = one.outcome.parts, one.setting.interval
        lr_ms = parts.lr_ms if interval > 1 else 0.0
        assert (parts.hr_ms + (interval - 1) * lr_ms) / interval == pytest.approx(one.outcome.mean_ms)
        assert np.mean(parts.by_distance) == pytest.approx(one.outcome.miou)
        assert (parts.frames, sum(parts.maps), parts.hr_frames + parts.lr_frames) == (24, 24, 24)
    asked = ClipOptions(modes=("ar",), motion="zero", interval=8, engines=EngineOptions("graph", "toy"))
    assert seen[8] == pytest.approx(scores_from_clip(toy, clip, tmp_path / "labels", asked).modes["ar"].miou)
    record, samples = read_record(tuned.record_path), read_samples(tuned.record_path)
    assert [run.name for run in record.runs] == [str(tuned.tried[n].setting) for n in tuned.verdict.front]
    for number, run in enumerate(record.runs):
        outcome = tuned.tried[tuned.verdict.front[number]].outcome
        assert run.mean_ms.value == pytest.approx(outcome.mean_ms)
        assert run.accuracy.miou == pytest.approx(outcome.miou)
        assert len(samples.of_run(number)) == sum(turn.frames for turn in run.turns) >= 24
    assert exit_code(["report", str(tuned.record_path), "-o", str(tmp_path / "front.csv")]) == 0
    assert (tmp_path / "front.csv").read_text().count("\n") == 1 + len(record.runs)


def test_the_chosen_setting_is_what_run_runs_and_without_one_the_exit_code_is_1(command, clip, tmp_path, capfd):
    assert exit_code([*command, "--min-miou", "65"]) == 0
    assert "chosen" in capfd.readouterr().out
    chosen = tmp_path / "tuned" / "chosen.toml"
    assert exit_code(["run", "--config", str(chosen), clip, f"jsonl://{tmp_path}/out.jsonl", "--limit", "6"]) == 0
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    interval = next(int(line.split()[2]) for line in chosen.read_text().splitlines() if line.startswith("interval"))
    assert [line["distance"] for line in lines] == [index % interval for index in range(6)]
    capfd.readouterr()
    assert exit_code(["run", "--config", str(chosen), "--print-config", clip]) == 0
    told = capfd.readouterr().out
    for text in ('backend = "toy"', 'fusion = "graph"', "threads = 1", 'motion = "zero"', "scene-cut = 0.3"):
        assert text in told
    assert exit_code([*command, "--max-latency", "0.0001ms", "--min-miou", "99"]) == 1
    told = capfd.readouterr().err
    assert "nearest is toy, GOP" in told
    assert "ms a frame, at most 0.0001 asked for" in told
    assert not chosen.exists()
    assert (tmp_path / "tuned" / "front.json").exists()


def test_a_search_that_was_ended_continues_and_measures_nothing_twice(options, tmp_path, monkeypatch, all_tried):
    tried, real, fail = [], loop_module.try_setting, Study.fail

    def counted(setting, *args):
        tried.append(setting.interval)
        if len(tried) == 2:
            raise KeyboardInterrupt
        if len(tried) == 3:  # killed: nothing is told to the study any more
            monkeypatch.setattr(Study, "fail", lambda *_: None)
            raise SystemExit
        return real(setting, *args)

    monkeypatch.setattr(loop_module, "try_setting", counted)
    for end in (KeyboardInterrupt, SystemExit):
        with pytest.raises(end):
            tune(options, tmp_path / "tuned")
    monkeypatch.setattr(Study, "fail", fail)
    tuned = tune(options, tmp_path / "tuned")
    assert tried[1] == tried[2] == tried[3]
    assert len(tried) == 5
    assert {one.setting.interval for one in tuned.tried.values()} == {1, 2, 8}
    assert not list((tmp_path / "tuned").rglob("*.part"))
    again = tune(replace(options, limits=Limits(miou=100.0)), tmp_path / "tuned")
    assert again.tried[again.verdict.chosen].setting.interval == 1
    assert len(tried) == 5
    with pytest.raises(OptionError, match="other phases"):
        tune(replace(options, phases="all"), tmp_path / "tuned")


def test_a_study_of_other_labels_or_another_clip_of_the_same_name_is_not_continued(options, tmp_path):
    tune(replace(options, trials=1), tmp_path / "tuned")
    label, image = tmp_path / "labels" / "000003.png", tmp_path / "images" / "000003.png"
    before, class_map = label.read_bytes(), read_label(label)
    write_label(label, 1 - class_map.clip(0, 1))
    with pytest.raises(OptionError, match="was tuned with other content of the labels"):
        tune(options, tmp_path / "tuned")
    label.write_bytes(before)
    write_image(image, 1 - class_map.clip(0, 1))
    with pytest.raises(OptionError, match="was tuned with other content of the clip"):
        tune(options, tmp_path / "tuned")


def test_a_study_that_kept_less_of_its_trials_is_not_continued(options, tmp_path, monkeypatch):
    with monkeypatch.context() as older:
        older.setattr(study_module, "REVISION", "objectives")  # as before there was one
        tune(replace(options, trials=1), tmp_path / "tuned")
    with pytest.raises(OptionError, match="kept less of a trial than the search needs now; choose another folder"):
        tune(options, tmp_path / "tuned")


@given(
    st.lists(st.floats(0, 100) | st.just(math.nan), max_size=5),
    st.floats(0.1, 1e4) | st.just(math.nan),
    st.floats(0.1, 9) | st.none(),
)
def test_an_outcome_is_read_as_it_was_kept(by_distance, lr_ms, joules):
    parts = Parts(30.0, lr_ms, 2, 58, tuple(by_distance), tuple(range(len(by_distance))), 12)
    outcome = Outcome(math.nan, 60.0, 70.0, 9.5, 9.4, 9.6, 30.0, joules, parts)
    text = json.dumps(json_from_outcome(outcome), allow_nan=False)
    assert repr(outcome_from_json(json.loads(text))) == repr(outcome)
    bare = replace(outcome, parts=None)
    assert repr(outcome_from_json(json_from_outcome(bare))) == repr(bare)


def test_a_folder_of_something_else_is_left_alone(options, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(OptionError, match="is not empty"):
        tune(options, tmp_path / "mine")


def test_a_setting_that_is_surely_no_better_is_given_up_early(options, tmp_path, monkeypatch):
    seen = []

    class Slow(ToyEngine):
        def _run(self, feeds):
            found = super()._run(feeds)
            wrong = (found["class_map"] + 1) % 11
            np.copyto(found["class_map"], wrong)
            return found

    monkeypatch.setattr("support.bundles.toy.SlowToy", Slow, raising=False)
    monkeypatch.setitem(BACKENDS, "wrong", "support.bundles.toy:SlowToy")
    tries = ("backend=toy,wrong", *TRIES[1:2], "interval=1", *TRIES[3:])
    tuned = tune(
        replace(options, tries=tries, unchecked=True),
        tmp_path / "tuned",
        lambda _, __, setting, what, end: seen.append((setting.backend, what)) if end else None,
    )
    outcomes = {one.setting.backend: one for one in tuned.tried.values()}
    assert outcomes["toy"].outcome.miou == 100.0
    front = [tuned.tried[number].setting.backend for number in tuned.verdict.front]
    assert "toy" in front
    if outcomes["wrong"].outcome.mean_low >= outcomes["toy"].outcome.mean_high:  # else it may be the faster one
        why = "surely no better than toy, GOP 1, toy, 1 thread, motion zero, after 8 labels"
        assert outcomes["wrong"].given_up == GivenUp(Cause.RIVAL, why)
        assert front == ["toy"]
    assert len(seen) == 2


def test_where_nothing_can_run_no_study_is_left_that_refuses_another_call(options, tmp_path, monkeypatch):
    class Broken(ToyEngine):
        def __init__(self, *_, **__):
            raise EnvironmentUnfitError("not here")

    monkeypatch.setattr("support.bundles.toy.Broken", Broken, raising=False)
    monkeypatch.setitem(BACKENDS, "broken", "support.bundles.toy:Broken")
    with pytest.raises(EnvironmentUnfitError, match="no setting came to its end"):
        tune(replace(options, tries=("backend=broken", *TRIES[1:])), tmp_path / "new")
    assert not (tmp_path / "new").exists()
    assert len(tune(options, tmp_path / "new").tried) > 0
    assert (tmp_path / "new" / "study.log").exists()


@pytest.mark.parametrize("kept", [0, 1])
def test_a_study_that_cannot_grow_says_so_and_keeps_what_was_tried(options, tmp_path, monkeypatch, kept):
    """The disk is full in the middle of a line of the study, before the first trial or behind it."""
    from optuna.storages.journal import JournalFileBackend

    append, folder = JournalFileBackend.append_logs, tmp_path / "tuned"

    def full(self, logs):
        done = sorted((folder / "trials").glob("*.scores.npz"))
        if len(done) > kept:
            with (folder / "study.log").open("ab") as file:
                file.write(b'{"op_code": 5, "wor')
            raise OSError(28, "No space left on device")
        return append(self, logs)

    monkeypatch.setattr(JournalFileBackend, "append_logs", full)
    with pytest.raises(SinkError, match=r"study.log: .*the trials before it are kept"):
        tune(options, folder)
    monkeypatch.setattr(JournalFileBackend, "append_logs", append)
    seen = []
    tuned = tune(options, folder, lambda count, *_: seen.append(count))
    assert len(tuned.tried) == max(seen)
    assert min(seen) == 1 + kept  # none of those that were kept was tried anew


def test_a_file_in_the_place_of_the_folder_is_named(options, tmp_path):
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(OptionError, match="is a file, expected a folder for the study"):
        tune(options, tmp_path / "mine")
    assert (tmp_path / "mine").read_text() == "mine"


def test_threads_that_no_machine_bears_are_refused_before_a_trial(options, tmp_path):
    with pytest.raises(OptionError, match="threads=100000: expected whole numbers from 1 to "):
        tune(replace(options, tries=("threads=100000",)), tmp_path / "tuned")
