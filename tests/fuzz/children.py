"""One piece of work in a process of its own, with a limit of time and of memory; the parent stays as it was.

The parent has everything loaded and forks, so that a child costs milliseconds. It must have no threads.
"""

import faulthandler
import json
import linecache
import os
import re
import resource
import select
import signal
import sys
import tempfile
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from edge_arseg.errors import ArsegError

PACKAGE = f"{os.sep}edge_arseg{os.sep}"
OUTSIDE = re.compile(
    r"av\.open\(|\.decode\(|\.demux\(|next\(self\._packets|\.encode\(|\.mux\(|\.reformat\(|\.to_ndarray\(|\.process\("
    r"|InferenceSession\(|run_with_iobinding|\.close\(\)|\.push\(|\.pull\("
)
"""Lines of ours that are inside FFmpeg or ONNX Runtime while they run."""


class CheckError(Exception):
    """Something that must not be, found by a check of the work itself."""


@dataclass(frozen=True)
class Outcome:
    """How a piece of work ended.

    Attributes:
        kind: ``read``; ``refused``: with an error of ours; ``memory``: not enough of it; ``outside``: the process died
            or ran over its time inside outside software; ``fault``: anything else, which is ours to mend.
        detail: the class of the error, the signal, or the fault itself.
        message: of the error.
    """

    kind: str
    detail: str = ""
    message: str = ""


def outcome_of(work: Callable[[], object], *, seconds: float, memory: int) -> Outcome:
    """Do ``work`` in a child.

    Args:
        work: raises what it likes.
        seconds: the child may run.
        memory: bytes that it may allocate on top of the parent's.
    """
    with tempfile.TemporaryFile() as log:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            _child(work, writing, log, memory)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            answer, in_time = _answer(pipe, time.monotonic() + seconds)
        if not in_time:
            os.kill(child, signal.SIGUSR1)  # the child writes down where it is
            time.sleep(0.3)
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        log.seek(0)
        text = log.read().decode(errors="replace")
    if answer and in_time:
        found = Outcome(**json.loads(answer))
        if "Traceback (most recent call last)" in text and found.kind != "fault":
            return Outcome("fault", "traceback on stderr", text[-3000:])
        return found
    how = f"over {seconds:g} s" if not in_time else f"died of {_signal(status)}"
    kind = "outside" if is_outside(text) else "fault"
    return Outcome(kind, how, "" if kind == "outside" else text[-3000:])


def is_outside(dump: str) -> bool:
    """Return whether a thread was inside outside software, by what ``faulthandler`` wrote."""
    for thread in re.split(r"\n(?=(?:Current thread|Thread) 0x)", dump):
        frames = re.findall(r'File "([^"]+)", line (\d+) in', thread)
        ours = next((i for i, (file, _) in enumerate(frames) if PACKAGE in file), None)
        above = frames[:ours]
        if ours is None:
            continue
        if any(f"{os.sep}{name}{os.sep}" in file for file, _ in above for name in ("av", "onnxruntime", "numpy")):
            return True
        if not above and OUTSIDE.search(linecache.getline(frames[ours][0], int(frames[ours][1]))):
            return True
    return False


def _answer(pipe: IO[bytes], deadline: float) -> tuple[bytes, bool]:
    answer = b""
    while True:
        ready, _, _ = select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return answer, False
        piece = os.read(pipe.fileno(), 1 << 16)
        if not piece:
            return answer, True
        answer += piece


def _signal(status: int) -> str:
    if os.WIFSIGNALED(status):
        return signal.Signals(os.WTERMSIG(status)).name
    return f"exit {os.WEXITSTATUS(status)} without an answer"


def _child(work: Callable[[], object], writing: int, log: IO[bytes], memory: int) -> None:
    """Never returns."""
    found = Outcome("fault", "the child did not start")
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
        faulthandler.enable(log.fileno())
        faulthandler.register(signal.SIGUSR1, log.fileno(), all_threads=True)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        limit = _address_space() + memory
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        warnings.simplefilter("error")
        stray: list[str] = []
        sys.unraisablehook = lambda seen: stray.append(_trace(seen.exc_value))
        threading.excepthook = lambda seen: stray.append(_trace(seen.exc_value))
        found = _outcome(work)
        if stray and found.kind not in ("fault", "memory"):
            found = Outcome("fault", "an exception that nobody caught", "\n".join(stray)[-3000:])
    except BaseException as error:
        found = Outcome("fault", type(error).__name__, _trace(error))
    finally:
        os.write(writing, json.dumps(vars(found)).encode())
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def _outcome(work: Callable[[], object]) -> Outcome:
    try:
        work()
    except MemoryError as error:
        return Outcome("memory", type(error).__name__, str(error))
    except ArsegError as error:
        if error.exit_code not in (1, 2, 3, 4, 5, 6):
            return Outcome("fault", f"exit code {error.exit_code}", str(error))
        return Outcome("refused", getattr(error, "label", type(error).__name__), str(error))
    except CheckError as error:
        return Outcome("fault", "check", str(error))
    except BaseException as error:
        return Outcome("fault", type(error).__name__, _trace(error))
    return Outcome("read")


def _trace(error: Any) -> str:
    return "".join(traceback.format_exception(error))[-3000:]


def _address_space() -> int:
    pages = Path("/proc/self/statm").read_text().split()[0]
    return int(pages) * resource.getpagesize()
