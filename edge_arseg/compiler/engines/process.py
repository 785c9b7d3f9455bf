"""A build in a process of its own.

What a build holds is given back when its process ends, so that the second branch finds the memory that the first one
used; and a build that the kernel kills for lack of memory takes nothing with it.
"""

import multiprocessing
import os
import signal
import threading
import time
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from edge_arseg import errors
from edge_arseg.compiler.engines.contract import BuildSettings, EngineBuilder
from edge_arseg.ended import told_end
from edge_arseg.errors import ArsegError, BuildError, MemoryExhaustedError, SinkError
from edge_arseg.spec.manifest import Precision
from edge_arseg.spec.progress import HEARTBEAT_S, Announce
from edge_arseg.storage.fault import advice_on

TENSORRT = "edge_arseg.compiler.engines.tensorrt:TensorRtBuilder"


@dataclass(frozen=True, slots=True)
class BuildJob:
    """One build, as the child process is told of it; everything in it can be sent.

    Attributes:
        builder: ``module:class`` of the builder, which is imported in the child only.
        name: of the graph, for messages.
        graph: ONNX file.
        precision: of the graph.
        settings: see ``BuildSettings``.
        plan: file to write.
        timing_cache: what an earlier build learnt, or empty.
    """

    builder: str
    name: str
    graph: Path
    precision: Precision
    settings: BuildSettings
    plan: Path
    timing_cache: bytes = b""


@dataclass(frozen=True, slots=True)
class BuildResult:
    """What the child reports; the plan itself is in the file.

    Attributes:
        timing_cache, layers, warnings: see ``BuiltEngine``.
        seconds: that the build took.
    """

    timing_cache: bytes
    layers: str
    warnings: tuple[str, ...]
    seconds: float


def builder_from_name(name: str) -> EngineBuilder:
    """Import and return a builder, by ``module:class``."""
    module, _, attribute = name.partition(":")
    return getattr(import_module(module), attribute)()


def result_from_job(job: BuildJob, progress: Announce, *, heartbeat_s: float = HEARTBEAT_S) -> BuildResult:
    """Build in a child process and wait for it, saying at least every ``heartbeat_s`` seconds that it is still running.

    Raises:
        ArsegError: what the builder raised.
        SinkError: the plan cannot be written.
        MemoryExhaustedError: the child was killed, as the kernel does where memory runs out.
        BuildError: the child ended in another way.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_child, args=(job, sender), name=f"build {job.name}", daemon=True)
    child.start()
    sender.close()
    try:
        answer = _answer(receiver, job.name, progress, heartbeat_s)
    except BaseException:  # interrupted: nobody waits for the build any more
        child.kill()
        raise
    finally:
        receiver.close()
        child.join(timeout=5.0)
        if child.is_alive():  # it has answered and is stuck on its way out
            child.kill()
            child.join()
    if isinstance(answer, BuildResult):
        return answer
    if answer is not None:
        kind, text = answer
        raise getattr(errors, kind)(text)  # one of that module: see ``_child``
    raise _death(job.name, child.exitcode)


def _answer(receiver: "Connection", name: str, progress: Announce, heartbeat_s: float) -> Any:
    """Pass on what the child says until its result, its error, or its silence for good (``None``)."""
    start = told = time.monotonic()
    last = "starting"
    while True:
        if receiver.poll(max(0.0, told + heartbeat_s - time.monotonic())):
            try:
                said = receiver.recv()
            except EOFError:
                return None
            if not isinstance(said, str):
                return said
            last = said
        if time.monotonic() - told >= heartbeat_s:
            told = time.monotonic()
            minutes, seconds = divmod(int(told - start), 60)
            progress(f"building {name}, {minutes}:{seconds:02d} so far: {last}")


def _death(name: str, code: int | None) -> ArsegError:
    if code == -signal.SIGKILL:
        return MemoryExhaustedError(
            f"building {name}: the build was killed, which the kernel does where memory runs out (see `sudo dmesg`); "
            "stop the desktop (sudo systemctl isolate multi-user.target), add swap, allow less scratch memory with "
            "--workspace 256, and type the same again: what is built is kept"
        )
    return BuildError(
        f"building {name}: the library ended the build's process {told_end(code)} without a message; "
        "see `sudo dmesg`, and try --hr fp32 --lr fp32 --fuse fp32"
    )


def _child(job: BuildJob, sender: "Connection") -> None:
    """Build and report. Runs in the child."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches both; the parent ends this one
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    try:
        answer: object = _built(job, sender)
    except ArsegError as error:
        kind = next(kind for kind in type(error).__mro__ if getattr(errors, kind.__name__, None) is kind)
        answer = kind.__name__, str(error)
    except MemoryError:
        answer = MemoryExhaustedError.__name__, f"building {job.name}: not enough memory; try --workspace 256"
    except Exception as error:  # a builder's bug; without this the parent would blame the library
        answer = BuildError.__name__, f"building {job.name}: {type(error).__name__}: {error}"
    sender.send(answer)
    sender.close()


def _end_with_parent() -> None:
    """End this process when its parent has been killed: a build that nobody waits for keeps the board's memory."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _built(job: BuildJob, sender: "Connection") -> BuildResult:
    start = time.monotonic()
    builder = builder_from_name(job.builder)
    made = builder.build(job.graph.read_bytes(), job.precision, job.settings, job.timing_cache, sender.send)
    try:
        job.plan.write_bytes(made.plan)
    except OSError as error:
        raise SinkError(f"cannot write {job.plan}: {advice_on(error, job.plan, needed=len(made.plan))}") from error
    return BuildResult(made.timing_cache, made.layers, made.warnings, time.monotonic() - start)
