import pytest
from support.bench.tiny import TINY
from support.bundles.fake import write_fake_bundle

from edge_arseg.bench.plans import profiles


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    monkeypatch.setitem(profiles.PROFILES, "tiny", TINY)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return write_fake_bundle(tmp_path_factory.mktemp("bench") / "fake.arseg")
