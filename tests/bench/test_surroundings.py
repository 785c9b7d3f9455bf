import pytest

from edge_arseg.bench.surroundings import board_facts

CONFIGURATION = """
< PARAM TYPE=FILE NAME=CPU_ONLINE >
CORE_0 /sys/devices/system/cpu/cpu0/online
< POWER_MODEL ID=0 NAME=MAXN >
CPU_ONLINE CORE_0 1
< POWER_MODEL ID=2 NAME=MODE_30W >
CPU_ONLINE CORE_0 1
< PM_CONFIG DEFAULT=2 >
"""


@pytest.mark.parametrize(
    ("status", "name"),
    [("pmode:0002 fmode:cool", "MODE_30W"), ("pmode:0000", "MAXN"), ("pmode:0007", "mode 7"), ("fmode:cool", None)],
)
def test_the_power_mode_has_the_name_that_the_board_prints(tmp_path, status, name):
    """As `nvpmodel` keeps it; /etc/nvpmodel.conf is a link that begins at the root."""
    for place, text in (("var/lib/nvpmodel/status", status), ("etc/nvpmodel/nvpmodel_p3701_0000.conf", CONFIGURATION)):
        (tmp_path / place).parent.mkdir(parents=True)
        (tmp_path / place).write_text(text)
    (tmp_path / "etc/nvpmodel.conf").symlink_to("/etc/nvpmodel/nvpmodel_p3701_0000.conf")
    assert board_facts(tmp_path).power_mode == name


def test_a_machine_without_power_modes_has_none(tmp_path):
    assert board_facts(tmp_path).power_mode is None
