from pathlib import Path

import pytest

from edge_arseg.demo.folder import MARK, OVERLAY, DemoFolder
from edge_arseg.errors import SinkError


def test_a_folder_whose_mark_cannot_be_written_is_left_as_it_was(tmp_path, monkeypatch):
    """The disk was full: an empty folder stayed, which nobody else could use while the process lived."""

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    path = tmp_path / "new" / "demo"
    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_text", full)
        with pytest.raises(SinkError, match="the disk is full"), DemoFolder(path):
            pass
    assert not path.parent.exists()
    (tmp_path / "there").mkdir()
    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_text", full)
        with pytest.raises(SinkError, match="the disk is full"), DemoFolder(tmp_path / "there"):
            pass
    with DemoFolder(tmp_path / "there"):  # nobody holds it
        pass


def test_a_demo_that_wrote_nothing_leaves_no_folder(tmp_path):
    with DemoFolder(tmp_path / "new" / "demo"):
        assert (tmp_path / "new" / "demo" / MARK).exists()
    assert not (tmp_path / "new").exists()
    with DemoFolder(tmp_path / "demo"):
        (tmp_path / "demo" / OVERLAY).touch()
    assert {path.name for path in (tmp_path / "demo").iterdir()} == {MARK, OVERLAY}
