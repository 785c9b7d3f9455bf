"""Clocks of the CPU's groups of cores, of the GPU and of the memory."""

from pathlib import Path

from edge_arseg.bench.records.energy import Channel
from edge_arseg.bench.sensors.base import Machine, Sensor, number_of, value_of

GPUS = (".gpu", ".ga10b", ".gv11b", ".gp10b", "gpu-gpc-0", "gpu-nvd-0")
"""Ends of the names of a Jetson's GPU in ``devfreq``."""


class ClockSensor:
    """A ``Sensor`` of clocks.

    Args:
        files: by name, with what makes megahertz of their numbers.
    """

    interval_s = 0.2

    def __init__(self, files: dict[str, tuple[Path, float]]) -> None:
        self.source = f"clocks of {', '.join(files)}"
        self.channels = tuple(Channel(f"{name} clock", "clock") for name in files)
        self._files = tuple(files.values())

    def read(self) -> list[float]:
        """See ``Sensor``; megahertz."""
        return [value_of(path, scale) for path, scale in self._files]

    def close(self) -> None:
        """See ``Sensor``."""


def find(machine: Machine) -> Sensor | None:
    """Return the clocks of this machine; ``None`` where it shows none."""
    sys = machine.root / "sys"
    files = {
        f"CPU {path.parent.name}": (path, 1e-3)
        for path in sorted(sys.glob("devices/system/cpu/cpufreq/policy*/scaling_cur_freq"))
    }
    for path in sorted(sys.glob("class/devfreq/*/cur_freq")):
        if path.parent.name.endswith(GPUS):
            files[f"GPU {path.parent.name}"] = (path, 1e-6)
    memory = sys / "kernel/debug/bpmp/debug/clk/emc/rate"  # root alone
    files["memory"] = (memory, 1e-6)
    files = {name: entry for name, entry in files.items() if number_of(entry[0]) is not None}
    return ClockSensor(files) if files else None
