"""Finding a backbone by its name, and what is said when there is none."""

import sys

import pytest
from support.networks.small import OWN

from edge_arseg.errors import CheckpointError, OptionError
from edge_arseg.network.backbones.bise18 import Bise18
from edge_arseg.network.backbones.psp18 import Psp18, Psp18Stride8
from edge_arseg.network.backbones.registry import backbone_from_name, backbone_names
from edge_arseg.network.variants import VARIANTS


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder on the import path; modules imported from it are forgotten afterwards."""
    known = set(sys.modules)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in set(sys.modules) - known:
        if name.startswith("some_"):
            del sys.modules[name]


@pytest.mark.parametrize(("name", "kind"), [("psp18", Psp18), ("psp18-stride8", Psp18Stride8), ("bise18", Bise18)])
def test_a_built_in_name_gives_its_backbone(name, kind):
    assert type(backbone_from_name(name)) is kind


def test_every_published_model_names_a_known_backbone():
    assert {model.backbone for model in VARIANTS.values()} <= set(backbone_names())


def test_your_own_by_module_and_function():
    assert type(backbone_from_name(OWN)).__name__ == "OwnBackbone"


def test_an_unknown_name_lists_the_known_ones():
    known = r"known: bise18, compact, lite0, lite1, psp18, psp18-stride8.*package\.module:function"
    with pytest.raises(OptionError, match=rf"'resnet99'; {known}"):
        backbone_from_name("resnet99")


@pytest.mark.parametrize("name", ["", ":", ":build", "own_backbone:", ".own_backbone:build"])
def test_half_a_name_is_refused(name):
    with pytest.raises(OptionError):
        backbone_from_name(name)


def test_a_module_that_is_not_there():
    with pytest.raises(OptionError, match=r"cannot import 'some_missing\.module'.*PYTHONPATH"):
        backbone_from_name("some_missing.module:build")


def test_a_module_that_imports_something_that_is_not_there(folder):
    (folder / "some_needy.py").write_text("import some_missing_library\n")
    with pytest.raises(OptionError, match=r"cannot import 'some_needy'.*some_missing_library"):
        backbone_from_name("some_needy:build")


def test_a_function_that_is_not_there():
    with pytest.raises(OptionError, match="module 'own_backbone' has no 'buidl'"):
        backbone_from_name("own_backbone:buidl")


@pytest.mark.parametrize(
    ("value", "seen"), [("None", "NoneType"), ("torch.nn.Conv2d(3, 8, 1)", "Conv2d"), ("OwnBackbone", "type|ABCMeta")]
)
def test_a_function_that_returns_no_backbone(folder, value, seen):
    (folder / "some_wrong.py").write_text(
        f"import torch\nfrom own_backbone import OwnBackbone\n\ndef build():\n    return {value}\n"
    )
    with pytest.raises(CheckpointError, match=f"returned ({seen}), expected a subclass of .*Backbone"):
        backbone_from_name("some_wrong:build")


def test_something_that_is_no_function(folder):
    (folder / "some_value.py").write_text("build = 3\n")
    with pytest.raises(CheckpointError, match="some_value:build"):
        backbone_from_name("some_value:build")


def test_an_installed_package_registers_by_entry_point(folder):
    (folder / "some_package.py").write_text(
        "from own_backbone import OwnBackbone\n\nclass Wide(OwnBackbone):\n    channels = 48\n"
    )
    installed(folder, "wide = some_package:Wide")
    assert backbone_names() == ["bise18", "compact", "lite0", "lite1", "psp18", "psp18-stride8", "wide"]
    backbone = backbone_from_name("wide")
    assert backbone.channels == 48
    with pytest.raises(OptionError, match="known: bise18, compact, lite0, lite1, psp18, psp18-stride8, wide"):
        backbone_from_name("narrow")


def test_an_entry_point_cannot_take_a_built_in_name(folder):
    installed(folder, "psp18 = some_package:Wide")
    assert type(backbone_from_name("psp18")) is Psp18
    assert backbone_names().count("psp18") == 1


@pytest.mark.parametrize("line", ["broken = some_missing_package:build", "broken = own_backbone:buidl"])
def test_an_entry_point_that_leads_nowhere(folder, line):
    installed(folder, line)
    with pytest.raises(OptionError, match="backbone 'broken'"):
        backbone_from_name("broken")


def installed(folder, entry_point):
    """What ``pip install`` leaves of a package with an entry point."""
    info = folder / "some_package-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: some-package\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[edge_arseg.backbones]\n{entry_point}\n")
