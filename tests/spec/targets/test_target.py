"""The boards as declared, and files with faults."""

import shutil
from pathlib import Path

import pytest

from edge_arseg.errors import OptionError, TargetError
from edge_arseg.spec.manifest import Precision
from edge_arseg.spec.targets.files import JETPACKS, jetpack_table, target_from_toml, target_named, targets
from edge_arseg.spec.targets.jetpack import JetPack, JetPackTable
from edge_arseg.spec.targets.own_folder import own_folder
from edge_arseg.spec.targets.target import Configuration, Kind
from edge_arseg.storage.data_folder import data_folder

NORMAL, SUPER = Configuration.NORMAL, Configuration.SUPER

PEAKS = {  # FP32 TFLOPS, dense FP16 TFLOPS, dense INT8 TOPS, as published (tensor cores sparse: twice these)
    ("jetson-nano", NORMAL): (0.236, 0.472, 0),
    ("jetson-tx2", NORMAL): (0.67, 1.33, 0),
    ("jetson-xavier-nx", NORMAL): (0.85, 6.8, 13.6),
    ("jetson-agx-xavier", NORMAL): (1.41, 11.3, 22.6),
    ("jetson-orin-nano-4gb", NORMAL): (0.64, 5.1, 10.2),
    ("jetson-orin-nano-4gb", SUPER): (1.04, 8.4, 16.7),
    ("jetson-orin-nano-8gb", NORMAL): (1.28, 10.2, 20.5),
    ("jetson-orin-nano-8gb", SUPER): (2.09, 16.7, 33.4),
    ("jetson-orin-nx-8gb", NORMAL): (1.57, 12.5, 25.1),
    ("jetson-orin-nx-8gb", SUPER): (2.40, 19.2, 38.4),
    ("jetson-orin-nx-16gb", NORMAL): (1.88, 15.0, 30.1),
    ("jetson-orin-nx-16gb", SUPER): (2.40, 19.2, 38.4),
    ("jetson-agx-orin-32gb", NORMAL): (3.33, 26.7, 53.3),
    ("jetson-agx-orin-64gb", NORMAL): (5.33, 42.6, 85.3),
    ("jetson-thor-t4000", NORMAL): (4.70, 150, 300),
    ("jetson-thor-t5000", NORMAL): (8.06, 258, 517),
}


@pytest.mark.parametrize(("name", "configuration"), PEAKS)
def test_peaks_are_the_published_ones(name, configuration):
    target = target_named(name)
    assert target.gpu
    peaks = target.peaks(mhz=target.gpu.max_mhz[configuration], sms=target.gpu.sms)
    assert (peaks.fp32_tflops, peaks.fp16_tflops, peaks.int8_tops) == pytest.approx(
        PEAKS[name, configuration], rel=0.01
    )


@pytest.mark.parametrize(
    ("name", "configuration", "dla_tops", "sticker"),
    [
        ("jetson-orin-nano-8gb", SUPER, 0, 67),
        ("jetson-orin-nx-16gb", SUPER, 80, 157),
        ("jetson-orin-nx-16gb", NORMAL, 40, 100),
        ("jetson-agx-orin-64gb", NORMAL, 105, 275),
        ("jetson-agx-orin-32gb", NORMAL, 92, 200),
    ],
)
def test_twice_the_int8_peak_with_the_dla_is_the_number_on_the_box(name, configuration, dla_tops, sticker):
    target = target_named(name)
    assert target.gpu
    assert target.gpu.sparsity
    peaks = target.peaks(mhz=target.gpu.max_mhz[configuration], sms=target.gpu.sms)
    assert 2 * peaks.int8_tops + dla_tops == pytest.approx(sticker, abs=1.5)


def test_each_board_is_there_once_with_its_support():
    known = targets()
    tiers = {name: target.tier for name, target in known.items() if target.kind is Kind.JETSON}
    assert {name for name, tier in tiers.items() if tier == 0} == {"jetson-nano", "jetson-tx2", "jetson-tx2-nx"}
    assert {name for name, tier in tiers.items() if tier == 3} == {"jetson-xavier-nx", "jetson-agx-xavier"}
    assert sum(tier == 1 for tier in tiers.values()) == 8
    assert list(known)[-2:] == ["cuda", "cpu"]
    parts = [part for target in known.values() for part in target.parts]
    assert len(parts) == len(set(parts))


def test_unsupported_boards_say_why():
    for target in targets().values():
        assert (target.tier == 1) == (not target.reason), target.id
    assert "GridSample" in target_named("jetson-nano").reason
    assert "Python 3.8" in target_named("jetson-agx-xavier").reason


def test_int8_is_nobody_s_default():
    """It is chosen by measurement; and it is symmetric where TensorRT runs it."""
    for target in targets().values():
        if made := target.precision:
            assert Precision.INT8 in made.choices
            assert Precision.INT8 not in (made.hr, made.lr, made.fuse)
            assert made.activations.value == ("uint8" if target.id == "cpu" else "int8")


def test_the_modes_are_matched_by_name_and_configuration():
    nano = target_named("jetson-orin-nano-8gb")
    normal, boosted = (nano.mode("15W", configuration) for configuration in (NORMAL, SUPER))
    assert normal
    assert boosted
    assert (normal.gpu_mhz, boosted.gpu_mhz) == (625, 612)
    assert nano.mode("25W", NORMAL) is None
    assert [mode.name for mode in nano.modes if mode.default] == ["15W", "25W"]


def test_doubts_are_found_by_field():
    nx = target_named("jetson-orin-nx-8gb")
    assert "super configuration" in nx.doubt("dla.count")
    assert nx.doubt("dla.version") == ""
    thor = target_named("jetson-thor-t5000")
    assert thor.doubt("modes.2.name") == thor.doubt("modes") != ""


RELEASES = {
    "4.2": "32.1 32.1.0 32.2.0 32.2.1 32.2.3",
    "4.3": "32.3.1",
    "4.4": "32.4.2 32.4.3 32.4.4",
    "4.5": "32.5 32.5.0 32.5.1 32.5.2",
    "4.6": "32.6.1",
    "4.6.1": "32.7.1 32.7.2 32.7.3 32.7.4 32.7.5 32.7.6",
    "5.0": "34.0.1 34.1.0 34.1.1",
    "5.0.2": "35.1 35.1.0",
    "5.1": "35.2.1 35.3.0 35.3.1 35.4.1 35.5.0 35.6.0 35.6.1 35.6.2 35.6.3 35.6.4",
    "6.0": "36.0.0 36.2 36.2.0 36.3.0",
    "6.1": "36.4 36.4.0 36.4.2",
    "6.2": "36.4.3 36.4.4 36.4.7 36.5.0",
    "7.0": "38.2 38.2.0 38.2.1 38.2.2",
    "7.1": "38.4.0",
    "7.2": "39.0.0 39.2.0 39.2.1",
    None: "37.0 38.20.1 38 3 36.1.0 40.0.0 R36.4 36.x",
}


@pytest.mark.parametrize(("jetpack", "l4t"), [(name, l4t) for name, row in RELEASES.items() for l4t in row.split()])
def test_releases_are_found(l4t, jetpack):
    release = jetpack_table().release(l4t)
    assert (release.name if release else None) == jetpack


def test_every_jetpack_is_found_by_some_release():
    assert {release.name for release in jetpack_table().jetpacks} == set(RELEASES) - {None}


def test_the_longest_prefix_wins_whatever_the_order():
    def jetpack(name, *l4t):
        return JetPack(name, l4t, "", "", "")

    short, middle, whole = jetpack("short", "36"), jetpack("middle", "36.4"), jetpack("whole", "36.4.0")
    for table in ((short, middle, whole), (whole, middle, short)):
        found = [JetPackTable("", table).release(l4t) for l4t in ("36.4.0", "36.4.1", "36.40.0", "36.4", "35.4.1")]
        assert [release and release.name for release in found] == ["whole", "middle", "short", "whole", None]


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(OptionError, match=r"'orin'; did you mean .*known: .*jetson-orin-nx-16gb.*targets list"):
        target_named("orin")


# Files with faults


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


# The user's own


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
