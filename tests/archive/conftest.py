"""What tests of archives share."""

import pytest
from support.bundles.fake import FAKE, write_fake_bundle
from support.clips.moving import chainable

COUNTS = {"north/a.mp4": 6, "north/b.mp4": 9, "south/c.mp4": 5}
"""Videos and their frames."""


@pytest.fixture(scope="session")
def fake_bundle(tmp_path_factory):
    """A bundle for frames of 48x64, GOP 4, that runs on the fake engine."""
    return write_fake_bundle(tmp_path_factory.mktemp("fake") / "fake.arseg")


@pytest.fixture
def run(edge_arseg, fake_bundle):
    """``edge-arseg run`` with that bundle."""
    return lambda *arguments: edge_arseg("run", *arguments, "-b", fake_bundle, *FAKE)


@pytest.fixture
def videos(tmp_path, monkeypatch):
    """Three videos in two folders below the working directory."""
    monkeypatch.chdir(tmp_path)
    for name, count in COUNTS.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        chainable(tmp_path / name, count)
    return tmp_path
