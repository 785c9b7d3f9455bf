"""Engines of the toy bundle that are slow, wrong, missing or broken, to choose among."""

import time

from support.bundles.toy import ToyEngine

from edge_arseg.errors import EnvironmentUnfitError


class SlowEngine(ToyEngine):
    def _run(self, feeds):
        time.sleep(0.005)
        return super()._run(feeds)


class WrongEngine(ToyEngine):
    """Wrong in the fusion alone: 1 pixel in 16."""

    def _run(self, feeds):
        outputs = super()._run(feeds)
        if self.role.value == "fuse":
            outputs["class_map"][:, ::16] += 1
        return outputs


class MissingEngine(ToyEngine):
    def __init__(self, path, *, threads=None):
        raise EnvironmentUnfitError("no such library\nand more lines")


class BrokenEngine(ToyEngine):
    def __init__(self, path, *, threads=None):
        raise RuntimeError("a library of its own accord")


ENGINES = {kind: f"{__name__}:{kind.capitalize()}Engine" for kind in ("slow", "wrong", "missing", "broken")}
"""Backend to ``module:class``, as ``BACKENDS`` has them."""
