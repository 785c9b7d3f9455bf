"""What a killed, damaged or repeated run leaves behind."""

import pytest
import torch

from edge_arseg.errors import DataError, OptionError, SinkError
from edge_arseg.training.run.folder import LOG, STATE, RunFolder


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
        folder.log({"step": step})
    with (tmp_path / LOG).open("a") as file:
        file.write('{"step": 4')
    folder.forget_after(20)
    assert folder.records() == [{"step": 10}, {"step": 20}]
    folder.log({"step": 30})
    assert [record["step"] for record in folder.records()] == [10, 20, 30]


@pytest.mark.parametrize("text", ["[]", "3", "{", ""])
def test_settings_that_are_none_are_no_run_to_go_on_with(tmp_path, text):
    (tmp_path / "settings.json").write_text(text)
    with pytest.raises(OptionError, match="no run to continue"):
        RunFolder.resume(tmp_path, {})
