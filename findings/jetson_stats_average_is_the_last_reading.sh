#!/usr/bin/env bash
# jetson-stats 7.2.2 (jtop): the "avg" of a power rail and of the board's total is no mean of a run. It is the mean of the
# newest reading and the "avg" before, so that the last two readings make up three quarters of it.
#
# jtop documents "avg" as "rail power average" and sets it back when nobody listens any more, so it looks like the mean since one
# began to listen. A benchmark that reads "avg" at its end and multiplies it by the time gets the power of its last readings:
# those behind the last frame, where the board idles already, if it reads a moment later. Nothing in jtop's values or log
# tells over which time "avg" is; of the same run it may be less than a quarter of what it was five readings before.
#
# A way round: take "power" of each reading and make the mean oneself, over the time between readings; or read the files of the
# INA3221 directly, as edge_arseg does (edge_arseg/bench/sensors/).
#
# Seen below: files as the kernel of a Jetson Orin Nano has them, without a Jetson: 100 readings of 10 W, then some
# of 2 W. The mean of all readings and jtop's "avg".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check jetson-stats==7.2.2 2>/dev/null
cat > "$folder/seen.py" <<'PY'
import logging
import sys
from importlib.metadata import version
from pathlib import Path

logging.disable(logging.CRITICAL)
from jtop.core.power import PowerService, find_all_i2c_power_monitor

sensor = Path(sys.argv[1], "devices", "1-0040")
files = sensor / "hwmon" / "hwmon1"
files.mkdir(parents=True)
(sensor / "name").write_text("ina3221\n")
for number, label in ((1, "VDD_IN"), (2, "VDD_CPU_GPU_CV"), (3, "VDD_SOC")):
    (files / f"in{number}_label").write_text(f"{label}\n")
    (files / f"in{number}_input").write_text("5000\n")
    (files / f"curr{number}_input").write_text("0\n")


def averages(currents):
    """Total power of each reading and jtop's last "avg", in mW, for currents in mA at 5 V."""
    service = PowerService()
    service._power_sensor = find_all_i2c_power_monitor(str(sensor.parent))
    readings = []
    for current in currents:
        (files / "curr1_input").write_text(f"{current}\n")
        total = service.get_status()["tot"]
        assert total["name"] == "VDD_IN" and total["power"] == 5 * current, "the measurement itself is off"
        readings.append(total["power"])
    return readings, total["avg"]


print("jetson-stats", version("jetson-stats"))
seen = []
for idle in (0, 1, 2, 5):
    readings, average = averages([2000] * 100 + [400] * idle)
    seen.append(average)
    print(f"100 readings at 10 W, {idle} at 2 W: mean {sum(readings) / len(readings):.0f} mW, avg {average} mW")
assert seen == [10000, 6000, 4000, 2250], "the behaviour has changed"
PY
"$folder/venv/bin/python" "$folder/seen.py" "$folder"
