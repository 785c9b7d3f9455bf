"""A file that gets its name with its first content, also where the file system has no links or locks."""

import errno
import os
import shutil

import pytest
from support.clips.results import decoded, opened, result_at

from edge_arseg.errors import SinkError
from edge_arseg.storage.files import lock


@pytest.fixture(params=["links and locks", "neither"])
def file_system(request, monkeypatch):
    def missing(*_arguments):
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    if request.param == "neither":
        monkeypatch.setattr(os, "link", missing)
        monkeypatch.setattr(lock.fcntl, "flock", missing)


@pytest.mark.usefixtures("file_system")
@pytest.mark.parametrize("uri", ["{}/a.mp4", "jsonl://{}/a.jsonl"])
def test_it_appears_with_the_first_result(tmp_path, uri):
    with opened(uri.format(tmp_path / "new")) as sink:
        assert list((tmp_path / "new").iterdir()) == []
        sink.write(result_at(0))
        (file,) = (tmp_path / "new").iterdir()
        assert file.name in ("a.mp4", "a.jsonl")
        sink.write(result_at(1))
    assert len(decoded(file) if file.suffix == ".mp4" else file.read_text().splitlines()) == 2


@pytest.mark.usefixtures("file_system")
@pytest.mark.parametrize("uri", ["{}/a.mp4", "jsonl://{}/a.jsonl"])
def test_what_came_meanwhile_is_not_overwritten(tmp_path, uri):
    with opened(uri.format(tmp_path)) as sink:
        file = tmp_path / ("a.mp4" if uri.endswith("mp4") else "a.jsonl")
        file.write_text("mine")
        with pytest.raises(SinkError, match="it exists already; type --force"):
            sink.write(result_at(0))
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]


@pytest.mark.parametrize("uri", ["{}/a.mp4", "jsonl://{}/a.jsonl", "masks://{}/m"])
def test_two_sinks_with_force_do_not_take_turns(tmp_path, uri):
    uri = uri.format(tmp_path)
    with opened(uri, force=True) as first:
        first.write(result_at(0))
        with pytest.raises(SinkError, match="a running process writes"):
            opened(uri, force=True)
    opened(uri, force=True).close()


def test_a_link_leads_to_the_file_that_is_written(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "a.mkv").symlink_to("there/b.mkv")
    with opened(tmp_path / "a.mkv") as sink:
        sink.write(result_at(0))
    assert (tmp_path / "a.mkv").is_symlink()
    assert len(decoded(tmp_path / "there/b.mkv")) == 1


ENDINGS = ["{}/a.mp4", "{}/a.mkv", "{}/a.gif", "jsonl://{}/a.jsonl", "raw://{}/a"]


@pytest.mark.usefixtures("file_system")
@pytest.mark.parametrize("uri", ENDINGS)
def test_a_file_that_was_removed_meanwhile_is_told_at_the_end(tmp_path, uri):
    """The run ended as if its results were there."""
    folder = tmp_path / "results"
    sink = opened(uri.format(folder))
    sink.write(result_at(0))
    if sink.draws:
        sink._drawn.thread.wait()
    shutil.rmtree(folder)
    sink.write(result_at(1))
    with pytest.raises(SinkError, match=r"cannot write .*/results/a.*: it was removed while it was written"):
        sink.close()
    sink.close()


@pytest.mark.parametrize("uri", ENDINGS)
def test_a_file_that_was_renamed_meanwhile_is_there(tmp_path, uri):
    """As rotated logs are."""
    with opened(uri.format(tmp_path)) as sink:
        sink.write(result_at(0))
        if sink.draws:
            sink._drawn.thread.wait()
        (file,) = (one for one in tmp_path.iterdir() if not one.name.startswith("."))
        file.rename(tmp_path / "moved")
        sink.write(result_at(1))
    assert (tmp_path / "moved").stat().st_size > 0
