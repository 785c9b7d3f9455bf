import math
import sys
import time

import pytest
from support.bench.trees import hwmon, machine

from edge_arseg.bench.sensors import tegrastats

LINES = {
    "JetPack 4, TX2": (
        "RAM 1873/3830MB (lfb 2x1MB) IRAM 0/252kB CPU [12%@1113,off] EMC_FREQ 0%@1600 GR3D_FREQ 0%@114 APE 150 "
        "MTS fg 0% bg 1% PMIC@100C GPU@41C VDD_SYS_GPU 77/77 VDD_SYS_SOC 539/539 VDD_IN 2930/3405",
        {("power", "VDD_IN"): 2.93, ("power", "VDD_SYS_GPU"): 0.077, ("temperature", "GPU"): 41.0},
    ),
    "JetPack 4, Nano": (
        "RAM 1/2MB GR3D_FREQ 0%@76 APE 25 PLL@37C CPU@38.5C POM_5V_IN 1750/1628 POM_5V_GPU 0/0 POM_5V_CPU 366/406",
        {("power", "POM_5V_IN"): 1.75, ("power", "POM_5V_GPU"): 0.0, ("temperature", "CPU"): 38.5},
    ),
    "JetPack 6": (
        "RAM 1/2MB SWAP 0/3MB cpu@52.9C VDD_IN 5072mW/5072mW VDD_CPU_GPU_CV 816mW/816mW VDD_SOC 1464mW/1464mW",
        {("power", "VDD_IN"): 5.072, ("power", "VDD_SOC"): 1.464, ("temperature", "cpu"): 52.9},
    ),
    "JetPack 7.2, AGX Orin": (
        "07-25-2026 09:08:28 RAM 20642/62817MB (lfb 1x2MB) CPU [23%@2201,20%@2199] EMC_FREQ 3%@3199 GR3D_FREQ "
        "12%@[1300,1300] NVENC0 off cpu@52.968C/52.968C VDD_GPU_SOC 5139mW/5139mW/5139mW VDD_CPU_CV "
        "3268mW/3268mW/3268mW VIN_SYS_5V0 5500mW/5500mW/5500mW",
        {("power", "VIN_SYS_5V0"): 5.5, ("clock", "GPU"): 1300.0, ("clock", "CPU"): 2200.0},
    ),
    "JetPack 7.0, Thor": (
        "RAM 1/2MB GR3D_FREQ @[314,314,314] VDD_GPU 1962mW/1962mW VDD_CPU_SOC_MSS 5887mW/5887mW VIN_SYS_5V0 "
        "5635mW/5635mW VIN 19780mW/19780mW",
        {("power", "VIN"): 19.78, ("power", "VDD_GPU"): 1.962, ("clock", "GPU"): 314.0},
    ),
    "JetPack 7, Thor, idle": (
        "RAM 26063/125772MB (lfb 35x4MB) CPU [2%@972,0%@972] VDD_GPU -392mW/-392mW VDD_CPU_SOC_MSS 3924mW/3835mW "
        "VIN_SYS_5V0 5064mW/5055mW VIN 15004mW/15096mW",
        {("power", "VIN"): 15.004, ("power", "VDD_GPU"): -0.392, ("clock", "CPU"): 972.0},
    ),
}  # fmt: skip


@pytest.mark.parametrize("generation", LINES)
def test_tegrastats_of_every_generation_is_read(generation):
    line, wanted = LINES[generation]
    found = tegrastats.values_of_line(line)
    assert {name: found.get(name) for name in wanted} == wanted
    assert not {"RAM", "SWAP", "IRAM"} & {name for _, name in found}
    assert ("temperature", "PMIC") not in found


def test_tegrastats_stands_in_where_the_files_are_hidden(tmp_path):
    program = tmp_path / "usr/bin/tegrastats"
    program.parent.mkdir(parents=True)
    program.write_text(
        f"#!{sys.executable}\nimport time\nprint({LINES['JetPack 6'][0]!r}, flush=True)\ntime.sleep(60)\n"
    )
    program.chmod(0o755)
    sensor = tegrastats.find(machine(tmp_path))
    try:
        assert sensor.source == "tegrastats, total VDD_IN"
        assert (
            dict(zip([c.name for c in sensor.channels], sensor.read(), strict=True))["tegrastats VDD_IN power"] == 5.072
        )
        time.sleep(1.1)
        assert all(map(math.isnan, sensor.read()))  # the line is old
    finally:
        sensor.close()
    hwmon(tmp_path, "ina3221", {"VDD_IN": (5000, 2000)})
    assert tegrastats.find(machine(tmp_path)) is None
