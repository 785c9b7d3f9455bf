"""One run of a record: a bundle in one mode, on one engine library, with one setting of everything."""

from dataclasses import dataclass, field

from edge_arseg.bench.records.accuracy import Accuracy
from edge_arseg.bench.records.energy import RunEnergy
from edge_arseg.bench.records.summary import Estimate, Summary
from edge_arseg.quantity import counted


@dataclass(frozen=True, slots=True)
class BundleFacts:
    """What ran.

    Attributes:
        name, digest: of the bundle; the digest joins speed and accuracy.
        height, width: of the frames, pixels.
        lr_scale: size of the LR image over that of the frame.
        gop: that the bundle was made for; a run may have another ``interval``.
        precision: by graph: ``hr``, ``lr``, ``fuse`` ...
        hr_only: the bundle has the HR branch alone.
        hr_macs: MACs of a keyframe, as the manifest has them; 1 MAC is 2 FLOPs.
        lr_macs: of the LR branch alone; ``fuse_macs``: of fusion and head; a frame between keyframes takes both.
        files_mb: of the bundle, 10^6 bytes.
    """

    name: str
    digest: str
    height: int
    width: int
    lr_scale: float
    gop: int
    precision: dict[str, str]
    hr_only: bool
    hr_macs: int
    lr_macs: int
    fuse_macs: int
    files_mb: float


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What was chosen for a run; two runs are alike where these are.

    Attributes:
        mode: ``ar``, ``hr`` or ``lr``.
        backend, fusion: engine library and way of fusing, as they were settled; ``threads``: ``None``: all cores.
        precision: of the branches in one word: ``fp32``, ``fp16``, ``int8``, ``mixed``, or ``hr int8, lr fp32``.
        lr_scale: of the bundle.
        interval: frames from keyframe to keyframe (GOP).
        motion: that was asked for; ``recode_scale`` of it.
        loop: ``closed`` (as fast as possible) or ``open`` (frames come at ``rate``, and what is late is dropped).
        rate: frames a second of an open loop.
        deadline_ms: of an open loop: age that a frame may have when its class map is ready.
        stream: of the container.
        unchecked: a bundle that does not give the right classes here was let pass.
        keyframes: way of keyframes, as ``run --keyframes`` names it.
        scene_cut: share of a frame without motion vectors that makes it a keyframe; ``None``: none does.
    """

    mode: str
    backend: str
    fusion: str
    threads: int | None
    precision: str
    lr_scale: float
    interval: int
    motion: str
    recode_scale: float = 1.0
    loop: str = "closed"
    rate: float | None = None
    deadline_ms: float | None = None
    stream: int | None = None
    unchecked: bool = False
    keyframes: str = "fixed"
    scene_cut: float | None = None

    @property
    def threads_in_words(self) -> str:
        """``all threads``, ``1 thread``, ``2 threads``."""
        return "all threads" if self.threads is None else counted(self.threads, "thread")


@dataclass(frozen=True, slots=True)
class WarmUp:
    """What ran before the first frame that counts.

    Attributes:
        frames, seconds: it took.
        first_ms: the first frame, cold.
        stable: the last three one-second medians of each branch agreed within 3 %, after 20 frames of each.
    """

    frames: int
    seconds: float
    first_ms: float
    stable: bool


@dataclass(frozen=True, slots=True)
class Turn:
    """A stretch of a run without a break.

    Runs that are measured together take turns, A B B A: ``number`` counts all turns of a record in the order they were
    taken, so neighbours in time have neighbouring numbers. The first of them was drawn; runs were opened in the order
    of their first turns.

    Attributes:
        number: over all runs of the record, from 0.
        start_s, end_s: on the record's clock.
        frames: that were measured.
    """

    number: int
    start_s: float
    end_s: float
    frames: int


@dataclass(frozen=True, slots=True)
class Latency:
    """Times of the frames of one kind.

    Attributes:
        frame: from asking for the frame to its class map.
        stages: the same by stage: ``decode`` (the wait for the reader), ``motion``, ``hr``, ``lr``, ``fuse``, ``head``.
        cpu: CPU milliseconds of what runs beside the engines: ``read`` (decoding, scaling, RGB) and ``recode``.
        unexplained: of ``frame``, in no stage.
    """

    frame: Summary
    stages: dict[str, Summary]
    cpu: dict[str, Summary] = field(default_factory=dict)
    unexplained: Summary | None = None


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How an open loop kept up.

    Attributes:
        age: from the moment the camera had the frame to its class map, of the frames that were segmented.
        due: frames that came; ``segmented``; ``dropped``: passed over because a newer one was there.
        missed: segmented, but older than the deadline.
        missed_share: ``(missed + dropped) / due``, 0 to 1.
    """

    age: Summary
    due: int
    segmented: int
    dropped: int
    missed: int
    missed_share: float


@dataclass(frozen=True, slots=True)
class RunMemory:
    """Memory, 10^6 bytes; ``None``: not measured.

    Attributes:
        opened_mb: resident memory that opening the engines and warming up added.
        peak_mb: most resident memory of the process while the run was measured; engines of other runs that take turns
            with this one are in it.
        device_mb: most memory of the GPU that was in use meanwhile, by all processes.
    """

    opened_mb: float | None
    peak_mb: float | None
    device_mb: float | None


@dataclass(frozen=True, slots=True)
class Layer:
    """Time of one layer, where the engine library was asked for it, in a pass of its own that counts for nothing else.

    Attributes:
        graph: role: ``hr``, ``lr`` ...
        name, kind: of the layer and its operator, in the library's words.
        ms: mean of a frame.
        macs: of the layer, where they are known.
    """

    graph: str
    name: str
    kind: str
    ms: float
    macs: int | None = None


@dataclass(frozen=True, slots=True)
class BenchRun:
    """What one run came to.

    Attributes:
        name: for people, unique in the record: what differs between the runs.
        bundle, settings: see above.
        label: what ran, in the pipeline's words.
        chosen: how bundle and backend were chosen; ``agreement``: share of golden pixels with the expected class, 0 to
            1.
        motion_used: source of the vectors and why.
        finished: everything that was planned was measured.
        warm_up: before the first turn.
        turns: in order.
        latency: by branch, ``hr`` and ``lr``, and ``all`` frames together. Two branches make two humps: plot them
            apart.
        mean_ms: GOP-weighted: ``(hr + (interval - 1) * lr) / interval`` of the branches' means; ``fps`` is
            ``1000 / mean_ms`` in a closed loop, and the frames segmented a second in an open one.
        outside_networks: share of the mean that is in neither branch's engine, 0 to 1; ``None`` in an open loop, whose
            frames are waited for.
        cores_used: CPU seconds of the process over seconds.
        deadlines: of an open loop.
        energy: ``None``: not measured.
        memory, accuracy, layers: see above; ``accuracy`` ``None`` where no labels were given.
    """

    name: str
    bundle: BundleFacts
    settings: RunSettings
    label: str
    chosen: str
    agreement: float | None
    motion_used: str
    finished: bool
    warm_up: WarmUp | None
    turns: tuple[Turn, ...]
    latency: dict[str, Latency]
    mean_ms: Estimate | None
    fps: Estimate | None
    outside_networks: float | None
    cores_used: float | None
    deadlines: Deadlines | None
    energy: RunEnergy | None
    memory: RunMemory
    accuracy: Accuracy | None = None
    layers: tuple[Layer, ...] = ()
