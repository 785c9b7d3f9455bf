"""Ranges come out of the device flow, frame by frame, and nothing of a frame is kept."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from edge_arseg.compiler.onnx_graph import itemsize, shapes_from_model
from edge_arseg.compiler.quantize.calibrate.flow import prepared_branches, ranges_from_clips
from edge_arseg.compiler.quantize.calibrate.observed import ObservedGraph
from edge_arseg.compiler.quantize.calibrate.ranges import Range
from edge_arseg.compiler.quantize.calibrate.selection import selections_from_recipe
from edge_arseg.errors import ExportError, OptionError, SourceError
from edge_arseg.motion.accumulate import Accumulator
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.runtime.engines.opening import engines_from_bundle
from edge_arseg.spec.geometry.placement import FitKind
from edge_arseg.spec.manifest import Role
from edge_arseg.video.reader import open_video

PEAK = """
import sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from edge_arseg.compiler.quantize.calibrate.flow import prepared_branches, ranges_from_clips
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.spec.recipe import CalibrationClip, Method, Recipe
from edge_arseg.spec.manifest import Role

bundle, count = sys.argv[1], int(sys.argv[2])
clip = CalibrationClip("test://street?size=90x122&frames=40", 40, count, stills=True)
bundle = read_bundle(bundle)
branches = prepared_branches(bundle, (Role.HR,))
found = ranges_from_clips(bundle, Recipe("r", Method.ENTROPY, (clip,)), branches, threads=1)
assert found.clips[0].by_distance == {0: count}
print(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])  # ru_maxrss starts with the parent's
"""


def ranges(bundle, recipe, roles=(Role.HR, Role.LR, Role.FUSE), data=None):
    bundle = read_bundle(bundle)
    return ranges_from_clips(bundle, recipe, prepared_branches(bundle, roles), data=data, threads=1)


def test_what_was_looked_at(calibration):
    (clip,) = calibration.clips
    assert clip.by_distance == {0: 1, 1: 1, 2: 1, 3: 1, 4: 1}
    assert len(clip.sha256) == 64
    assert [frame.shape for frame in calibration.samples] == [(90, 122, 3)] * 4
    assert set(calibration.ranges) == {Role.HR, Role.LR, Role.FUSE}
    assert set(calibration.ranges[Role.FUSE]) == {"resize_2", "warped_feature", "query", "key", "value"}


def test_means_are_those_of_the_frames_that_were_looked_at(calibration):
    """HR saw one keyframe, the first sample: the same graph, its activations and means by numpy."""
    branch, means = calibration.branches[Role.HR], calibration.means[Role.HR]
    assert set(means) == branch.read_by_convolutions()
    assert set(means) <= set(calibration.ranges[Role.HR])
    graph = ObservedGraph(branch.model, list(means), [], threads=1)
    seen = {}
    graph.run({"frame": calibration.samples[0]}, lambda name, values: seen.update({name: values.copy()}))
    for name, mean in means.items():
        assert mean == pytest.approx(seen[name].astype(np.float64).mean(axis=(0, 2, 3)), abs=1e-5), name
    assert {len(means) for means in calibration.means.values()} != {0}


def test_ranges_are_those_of_the_device_flow(own_bundle, recipe, calibration):
    """The fusion's ranges, from engines and motion put together by hand."""
    bundle = read_bundle(own_bundle)
    clip = recipe.clips[0]
    (selection,) = selections_from_recipe(recipe, bundle.manifest.gop)
    lowest, highest = np.inf, -np.inf
    with (
        engines_from_bundle(bundle, (Role.HR, Role.LR), threads=1) as engines,
        open_video(clip.source, size=(90, 122)) as reader,
    ):
        motion = Accumulator(90, 122, block=4)
        fuse = ObservedGraph(onnx.load(bundle.graph_path(Role.FUSE)), ["warped_feature"], (), threads=1)

        def take(name, values):
            nonlocal lowest, highest
            lowest, highest = min(lowest, values.min()), max(highest, values.max())

        for index, frame in zip(range(10), reader, strict=False):
            field = motion.follow(frame)
            if index % 5 == 0:
                motion.reset()
                key = engines[Role.HR].run({"frame": frame.rgb})["feature"].copy()
            elif index in selection.observed:
                lr = engines[Role.LR].run({"frame": frame.rgb})["lr_feature"]
                fuse.run({"key_feature": key, "flow": np.ascontiguousarray(field.flow), "lr_feature": lr}, take)
    seen = calibration.ranges[Role.FUSE]["warped_feature"]
    assert (seen.low, seen.high) == (pytest.approx(float(lowest), rel=1e-5), pytest.approx(float(highest), rel=1e-5))


@pytest.mark.parametrize(("fit", "bars"), [(FitKind.LETTERBOX, 10), (FitKind.STRETCH, 0)])
def test_clips_of_another_shape_are_calibrated_on_as_they_are_run(own_bundle, recipe, fit, bars):
    bundle = read_bundle(own_bundle)
    bundle = replace(bundle, manifest=replace(bundle.manifest, fit=fit))
    branches = prepared_branches(bundle, (Role.HR,))
    wide = replace(recipe.clips[0], source="test://street?size=90x160&frames=10")
    found = ranges_from_clips(bundle, replace(recipe, clips=(wide,)), branches, threads=1)
    frame = found.samples[0]
    with open_video(wide.source, size=(90, 122), fit=fit) as reader:
        np.testing.assert_array_equal(frame, next(reader).rgb)
    assert (np.ptp(frame[:bars]) if bars else 0) == 0
    assert np.ptp(frame[bars + 1]) > 20, "the picture begins below the bar"


def test_the_same_recipe_gives_the_same_ranges(own_bundle, recipe, calibration):
    again = ranges(own_bundle, recipe, roles=(Role.HR,))
    assert again.ranges[Role.HR] == calibration.ranges[Role.HR]
    hr_only = replace(recipe.clips[0], source="test://street?size=90x122&frames=10&seed=9")
    other = ranges(own_bundle, replace(recipe, clips=(hr_only,)), roles=(Role.HR,))
    assert other.clips[0].sha256 != again.clips[0].sha256


def test_activations_are_shown_in_groups_of_bounded_size(calibration):
    model = calibration.branches[Role.HR].model
    shapes = shapes_from_model(model)
    tensors = list(calibration.ranges[Role.HR])

    def size(name):
        return itemsize(shapes[name][0]) * int(np.prod(shapes[name][1]))

    budget = max(size(name) for name in tensors)
    whole = ObservedGraph(model, tensors, ["feature"], threads=1)
    parts = ObservedGraph(model, tensors, ["feature"], threads=1, budget=budget)
    assert len(whole.groups) == 1
    assert len(parts.groups) > 2
    assert all(sum(map(size, group)) <= budget for group in parts.groups)
    seen = [{}, {}]
    for graph, found in zip((whole, parts), seen, strict=True):
        graph.run({"frame": calibration.samples[0]}, lambda name, values, found=found: found.update({name: values}))
    assert list(seen[0]) == list(seen[1]) == tensors
    for name in tensors:
        np.testing.assert_allclose(seen[0][name], seen[1][name], rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_frames(own_bundle):
    """36 more frames, whose activations are 1.4 MB each and more, take less than 10 MB more."""

    def peak(count):
        command = [sys.executable, "-c", PEAK, str(own_bundle), str(count)]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout) / 1000

    assert peak(40) - peak(4) < 10


def test_a_clip_that_ends_early(own_bundle, recipe):
    short = replace(recipe.clips[0], source="test://street?size=90x122&frames=7")
    with pytest.raises(SourceError, match="7 frames seen, the recipe reads 10"):
        ranges(own_bundle, replace(recipe, clips=(short,)))


def test_data_is_asked_for(own_bundle, recipe, tmp_path):
    clip = replace(recipe.clips[0], source="{data}/clip.mp4")
    with pytest.raises(OptionError, match="type --data DIR"):
        ranges(own_bundle, replace(recipe, clips=(clip,)))
    with pytest.raises(SourceError, match=str(tmp_path / "clip.mp4")):
        ranges(own_bundle, replace(recipe, clips=(clip,)), data=tmp_path)


def test_activations_that_are_not_finite_are_refused(calibration):
    from edge_arseg.compiler.quantize.calibrate.flow import _Watcher

    class Overflowing:
        def run(self, feeds, take):
            take("div_1", np.array([np.inf], np.float32))

    watcher = _Watcher(Overflowing(), ["div_1"], (), Role.HR)
    with pytest.raises(ExportError, match=r"hr: a value that is not finite in 'div_1'"):
        watcher.run({}, observed=True)


def test_the_record_says_it_all(int8_bundle, calibration):
    record = json.loads((int8_bundle / "quantization/calibration.json").read_text())
    assert record["recipe"]["name"] == "tiny"
    assert record["clips"][0]["sha256"] != ""
    assert set(record["ranges"]) == {"hr", "lr"}
    name, values = next(iter(calibration.ranges[Role.HR].items()))
    assert record["ranges"]["hr"][name]["low"] == pytest.approx(values.low)
    assert Range(0.0, 1.0) | Range(-1.0, 0.5) == Range(-1.0, 1.0)
    assert str(Path.home()) not in json.dumps(record)
