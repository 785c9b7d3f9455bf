import pytest

from edge_arseg.spec.model import CAMVID_12, CITYSCAPES_19, Cost, lr_size
from edge_arseg.spec.tensor import TensorSpec


@pytest.mark.parametrize(
    ("scale", "camvid", "cityscapes"),
    [
        (0.3, (216, 288), (307, 614)),
        (0.4, (288, 384), (409, 819)),
        (0.5, (360, 480), (512, 1024)),
        (0.6, (432, 576), (614, 1228)),
        (0.7, (503, 672), (716, 1433)),
        (0.8, (576, 768), (819, 1638)),
        (0.9, (648, 864), (921, 1843)),
    ],
)
def test_lr_size_truncates_like_the_reference(scale, camvid, cityscapes):
    assert lr_size(720, 960, scale) == camvid
    assert lr_size(1024, 2048, scale) == cityscapes


def test_published_classes():
    assert len(CAMVID_12) == 12
    assert CAMVID_12[11].name == "void"
    assert len(CITYSCAPES_19) == 19
    assert CITYSCAPES_19[13] == CITYSCAPES_19[13].__class__("car", (0, 0, 142))
    for classes in (CAMVID_12, CITYSCAPES_19):
        assert len({c.name for c in classes}) == len({c.color for c in classes}) == len(classes)


def test_mean_cost_over_a_gop():
    cost = Cost(hr_macs=120, lr_macs=20, fuse_macs=4)
    assert cost.non_key_macs == 24
    assert cost.mean_macs(12) == 32.0
    assert cost.mean_macs(1) == 120.0
    assert cost.saving(12) == pytest.approx(1 - 32 / 120)


def test_tensor_spec_size_and_text():
    assert TensorSpec("float16", (1, 64, 2, 3)).nbytes == 768
    assert str(TensorSpec("uint8", (720, 960, 3))) == "uint8[720, 960, 3]"
