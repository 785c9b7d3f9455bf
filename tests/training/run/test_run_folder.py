"""What a killed, damaged or repeated run leaves behind."""

import pytest
import torch

from edge_arseg.errors import DataError, OptionError, SinkError
from edge_arseg.training.run.folder import BEGUN_FROM, CURVES, DATA, LOG, SCORED_PAIRS, STATE, TEACHER, RunFolder


def test_a_folder_holds_one_run(tmp_path):
    RunFolder.create(tmp_path / "run", {"steps": 3})
    with pytest.raises(OptionError, match="--resume"):
        RunFolder.create(tmp_path / "run", {"steps": 3})


def test_files_of_something_else_are_not_overwritten(tmp_path):
    for name in ("best.safetensors", "log.jsonl", "curves.png"):
        (tmp_path / name).write_text("mine")
        with pytest.raises(SinkError, match=rf"holds {name} of something else; name an empty folder"):
            RunFolder.create(tmp_path, {"steps": 3})
        assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]
        (tmp_path / name).unlink()


def test_going_on_needs_the_same_settings(tmp_path):
    RunFolder.create(tmp_path, {"steps": 3, "crop": (4, 6), "seed": 1})
    assert RunFolder.resume(tmp_path, {"steps": 3, "crop": (4, 6), "seed": 1}).path == tmp_path
    with pytest.raises(OptionError, match=r"seed: 1 then, 2 now\n  steps: 3 then, 2 now"):
        RunFolder.resume(tmp_path, {"steps": 2, "crop": (4, 6), "seed": 2})


def test_a_run_can_be_lengthened_and_its_settings_say_so(tmp_path):
    RunFolder.create(tmp_path, {"steps": 3, "seed": 1}, typed={"dataset": "/data"})
    for steps in (5, 5, 9):
        RunFolder.resume(tmp_path, {"steps": steps, "seed": 1})
    assert RunFolder(tmp_path).settings() == {
        "steps": 9,
        "seed": 1,
        "typed": {"dataset": "/data"},
        "steps_before": [3, 5],
    }


def test_what_was_trained_on_must_be_the_same_where_the_run_says_it(tmp_path):
    RunFolder.create(tmp_path / "old", {"seed": 1})
    assert RunFolder.resume(tmp_path / "old", {"seed": 1, DATA: "b", BEGUN_FROM: "hr", SCORED_PAIRS: 4, TEACHER: "x"})
    RunFolder.create(tmp_path / "new", {"seed": 1, DATA: "a", BEGUN_FROM: "hr", SCORED_PAIRS: 4})
    with pytest.raises(OptionError, match="begun_from: hr then, lr now\n  data_sha256: a then, b now\n  scored_pairs"):
        RunFolder.resume(tmp_path / "new", {"seed": 1, DATA: "b", BEGUN_FROM: "lr", SCORED_PAIRS: 5})


def test_there_must_be_something_to_go_on_with(tmp_path):
    with pytest.raises(OptionError, match="leave out --resume"):
        RunFolder.resume(tmp_path, {})


def test_the_state_comes_back(tmp_path):
    folder = RunFolder.create(tmp_path, {})
    assert folder.load_state() is None
    folder.save_state({"step": 7, "weights": {"a": torch.arange(3.0)}})
    state = folder.load_state()
    assert state["step"] == 7
    assert torch.equal(state["weights"]["a"], torch.tensor([0.0, 1.0, 2.0]))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["settings.json", "state.pt"]


def test_a_failed_save_keeps_the_old_state(tmp_path, monkeypatch):
    folder = RunFolder.create(tmp_path, {})
    folder.save_state({"step": 1})

    def full(state, path):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(SinkError, match=r"the disk is full \(.* free\): .* type the same with --resume"):
        folder.save_state({"step": 2})
    assert folder.load_state() == {"step": 1}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["settings.json", "state.pt"]


def test_a_damaged_state_is_named(tmp_path):
    folder = RunFolder.create(tmp_path, {})
    folder.save_state({"step": 1, "weights": torch.zeros(1000)})
    content = (tmp_path / STATE).read_bytes()
    (tmp_path / STATE).write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=r"state\.pt: damaged"):
        folder.load_state()


def test_the_log_forgets_what_will_be_run_again_and_lines_cut_off_by_a_kill(tmp_path):
    folder = RunFolder.create(tmp_path, {})
    for step in (10, 20, 30):
        folder.log({"step": step, "loss": 0.5})
    with (tmp_path / LOG).open("a") as file:
        file.write('{"step": 4')
    folder.forget_after(20)
    assert folder.records() == [{"step": 10, "loss": 0.5}, {"step": 20, "loss": 0.5}]
    folder.log({"step": 30, "loss": 0.5})
    assert [record["step"] for record in folder.records()] == [10, 20, 30]


@pytest.mark.parametrize("text", ["[]", "3", "{", ""])
def test_settings_that_are_none_are_no_run_to_go_on_with(tmp_path, text):
    (tmp_path / "settings.json").write_text(text)
    with pytest.raises(OptionError, match="no run to continue"):
        RunFolder.resume(tmp_path, {})


def test_a_file_that_holds_no_state_is_called_that(tmp_path):
    folder = RunFolder.create(tmp_path, {})
    torch.save([1, 2], tmp_path / STATE)
    with pytest.raises(DataError, match=r"state\.pt: no state of a run seen; start a new run"):
        folder.load_state()


def test_lines_of_the_log_that_say_no_step_and_loss_are_left_out(tmp_path):
    folder = RunFolder.create(tmp_path, {})
    good = b'{"step": 2, "loss": 0.5}\n'
    (tmp_path / LOG).write_bytes(b'{"step": 1}\n3\n{"step": "x", "loss": 1}\n\xff\n' + good + b'{"step": 3, "lo')
    assert folder.records() == [{"step": 2, "loss": 0.5}]
    folder.forget_after(5)
    assert (tmp_path / LOG).read_bytes() == good


def test_a_log_and_curves_that_cannot_be_written_are_told(tmp_path):
    folder = RunFolder.create(tmp_path, {})
    folder.log({"step": 1, "loss": 0.5})
    (tmp_path / CURVES).mkdir()
    with pytest.raises(SinkError, match=r"cannot write .*curves\.png: .*type the same with --resume"):
        folder.draw_curves()
    (tmp_path / LOG).rename(tmp_path / "elsewhere")
    (tmp_path / LOG).mkdir()
    with pytest.raises(SinkError, match=r"cannot write .*log\.jsonl: .*expected a file"):
        folder.forget_after(0)
