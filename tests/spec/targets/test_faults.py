"""Files of targets with faults."""

import shutil

import pytest

from edge_arseg.errors import TargetError
from edge_arseg.spec.targets.files import JETPACKS, jetpack_table, target_from_toml, targets
from edge_arseg.storage.data_folder import data_folder


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(data_folder("targets"), tmp_path / "targets")


def edit(folder, old, new, name="jetson-orin-nx-16gb"):
    path = folder / f"{name}.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return path


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("sms = 8", "sms = 0", "gpu.sms: Input should be greater"),
        ("sms = 8", 'sms = "many"', "gpu.sms: Input should be a valid integer"),
        ("chip = ", "chop = ", "chop: "),
        ('choices = ["fp32", "fp16", "int8"]', 'choices = ["fp4"]', "precision.choices.0"),
        ('hr = "fp16"', 'hr = "mixed"', "precision.hr: mixed is not among the choices"),
        ('"6.2", "7.2"]', '"6.2", "9.9"]', "jetpacks: '9.9' is not in jetpacks.toml"),
        ('id = "jetson-orin-nx-16gb"', 'id = "other"', "id: 'other' seen, the file is called 'jetson-orin-nx-16gb'"),
        ("tier = 1", "tier = 3", "reason: tier 3 needs one"),
        ("default = true\n", "", "exactly one normal mode is the default"),
        ("id = 1\n", "id = 0\n", "an id is used twice in the normal configuration"),
        ("sms = 8\ngpu_mhz = 918", "sms = 9\ngpu_mhz = 918", "modes.0.sms: 9 of 8"),
        ("gpu_mhz = 918", "gpu_mhz = 950", "modes.0.gpu_mhz: 950 above gpu.max_mhz 918"),
        ('memory = "memory clock', 'mammary = "memory clock', "memory.bus_bits: a value without a source"),
        ('memory = "memory clock', 'mammary = "memory clock', "sources: 'mammary' is not a field"),
        ('"video.nvdec" =', '"video.nvdoc" =', "unverified: 'video.nvdoc' is not a field"),
        ("[rails]", "[rials]", "rials: Unexpected keyword"),
        ('parts = ["p3767-0000"]', "parts = []", "parts: a Jetson board has part numbers"),
        ("models = []", 'models = ["Orin NX"]', "models.0: String should match"),
        ("models = []", 'models = [""]', "models.0: String should match"),
        ("gb = [16]", "gb = []", "memory.gb: Tuple should have at least 1 item"),
        ("watts = 10", "watts = inf", "watts: Input should be a finite number"),
        ("super = 1173", "super = nan", "gpu.max_mhz.super: Input should be a finite number"),
        (", super = 1173", "", "gpu.max_mhz: super is missing, which this file has elsewhere"),
        ('name = "Jetson', 'name = "\\u001b[31mJetson', "name: '\\x1b[31mJetson Orin NX 16GB' seen, expected one line"),
        ('"fp16", "int8"]', '"fp16", "int8", "mixed"]', "precision.choices: mixed is what quantize makes of int8"),
    ],
)
def test_a_fault_is_named(folder, old, new, fault):
    path = edit(folder, old, new)
    with pytest.raises(TargetError) as caught:
        target_from_toml(path, jetpack_table(folder))
    assert fault in str(caught.value)
    assert path.name in str(caught.value)


def test_all_faults_are_in_one_message(folder):
    edit(folder, "tier = 1", "tier = 2")
    edit(folder, 'memory = "memory', '"memory.gb" = "memory')
    path = edit(folder, 'hr = "fp16"', 'hr = "mixed"')
    with pytest.raises(TargetError) as caught:
        target_from_toml(path, jetpack_table(folder))
    message = str(caught.value)
    assert "5 faults" in message
    for word in (
        "reason",
        "memory.bus_bits",
        "memory.bandwidth_gbs.normal",
        "memory.bandwidth_gbs.super",
        "precision.hr",
    ):
        assert f"  {word}: " in message


def test_a_board_without_its_hardware_is_refused(folder):
    path = folder / "cpu.toml"
    path.write_text(path.read_text().replace('kind = "cpu"', 'kind = "jetson"'))
    with pytest.raises(TargetError) as caught:
        target_from_toml(path, jetpack_table(folder))
    for name in ("chip", "gpu", "memory", "rails", "video"):
        assert f"  {name}: a Jetson board has it" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "marks"),
    [("jetson-agx-xavier", ("parts", "compatible", "models")), ("jetson-thor-t4000", ("parts", "boot_specs"))],
)
def test_two_files_that_name_one_board_are_refused(folder, name, marks):
    """A file that was copied for a board of one's own: the first would be found on both, without a word."""
    text = (folder / f"{name}.toml").read_text().replace(f'id = "{name}"', 'id = "a-board"')
    (folder / "a-board.toml").write_text(text)
    with pytest.raises(TargetError, match="which board is which cannot be told") as caught:
        targets(folder)
    for mark in marks:
        assert f"  {mark}: " in str(caught.value)
    assert f"is in a-board.toml and in {name}.toml" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "fault"),
    [("local", "local stands for the machine"), ("my board", "id: String should match"), ("Mine", "id: String should")],
)
def test_a_name_that_could_not_be_typed_or_written_is_refused(folder, name, fault):
    """What is compiled for a target is called after it: the fault was told behind the work."""
    text = (folder / "cpu.toml").read_text().replace('id = "cpu"', f'id = "{name}"')
    (folder / f"{name}.toml").write_text(text)
    with pytest.raises(TargetError, match=fault):
        targets(folder)


def test_hidden_files_are_no_targets(folder):
    """Editors and file managers leave them beside the file that they are of."""
    for name in ("._cpu.toml", ".#cpu.toml"):
        (folder / name).write_bytes(b"\0\1")
    assert set(targets(folder)) == set(targets())


@pytest.mark.parametrize("kind", ["folder", "link"])
def test_what_cannot_be_read_is_refused(folder, kind):
    if kind == "folder":
        (folder / "mine.toml").mkdir()
    else:
        (folder / "mine.toml").symlink_to("nowhere")
    with pytest.raises(TargetError, match=r"mine\.toml: cannot be read .*move it elsewhere"):
        targets(folder)


@pytest.mark.parametrize("content", ["", "[", "id = 3", "\x00", "sources = 3", "modes = [1, 2]", "jetpacks = 3"])
def test_a_file_that_is_no_target_is_refused(folder, content):
    (folder / "cpu.toml").write_text(content)
    with pytest.raises(TargetError, match=r"cpu\.toml"):
        targets(folder)


@pytest.mark.parametrize("content", ["", "[", "jetpacks = 3", "source = 1\njetpacks = []"])
def test_a_broken_table_of_releases_is_refused(folder, content):
    (folder / JETPACKS).write_text(content)
    with pytest.raises(TargetError, match=r"jetpacks\.toml"):
        targets(folder)


def test_a_missing_table_of_releases_says_what_to_do(folder):
    (folder / JETPACKS).unlink()
    with pytest.raises(TargetError, match=r"install again: .*pip install"):
        jetpack_table(folder)
