import shutil

import pytest

from edge_arseg.errors import OptionError
from edge_arseg.runtime.bundles.zoo import shipped_names
from edge_arseg.runtime.verification import agreements_of_bundle
from edge_arseg.spec.manifest import Role
from edge_arseg.tuning.bundles import bundles_from_paths

FLOAT, INT8 = "camvid-compact-360x480", "camvid-compact-360x480-int8"


def test_branches_of_one_model_are_mixed_into_a_bundle_that_passes(tmp_path):
    paths = [shipped_names()[name] for name in (FLOAT, INT8)]
    given = bundles_from_paths(paths, tmp_path, mixed=True)
    assert given.names == (FLOAT, INT8, f"{FLOAT}+{INT8}", f"{INT8}+{FLOAT}")
    assert bundles_from_paths(paths, tmp_path, mixed=False).names == (FLOAT, INT8)
    assert given.halves == {
        FLOAT: (FLOAT, FLOAT),
        INT8: (INT8, INT8),
        f"{FLOAT}+{INT8}": (FLOAT, INT8),
        f"{INT8}+{FLOAT}": (INT8, FLOAT),
    }
    mixed, wholes = given.bundle(f"{FLOAT}+{INT8}"), dict(zip((FLOAT, INT8), given.given, strict=True))
    graphs = mixed.manifest.graphs
    assert (graphs[Role.HR].precision.value, graphs[Role.LR].precision.value) == ("fp32", "int8")
    assert mixed.graph_path(Role.HR).read_bytes() == wholes[FLOAT].graph_path(Role.HR).read_bytes()
    assert mixed.graph_path(Role.LR).read_bytes() == wholes[INT8].graph_path(Role.LR).read_bytes()
    assert mixed.manifest.quantization is not None
    assert min(row.agreement for row in agreements_of_bundle(mixed, threads=1)) > 0.99
    assert given.bundle(mixed.manifest.name).digest == mixed.digest  # the second time it is read


def test_only_a_float_bundle_has_layers_to_keep(tmp_path):
    given = bundles_from_paths([shipped_names()[FLOAT]], tmp_path, mixed=True, keep=(0, 4))
    names = given.names
    assert set(given.halves) == {FLOAT}  # what quantization leaves as it is, is not known before
    assert names == (FLOAT, f"{FLOAT}-int8-but0", f"{FLOAT}-int8-but4")
    with pytest.raises(OptionError, match="--keep 4 needs a bundle in float32"):
        bundles_from_paths([shipped_names()[INT8]], tmp_path, mixed=True, keep=(4,))


def test_two_bundles_of_one_name_are_told_apart_by_no_folder(own_bundle, tmp_path):
    copy = shutil.copytree(own_bundle, tmp_path / "other.arseg")
    with pytest.raises(OptionError, match=r"called own seen twice.* with another -o, or compare them with bench"):
        bundles_from_paths([own_bundle, copy], tmp_path, mixed=False)
