import pytest
from support.bundles.toy import moving_maps, write_image, write_label, write_toy_bundle

from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.runtime.engines.opening import BACKENDS


@pytest.fixture
def toy_backend(monkeypatch):
    monkeypatch.setitem(BACKENDS, "toy", "support.bundles.toy:ToyEngine")
    return "toy"


@pytest.fixture(scope="session")
def toy_bundle(tmp_path_factory):
    return read_bundle(write_toy_bundle(tmp_path_factory.mktemp("toy") / "toy.arseg"))


@pytest.fixture(scope="session")
def maps():
    """``[11, H, W] uint8``: what is in each frame."""
    return moving_maps(11)


@pytest.fixture
def clip(tmp_path, maps):
    """Eleven frames as images; their labels in ``labels``."""
    for index, class_map in enumerate(maps):
        write_image(tmp_path / "images" / f"{index:06d}.png", class_map)
        write_label(tmp_path / "labels" / f"{index:06d}.png", class_map)
    return f"images://{tmp_path}/images/%06d.png"
