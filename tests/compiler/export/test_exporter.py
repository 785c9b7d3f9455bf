"""A network to a checked bundle, and what must never become one."""

import hashlib
from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import pytest
import torch
from support.networks.small import OWN_MODEL, own_network

from edge_arseg.compiler.export.checkpoint import Checkpoint
from edge_arseg.compiler.export.export import (
    bundle_from_checkpoint,
    bundle_from_network,
    check_settings,
    graphs_from_network,
)
from edge_arseg.compiler.export.golden import doubts_of_golden, golden_distances, golden_from_clip
from edge_arseg.compiler.export.settings import ExportSettings
from edge_arseg.errors import ArsegError, ExportError, OptionError, SourceError
from edge_arseg.network.network import Network
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.spec.geometry.placement import FitKind
from edge_arseg.spec.manifest import Role
from edge_arseg.spec.model import Model, lr_size
from edge_arseg.spec.weights import GoldenFrames
from edge_arseg.testing.networks import random_frame
from edge_arseg.video.reader import open_video

SIZE = (45, 61)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Six frames of a picture that moves, at another size than the network's."""
    path = tmp_path_factory.mktemp("clip") / "moving.mp4"
    picture = random_frame(80, 120).numpy()
    with av.open(str(path), "w") as output:
        stream = output.add_stream("mpeg4", 25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for n in range(6):
            window = np.ascontiguousarray(picture[n : n + 64, 2 * n : 2 * n + 96])
            frame = av.VideoFrame.from_ndarray(window, format="rgb24")
            frame.pts, frame.time_base = n, Fraction(1, 25)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("scale", "gop"),
    [(0.3, 12), (1.0, 1), pytest.param(0.5, 2, marks=pytest.mark.slow), pytest.param(0.7, 5, marks=pytest.mark.slow)],
)
def test_a_network_becomes_a_bundle_that_agrees_with_it(tmp_path, clip, scale, gop):
    network, path, steps = own_network(), tmp_path / "own.arseg", []
    settings = ExportSettings(*SIZE, scale, gop)
    bundle, seen = bundle_from_network(
        network, settings, path, clip=clip, checkpoints={"own.pth": "0" * 64}, progress=steps.append
    )
    assert read_bundle(path) == bundle
    manifest = bundle.manifest
    assert (manifest.name, manifest.model, manifest.gop) == ("own", OWN_MODEL, gop)
    assert (manifest.height, manifest.width) == SIZE
    assert (manifest.lr_height, manifest.lr_width) == lr_size(*SIZE, scale)
    assert set(manifest.graphs) == set(Role)
    assert manifest.golden.source == "moving.mp4"
    assert manifest.provenance.checkpoints == {"own.pth": "0" * 64}
    for name, entry in manifest.files.items():
        assert hashlib.sha256((path / name).read_bytes()).hexdigest() == entry.sha256
    assert min(row.agreement for row in seen) >= 0.999
    assert {row.output for row in seen} >= ({"hr", "lr"} if gop == 1 else {"hr", "lr", "ar", "head"})
    assert len(steps) >= 4
    _assert_golden(network, bundle.golden_frames(), scale, [d for d in golden_distances(gop) if d < 6])


@torch.inference_mode()
def _assert_golden(network, golden, scale, distances):
    assert golden.distances.tolist() == distances
    assert not golden.flows[0].any()
    key = torch.from_numpy(golden.frames[0])
    for i, distance in enumerate(distances):
        frame, flow = torch.from_numpy(golden.frames[i]), torch.from_numpy(golden.flows[i])
        ar = network.ar_logits(key, frame, flow, scale) if distance else network.hr_logits(frame)
        np.testing.assert_array_equal(golden.ar_maps[i], ar[0].argmax(0).numpy())
        np.testing.assert_array_equal(golden.lr_maps[i], network.lr_logits(frame, scale)[0].argmax(0).numpy())
        if distance:
            assert np.abs(golden.flows[i]).max() > 0.5, "the clip moves"


@pytest.mark.parametrize(("fit", "bars"), [(FitKind.LETTERBOX, 2), (FitKind.STRETCH, 0), (FitKind.CROP, 0)])
def test_golden_frames_enter_the_network_as_frames_of_a_run_do(clip, fit, bars):
    settings = ExportSettings(*SIZE, 0.5, 2, fit=fit)
    golden = golden_from_clip(own_network(), settings, clip, hr_only=True)
    with open_video(clip, size=SIZE, fit=fit) as reader:
        np.testing.assert_array_equal(golden.frames[0], next(reader).rgb)
    assert [np.ptp(row) == 0 for row in golden.frames[0][:3]] == [row < bars for row in range(3)]


@pytest.mark.parametrize(("gop", "expected"), [(1, [0]), (2, [0, 1]), (3, [0, 1, 2]), (12, [0, 1, 6, 11])])
def test_golden_frames_are_spread_over_the_gop(gop, expected):
    assert golden_distances(gop) == expected


def golden_of(maps, distances=(0, 1, 6, 11)):
    frames = np.zeros((len(maps), 4, 8, 3), np.uint8)
    return GoldenFrames(frames, np.zeros((len(maps), 2, 4, 2), np.float32), np.array(distances), maps, maps, maps)


def test_golden_frames_that_tell_nothing_are_told():
    """A model of corridors, exported with the street of the default clip, answered one class: every gate was blind."""
    varied = np.arange(4 * 32, dtype=np.uint8).reshape(4, 4, 8) % 3
    classes = ["road", "sky", "tree"]
    assert doubts_of_golden(golden_of(varied), 12, classes) == []
    (blind,) = doubts_of_golden(golden_of(np.ones_like(varied)), 12, classes)
    assert blind.startswith("every golden frame is sky on 100.0% of its pixels or more")
    one_frame = np.ones_like(varied)
    one_frame[2] = varied[2]
    assert doubts_of_golden(golden_of(one_frame), 12, classes) == []
    (short,) = doubts_of_golden(golden_of(varied[:2], (0, 1)), 12, classes)
    assert short.startswith("the clip ends before distance 6 and 11 from the keyframe")
    alone = replace(golden_of(varied[:1], (0,)), ar_maps=varied[:0], lr_maps=varied[:0])
    assert doubts_of_golden(alone, 1, classes) == []


# What must never become a bundle


@pytest.fixture
def network_of(tmp_path, monkeypatch):
    """The small network with a last line of its backbone's ``forward`` of one's own."""
    folder = tmp_path / "modules"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)

    def make(name, last_line, promise="super().feature_size(height, width)"):
        (folder / f"{name}.py").write_text(
            "import torch\n"
            "from own_backbone import OwnBackbone\n\n"
            "class Odd(OwnBackbone):\n"
            "    def feature_size(self, height, width):\n"
            f"        return {promise}\n\n"
            "    def forward(self, image):\n"
            "        x = super().forward(image)\n"
            f"        {last_line}\n\n"
            "def build():\n"
            "    return Odd()\n"
        )
        network = Network(Model("odd", f"{name}:build", OWN_MODEL.classes, OWN_MODEL.normalisation)).eval()
        network.load_state_dict(own_network().state_dict())
        return network

    return make


def refused(network, folder, clip):
    """The error of an export, which must leave nothing behind."""
    target = folder / "bundles"
    target.mkdir()
    with pytest.raises(ArsegError) as caught:
        bundle_from_network(network, ExportSettings(*SIZE, 0.5, 2), target / "odd.arseg", clip=clip)
    assert list(target.iterdir()) == []
    return caught.value


def test_a_backbone_whose_way_depends_on_the_picture(network_of, tmp_path, clip):
    error = refused(network_of("some_branching", "return 2 * x if float(x.sum()) > 0 else x"), tmp_path, clip)
    assert isinstance(error, ExportError)
    assert "hr: the backbone cannot be exported at opset 18" in str(error)
    assert "docs/backbones.md" in str(error)


@pytest.mark.slow
def test_a_backbone_with_shapes_that_depend_on_the_picture(network_of, tmp_path, clip):
    last_line = "return x[x > 0].reshape(1, 1, 1, -1).mean(3, keepdim=True) + x"
    error = refused(network_of("some_sparse", last_line), tmp_path, clip)
    assert isinstance(error, ExportError)
    assert "cannot be counted from shapes alone" in str(error)
    assert "docs/backbones.md" in str(error)


def test_a_backbone_that_answers_differently_as_a_graph(network_of, tmp_path, clip):
    error = refused(network_of("some_deceiving", "return -x if torch.compiler.is_exporting() else x"), tmp_path, clip)
    assert isinstance(error, ExportError)
    assert "of the pixels the class that torch gives them" in str(error)
    assert "99.9% expected" in str(error)


def test_a_backbone_whose_feature_is_not_as_promised(network_of, tmp_path, clip):
    error = refused(network_of("some_promising", "return x", "(height // 8, width // 8)"), tmp_path, clip)
    assert isinstance(error, ExportError)
    assert "45x61 to a feature of [1, 32, 6, 8]" in str(error)
    assert "promise [1, 32, 5, 7]" in str(error)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (ExportSettings(*SIZE, 0.5, flow_block=5), "flow cells of 5 pixels seen, expected one of"),
        (ExportSettings(*SIZE, 0.1), "try --size 80x80"),
    ],
)
def test_settings_out_of_range(settings, message):
    with pytest.raises(OptionError, match=message):
        check_settings(own_network(), settings)
    with pytest.raises(OptionError, match=message):
        graphs_from_network(own_network(), settings)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"gop": 0}, "gop 0 seen, expected a whole number of at least 1, like --gop 12"),
        ({"gop": 12.0}, "gop 12.0 seen, expected a whole number"),
        ({"height": "360"}, "height '360' seen, expected a whole number"),
        ({"width": float("nan")}, "width nan seen, expected a whole number"),
        ({"flow_block": True}, "flow_block True seen, expected a whole number"),
        ({"lr_scale": 1.5}, "LR scale 1.5 seen, expected more than 0, up to 1"),
        ({"lr_scale": float("nan")}, "LR scale nan seen"),
        ({"lr_scale": "0.5"}, "LR scale '0.5' seen"),
        ({"fit": "bend"}, "fit 'bend' seen, expected one of stretch, letterbox, crop"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused_where_they_are_made(fields, message):
    with pytest.raises(OptionError, match=message):
        ExportSettings(**{"height": 64, "width": 88, **fields})
    assert ExportSettings(64, 88, fit="crop").fit is FitKind.CROP


@pytest.mark.parametrize("size", [96, "96x128", (96, 128, 3), ()])
def test_a_size_is_rows_and_columns(tmp_path, size):
    checkpoint = Checkpoint(own_network(), {}, 0.5)
    with pytest.raises(OptionError, match="expected rows and columns, like"):
        bundle_from_checkpoint(checkpoint, tmp_path / "x.arseg", size=size)


@pytest.mark.parametrize(
    ("name", "size", "told"),
    [
        ("own-small", (96, 64), "96x64 is 96 rows and 64 columns; where 96 wide and 64 high is meant, type 64x96"),
        ("own-small", (64, 96), ""),
        ("camvid-small", (96, 64), "and 64 columns, and the images of camvid have 720 rows and 960 columns; where"),
    ],
)
def test_frames_higher_than_wide_are_told(tmp_path, caplog, name, size, told):
    network = own_network()
    network.model = replace(network.model, name=name)
    (tmp_path / "x.arseg").mkdir()
    with pytest.raises(OptionError, match="exists already"):
        bundle_from_checkpoint(Checkpoint(network, {}, 0.5), tmp_path / "x.arseg", size=size)
    assert told in caplog.text
    assert bool(told) is bool(caplog.records)


def test_a_network_in_train_mode_is_not_exported(tmp_path, clip):
    """Its answers depend on the batch, and each of them moves its statistics."""
    network = own_network()
    network.hr.train()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    with pytest.raises(OptionError, match=r"in train mode seen.*call network\.eval\(\) first"):
        bundle_from_network(network, ExportSettings(*SIZE), tmp_path / "own.arseg", clip=clip)
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    with pytest.raises(OptionError, match="a checkpoint of type str seen, expected what checkpoint_from_path returns"):
        bundle_from_checkpoint("runs/lr", tmp_path / "own.arseg")
    assert list(tmp_path.iterdir()) == []


def test_the_target_is_checked_before_any_work(tmp_path, clip):
    (tmp_path / "own.arseg").mkdir()

    def never(step):
        raise AssertionError(step)

    with pytest.raises(OptionError, match="exists already"):
        bundle_from_network(own_network(), ExportSettings(*SIZE), tmp_path / "own.arseg", clip=clip, progress=never)


def test_a_clip_that_is_not_there(tmp_path):
    with pytest.raises(SourceError):
        bundle_from_network(own_network(), ExportSettings(*SIZE), tmp_path / "own.arseg", clip=tmp_path / "none.mp4")
    assert list(tmp_path.iterdir()) == []
