"""Every backbone answers the shared questions; so does the example of one's own."""

import pytest
import torch

from edge_arseg.network.backbone import ceil_halvings
from edge_arseg.testing.backbone import BackboneExportQuestions, BackboneQuestions, BackboneTester, seeded


class TestCompact(BackboneTester):
    name = "compact"


class TestPsp18(BackboneQuestions):
    name = "psp18"


class TestPsp18Stride8(BackboneQuestions):
    name = "psp18-stride8"


class TestBise18(BackboneQuestions):
    name = "bise18"


@pytest.mark.slow
class TestPsp18Exports(BackboneExportQuestions):
    name = "psp18"


@pytest.mark.slow
class TestPsp18Stride8Exports(BackboneExportQuestions):
    name = "psp18-stride8"


@pytest.mark.slow
class TestBise18Exports(BackboneExportQuestions):
    name = "bise18"


class TestOwnBackbone(BackboneQuestions):
    name = "own_backbone:build"


@pytest.mark.slow  # tests/compiler/export/test_exporter.py asks for its graphs' answers too
class TestOwnBackboneExports(BackboneExportQuestions):
    name = "own_backbone:build"


@pytest.mark.parametrize(
    ("name", "size", "expected"),
    [
        ("compact", (360, 480), (64, 90, 120)),
        ("compact", (359, 477), (64, 90, 120)),
        ("psp18", (720, 960), (64, 720, 960)),
        ("psp18", (503, 672), (64, 504, 672)),
        ("psp18-stride8", (1024, 2048), (512, 128, 256)),
        ("bise18", (720, 960), (256, 90, 120)),
        ("bise18", (360, 480), (256, 46, 60)),
        ("bise18", (90, 122), (256, 12, 16)),
    ],
)
def test_the_feature_has_the_size_of_the_published_network(name, size, expected):
    with torch.device("meta"):
        backbone = seeded(name)
        assert backbone(torch.empty(1, 3, *size)).shape[1:] == expected
    assert (backbone.channels, *backbone.feature_size(*size)) == expected


@pytest.mark.parametrize(("length", "times", "expected"), [(8, 3, 1), (9, 3, 2), (90, 3, 12), (90, 4, 6), (1, 5, 1)])
def test_halving_rounds_up_every_time(length, times, expected):
    assert ceil_halvings(length, times) == expected
