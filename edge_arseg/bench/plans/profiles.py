"""How long a measurement takes, by name."""

from dataclasses import dataclass

from edge_arseg.errors import OptionError


@dataclass(frozen=True, slots=True)
class Profile:
    """How long.

    Attributes:
        seconds: that each run is measured.
        warm_up_s: that a warm-up takes at most.
        idle_s: that the machine is left alone, before the first run and behind the last, where power is measured.
    """

    seconds: float
    warm_up_s: float
    idle_s: float


PROFILES = {
    "quick": Profile(10.0, 5.0, 2.0),  # a look; a p99 of keyframes needs more
    "standard": Profile(120.0, 20.0, 10.0),  # 299 keyframes at 30 fps and GOP 12
    "mlperf": Profile(600.0, 60.0, 30.0),  # the time that MLPerf Power asks for
}


def profile_named(name: str) -> Profile:
    """Return a profile.

    Raises:
        OptionError: no such profile.
    """
    if name not in PROFILES:
        raise OptionError(f"no profile is called {name!r}; known: {', '.join(PROFILES)}")
    return PROFILES[name]
