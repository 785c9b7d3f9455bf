"""Fixtures of the whole suite. Nothing heavy is imported here: the device half's tests run without torch."""

import atexit
import os
import shutil
import signal
import sys
import tempfile

# Where the suite runs in the background, the shell makes it ignore SIGINT, and so would commands that tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# What tests find out about engines and compile is kept from test to test, and never in the user's own cache. Processes
# that pytest-xdist starts take over the variable of the one that started them.
if "EDGE_ARSEG_TEST_CACHE" not in os.environ:
    os.environ["EDGE_ARSEG_TEST_CACHE"] = tempfile.mkdtemp(prefix="edge-arseg-tests-")
    atexit.register(shutil.rmtree, os.environ["EDGE_ARSEG_TEST_CACHE"], ignore_errors=True)
    os.environ["EDGE_ARSEG_TARGETS"] = tempfile.mkdtemp(dir=os.environ["EDGE_ARSEG_TEST_CACHE"])  # nobody's own boards
os.environ["XDG_CACHE_HOME"] = os.environ["EDGE_ARSEG_TEST_CACHE"]

# Tests run in two processes at once; threads of torch that wait for each other spin and slow both down.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

# A property that takes longer on a busy machine is not false.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

# Where torch is not installed, as on a board, the suite is that of the device half; other tests that need it skip.
collect_ignore = [] if find_spec("torch") else ["compiler", "network", "tools/zoo", "training"]


@dataclass(frozen=True)
class Answer:
    """What a command printed and exited with."""

    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def no_hang(request):
    """What hangs fails its test instead of the whole run.

    A test that hangs inside a library cannot be failed from here: ``make test`` ends its process after
    ``faulthandler_timeout`` seconds, and shows what each thread was doing. Until then, it has half of that time.
    """
    seconds = float(request.config.getini("faulthandler_timeout")) or 840.0
    minutes = left = 60 if request.node.get_closest_marker("slow") else round(seconds / 120)

    def count(*_args):  # however long this process is stopped itself, that counts as one
        nonlocal left
        left -= 1
        if not left:
            raise AssertionError(f"still running after {minutes} minutes")

    before = signal.signal(signal.SIGALRM, count)
    signal.setitimer(signal.ITIMER_REAL, 60, 60)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(autouse=True)
def one_candidate(monkeypatch):
    """Which engine is the fastest differs from run to run: tests that do not look at the choice get ONNX Runtime."""
    monkeypatch.setattr("edge_arseg.runtime.choice.trial._SECONDS", 0.0)
    monkeypatch.setattr("edge_arseg.runtime.choice.engine_choice.CANDIDATES", ("onnxruntime",))


@pytest.fixture(autouse=True)
def quick_records(monkeypatch):
    """Times of tests need not be steady, and their 95 % intervals may be rough: resampling took most of a record."""
    monkeypatch.setattr("edge_arseg.bench.measuring.FRAMES_WARM_UP", 4)
    monkeypatch.setattr("edge_arseg.bench.summaries.resampling.TIMES", 20)


@pytest.fixture(scope="session", autouse=True)
def help_is_written():
    """Help names the backends that there are when it is imported: none that a test adds for its own time."""
    import edge_arseg.cli.options  # noqa: F401


@pytest.fixture(scope="session", autouse=True)
def kept_traces():
    """Graphs of the small network are traced once in all processes, where tests that were collected export."""
    with pytest.MonkeyPatch.context() as patch:
        if "edge_arseg.compiler.export.branches" in sys.modules:
            from support.networks.tracing import keep_traces

            keep_traces(patch, Path(os.environ["EDGE_ARSEG_TEST_CACHE"], "traces"))
        yield


@pytest.fixture
def edge_arseg(capsys) -> Callable[..., Answer]:
    """Run ``edge-arseg`` in this process."""
    from edge_arseg.cli.main import exit_code

    def call(*arguments: object) -> Answer:
        capsys.readouterr()
        code = exit_code([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Answer(code, captured.out, captured.err)

    return call


@pytest.fixture(scope="session")
def own_checkpoint(tmp_path_factory):
    """The small network of ``examples/own_backbone.py`` as the arguments that name it."""
    pytest.importorskip("torch")
    from support.networks.small import OWN, own_network

    from edge_arseg.network.checkpoint.safetensors_file import safetensors_from_network

    path = safetensors_from_network(own_network(), tmp_path_factory.mktemp("checkpoint") / "own.safetensors")
    return path, "--backbone", OWN


@pytest.fixture(scope="session")
def own_bundle(tmp_path_factory):
    """That network as a bundle for frames of 90x122, GOP 5; it is exported once in all processes."""
    pytest.importorskip("torch")
    from support.networks.small import own_network

    from edge_arseg.compiler.export.export import bundle_from_network
    from edge_arseg.compiler.export.settings import ExportSettings

    path = tmp_path_factory.mktemp("bundle") / "own.arseg"
    kept = Path(os.environ["EDGE_ARSEG_TEST_CACHE"], "own.arseg")
    if kept.exists():
        return shutil.copytree(kept, path)
    bundle_from_network(own_network(), ExportSettings(90, 122, 0.5, 5), path)
    part = shutil.copytree(path, kept.with_suffix(f".{os.getpid()}"))
    with suppress(OSError):  # another process was first
        part.rename(kept)
    return path
