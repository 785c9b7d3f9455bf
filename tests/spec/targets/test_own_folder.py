"""The user's own targets."""

from pathlib import Path

import pytest

from edge_arseg.errors import OptionError, TargetError
from edge_arseg.spec.targets.files import target_named, targets
from edge_arseg.spec.targets.own_folder import own_folder
from edge_arseg.spec.targets.target import Kind
from edge_arseg.storage.data_folder import data_folder


@pytest.fixture
def own(tmp_path, monkeypatch):
    """The user's folder, which is not there yet."""
    monkeypatch.delenv("EDGE_ARSEG_TARGETS", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config" / "edge-arseg" / "targets"


def put(own, name, text=None):
    own.mkdir(parents=True, exist_ok=True)
    text = text or (data_folder("targets") / "cuda.toml").read_text().replace('id = "cuda"', f'id = "{name}"')
    (own / f"{name}.toml").write_text(text)
    return own / f"{name}.toml"


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"EDGE_ARSEG_TARGETS": "/etc/boards", "XDG_CONFIG_HOME": "/c"}, "/etc/boards"),
        ({"EDGE_ARSEG_TARGETS": "", "XDG_CONFIG_HOME": "/c"}, "/c/edge-arseg/targets"),
        ({}, "/home/me/.config/edge-arseg/targets"),
    ],
)
def test_the_users_folder_is_the_one_named_or_lies_in_the_configuration(environment, folder):
    assert own_folder(environment=environment, home=Path("/home/me")) == Path(folder)


def test_a_target_in_the_users_folder_is_one_like_the_others(own, monkeypatch, tmp_path):
    before = set(targets())
    put(own, "my-board")
    put(own, ".hidden", "nothing")
    assert set(targets()) - before == {"my-board"}
    assert target_named("my-board").kind is Kind.CUDA
    monkeypatch.setenv("EDGE_ARSEG_TARGETS", str(tmp_path / "other"))
    put(tmp_path / "other", "their-board")
    assert set(targets()) - before == {"their-board"}


def test_a_file_with_the_name_of_one_in_the_package_takes_its_place(own):
    text = (data_folder("targets") / "jetson-orin-nano-8gb.toml").read_text()
    put(own, "jetson-orin-nano-8gb", text.replace('name = "', 'name = "My ', 1))
    assert target_named("jetson-orin-nano-8gb").name.startswith("My ")
    put(own, "my-nano", text.replace('id = "jetson-orin-nano-8gb"', 'id = "my-nano"'))
    with pytest.raises(TargetError, match=f"and {own}: which board is which cannot be told"):
        targets()


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("my-board", "id = ", "not TOML"),
        ("my-board", 'id = "my-board"', "wrong entr"),
        (
            "my-board",
            (data_folder("targets") / "cuda.toml").read_text(),
            "id: 'cuda' seen, the file is called 'my-board'",
        ),
        ("jetpacks", "x = 1", "JetPack releases are those of the package; move this file elsewhere"),
    ],
)
def test_a_bad_file_of_the_users_is_told_by_its_path(own, name, text, fault):
    path = put(own, name, text)
    with pytest.raises(TargetError, match=fault) as caught:
        targets()
    assert str(caught.value).startswith(f"{path}: ")


def test_a_folder_that_is_named_has_to_be_there(own, monkeypatch, tmp_path):
    monkeypatch.setenv("EDGE_ARSEG_TARGETS", str(tmp_path / "gone"))
    with pytest.raises(TargetError, match=r"EDGE_ARSEG_TARGETS: .*gone is no folder; make it, or leave the variable"):
        targets()


@pytest.mark.parametrize("typed", ["./my-board.toml", "boards/my-board", "my-board.toml"])
def test_a_path_in_the_place_of_a_name_is_told_where_the_file_belongs(own, typed):
    with pytest.raises(OptionError, match=f"put the file into {own} and type my-board"):
        target_named(typed)
