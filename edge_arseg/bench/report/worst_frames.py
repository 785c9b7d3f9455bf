"""The frames that a bundle got most wrong, as pictures: frame, label, prediction, difference.

A record holds no pictures: data sets forbid it more often than not. They are made anew, from the bundle, the clip and
the labels of whoever makes the page.
"""

import base64
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_arseg.bench.records.accuracy import FrameScore
from edge_arseg.bench.records.bench_record import BenchRecord
from edge_arseg.bench.records.run import BenchRun
from edge_arseg.bench.records.samples import Samples
from edge_arseg.errors import DataError, SourceError
from edge_arseg.evaluation.labels.clip import LabelledClip, labelled_clip
from edge_arseg.evaluation.labels.nearest import map_of_label, resized_map
from edge_arseg.motion.keyframe import NO_SCENE_CUT, KeyframePolicy
from edge_arseg.runtime.bundles.reading import Bundle, read_bundle
from edge_arseg.runtime.engines.contract import EngineOptions
from edge_arseg.runtime.mode import Mode
from edge_arseg.runtime.segmenter import Segmenter
from edge_arseg.spec.frame import SegmentedFrame
from edge_arseg.video.sinks.class_ids.png import palette_from_classes, png_from_indices

FRAMES = 3
"""Worst frames of a run that are drawn."""
WRONG = (230, 30, 60)


@dataclass(frozen=True, slots=True)
class Picture:
    """One frame.

    Attributes:
        title: run, frame, distance and score.
        panels: name of each picture, and the picture as PNG.
    """

    title: str
    panels: dict[str, bytes]

    @property
    def sources(self) -> dict[str, str]:
        """The pictures as ``data:`` URLs by name."""
        return {
            name: f"data:image/png;base64,{base64.b64encode(picture).decode()}" for name, picture in self.panels.items()
        }


def worst_frames(
    read: Sequence[tuple[BenchRecord, Samples]], bundle: Path, clip: str | Path, labels: Path
) -> list[Picture]:
    """Segment a clip again up to its worst frames, and draw them.

    Args:
        read: records; their runs of this bundle that were scored.
        bundle: folder.
        clip, labels: what the runs were scored on.

    Raises:
        BundleError, SourceError, EnvironmentUnfitError: see ``Segmenter``.
        DataError: no run of this bundle was scored, or the labels do not fit.
    """
    checked = read_bundle(bundle)
    runs = [run for record, _ in read for run in record.runs if run.accuracy and run.accuracy.digest == checked.digest]
    runs = [run for run in runs if run.accuracy and run.accuracy.worst_frames]
    if not runs:
        raise DataError(
            f"--worst {bundle}: no run of a bundle with this digest ({checked.digest[:12]}) was scored in these "
            "records; name the bundle that was measured with --labels"
        )
    labelled = labelled_clip(clip, labels, len(checked.manifest.model.classes))
    return [picture for run in runs for picture in _pictures(run, checked, labelled)]


def _pictures(run: BenchRun, bundle: Bundle, labelled: LabelledClip) -> Iterator[Picture]:
    settings, accuracy = run.settings, run.accuracy
    assert accuracy is not None
    policy = KeyframePolicy(settings.interval, NO_SCENE_CUT)
    engines = EngineOptions(settings.fusion, settings.backend, settings.threads, settings.unchecked)
    with Segmenter(bundle.path, mode=Mode(settings.mode), engines=engines, policy=policy) as segmenter:
        for score in accuracy.worst_frames[:FRAMES]:
            title = f"{run.name}: frame {score.frame}, distance {score.distance}, mIoU {score.miou:.1f}"
            for result in _results_at(score, segmenter, run, labelled):
                yield Picture(title, _panels(result, score, bundle, labelled))


def _results_at(
    score: FrameScore, segmenter: Segmenter, run: BenchRun, labelled: LabelledClip
) -> Iterator[SegmentedFrame]:
    """Yield the one frame while its arrays hold it."""
    interval = run.settings.interval
    phase = (score.frame - score.distance) % interval
    with segmenter.open(
        labelled.clip,
        motion=run.settings.motion,
        recode_scale=run.settings.recode_scale,
        stream=run.settings.stream,
        picture=True,
    ) as reader:
        for result in segmenter.segment(islice(reader, phase, score.frame + 1)):
            if result.frame.index == score.frame:
                yield result
                return
    raise SourceError(f"{labelled.clip}: no frame {score.frame} came; is it the clip that was scored?")


def _panels(result: SegmentedFrame, score: FrameScore, bundle: Bundle, labelled: LabelledClip) -> dict[str, bytes]:
    classes = bundle.manifest.model.classes
    file = labelled.by_frame.get(score.frame)
    if file is None:
        raise DataError(f"frame {score.frame} has no label here; name the labels that the record was scored with")
    picture = result.frame.rgb if result.frame.picture is None else result.frame.picture
    height, width = picture.shape[:2]
    label = resized_map(labelled.labels[file.path], height, width)
    prediction = resized_map(map_of_label(result, file.height, file.width), height, width)
    palette = palette_from_classes(classes)
    wrong = (label != prediction) & (label < len(classes))
    grey = np.repeat((picture.mean(axis=2, keepdims=True) * 0.6 + 60).astype(np.uint8), 3, axis=2)
    grey[wrong] = WRONG
    return {
        "frame": _png(picture),
        "label": png_from_indices(label, palette),
        "prediction": png_from_indices(prediction, palette),
        f"difference: {100 * wrong.mean():.1f} % of the pixels": _png(grey),
    }


def _png(rgb: NDArray[np.uint8]) -> bytes:
    import av

    data = io.BytesIO()
    with av.open(data, "w", format="image2pipe") as container:
        stream = container.add_stream("png", rate=1)
        stream.height, stream.width, stream.pix_fmt = rgb.shape[0], rgb.shape[1], "rgb24"
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
        container.mux([*stream.encode(frame), *stream.encode()])
        return data.getvalue()
