"""Jetsons whose device tree is hidden, copies of a board's files, and machines that are none."""

import os
import shutil
from pathlib import Path

import pytest

from edge_arseg.runtime.device.board import Board, board_from_files
from edge_arseg.runtime.device.file_tree import FileTree
from edge_arseg.runtime.device.jetson_signs import board_module, module_from_compatible
from edge_arseg.spec.targets.files import jetpack_table, targets
from edge_arseg.spec.targets.target import Configuration

TREES = Path(__file__).with_name("boards")
ORINS_OF_JETPACK_6 = (
    "jetson-agx-orin-32gb",
    "jetson-agx-orin-64gb",
    "jetson-orin-nano-4gb",
    "jetson-orin-nano-8gb",
    "jetson-orin-nx-16gb",
    "jetson-orin-nx-8gb",
)
RELEASE = b"# R36 (release), REVISION: 4.3, GCID: 1, BOARD: generic, EABI: aarch64, DATE: x\n"
CORE = b"Package: nvidia-l4t-core\nStatus: install ok installed\nArchitecture: arm64\nVersion: 36.4.4-20250616085344\n"
LIBRARY = "usr/lib/aarch64-linux-gnu"


def tree(root: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def detect(root: Path) -> Board:
    return board_from_files(targets(), jetpack_table(), root)


@pytest.mark.parametrize(
    ("files", "sign", "l4t", "jetpack"),
    [
        ({"etc/nv_tegra_release": RELEASE}, "/etc/nv_tegra_release", "36.4.3", "6.2"),
        ({"etc/nv_tegra_release": b"# R36 (rel"}, "/etc/nv_tegra_release", None, None),
        ({"etc/nv_tegra_release": b"# R36 (release), REVISION: 4"}, "/etc/nv_tegra_release", None, None),
        ({"etc/nv_tegra_release": b""}, "/etc/nv_tegra_release", None, None),
        ({"etc/nv_tegra_release": b"\0\0\xff\xfe"}, "/etc/nv_tegra_release", None, None),
        ({"etc/nv_tegra_release": b"\0\xe9" + RELEASE}, "/etc/nv_tegra_release", "36.4.3", "6.2"),
        ({"sys/module/tegra_fuse/parameters/x": b""}, "/sys/module/tegra_fuse", None, None),
        ({"sys/module/tegra_bpmp/x": b""}, "/sys/module/tegra_bpmp", None, None),
        ({"sys/module/nvgpu/version": b""}, "/sys/module/nvgpu", None, None),
        ({"sys/module/nvmap/x": b""}, "/sys/module/nvmap", None, None),
        ({"dev/null": b"", "dev/nvhost-gpu": b""}, "/dev/nvhost-gpu", None, None),
        ({"dev/nvmap": b""}, "/dev/nvmap", None, None),
        ({"sys/devices/soc0/family": b"Tegra\n"}, "/sys/devices/soc0", None, None),
        ({f"{LIBRARY}/tegra/libcuda.so.1.1": b""}, f"the libraries in /{LIBRARY}/tegra", None, None),
        ({f"{LIBRARY}/nvidia/libnvrm_gpu.so": b""}, f"the libraries in /{LIBRARY}/nvidia", None, None),
        ({"var/lib/dpkg/status": CORE}, "the package nvidia-l4t-core", "36.4.4", "6.2"),
        ({"proc/driver/nvidia/gpus/0/information": b"Model: \t NVIDIA Thor\n"}, "the GPU NVIDIA Thor", None, None),
        ({"proc/driver/nvidia/gpus/0/information": b"Model: Orin (nvgpu)\n"}, "the GPU Orin (nvgpu)", None, None),
    ],
)
def test_a_jetson_without_a_device_tree_is_a_jetson_that_is_not_known(files, sign, l4t, jetpack, tmp_path):
    board = detect(tree(tmp_path, files))
    assert (board.is_jetson, board.target, board.l4t, board.jetpack) == (True, None, l4t, jetpack)
    assert board.reason.startswith(f"{sign} is that of a Jetson; nothing names the module")
    assert "-v /etc/nv_boot_control.conf:/etc/nv_boot_control.conf:ro" in board.advice
    assert "--runtime nvidia" in board.advice
    if jetpack:
        assert board.candidates == ORINS_OF_JETPACK_6


@pytest.mark.parametrize("place", ["proc/device-tree", "sys/firmware/devicetree/base"])
def test_the_device_tree_is_found_in_both_its_places(place, tmp_path):
    nano = b"nvidia,p3768-0000+p3767-0005-super\0nvidia,tegra234\0"
    assert detect(tree(tmp_path / "a", {f"{place}/compatible": nano})).target == "jetson-orin-nano-8gb"
    model = b"NVIDIA Jetson Xavier NX Developer Kit\0"
    assert detect(tree(tmp_path / "b", {f"{place}/model": model})).target == "jetson-xavier-nx"
    board = detect(tree(tmp_path / "c", {f"{place}/model": b"NVIDIA Orin NX Developer Kit\0"}))
    assert (board.is_jetson, board.target) == (True, None)
    assert board.advice


@pytest.mark.parametrize(
    ("number", "orins"), [(b"35\n", 6), (b"0x23", 6), (b"38", 2), (b"\xb2", 13), (b"9" * 5000, 13)]
)
def test_the_chip_narrows_the_choice(number, orins, tmp_path):
    files = {"sys/devices/soc0/family": b"Tegra\n", "sys/devices/soc0/soc_id": number}
    assert len(detect(tree(tmp_path, files)).candidates) == orins


@pytest.mark.parametrize(
    ("model", "one_of"),
    [
        (b"NVIDIA Jetson Orin Nano Developer Kit\0", ("jetson-orin-nano-4gb", "jetson-orin-nano-8gb")),
        (b"CTI Hadron Orin NX\0", ("jetson-orin-nx-16gb", "jetson-orin-nx-8gb")),
        (b"NVIDIA Jetson AGX Orin\0", ("jetson-agx-orin-32gb", "jetson-agx-orin-64gb")),
    ],
)
def test_the_name_of_the_board_narrows_the_choice(model, one_of, tmp_path):
    assert detect(tree(tmp_path, {"proc/device-tree/model": model})).candidates == one_of


def test_a_module_of_a_number_that_is_not_known_asks_for_a_name_and_no_mount(tmp_path):
    board = detect(tree(tmp_path, {"proc/device-tree/compatible": b"nvidia,p3768-0000+p3767-0009\0nvidia,tegra234\0"}))
    assert (board.target, board.part, board.advice) == (None, "p3767-0009", "")
    assert "jetson-orin-nano-8gb" in board.candidates


@pytest.mark.parametrize(
    "strings",
    [
        b"acme,p1234-0001\0nvidia,p3768-0000+p3767-0000\0nvidia,tegra234\0",
        b"connecttech,boson-orin\0nvidia,p3509-0000+p3767-0000-super\0nvidia,tegra234\0",
        b"\xff\xfeacme\0p3767-0000\0",
    ],
)
def test_another_vendor_s_carrier_does_not_hide_the_module(strings, tmp_path):
    assert detect(tree(tmp_path, {"proc/device-tree/compatible": strings})).target == "jetson-orin-nx-16gb"


GPU = {"proc/driver/nvidia/gpus/0000:01:00.0/information": b"Model: \t\t NVIDIA GH200 480GB\n"}
PI = {"proc/device-tree/compatible": b"raspberrypi,4-model-b\0brcm,bcm2711\0"}


@pytest.mark.parametrize(
    ("files", "target"),
    [
        ({}, "cpu"),
        ({"proc/meminfo": b"MemTotal: 1 kB\n", "etc/os-release": b""}, "cpu"),
        (PI, "cpu"),
        ({**PI, "sys/module/tegra_host1x/x": b""}, "cpu"),
        ({"dev/nvidia0": b"", "dev/nvidiactl": b"", "dev/nvme0": b""}, "cpu"),
        (GPU, "cuda"),
        ({**GPU, f"{LIBRARY}/nvidia/libnvidia-ml.so.1": b""}, "cuda"),
        ({f"{LIBRARY}/nvidia/current/libcuda.so.1": b""}, "cpu"),
        ({"var/lib/dpkg/status": CORE.replace(b"install ok installed", b"deinstall ok config-files")}, "cpu"),
        ({"var/lib/dpkg/status": b"Package: x\nDescription: needs nvidia-l4t-core\n"}, "cpu"),
        ({"proc/device-tree/model": b"Raspberry Pi 5 Model B Rev 1.0\0"}, "cpu"),
    ],
)
def test_what_is_no_jetson_is_none(files, target, tmp_path):
    board = detect(tree(tmp_path, files))
    assert (board.target, board.is_jetson) == (target, False)


# Links and files that are no files


def test_links_lead_below_the_root_as_on_the_board(tmp_path):
    """On a board ``/proc/device-tree`` is an absolute link."""
    root = tree(tmp_path, {"sys/firmware/devicetree/base/compatible": b"nvidia,p3768-0000+p3767-0001\0"})
    (root / "proc").mkdir()
    (root / "proc/device-tree").symlink_to("/sys/firmware/devicetree/base")
    assert FileTree(root).text("proc/device-tree/compatible") == "nvidia,p3768-0000+p3767-0001\0"
    assert detect(root).target == "jetson-orin-nx-8gb"


@pytest.mark.parametrize("up", ["{outside}", "../../../../../../../../../../../../{outside}", "../../outside"])
def test_links_out_of_the_root_read_nothing_of_the_host(up, tmp_path):
    outside = tree(
        tmp_path / "outside", {"compatible": b"nvidia,p3768-0000+p3767-0001\0", "meminfo": b"MemTotal: 8 kB"}
    )
    root = tmp_path / "root"
    for link, name in (("proc/device-tree/compatible", "compatible"), ("proc/meminfo", "meminfo")):
        (root / link).parent.mkdir(parents=True, exist_ok=True)
        (root / link).symlink_to(f"{up.format(outside=outside)}/{name}")
    (root / "etc").symlink_to(tree(tmp_path / "etc", {"nv_tegra_release": RELEASE}))
    board = detect(root)
    assert (board.target, board.l4t, board.memory.total) == ("cpu", None, 0)


def test_pipes_devices_folders_and_rings_of_links_are_not_there(tmp_path):
    (tmp_path / "proc/device-tree").mkdir(parents=True)
    (tmp_path / "etc").mkdir()
    os.mkfifo(tmp_path / "proc/device-tree/compatible")
    (tmp_path / "proc/meminfo").symlink_to("meminfo")
    (tmp_path / "etc/nv_tegra_release").mkdir()
    (tmp_path / "var").symlink_to("/var")
    assert detect(tmp_path).target == "cpu"


def test_a_whole_copy_of_a_board_is_that_board(tmp_path):
    board = detect(Path(shutil.copytree(TREES / "orin-nx-16gb", tmp_path / "copy", symlinks=True)))
    assert (board.target, board.memory.total) == ("jetson-orin-nx-16gb", 15_650_000 * 1024)


@pytest.mark.parametrize(
    ("strings", "module"),
    [
        ("nvidia,p3768-0000+p3767-0003-super\0nvidia,p3767-0003\0nvidia,tegra234\0", "p3767-0003"),
        ("nvidia,p3509-0000+p3767-0000\0nvidia,tegra234", "p3767-0000"),
        ("nvidia,p4071-0000+p3834-0008\0nvidia,p3834-0008\0nvidia,tegra264", "p3834-0008"),
        ("raspberrypi,4-model-b\0brcm,bcm2711\0", None),
    ],
)
def test_the_module_is_the_last_part_number(strings, module, tmp_path):
    assert module_from_compatible(strings.encode()) == module
    (tmp_path / "proc/device-tree").mkdir(parents=True)
    (tmp_path / "proc/device-tree/compatible").write_bytes(strings.encode())
    assert board_module(tmp_path) == module


def test_a_machine_without_a_device_tree_has_no_module(tmp_path):
    assert board_module(tmp_path) is None


def test_engines_are_for_the_same_module_in_a_container_that_hides_the_device_tree(tmp_path):
    """Docker leaves an empty folder there; the boot configuration is mounted."""
    root = tree(
        tmp_path, {"etc/nv_boot_control.conf": b"TNSPEC 3767-300-0005-S.1-1-1-jetson-orin-nano-devkit-super-\n"}
    )
    (root / "sys/firmware").mkdir(parents=True)
    (root / "proc").mkdir()
    (root / "proc/device-tree").symlink_to("/sys/firmware/devicetree/base")
    assert board_module(root) == "p3767-0005"
    tree(root, {"sys/firmware/devicetree/base/compatible": b"nvidia,p3768-0000+p3767-0003\0nvidia,tegra234\0"})
    assert board_module(root) == "p3767-0003"


@pytest.mark.parametrize(
    ("strings", "spec", "target", "number"),
    [
        (b"nvidia,p4071-0000+p3834-0004\0nvidia,tegra264\0", "3834-400-0004-A.0-1-2-", None, "p3834-0004"),
        (b"nvidia,p4071-0000+p3834-0004\0nvidia,tegra264\0", "3834-400-0008-A.0-1-2-", None, "p3834-0004"),
        (b"nvidia,tegra264\0", "3834-400-0004-A.0-1-2-", None, "p3834-0004"),
        (b"nvidia,p4071-0000\0nvidia,tegra264\0", "3834-400-0004-A.0-1-2-", None, "p3834-0004"),
        (b"nvidia,p4071-0000\0nvidia,tegra264\0", "3834-400-0000-A.0-1-2-", "jetson-thor-t4000", "p3834-0000"),
        (b"nvidia,p4071-0000\0nvidia,tegra264\0", "3834-400-0008-A.0-1-2-", "jetson-thor-t5000", "p3834-0008"),
        (b"nvidia,tegra264\0", "", "jetson-thor-t5000", None),
        (b"acme,p1234-0001\0nvidia,tegra234\0", "3767-300-0000-A.0-1-2-", "jetson-orin-nx-16gb", "p3767-0000"),
        (b"acme,p1234-0001\0acme,p9+p3767-0009\0nvidia,tegra234\0", "3767-300-0000-", None, "p3767-0009"),
    ],
)
def test_a_module_that_boots_by_the_name_of_another_is_known_by_its_number_alone(
    tmp_path, strings, spec, target, number
):
    """UEFI calls every Thor ``jetson-agx-thor-devkit`` but the T4000: also those that come later."""
    notes = f"TNSPEC {spec}jetson-agx-thor-devkit-\n".encode()
    board = detect(tree(tmp_path, {"proc/device-tree/compatible": strings, "etc/nv_boot_control.conf": notes}))
    assert (board.target, board.part) == (target, number)
    if target is None:
        assert f"{number} in " in board.reason
        assert set(board.candidates) >= ({"jetson-thor-t4000"} if b"264" in strings else {"jetson-orin-nx-8gb"})


@pytest.mark.parametrize(
    ("spec", "target", "configuration"),
    [
        ("3767-300-0005-S.1-1-1-jetson-orin-nano-devkit-super-", "jetson-orin-nano-8gb", Configuration.SUPER),
        ("3767-300-0004-K.2-1-1-jetson-orin-nano-devkit-", "jetson-orin-nano-4gb", Configuration.NORMAL),
        ("3767-ES1-0000-A.3-1-0-jetson-orin-nx-devkit-nvme0n1p1", "jetson-orin-nx-16gb", Configuration.NORMAL),
        ("3701-500-0005-A.0-1-0-cti-orin-agx-agx201-00-", "jetson-agx-orin-64gb", Configuration.NORMAL),
        ("3668-200-0001-G.0-1-2-jetson-xavier-nx-devkit-mmcblk0p1", "jetson-xavier-nx", Configuration.NORMAL),
        ("3767-300-0777-K.2-1-1-jetson-orin-nano-devkit-", None, Configuration.NORMAL),
        ("3448-300---1-0-jetson-nano-qspi-sd-mmcblk0p1", "cpu", None),
    ],
)
def test_the_boot_configuration_names_the_module_where_the_device_tree_is_hidden(tmp_path, spec, target, configuration):
    """As in a container into which /etc is mounted, or in a copy of a board's files."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/nv_boot_control.conf").write_text(f"TNSPEC {spec}\nCOMPATIBLE_SPEC 3767--0003--1--x-\n")
    board = detect(tmp_path)
    assert (board.target, board.configuration) == (target, configuration)
    if target is None:
        assert board.reason.startswith("/etc/nv_boot_control.conf is that of a Jetson; p3767-0777 in")
        assert set(board.candidates) > {"jetson-orin-nano-8gb", "jetson-orin-nx-16gb"}


def test_the_device_tree_goes_before_the_boot_configuration(tmp_path):
    """A root file system may be that of another board."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/nv_boot_control.conf").write_text("TNSPEC 3767-300-0005-S.1-1-1-jetson-orin-nano-devkit-super-\n")
    (tmp_path / "proc/device-tree").mkdir(parents=True)
    (tmp_path / "proc/device-tree/compatible").write_bytes(b"nvidia,p3768-0000+p3767-0003\0nvidia,tegra234\0")
    board = detect(tmp_path)
    assert (board.target, board.configuration) == ("jetson-orin-nano-8gb", Configuration.NORMAL)
    assert "p3767-0003" in board.reason


def test_the_boot_configuration_says_which_chip_it_is(tmp_path):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/nv_boot_control.conf").write_text("TEGRA_CHIPID 0x21\n")
    assert detect(tmp_path).candidates == ("jetson-nano",)
