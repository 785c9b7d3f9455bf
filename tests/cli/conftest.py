import pytest
from support.bundles.fake import FAKE, write_fake_bundle


@pytest.fixture(scope="session")
def fake_bundle(tmp_path_factory):
    """A bundle for frames of 48x64, GOP 4, that runs on the fake engine."""
    return write_fake_bundle(tmp_path_factory.mktemp("fake") / "fake.arseg")


@pytest.fixture
def run(edge_arseg, fake_bundle):
    """``edge-arseg run`` with that bundle."""
    return lambda *arguments: edge_arseg("run", *arguments, "-b", fake_bundle, *FAKE)
