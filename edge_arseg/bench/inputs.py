"""Files that a measurement reads: what they are, and whether they can be read."""

from datetime import datetime, timezone
from pathlib import Path

from edge_arseg.bench.accuracy.joined import scores_from_file
from edge_arseg.bench.plans.options import BenchOptions
from edge_arseg.bench.sensors.meter import readings_of_meter
from edge_arseg.evaluation.labels.pairing import label_paths
from edge_arseg.storage.files.identity import is_special
from edge_arseg.video.uri import source_from_uri


def inputs_of_options(options: BenchOptions) -> list[Path]:
    """Return the files and folders that options name to be read, which no record may replace.

    Raises:
        SourceError: the source or the clip is no source.
    """
    read = [source_from_uri(name).path for name in (options.source, options.clip) if name is not None]
    named = [*read, options.labels, options.scores, options.meter]
    return [*options.bundles, *(Path(one) for one in named if one is not None)]


def refuse_unreadable(options: BenchOptions) -> None:
    """Refuse labels, scores or a meter's log that cannot be read, before minutes are spent on what needs them.

    A log may grow until the end, and is read again then. A pipe is read once and not tried here.

    Raises:
        DataError: one of them is missing, or not what it should be.
    """
    if options.labels is not None:
        label_paths(options.labels)
    if options.scores is not None and not is_special(options.scores):
        scores_from_file(options.scores)
    if options.meter is not None and not is_special(options.meter):
        readings_of_meter(options.meter, datetime.now(timezone.utc))
