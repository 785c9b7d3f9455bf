"""What reads each kind of input, as the product does, and what must be true afterwards."""

import hashlib
import json
import socket
import threading
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import av
import numpy as np
from fuzz.children import CheckError
from support.bundles.fake import FAKE, write_fake_bundle

from edge_arseg.cli.main import exit_code
from edge_arseg.errors import ArsegError
from edge_arseg.evaluation.labels.files import Labels
from edge_arseg.motion import KeyframePolicy, MotionChain
from edge_arseg.runtime.bundles.reading import MANIFEST, Bundle, read_bundle
from edge_arseg.runtime.bundles.summary import summary_from_bundle
from edge_arseg.runtime.device.board import board_from_files
from edge_arseg.spec.recipe import recipe_from_toml
from edge_arseg.spec.targets.files import jetpack_table, targets
from edge_arseg.training.datasets.classes import classes_from_file
from edge_arseg.video import open_video

LIMIT = 24
"""Frames read of one source: damage may make a clip endless."""

BOARDS = targets()
JETPACKS = jetpack_table()

Reader = Callable[[Path, str], None]
"""Takes the folder that the files are in, and the name of the damaged one."""


def read_clip(folder: Path, name: str) -> None:
    """All frames and their vectors, as far as ``LIMIT``."""
    _follow(str(folder / name))


def read_images(folder: Path, name: str) -> None:
    _follow(f"images://{folder}/*{Path(name).suffix}")


def read_labels(folder: Path, name: str) -> None:
    found = Labels(11).check(folder / name)
    if not 0 <= found.counted <= found.height * found.width:
        raise CheckError(f"{found.counted} of {found.height}x{found.width} pixels counted")


def read_stream(folder: Path, name: str) -> None:
    """A sender that closes in the end, is connected to again, and sends the same again."""
    content = (folder / name).read_bytes()
    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]
    threading.Thread(target=_send, args=(server, content), daemon=True).start()
    _follow(f"tcp://127.0.0.1:{port}", timeout_s=(2.0, 1.0), retry_s=0.3)


def read_run(folder: Path, name: str) -> None:
    """``run`` with every sink: nothing half-written is left."""
    bundle = write_fake_bundle(folder / "fake.arseg")
    out = folder / "out"
    sinks = (f"{out}/a.mp4", f"jsonl://{out}/a.jsonl", f"masks://{out}/masks")
    code = exit_code(["run", str(folder / name), *sinks, "-b", str(bundle), *FAKE, "--limit", str(LIMIT)])
    if code not in (0, 4, 6):
        raise CheckError(f"exit code {code}")
    _whole(out, code)
    if code:
        raise CommandError(code)


def read_whole_bundle(folder: Path, name: str) -> None:
    """All that is in a bundle, its golden frames and its graphs."""
    _everything(folder)


def read_signed_bundle(folder: Path, name: str) -> None:
    """The same where the manifest has the digests of the damaged files, so that these reach their readers."""
    if name != MANIFEST:
        _sign(folder, name)
    _everything(folder)


def read_inspected_bundle(folder: Path, name: str) -> None:
    """``inspect`` and ``run`` on a bundle whose manifest has the digests of the damaged files."""
    if name != MANIFEST:
        _sign(folder, name)
    for command in (["inspect", str(folder)], ["run", "test://street?frames=3", "null://", "-b", str(folder), *FAKE]):
        code = exit_code(command)
        if code not in (0, 2, 3, 4, 5, 6):
            raise CheckError(f"exit code {code} of {command[0]}")


def read_verified_bundle(folder: Path, name: str) -> None:
    """``verify`` and ``run`` of a real bundle with real engines and kernels."""
    if name != MANIFEST:
        _sign(folder, name)
    engine = ["--backend", "onnxruntime"]
    for command in (
        ["verify", str(folder), *engine],
        ["run", "test://street?frames=3", "null://", "-b", str(folder), "--threads", "1", *engine],
    ):
        code = exit_code(command)
        if code not in (0, 1, 3, 5, 6):
            raise CheckError(f"exit code {code} of {command[0]}")
    if code:
        raise CommandError(code)


def read_graph(folder: Path, name: str) -> None:
    """ONNX Runtime with one run."""
    from edge_arseg.runtime.engines.onnxruntime.engine import OnnxRuntimeEngine  # it has a thread once it is imported

    with OnnxRuntimeEngine(folder / name, threads=1) as engine:
        engine.run({name: np.zeros(spec.shape, spec.dtype) for name, spec in engine.inputs.items()})


def read_targets(folder: Path, name: str) -> None:
    targets(folder)


def read_recipe(folder: Path, name: str) -> None:
    recipe_from_toml((folder / name).read_text(errors="replace"))


def read_classes(folder: Path, name: str) -> None:
    classes_from_file(folder / name)


def read_board(folder: Path, name: str) -> None:
    """Never an error: a broken file counts as not there."""
    try:
        board = board_from_files(BOARDS, JETPACKS, folder)
    except ArsegError as error:
        raise CheckError(f"{type(error).__name__}: {error}") from error
    if not board.reason or (board.target is None and not board.is_jetson):
        raise CheckError(f"no answer: {board}")


class CommandError(ArsegError):
    """Stands for the exit code of a command."""

    def __init__(self, code: int) -> None:
        super().__init__(f"exit code {code}")
        self.exit_code = code
        self.label = f"exit code {code}"


def _follow(uri: str, **options: object) -> None:
    """Read frames as ``run`` does, keyframes every four."""
    with open_video(uri, motion="auto", **options) as reader:
        chain = MotionChain(reader.height, reader.width, policy=KeyframePolicy(4))
        last = None
        for frame in islice(reader, LIMIT):
            if frame.rgb.dtype != np.uint8 or frame.rgb.shape != (reader.height, reader.width, 3):
                raise CheckError(f"a frame of {frame.rgb.shape} {frame.rgb.dtype}")
            if not np.isfinite(frame.time_s) or (last is not None and frame.time_s <= last):
                raise CheckError(f"a time of {frame.time_s} behind {last}")
            _, motion = chain.follow(frame)
            if not np.isfinite(motion.flow).all():
                raise CheckError("a vector that is not finite")
            last = frame.time_s


def _send(server: socket.socket, content: bytes) -> None:
    with server:
        for _ in range(2):
            try:
                connection, _ = server.accept()
                with connection:
                    connection.sendall(content)
            except OSError:
                continue  # the reader has seen enough


def _whole(out: Path, code: int) -> None:
    """Check that what is there is whole: as many frames in every sink, and nothing else."""
    written = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()) if out.exists() else []
    if not written:
        if out.exists() and code:
            raise CheckError("an empty folder is left")
        return
    lines = [json.loads(line) for line in (out / "a.jsonl").read_text().splitlines()]
    masks = sorted(out.glob("masks/*.png"))
    strange = set(written) - {"a.mp4", "a.jsonl", *(str(mask.relative_to(out)) for mask in masks)}
    strange -= {"masks/classes.json"}
    if strange:
        raise CheckError(f"left behind: {sorted(strange)}")
    for mask in masks:
        Labels(11).check(mask)
    with av.open(str(out / "a.mp4")) as video:
        frames = sum(1 for _ in video.decode(video=0))
    if len({len(lines), len(masks), frames}) != 1:
        raise CheckError(f"{len(lines)} lines, {len(masks)} masks, {frames} frames in the video, exit code {code}")


def _sign(folder: Path, name: str) -> None:
    manifest = json.loads((folder / MANIFEST).read_bytes())
    content = (folder / name).read_bytes()
    manifest["files"][name] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    (folder / MANIFEST).write_text(json.dumps(manifest))


def _everything(folder: Path) -> None:
    bundle: Bundle = read_bundle(folder)
    refused = None
    for part in (
        bundle.golden_frames,
        bundle.fusion_weights,
        bundle.decoder_weights,
        lambda: summary_from_bundle(bundle),
    ):
        try:
            part()
        except ArsegError as error:
            refused = error
    if refused:
        raise refused


READERS: dict[str, tuple[Reader, ...]] = {
    "clip": (read_clip, read_clip, read_clip, read_run),
    "images": (read_images,),
    "labels": (read_labels,),
    "stream": (read_stream,),
    "bundle": (read_whole_bundle, read_signed_bundle, read_signed_bundle, read_inspected_bundle),
    "shipped": (read_whole_bundle, read_signed_bundle, read_verified_bundle),
    "graph": (read_graph,),
    "targets": (read_targets,),
    "recipe": (read_recipe,),
    "classes": (read_classes,),
    "board": (read_board,),
}
SHARES = {
    "clip": 50,
    "images": 11,
    "labels": 7,
    "stream": 4,
    "bundle": 12,
    "shipped": 1,
    "graph": 5,
    "targets": 3,
    "recipe": 2,
    "classes": 1,
    "board": 4,
}
"""Per cent of the inputs."""
