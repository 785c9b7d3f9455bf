"""Signals to real processes: what is written is whole and equal in length, and the exit code names the signal."""

import itertools
import signal
import subprocess
import sys
import time

import av
import pytest
from support.bundles.fake import FAKE, HEIGHT, WIDTH
from support.children import Child

STREET = f"test://street?size={HEIGHT}x{WIDTH}&frames=100000"
SIGNALS = [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)]


def start(*arguments, **options):
    """Start Python with the usual answers to signals, also where the tests themselves run under nohup."""
    options.setdefault("preexec_fn", usual_signals)
    return Child([sys.executable, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def usual_signals():
    for number, _ in SIGNALS:
        signal.signal(number, signal.SIG_DFL)


def frames_in(path):
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_every_sink_ends_with_the_same_frame(fake_bundle, tmp_path, number, code):
    sinks = (tmp_path / "a.mp4", f"masks://{tmp_path}/masks", f"jsonl://{tmp_path}/a.jsonl", "jsonl://-")
    with start("-m", "edge_arseg", "run", STREET, *sinks, "-b", fake_bundle, *FAKE) as process:
        lines = list(itertools.islice(process.stdout, 20))
        process.send_signal(number)
        rest, error = process.communicate(timeout=60)
    count = len(lines) + len(rest.splitlines())
    name = "" if number == signal.SIGINT else f" by {number.name}"
    assert process.returncode == code, error
    assert error.rstrip().endswith(f"interrupted{name}")
    assert f"{count} frames, " in error
    assert f"written to {tmp_path}/a.mp4, masks://{tmp_path}/masks" in error
    assert frames_in(tmp_path / "a.mp4") == len(list((tmp_path / "masks").iterdir())) == count
    assert len((tmp_path / "a.jsonl").read_text().splitlines()) == count


@pytest.mark.parametrize("delay_s", [0.0, 0.1, 0.4, 0.8])
def test_a_signal_during_the_start_leaves_nothing_or_whole_files(fake_bundle, tmp_path, delay_s):
    sinks = (tmp_path / "new/a.mp4", f"masks://{tmp_path}/new/masks", f"jsonl://{tmp_path}/new/a.jsonl")
    with start("-m", "edge_arseg", "run", STREET, *sinks, "-b", fake_bundle, *FAKE) as process:
        while not catches(process.pid, signal.SIGTERM):
            time.sleep(0.005)
        time.sleep(delay_s)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 143, process.stderr.read()
    if not (tmp_path / "new").exists():
        return
    assert not [path for path in (tmp_path / "new").rglob("*") if path.name.startswith(".")]
    count = len((tmp_path / "new/a.jsonl").read_text().splitlines())
    assert count == frames_in(tmp_path / "new/a.mp4") == len(list((tmp_path / "new/masks").iterdir()))


def catches(pid, number):
    with open(f"/proc/{pid}/status") as status:  # noqa: PTH123
        caught = next(line for line in status if line.startswith("SigCgt:"))
    return int(caught.split()[1], 16) >> (number - 1) & 1


WAITING = """
import sys, time
from edge_arseg.cli.ends import signals
from edge_arseg.cli.ends.signals import ended_by_signals
from edge_arseg.storage.uninterrupted import ECHO_S, uninterrupted
signals.NOTICE_S = ECHO_S + 0.1
with ended_by_signals(), uninterrupted():
    print("waits", flush=True)
    while True:
        time.sleep(0.1) if {sleeps} else sum(range(10**7))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_at_once(number):
    with start("-c", WAITING.format(sleeps=True)) as process:
        process.stdout.readline()
        process.send_signal(number)
        assert "the same signal once more ends at once" in process.stderr.readline()
        assert process.poll() is None  # it finishes what it writes
        process.send_signal(number)
        assert process.wait(5) == 128 + number


def test_two_signals_of_one_event_are_one():
    with start("-c", WAITING.format(sleeps=True)) as process:
        process.stdout.readline()
        process.send_signal(signal.SIGHUP)
        time.sleep(0.05)
        process.send_signal(signal.SIGHUP)
        time.sleep(0.3)
        alive = process.poll() is None
        process.kill()
    assert alive


def test_what_nohup_ignores_stays_ignored(fake_bundle):
    def ignore():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    street = STREET.replace("100000", "40")
    with start("-m", "edge_arseg", "run", street, "jsonl://-", "-b", fake_bundle, *FAKE, preexec_fn=ignore) as process:
        process.stdout.readline()
        process.send_signal(signal.SIGHUP)
        rest = process.stdout.readlines()  # communicate() would miss the lines that came with the first
        error = process.communicate(timeout=60)[1]
    assert (process.returncode, len(rest)) == (0, 39), error


DROPPING = """
import os, signal, sys, threading
from edge_arseg.cli.ends.exit_code import code_of_command
from edge_arseg.cli.ends.signals import ended_by_signals

def interrupted():
    os.kill(os.getpid(), {number})
    for _ in range(1000):
        int("1")

class Freed:
    def __del__(self):
        interrupted()

def free():
    Freed()

def ignore():
    try:
        interrupted()
    except BaseException:
        pass

def command():
    with ended_by_signals():
        {drop}()
        print("goes on", flush=True)
        threading.Event().wait(30)

sys.exit(code_of_command(command))
"""


@pytest.mark.parametrize("drop", ["free", "ignore"])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_that_falls_where_nothing_is_passed_on_ends_the_command_all_the_same(drop, number, code):
    with start("-c", DROPPING.format(number=int(number), drop=drop)) as process:
        out, error = process.communicate(timeout=60)
    assert (process.returncode, out) == (code, "goes on\n"), error
    assert "Traceback" not in error


FORKING = """
import os, signal, time
from edge_arseg.cli.ends.signals import ended_by_signals
with ended_by_signals():
    child = os.fork()
    if not child:
        time.sleep(60)
    time.sleep(0.2)
    os.kill(child, signal.SIGTERM)
    print(os.waitpid(child, 0)[1], flush=True)
"""


def test_a_worker_process_ends_by_the_signal_itself():
    # Python 3.12 warns of the fork itself, which is what is tried here
    with start("-W", "ignore::DeprecationWarning", "-c", FORKING) as process:
        out, error = process.communicate(timeout=30)
    assert (process.returncode, out, error) == (0, "15\n", "")


LOST = """
import signal, sys, time, weakref
from edge_arseg.cli.ends.signals import ended_by_signals

class Thing:
    pass

def gone(_):
    signal.raise_signal(signal.SIGINT)
    for _ in range(1000):  # the handler runs here, and what it raises goes nowhere
        pass

thing = Thing()
kept = weakref.ref(thing, gone)
try:
    with ended_by_signals():
        del thing
        time.sleep(20)
        print("lost")
except KeyboardInterrupt as error:
    print("raised", error)
"""


def test_a_signal_that_comes_where_python_lets_no_error_out_is_raised_behind_it():
    """In a ``__del__`` or the callback of a weakref it was told as an ignored exception, and the command went on."""
    answer = subprocess.run([sys.executable, "-c", LOST], capture_output=True, text=True, timeout=60, check=False)
    assert (answer.returncode, answer.stdout.strip(), answer.stderr) == (0, "raised interrupted", "")


MADE_OF_IT = """
import os, signal, sys, time
from edge_arseg.cli.ends.exit_code import code_of_command
from edge_arseg.cli.ends.signals import ended_by_signals
from edge_arseg.errors import GateError

def command():
    with ended_by_signals():
        error = None
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(9)
        except KeyboardInterrupt as stop:
            {within}
        {behind}

sys.exit(code_of_command(command))
"""


@pytest.mark.parametrize(
    ("within", "behind", "code", "told"),
    [
        ("raise ImportError('initialization failed') from stop", "", 143, "interrupted by SIGTERM"),
        ("pass", "raise ImportError('numpy failed to import')", 143, "interrupted by SIGTERM"),
        ("raise ImportError('while it ended')", "", 70, "unforeseen ImportError: while it ended"),
        ("pass", "raise GateError('below the gate')", 1, "error: below the gate"),
    ],
)
def test_an_error_that_a_library_makes_of_a_signal_is_no_fault_of_ours(within, behind, code, told):
    """A module in C++ whose start is interrupted says "initialization failed": that was reported as a bug, code 70."""
    with start("-c", MADE_OF_IT.format(within=within, behind=behind)) as process:
        _, error = process.communicate(timeout=60)
    assert (process.returncode, told in error) == (code, True), error
