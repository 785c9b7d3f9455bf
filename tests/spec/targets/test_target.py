"""The boards as declared."""

import pytest

from edge_arseg.errors import OptionError
from edge_arseg.spec.manifest import Precision
from edge_arseg.spec.targets.files import jetpack_table, target_named, targets
from edge_arseg.spec.targets.jetpack import JetPack, JetPackTable
from edge_arseg.spec.targets.target import Configuration, Kind

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
    ("jetson-agx-orin-32gb", SUPER): (4.66, 37.3, 74.6),
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
        ("jetson-agx-orin-32gb", SUPER, 92, 241),
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


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("jetson-agx-orin-32gb", {0: "MAXN", 1: "MODE_15W", 2: "MODE_30W", 3: "MODE_40W"}),
        ("jetson-agx-orin-64gb", {0: "MAXN", 1: "MODE_15W", 2: "MODE_30W", 3: "MODE_50W"}),
        ("jetson-orin-nx-8gb", {0: "MAXN", 1: "10W", 2: "15W", 3: "20W"}),
        ("jetson-agx-xavier", {0: "MAXN", 1: "MODE_10W", 3: "MODE_30W_ALL", 7: "MODE_15W_DESKTOP"}),
        ("jetson-xavier-nx", {2: "MODE_15W_6CORE", 5: "MODE_10W_DESKTOP", 8: "MODE_20W_6CORE"}),
    ],
)
def test_modes_are_called_as_the_board_calls_them(name, ids):
    """As `nvpmodel -q` prints them, so that what a record says can be typed as --power-mode."""
    modes = {mode.id: mode.name for mode in target_named(name).modes if mode.configuration is NORMAL}
    assert ids.items() <= modes.items()


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
