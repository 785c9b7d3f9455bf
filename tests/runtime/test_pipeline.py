"""Pipelines from a bundle, and the loop over one: without a Segmenter, with frames that come from anywhere."""

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from support.bundles.fake import GOP, HEIGHT, WIDTH, write_fake_bundle

from edge_arseg.errors import EnvironmentUnfitError, OptionError
from edge_arseg.motion import KeyframePolicy
from edge_arseg.native.library import TILES
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.runtime.engines.contract import EngineOptions
from edge_arseg.runtime.engines.fake import FakeEngine
from edge_arseg.runtime.fusion.contract import Fusion
from edge_arseg.runtime.fusion.opening import FUSIONS, Place, Way, fusions_for
from edge_arseg.runtime.mode import Mode
from edge_arseg.runtime.pipeline import Pipeline, open_pipeline
from edge_arseg.runtime.segment import segment
from edge_arseg.spec.frame import Branch, Frame
from edge_arseg.spec.manifest import Precision, Role
from edge_arseg.video.reader import open_video

STREET = f"test://street?size={HEIGHT}x{WIDTH}&frames=9"
FAKE = EngineOptions(fusion="graph", backend="fake")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return read_bundle(write_fake_bundle(tmp_path_factory.mktemp("fake") / "fake.arseg"))


@pytest.fixture
def closed(monkeypatch):
    """Names of engines, as they are closed."""
    names: list[str] = []
    close = FakeEngine.close
    monkeypatch.setattr(FakeEngine, "close", lambda engine: (names.append(engine.name), close(engine))[1])
    return names


@pytest.mark.parametrize(
    ("mode", "label", "engines", "branches"),
    [
        (Mode.AR, "ar, graph fusion, fake", {"hr", "lr", "fuse"}, ["hr", "lr", "lr", "lr", "hr", "lr"]),
        (Mode.HR, "hr, fake", {"hr"}, ["hr"] * 6),
        (Mode.LR, "lr, graph head, fake", {"lr", "lr_head"}, ["lr"] * 6),
    ],
)
def test_a_pipeline_comes_complete_and_closes_what_it_opened(bundle, closed, mode, label, engines, branches):
    with open_pipeline(bundle, mode, FAKE) as pipeline, open_video(STREET, size=(HEIGHT, WIDTH)) as reader:
        assert pipeline.label == label
        assert [result.branch.value for result in islice(segment(reader, pipeline), 6)] == branches
        assert closed == []
    assert set(closed) == engines
    pipeline.close()


def test_engines_are_closed_where_the_loop_fails(bundle, closed):
    wrong = Frame(0, 0.0, np.zeros((HEIGHT, WIDTH + 1, 3), np.uint8))
    with pytest.raises(OptionError, match="expected uint8"), open_pipeline(bundle, Mode.AR, FAKE) as pipeline:
        next(segment([wrong], pipeline))
    assert set(closed) == {"hr", "lr", "fuse"}


def test_the_engines_that_opened_are_closed_where_the_fusion_does_not(bundle, closed, monkeypatch):
    from_bundle = FakeEngine.from_bundle

    def failing(bundle, role, **options):
        if role is Role.FUSE:
            raise EnvironmentUnfitError("no such GPU")
        return from_bundle(bundle, role, **options)

    monkeypatch.setattr(FakeEngine, "from_bundle", failing)
    with pytest.raises(EnvironmentUnfitError, match="no such GPU"):
        open_pipeline(bundle, Mode.AR, FAKE)
    assert sorted(closed) == ["hr", "lr"]


class Recorded(Pipeline):
    """Runs nothing, and keeps the flow of every frame."""

    uses_motion = True

    def __init__(self, manifest):
        super().__init__(manifest, "recorded")
        self.flows = []

    def key(self, rgb, clock):
        self.flows.append(None)
        return np.zeros(rgb.shape[:2], np.uint8)

    def between(self, rgb, flow, clock):
        assert flow.flags.c_contiguous
        self.flows.append(float(np.abs(flow).max()))
        return np.zeros(rgb.shape[:2], np.uint8)


def test_one_chain_of_motion_goes_through_all_frames(bundle):
    """Its flow grows from keyframe to keyframe, and is that of every other pipeline."""
    seen = []
    for _ in range(2):
        pipeline = Recorded(bundle.manifest)
        with open_video(STREET, size=(HEIGHT, WIDTH), motion="recode") as reader:
            distances = [result.distance for result in segment(reader, pipeline)]
        assert distances == [0, 1, 2, 3, 0, 1, 2, 3, 0]
        assert [flow is None for flow in pipeline.flows] == [distance == 0 for distance in distances]
        seen.append(pipeline.flows)
    assert seen[0] == seen[1]
    assert seen[0][3] > seen[0][1] > 0


def test_frames_may_come_from_anywhere_and_the_first_is_a_keyframe(bundle):
    pictures = np.zeros((5, HEIGHT, WIDTH, 3), np.uint8)
    frames = (Frame(index, index / 25, rgb) for index, rgb in enumerate(pictures))
    with open_pipeline(bundle, Mode.AR, FAKE) as pipeline:
        results = list(segment(frames, pipeline, policy=lambda frame: Branch.LR))
    assert [result.distance for result in results] == [0, 1, 2, 3, 4]
    assert [sorted(result.stages_ms) for result in results[:2]] == [
        ["decode", "hr", "motion"],
        ["decode", "fuse", "lr", "motion"],
    ]


RGB = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
STRIDED = np.zeros((HEIGHT, 2 * WIDTH, 3), np.uint8)[:, ::2]


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (None, "NoneType seen, expected frames"),  # it ended the loop, as if there were no more
        (RGB, r"ndarray seen, expected frames: Frame\(index, time_s, rgb\)"),
        (Frame(1, 0.04, RGB.tolist()), "frame 1: rgb is list, expected an array uint8"),
        (Frame(1, 0.04, None), "frame 1: rgb is NoneType"),
        (Frame(1, 0.04, RGB.astype(np.float32)), "frame 1: rgb is float32.*, expected uint8"),
        (Frame(1, 0.04, RGB[..., 1]), "frame 1: rgb is uint8.*, expected uint8.* 3]"),
        (Frame(1, 0.04, RGB[:1, :1]), r"frame 1: rgb is uint8\[1, 1, 3\]"),  # one pixel was spread over a keyframe
        (Frame(1, 0.04, STRIDED), r"frame 1: rgb is a strided view; give np\.ascontiguousarray"),
        (Frame(1.5, 0.04, RGB), "frame 1.5: its index is no whole number"),  # no line or mask has such a number
        (Frame("1", 0.04, RGB), "frame '1': its index is no whole number"),
        (Frame(0, 0.04, RGB), "frame 0 behind frame 0 seen"),  # no keyframe ever came again
        (Frame(-3, 0.04, RGB), "frame -3 behind frame 0 seen"),
        (Frame(1, 0.04, RGB, np.zeros((HEIGHT, WIDTH, 2), np.float32)), "motion vectors: float32"),
    ],
)
def test_what_is_no_frame_or_does_not_fit_is_refused(bundle, second, message):
    results = segment([Frame(0, 0.0, RGB), second, Frame(2, 0.08, RGB)], Recorded(bundle.manifest))
    assert next(results).branch is Branch.HR
    with pytest.raises(OptionError, match=message):
        next(results)


def test_a_policy_that_answers_with_no_branch_is_refused(bundle):
    frames = [Frame(index, index / 25, np.zeros((HEIGHT, WIDTH, 3), np.uint8)) for index in range(2)]
    with (
        open_pipeline(bundle, Mode.AR, FAKE) as pipeline,
        pytest.raises(OptionError, match=r"answered True.*Branch\.HR"),
    ):
        list(segment(frames, pipeline, policy=lambda frame: True))


def test_without_a_policy_the_gop_of_the_bundle_counts(bundle):
    with open_video(STREET, size=(HEIGHT, WIDTH), motion="recode") as reader:
        assert [result.distance for result in segment(reader, Recorded(bundle.manifest))].count(0) == -(-9 // GOP)
    with open_video(STREET, size=(HEIGHT, WIDTH), motion="recode") as reader:
        policy = KeyframePolicy(interval=3)
        assert [r.distance for r in segment(reader, Recorded(bundle.manifest), policy)] == [0, 1, 2] * 3


class Keyframes(Fusion):
    """A way of fusing of one's own: class 7 everywhere."""

    name = "kernel"

    @classmethod
    def open(cls, bundle, options):
        return cls()

    def class_map(self, key_feature, flow, lr_feature, clock):
        with clock.stage("fuse"):
            return np.full((HEIGHT, WIDTH), 7, np.uint8)

    def close(self):
        pass


def test_a_way_of_fusing_is_a_class_and_a_line_in_the_table(bundle, monkeypatch):
    own = Way("kernel", (Place.HOST,), f"{__name__}:Keyframes")
    monkeypatch.setattr("edge_arseg.runtime.fusion.opening.FUSIONS", (own, *FUSIONS))
    with open_pipeline(bundle, Mode.AR, replace(FAKE, fusion="auto")) as pipeline:
        with open_video(STREET, size=(HEIGHT, WIDTH)) as reader:
            second = list(islice(segment(reader, pipeline), 2))[1]
        assert (second.class_map == 7).all()
        assert pipeline.label == "ar, kernel fusion, fake"


@pytest.mark.parametrize(
    ("place", "auto", "kernel"),
    [
        (Place.HOST, ["CpuKernelFusion", "GraphFusion"], ["CpuKernelFusion"]),
        (Place.CUDA, ["CudaKernelFusion", "GraphFusion"], ["CudaKernelFusion"]),
        (Place.ONNXRUNTIME_GPU, ["GraphFusion"], "where no kernel reads them"),
    ],
)
def test_the_place_of_the_features_decides_which_ways_there_are(bundle, monkeypatch, place, auto, kernel):
    monkeypatch.setattr("edge_arseg.runtime.head.kernels_available", lambda: True)
    monkeypatch.setattr("edge_arseg.runtime.fusion.tiles.tiles_allowed", lambda: False)
    options = EngineOptions(backend="fake")
    assert [kind.__name__ for kind in fusions_for(bundle, options, place)] == auto
    assert [kind.__name__ for kind in fusions_for(bundle, replace(options, fusion="graph"), place)] == ["GraphFusion"]
    if isinstance(kernel, str):
        with pytest.raises(EnvironmentUnfitError, match=rf"--fusion kernel: .*{kernel}"):
            list(fusions_for(bundle, replace(options, fusion="kernel"), place))
    else:
        assert [kind.__name__ for kind in fusions_for(bundle, replace(options, fusion="kernel"), place)] == kernel


@pytest.mark.parametrize(
    ("precision", "limit", "ways"),
    [
        ("fp32", 1 << 20, ["TileFusion", "CpuKernelFusion", "GraphFusion"]),
        ("int8", 1 << 20, ["ShortTileFusion", "TileFusion", "CpuKernelFusion", "GraphFusion"]),
        ("int8", 1 << 10, ["CpuKernelFusion", "GraphFusion"]),
    ],
)
def test_with_amx_the_precision_of_the_lr_branch_and_the_size_of_features_decide(
    bundle, monkeypatch, precision, limit, ways
):
    monkeypatch.setattr("edge_arseg.runtime.head.kernels_available", lambda: True)
    monkeypatch.setattr("edge_arseg.runtime.fusion.tiles.tiles_allowed", lambda: True)
    monkeypatch.setattr("edge_arseg.runtime.fusion.tiles.compiled_features", lambda: frozenset(TILES))
    monkeypatch.setattr("edge_arseg.runtime.fusion.tiles.MOST_BYTES", limit)
    graphs = {**bundle.manifest.graphs}
    graphs[Role.LR] = replace(graphs[Role.LR], precision=Precision(precision))
    int8 = replace(bundle, manifest=replace(bundle.manifest, graphs=graphs))
    options = EngineOptions(backend="fake")
    assert [kind.__name__ for kind in fusions_for(int8, options, Place.HOST)] == ways
    if "ShortTileFusion" not in ways:
        with pytest.raises(EnvironmentUnfitError, match=r"kernel-bf16: .*(int8 branches, .* is in fp|fused in parts)"):
            list(fusions_for(int8, replace(options, fusion="kernel-bf16"), Place.HOST))


def test_where_no_kernel_runs_on_this_cpu_auto_takes_the_graph_in_silence(bundle, monkeypatch, caplog):
    monkeypatch.setattr("edge_arseg.runtime.head.kernels_available", lambda: False)
    with open_pipeline(bundle, Mode.AR, EngineOptions(backend="fake")) as pipeline:
        assert pipeline.label == "ar, graph fusion, fake"
    assert caplog.records == []
    with pytest.raises(EnvironmentUnfitError, match=r"--fusion kernel: .*(\[cpu\]|numba>=)"):
        open_pipeline(bundle, Mode.AR, EngineOptions(backend="fake", fusion="kernel"))
    with pytest.raises(OptionError, match="fusion 'magic' seen, expected one of auto, kernel-bf16, kernel, graph"):
        open_pipeline(bundle, Mode.AR, EngineOptions(backend="fake", fusion="magic"))


@pytest.mark.parametrize(
    ("mode", "way", "instead"),
    [
        (Mode.AR, "edge_arseg.runtime.fusion.cpu.CpuKernelFusion", "the graph"),
        (Mode.AR, "edge_arseg.runtime.fusion.tiles.TileFusion", "another kernel"),
        (Mode.LR, "edge_arseg.runtime.head.KernelHead", "the graph"),
    ],
)
def test_a_way_that_cannot_be_opened_is_named_with_what_runs_in_its_place(
    bundle, monkeypatch, caplog, mode, way, instead
):
    def unfit(*_arguments):
        raise EnvironmentUnfitError("a library is missing")

    monkeypatch.setattr("edge_arseg.runtime.fusion.tiles.TileFusion.unavailable", lambda _bundle: None)
    monkeypatch.setattr("edge_arseg.runtime.fusion.tiles.ShortTileFusion.unavailable", lambda _bundle: "not asked for")
    if "CpuKernel" in way:
        monkeypatch.setattr("edge_arseg.runtime.fusion.tiles.TileFusion.unavailable", lambda _bundle: "no AMX")
    monkeypatch.setattr(f"{way}.open", unfit)
    with open_pipeline(bundle, mode, EngineOptions(backend="fake")):
        told = [record.getMessage() for record in caplog.records]
    assert told == [f"the kernel cannot be opened, and {instead} runs, which is slower: a library is missing"]


def test_a_pipeline_wants_a_backend_named_and_says_who_chooses(bundle):
    with pytest.raises(OptionError, match=r"backend 'auto' seen .*: a Segmenter chooses; name one of onnxruntime, "):
        open_pipeline(bundle, Mode.AR, EngineOptions())
