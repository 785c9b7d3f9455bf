import json
import os
import shutil
from pathlib import Path

import pytest

from edge_arseg.runtime.device import board as detection
from edge_arseg.runtime.device.board import Board
from edge_arseg.spec.targets.files import targets
from edge_arseg.spec.targets.target import Configuration

ROOT = Path(__file__).parents[3]
BOARDS = ROOT / "tests/runtime/device/boards"


def test_all_targets_are_listed(edge_arseg):
    answer = edge_arseg("targets", "list")
    assert answer.code == 0
    for name in targets():
        assert name in answer.out
    listed = json.loads(edge_arseg("targets", "list", "--json").out)["targets"]
    assert [target["id"] for target in listed] == list(targets())


def test_the_page_has_the_table(edge_arseg):
    page = (ROOT / "docs/targets.md").read_text()
    _, _, rest = page.partition("<!-- edge-arseg targets list --markdown -->\n")
    assert rest.partition("<!-- end -->")[0] == edge_arseg("targets", "list", "--markdown").out


def test_the_page_names_every_field():
    page = (ROOT / "docs/targets.md").read_text()
    for target in targets().values():
        for field in type(target).__dataclass_fields__:
            assert f"`{field}`" in page, field


@pytest.mark.parametrize("name", targets())
def test_each_target_is_shown(edge_arseg, name):
    answer = edge_arseg("targets", "show", name)
    assert answer.code == 0
    assert targets()[name].name in answer.out
    assert json.loads(edge_arseg("targets", "show", name, "--json").out)["id"] == name


def test_doubts_are_shown(edge_arseg):
    assert "(? the published totals" in edge_arseg("targets", "show", "jetson-orin-nx-8gb").out
    assert "(?" not in edge_arseg("targets", "show", "cpu").out


def test_an_unknown_target_is_a_usage_error(edge_arseg):
    answer = edge_arseg("targets", "show", "jetson")
    assert answer.code == 2
    assert "no target is called 'jetson'" in answer.err


def test_this_machine_is_some_target(edge_arseg):
    answer = edge_arseg("targets", "detect", "--json")
    assert answer.code == 0
    assert json.loads(answer.out)["target"] in targets()


def test_a_board_is_printed(edge_arseg, monkeypatch):
    board = Board("jetson-orin-nano-8gb", "module p3767-0005", part="p3767-0005", configuration=Configuration.SUPER)
    monkeypatch.setattr(detection, "board_from_files", lambda *_: board)
    answer = edge_arseg("targets", "detect")
    assert answer.code == 0
    assert "jetson-orin-nano-8gb" in answer.out
    assert "super" in answer.out
    assert json.loads(edge_arseg("targets", "detect", "--json").out)["is_jetson"] is True


def test_an_unknown_board_asks_for_the_name(edge_arseg, monkeypatch):
    board = Board(None, "nothing names it", ("jetson-thor-t4000",), configuration=Configuration.NORMAL)
    monkeypatch.setattr(detection, "board_from_files", lambda *_: board)
    answer = edge_arseg("targets", "detect")
    assert answer.code == 3
    assert "one of" in answer.out
    assert "edge-arseg compile BUNDLE --target NAME" in answer.err


def test_another_root_is_looked_at(edge_arseg, tmp_path):
    answer = edge_arseg("targets", "detect", "--root", str(BOARDS / "agx-orin-64gb"), "--json")
    found = json.loads(answer.out)
    assert answer.code == 0
    assert (found["target"], found["jetpack"], found["l4t"]) == ("jetson-agx-orin-64gb", "6.0", "36.3.0")
    assert found["memory"]["total"] == 62_900_000 * 1024
    assert edge_arseg("targets", "detect", "--root", str(BOARDS / "agx-orin-64gb")).out.startswith(str(BOARDS))
    (tmp_path / "proc").mkdir()
    assert json.loads(edge_arseg("targets", "detect", "--root", str(tmp_path), "--json").out)["target"] == "cpu"
    (tmp_path / "proc/meminfo").write_text("MemTotal: 8000000 kB\n")
    told = edge_arseg("targets", "detect", "--root", str(tmp_path)).out
    assert "8.2 GB" in told
    assert "free" not in told


@pytest.mark.parametrize(("made", "meant"), [("device-tree", ""), ("board/proc", "did you mean {root}/board?")])
def test_a_folder_that_is_no_copy_of_a_machine_is_refused(edge_arseg, tmp_path, made, meant):
    """As of `cp -r /proc/device-tree DIR`, and of the folder that an archive was unpacked into."""
    (tmp_path / made).mkdir(parents=True)
    answer = edge_arseg("targets", "detect", "--root", str(tmp_path))
    assert answer.code == 2
    told = " ".join(answer.err.split())
    assert "none of proc, sys, etc, dev, usr, var is in it" in told
    assert meant.format(root=tmp_path) in told


@pytest.mark.parametrize("closed", ["proc", "proc/device-tree/compatible"])
def test_what_may_not_be_read_is_no_missing_file(edge_arseg, tmp_path, monkeypatch, closed):
    """As of an archive that root unpacked: without the device tree a board was taken for a PC."""
    shutil.copytree(BOARDS / "agx-orin-64gb", root := tmp_path / "a board")
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != root / closed and allowed(path, mode))
    answer = edge_arseg("targets", "detect", "--root", str(root))
    assert answer.code == 2
    told = f"{root / closed} may not be read by this user; type: sudo chmod -R a+rX '{root}'"
    assert told in " ".join(answer.err.split())
    monkeypatch.undo()
    assert edge_arseg("targets", "detect", "--root", str(root)).code == 0


def test_a_device_tree_that_was_copied_as_a_link_is_refused(edge_arseg, tmp_path):
    """`cp -r` copies the link that it is given; without the tree a board was taken for a PC."""
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/device-tree").symlink_to("/sys/firmware/devicetree/base")
    answer = edge_arseg("targets", "detect", "--root", str(tmp_path))
    assert answer.code == 3
    assert "cp -L --parents /proc/device-tree/compatible /proc/device-tree/model FOLDER" in " ".join(answer.err.split())
    (tmp_path / "sys/firmware/devicetree/base").mkdir(parents=True)
    assert edge_arseg("targets", "detect", "--root", str(tmp_path)).code == 0


def test_a_container_on_a_jetson_asks_for_a_mount_or_a_name(edge_arseg, tmp_path):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/nv_tegra_release").write_text("# R36 (release), REVISION: 4.3, GCID: 1, BOARD: generic\n")
    answer = edge_arseg("targets", "detect", "--root", str(tmp_path), "--json")
    assert answer.code == 3
    found = json.loads(answer.out)
    assert (found["target"], found["is_jetson"], found["l4t"], found["jetpack"]) == (None, True, "36.4.3", "6.2")
    err = " ".join(answer.err.split())
    for word in (
        "-v /etc/nv_boot_control.conf:/etc/nv_boot_control.conf:ro",
        "-v /etc/nv_tegra_release:/etc/nv_tegra_release:ro",
        "--runtime nvidia",
        "--target NAME",
    ):
        assert word in err


@pytest.mark.parametrize("root", ["nowhere", "file"])
def test_a_root_that_is_no_folder_is_a_usage_error(edge_arseg, tmp_path, root):
    (tmp_path / "file").write_text("")
    assert edge_arseg("targets", "detect", "--root", str(tmp_path / root)).code == 2
