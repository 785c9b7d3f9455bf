import pytest

from edge_arseg.errors import EnvironmentUnfitError
from edge_arseg.storage.data_folder import FOLDERS, data_folder


@pytest.mark.parametrize("name", FOLDERS)
def test_every_folder_is_found_here(name):
    assert data_folder(name).is_dir()


@pytest.mark.parametrize("inside", ["edge_arseg/data/targets", "targets"])
def test_a_wheel_and_a_checkout_are_both_found(tmp_path, inside):
    (tmp_path / inside).mkdir(parents=True)
    assert data_folder("targets", tmp_path / "edge_arseg") == tmp_path / inside


def test_a_missing_folder_says_what_to_do(tmp_path):
    with pytest.raises(EnvironmentUnfitError, match=r"install again: .*pip install"):
        data_folder("targets", tmp_path / "edge_arseg")
