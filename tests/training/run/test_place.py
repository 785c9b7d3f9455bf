"""What a run takes of the machine."""

import os

import pytest

from edge_arseg.errors import EnvironmentUnfitError, OptionError, SinkError
from edge_arseg.storage.files.lock import lock_on
from edge_arseg.training.pairs.jobs import store_from_jobs
from edge_arseg.training.run.device import device_from_name
from edge_arseg.training.run.folder import RunFolder
from edge_arseg.training.run.place import RunPlace


@pytest.mark.parametrize(
    ("name", "number", "least"), [("threads", 0, 1), ("threads", 5000, 1), ("workers", -1, 0), ("workers", 5000, 0)]
)
def test_threads_and_workers_that_no_machine_bears_are_refused(name, number, least):
    with pytest.raises(OptionError, match=f"{number} {name} seen, expected {least} to "):
        RunPlace(**{name: number})
    assert RunPlace(workers=0).workers == 0


def test_so_they_are_where_a_training_is_prepared():
    with pytest.raises(OptionError, match="5000 workers seen, expected 1 to "):
        store_from_jobs(None, [], workers=5000)


@pytest.mark.parametrize("name", ["cpu:7", "cpu:0", "cuda:-1", "cuda:", "cuda:1.5", "tpu9", "meta", "", None])
def test_what_is_no_device_is_refused(name):
    with pytest.raises(OptionError, match="expected cpu, cuda, cuda:N or auto"):
        device_from_name(name)


@pytest.mark.parametrize("number", [99, 200, 512])
def test_a_gpu_that_is_not_there_is_never_taken_for_another(number):
    """PyTorch counts in eight bits: 512 is the first one, and 200 is 56 below it."""
    with pytest.raises(EnvironmentUnfitError, match=f"cuda:{number}: torch sees"):
        device_from_name(f"cuda:{number}")


@pytest.mark.parametrize("resume", [False, True])
def test_one_process_at_a_time_trains_in_a_folder(tmp_path, resume):
    run = tmp_path / "run"
    with RunPlace().folder(run, {"steps": 3}):
        before = (run / "settings.json").read_bytes()
        with pytest.raises(SinkError, match="a running process trains in it"), RunPlace(resume=resume).folder(run, {}):
            pass
        assert (run / "settings.json").read_bytes() == before
    with RunPlace(resume=True).folder(run, {"steps": 3}) as folder:
        assert folder.path == run


def test_the_folder_is_held_by_the_run_and_by_none_of_its_workers(tmp_path):
    """A worker outlives a run that is killed for some seconds."""
    with RunPlace().folder(tmp_path / "run", {"steps": 3}):
        (ready, tells), (waits, ends) = os.pipe(), os.pipe()
        worker = os.fork()
        if worker == 0:
            os.close(ends)
            os.write(tells, b"!")
            os.read(waits, 1)
            os._exit(0)
        os.read(ready, 1)
    lock = lock_on(tmp_path / "run")
    os.close(ends)
    os.waitpid(worker, 0)
    for descriptor in (ready, tells, waits):
        os.close(descriptor)
    assert lock is not None


def test_what_a_killed_run_left_half_written_goes_when_the_run_continues(tmp_path):
    with RunPlace().folder(tmp_path, {"steps": 3}):
        (tmp_path / ".part-7-abcd.pt").write_bytes(b"half")
    with RunPlace(resume=True).folder(tmp_path, {"steps": 3}):
        assert [path.name for path in tmp_path.iterdir()] == ["settings.json"]


def test_a_folder_that_nothing_was_written_into_goes_again(tmp_path):
    run = tmp_path / "a" / "run"
    with pytest.raises(TypeError), RunPlace().folder(run, {"steps": object()}):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "left"),
    [
        (OptionError("the loss is nan"), []),
        (MemoryError(), []),
        (SinkError("the disk is full"), ["settings.json"]),
        (KeyboardInterrupt(), ["settings.json"]),  # to be continued
    ],
)
def test_a_new_run_that_fails_before_it_saves_anything_leaves_nothing(tmp_path, error, left):
    with pytest.raises(type(error)), RunPlace().folder(tmp_path / "run", {"rate": 1}):
        raise error
    assert [path.name for path in tmp_path.glob("run/*") if path.name != ".lock"] == left
    assert (tmp_path / "run").exists() is bool(left)


@pytest.mark.parametrize(
    ("resume", "name"), [(True, "settings.json"), (False, "state.pt"), (False, "best.safetensors")]
)
def test_what_was_saved_and_what_is_continued_stays(tmp_path, resume, name):
    if resume:
        RunFolder.create(tmp_path / "run", {"rate": 1})

    def saved_and_failed():
        with RunPlace(resume=resume).folder(tmp_path / "run", {"rate": 1}):
            (tmp_path / "run" / name).touch()
            raise OptionError("no")

    with pytest.raises(OptionError):
        saved_and_failed()
    assert {"settings.json", name} <= {path.name for path in (tmp_path / "run").iterdir()}
