import pytest
from support.bundles.toy import moving_maps, write_image, write_label, write_toy_bundle


@pytest.fixture(scope="session")
def toy(tmp_path_factory):
    """A bundle that is right on keyframes, and the more wrong the further away they are."""
    return write_toy_bundle(tmp_path_factory.mktemp("toy") / "toy.arseg")


@pytest.fixture
def clip(tmp_path):
    """Twenty-four frames as images; their labels in ``labels``."""
    for index, class_map in enumerate(moving_maps(24)):
        write_image(tmp_path / "images" / f"{index:06d}.png", class_map)
        write_label(tmp_path / "labels" / f"{index:06d}.png", class_map)
    return f"images://{tmp_path}/images/%06d.png"
