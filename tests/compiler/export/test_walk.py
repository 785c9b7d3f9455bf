"""The walk of docs/architecture.md that begins with ``export``, as the calls really go."""

import pytest
from support.networks.small import own_network
from support.walks.rooms import VALUES, rooms_entered, ways_back

from edge_arseg.compiler.export.export import bundle_from_network
from edge_arseg.compiler.export.settings import ExportSettings

GRAPHS = ("compiler.graph_writer", "compiler.entries")
"""Where graphs are written and described, five times over."""


@pytest.mark.slow  # torch's exporter, looked at call by call
def test_an_export_comes_back_only_to_the_network_that_it_exports(tmp_path):
    """The network is asked whether the sizes suit it, before anything is run; then it is run, and exported."""
    network, settings = own_network(), ExportSettings(90, 122, 0.5, 5)
    entered = rooms_entered(
        lambda: bundle_from_network(network, settings, tmp_path / "own.arseg"), but=(*VALUES, *GRAPHS)
    )
    assert entered == [
        "compiler.export",
        "compiler.writing",
        "network",
        "video",
        "street",
        "motion",
        "network",
        "runtime.verification",
        "runtime.engines",
    ]
    assert ways_back(entered) == ["network"]
