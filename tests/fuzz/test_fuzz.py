"""A thousand damaged inputs; and whether the harness would notice what it looks for."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from fuzz.children import is_outside
from fuzz.mutations import mutated, mutated_json

RUN = Path(__file__).with_name("run.py")
TESTS = Path(__file__).parents[1]

WORKS = """
    import ctypes, json, os, signal, sys, threading, time, warnings
    import numpy as np
    from edge_arseg.errors import GateError, SourceError
    from fuzz.children import CheckError, outcome_of

    def raises(error):
        raise error

    def strays():
        thread = threading.Thread(target=raises, args=(KeyError("x"),))
        thread.start()
        thread.join()

    works = {
        "nothing": lambda: None,
        "ours": lambda: raises(SourceError("no video")),
        "not ours": lambda: raises(ValueError("x")),
        "latin-1": lambda: b"\\xe9".decode(),
        "in a thread": strays,
        "a check": lambda: raises(CheckError("half a file")),
        "a warning": lambda: np.array([1.0]) / 0,
        "memory": lambda: bytearray(8 << 30),
        "a crash": lambda: os.kill(os.getpid(), signal.SIGSEGV),
        "an exit": lambda: os._exit(7),
        "a hang": lambda: time.sleep(60),
        "a loop": lambda: [None for _ in iter(int, 1)],
    }
    found = {}
    for name, work in works.items():
        found[name] = vars(outcome_of(work, seconds=0.4 if name in ("a hang", "a loop") else 20.0, memory=1 << 30))
    print(json.dumps(found))
"""


def test_the_harness_tells_what_ends_well_from_what_does_not():
    environment = {"PYTHONPATH": f"{TESTS.parent}:{TESTS}", "OPENBLAS_NUM_THREADS": "1", "PATH": "/usr/bin:/bin"}
    answer = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(WORKS)], capture_output=True, text=True, check=True, env=environment
    )
    found = json.loads(answer.stdout)
    assert {name: (outcome["kind"], outcome["detail"]) for name, outcome in found.items()} == {
        "nothing": ("read", ""),
        "ours": ("refused", "SourceError"),
        "not ours": ("fault", "ValueError"),
        "latin-1": ("fault", "UnicodeDecodeError"),
        "in a thread": ("fault", "an exception that nobody caught"),
        "a check": ("fault", "check"),
        "a warning": ("fault", "RuntimeWarning"),
        "memory": ("memory", "MemoryError"),
        "a crash": ("fault", "died of SIGSEGV"),
        "an exit": ("fault", "died of exit 7 without an answer"),
        "a hang": ("fault", "over 0.4 s"),
        "a loop": ("fault", "over 0.4 s"),
    }
    assert "half a file" in found["a check"]["message"]
    assert "in raises" in found["not ours"]["message"]


def test_a_crash_inside_ffmpeg_is_told_from_one_in_our_code():
    decode = TESTS.parent / "edge_arseg/video/decoding/decode.py"
    lines = decode.read_text().splitlines()
    inside = next(n for n, line in enumerate(lines, 1) if "packet.decode()" in line)
    ours = next(n for n, line in enumerate(lines, 1) if "return Picture(" in line)

    def dump(line, above=""):
        return (
            f"Fatal Python error: Segmentation fault\n\nCurrent thread 0x1 (most recent call first):\n{above}"
            f'  File "{decode}", line {line} in pictures\n  File "/x/tests/fuzz/run.py", line 3 in main\n'
        )

    assert is_outside(dump(inside))
    assert not is_outside(dump(ours))
    assert is_outside(dump(ours, '  File "/x/site-packages/onnxruntime/capi/session.py", line 9 in run\n'))
    assert not is_outside(dump(ours, '  File "/usr/lib/python3.11/threading.py", line 9 in wait\n'))
    assert not is_outside("")


def test_a_number_stands_for_one_input():
    data = bytes(range(256)) * 8
    first, again = (mutated(data, np.random.default_rng([1, 7]), b"other") for _ in range(2))
    assert first == again
    changed = {mutated(data, np.random.default_rng([1, n])) for n in range(200)}
    assert len(changed) > 190
    entry = json.dumps({"a": [1, {"b": "c"}], "d": 0.5}).encode()
    assert len({mutated_json(entry, np.random.default_rng(n)) for n in range(50)}) > 15


@pytest.mark.slow
def test_a_thousand_damaged_inputs_are_read_or_refused(tmp_path):
    record = tmp_path / "fuzz.json"
    answer = subprocess.run(
        [sys.executable, str(RUN), "--count", "1000", "--jobs", "2", "--record", str(record)],
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stdout[-6000:] + answer.stderr[-2000:]
    found = json.loads(record.read_text())
    assert (found["inputs"], found["faults"]) == (1000, {})
    assert set(found["kinds"]) > {"clip", "images", "labels", "stream", "bundle", "graph", "targets"}
    for tally in found["kinds"].values():
        assert tally.get("read", 0) + tally.get("refused", 0) > 0
