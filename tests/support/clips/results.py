"""Results to write and processes that write them, for the tests of the sinks."""

import subprocess
import sys
import textwrap

import av
import numpy as np
from support.children import Child

from edge_arseg.spec.frame import Branch, Frame, MotionField, MotionSource, SegmentedFrame
from edge_arseg.spec.model import CAMVID_11
from edge_arseg.video.sinks import open_sink

SIZE = (48, 64)


def result_at(index=0, *, time_s=None, size=SIZE, seed=0, branch=None):
    rng = np.random.default_rng([seed, index])
    rows = np.arange(size[0])[:, None, None]
    rgb = np.broadcast_to((rows * 3 + index * 5) % 256, (*size, 3)).astype(np.uint8)
    class_map = (np.arange(size[1])[None, :] // 6 + rng.integers(0, 2, (size[0], 1))).astype(np.uint8)
    distance = index % 12
    branch = branch or (Branch.LR if distance else Branch.HR)
    motion = None
    if branch is Branch.LR:
        motion = MotionField(np.zeros((3, 4, 2), np.float32), 16, MotionSource.RECODE, 0.125)
    frame = Frame(index, index / 15 if time_s is None else time_s, rgb)
    return SegmentedFrame(frame, class_map, branch, distance, 4.5678, motion)


def opened(uri, **keywords):
    return open_sink(str(uri), **{"size": SIZE, "rate": 15.0, "classes": CAMVID_11} | keywords)


def decoded(path):
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


WRITER = """
    import sys, time
    import numpy as np
    from edge_arseg.spec.model import CAMVID_11
    from edge_arseg.spec.frame import Branch, Frame, SegmentedFrame
    from edge_arseg.video.sinks import open_sink

    rng = np.random.default_rng(0)
    rgb, class_map = rng.integers(0, 256, (96, 128, 3), np.uint8), np.zeros((96, 128), np.uint8)
    try:
        with open_sink(sys.argv[1], size=(96, 128), rate=10.0, classes=CAMVID_11) as sink:
            for index in range(int(sys.argv[2])):
                frame = Frame(index, index / 10, np.roll(rgb, index, 0))
                sink.write(SegmentedFrame(frame, class_map, Branch.LR, 1, 1.0))
                if index >= 45 and sys.argv[3] == "slowly":
                    print(index, flush=True)
                    time.sleep(0.02)
                if sink.finished:
                    break
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    except OSError as error:
        print(type(error).__name__, error, file=sys.stderr)
        sys.exit(error.exit_code)
"""


def start_writer(target, count="100000", pace="slowly", **keywords):
    command = [sys.executable, "-c", textwrap.dedent(WRITER), str(target), count, pace]
    return Child(command, limit_s=60, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **keywords)
