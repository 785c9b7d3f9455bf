"""Where a recording may be written."""

from pathlib import Path

from edge_arseg.errors import OptionError, SinkError
from edge_arseg.storage.files.identity import identity
from edge_arseg.storage.files.output import check_output
from edge_arseg.video.sinks.base import sink_errors
from edge_arseg.video.sinks.opening import SinkPlan
from edge_arseg.video.sources.kinds import KINDS


def check_recording(path: Path, plan: SinkPlan, *, force: bool) -> None:
    """Refuse a recording of what is a file already, or over something. Nothing is opened.

    Args:
        path: of the new file.
        plan: sinks and source of the run.
        force: a file that is there may be replaced.

    Raises:
        OptionError: the source is no camera and no stream.
        SinkError: the place is read from, is a sink's, or holds something and ``force`` is not set.
    """
    source = plan.source
    if source is not None and not (source.live and KINDS[source.kind].streams):
        raise OptionError(
            f"--record {path}: {source.label} is no camera and no stream; only what these send is recorded"
        )
    with sink_errors(str(path)):
        check_output(path, force=force, inputs=plan.inputs, what=str(path))
        own = identity(path)
        if any(place.identity == own or place.takes(path) for place in plan.places):
            raise SinkError(f"cannot write {path}: a sink writes there too; choose another name")
