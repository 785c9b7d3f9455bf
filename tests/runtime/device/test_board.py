import shutil
from pathlib import Path

import pytest

from edge_arseg.runtime.device import board
from edge_arseg.runtime.device.board import Board, board_from_files, l4t_release
from edge_arseg.runtime.device.host_memory import HostMemory, host_memory
from edge_arseg.spec.targets.files import jetpack_table, targets
from edge_arseg.spec.targets.target import Configuration

TREES = Path(__file__).with_name("boards")
NORMAL, SUPER = Configuration.NORMAL, Configuration.SUPER

EXPECTED = {
    "nano": ("jetson-nano", NORMAL, "32.7.1", "4.6.1"),
    "tx2": ("jetson-tx2", NORMAL, "32.7.1", "4.6.1"),
    "tx2-nx": ("jetson-tx2-nx", NORMAL, "32.7.1", "4.6.1"),
    "agx-xavier": ("jetson-agx-xavier", NORMAL, "35.4.1", "5.1"),
    "xavier-nx": ("jetson-xavier-nx", NORMAL, "35.4.1", "5.1"),
    "orin-nano-4gb": ("jetson-orin-nano-4gb", NORMAL, "36.4.0", "6.1"),
    "orin-nano-8gb-super": ("jetson-orin-nano-8gb", SUPER, "36.4.3", "6.2"),
    "orin-nx-8gb": ("jetson-orin-nx-8gb", NORMAL, "39.2.0", "7.2"),
    "orin-nx-16gb": ("jetson-orin-nx-16gb", NORMAL, "36.4.3", "6.2"),
    "agx-orin-32gb": ("jetson-agx-orin-32gb", NORMAL, "36.4.4", "6.2"),  # from the package, the file is missing
    "agx-orin-64gb": ("jetson-agx-orin-64gb", NORMAL, "36.3.0", "6.0"),
    "agx-orin-unknown-module": (None, NORMAL, "36.4.3", "6.2"),
    "thor-t4000-generic": ("jetson-thor-t4000", NORMAL, "39.2.0", "7.2"),
    "thor-t5000": ("jetson-thor-t5000", NORMAL, "38.4.0", "7.1"),
    "thor-unknown": (None, NORMAL, "39.2.0", "7.2"),
    "container-xavier": (None, NORMAL, None, None),
    "raspberry-pi": ("cpu", None, None, None),
    "desktop": ("cuda", None, None, None),
    "server": ("cpu", None, None, None),
}


def detect(root: Path) -> Board:
    return board_from_files(targets(), jetpack_table(), root)


def copy_of(name: str, folder: Path) -> Path:
    return Path(shutil.copytree(TREES / name, folder / name))


def test_every_tree_has_an_expectation():
    assert {path.name for path in TREES.iterdir() if path.is_dir()} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_board_is_recognised(name):
    board = detect(TREES / name)
    assert (board.target, board.configuration, board.l4t, board.jetpack) == EXPECTED[name]
    assert board.is_jetson is (board.configuration is not None)
    assert board.memory.total > 3e9


def test_the_boot_loaders_notes_are_read_once(monkeypatch):
    read = []
    monkeypatch.setattr(board, "module_from_boot_control", lambda text: read.append(text) or (None, False))
    detect(TREES / "thor-unknown")
    assert len(read) == 1


def test_what_is_not_known_is_left_open_with_what_it_may_be():
    board = detect(TREES / "agx-orin-unknown-module")
    assert board.candidates == ("jetson-agx-orin-32gb", "jetson-agx-orin-64gb")
    assert "p3701-0001" in board.reason
    assert detect(TREES / "thor-unknown").candidates == ("jetson-thor-t4000", "jetson-thor-t5000")
    assert detect(TREES / "container-xavier").candidates == ("jetson-agx-xavier", "jetson-xavier-nx")


def test_a_module_on_a_carrier_of_one_s_own_is_recognised(tmp_path):
    root = copy_of("orin-nx-16gb", tmp_path)
    (root / "proc/device-tree/compatible").write_bytes(b"acme,cam-7+p3767-0000-super\0nvidia,tegra234\0")
    board = detect(root)
    assert (board.target, board.configuration, board.part) == ("jetson-orin-nx-16gb", SUPER, "p3767-0000")


def test_a_chip_that_is_not_known_is_still_a_jetson(tmp_path):
    root = copy_of("orin-nx-16gb", tmp_path)
    (root / "proc/device-tree/compatible").write_bytes(b"nvidia,p9999-0000+p9998-0001\0nvidia,tegra999\0")
    board = detect(root)
    assert board.is_jetson
    assert (board.target, board.candidates) == (None, ())


def test_the_model_name_alone_is_enough_where_it_names_the_module(tmp_path):
    (tmp_path / "proc/device-tree").mkdir(parents=True)
    (tmp_path / "proc/device-tree/model").write_bytes(b"NVIDIA Jetson Xavier NX Developer Kit\0")
    assert detect(tmp_path).target == "jetson-xavier-nx"
    (tmp_path / "proc/device-tree/model").write_bytes(b"NVIDIA Jetson TX2 NX Developer Kit\0")
    assert detect(tmp_path).target == "jetson-tx2-nx"
    (tmp_path / "proc/device-tree/model").write_bytes(b"NVIDIA Jetson AGX Thor Developer Kit\0")
    assert detect(tmp_path).target is None


def test_memory_never_tells_the_module(tmp_path):
    root = copy_of("orin-nano-8gb-super", tmp_path)
    (root / "proc/meminfo").write_text("MemTotal: 64000000 kB\n")
    assert detect(root).target == "jetson-orin-nano-8gb"


@pytest.mark.parametrize("content", [b"", b"\n", b"\0", b"\0\0\0", b"\xff\xfe\x00p37", b"# R (release)", b"x" * 70000])
@pytest.mark.parametrize("name", ["orin-nano-8gb-super", "thor-t4000-generic", "agx-orin-32gb", "desktop"])
def test_broken_files_give_an_answer(name, content, tmp_path):
    """Each file of the tree in turn, then all of them."""
    files = [path.relative_to(TREES / name) for path in (TREES / name).rglob("*") if path.is_file()]
    for i, broken in enumerate([[file] for file in files] + [files]):
        root = Path(shutil.copytree(TREES / name, tmp_path / str(i)))
        for file in broken:
            (root / file).write_bytes(content)
        board = detect(root)
        assert board.target is None or board.target in targets()
        assert board.reason


def test_folders_and_missing_files_in_place_of_files_give_an_answer(tmp_path):
    assert detect(tmp_path / "nowhere").target == "cpu"
    (tmp_path / "proc/device-tree/compatible").mkdir(parents=True)
    (tmp_path / "etc/nv_tegra_release").mkdir(parents=True)
    assert detect(tmp_path).target == "cpu"
    assert l4t_release(tmp_path) is None


def test_memory_is_read_in_bytes():
    assert host_memory(TREES / "server") == HostMemory(15_650_000 * 1024, 7_825_000 * 1024, 7_825_000 * 1024)


@pytest.mark.parametrize("text", ["", "MemTotal:\n", "MemTotal: lots kB\n", "\0", ":::\nMemAvailable 5\n"])
def test_broken_memory_is_none(tmp_path, text):
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text(text)
    assert host_memory(tmp_path) == HostMemory()
