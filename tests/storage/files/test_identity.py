"""Which file is which."""

import os

import pytest

from edge_arseg.storage.files.identity import descriptor_of, identity


def test_one_file_by_any_spelling(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "a.mp4"
    file.write_bytes(b"x")
    (tmp_path / "link.mp4").symlink_to("a.mp4")
    os.link(file, tmp_path / "hard.mp4")
    (tmp_path / "sub").mkdir()
    (tmp_path / "way").symlink_to("sub")
    for spelling in ("a.mp4", "./a.mp4", "sub/../a.mp4", "way/../a.mp4", "link.mp4", "hard.mp4"):
        assert identity(spelling) == identity(file), spelling
    assert identity("sub/new.mp4") == identity("way/new.mp4") == identity(tmp_path / "sub/./new.mp4")
    assert len({identity(name) for name in ("a.mp4", "b.mp4", "sub/b.mp4", "sub", ".")}) == 5


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("/dev/stdout", 1),
        ("/dev//stdout", 1),
        ("/dev/fd/63", 63),
        ("/proc/self/fd/2", 2),
        ("/dev/null", None),
        ("1", None),
    ],
)
def test_names_of_open_files(path, number):
    assert descriptor_of(path) == number
