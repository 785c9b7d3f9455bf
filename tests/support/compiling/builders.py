"""Builders for tests of what surrounds a build. They run in child processes, so what they do is told by the graph."""

import os
import signal
import time
from pathlib import Path

from edge_arseg.compiler.engines.contract import BuiltEngine, EngineBuilder
from edge_arseg.errors import BuildError, MemoryExhaustedError

GOOD = "support.compiling.builders:FakeBuilder"


class FakeBuilder(EngineBuilder):
    """A plan is ``plan of`` and the graph. Lines of ``$FAKE_BUILDER_LOG`` count the builds."""

    library, version = "fake", "1.2.3"

    def flags(self, settings):
        return (f"workspace={settings.workspace_bytes >> 20}MiB",)

    def build(self, graph, precision, settings, timing_cache, report):
        if log := os.environ.get("FAKE_BUILDER_LOG"):
            with Path(log).open("a") as file:
                file.write(f"{os.getpid()} {precision.value} {timing_cache.decode()}\n")
        report("half way")
        return BuiltEngine(b"plan of " + graph, timing_cache + b"+", '{"Layers": []}', ("a warning",))


class Silent(FakeBuilder):
    def build(self, graph, precision, settings, timing_cache, report):
        report("thinking hard")
        time.sleep(1.5)
        return super().build(graph, precision, settings, timing_cache, lambda _: None)


class Stuck(FakeBuilder):
    def build(self, graph, precision, settings, timing_cache, report):
        report("for ever")
        time.sleep(600)


class Killed(FakeBuilder):
    def build(self, *_):
        os.kill(os.getpid(), signal.SIGKILL)


class Crashing(FakeBuilder):
    def build(self, *_):
        os.kill(os.getpid(), signal.SIGSEGV)


class Leaving(FakeBuilder):
    def build(self, *_):
        os._exit(3)


class Refusing(FakeBuilder):
    def build(self, *_):
        raise BuildError("no such layer; type something else")


class NoLicenceError(BuildError):
    """An error of a builder of one's own."""


class Unlicensed(FakeBuilder):
    def build(self, *_):
        raise NoLicenceError("no licence; ask for one")


class Full(FakeBuilder):
    def build(self, *_):
        raise MemoryExhaustedError("out of it")


class Buggy(FakeBuilder):
    def build(self, *_):
        raise KeyError("surprise")


class Interrupted(FakeBuilder):
    """Fails for graphs whose role is not among ``$FAKE_BUILDER_ABLE``; the toy bundle's graphs all look alike."""

    def build(self, graph, precision, settings, timing_cache, report):
        able = int(os.environ["FAKE_BUILDER_ABLE"])
        if len(timing_cache) >= able:
            raise BuildError("the power went out")
        return super().build(graph, precision, settings, timing_cache, report)


class Newer(FakeBuilder):
    version = "2.0.0"
