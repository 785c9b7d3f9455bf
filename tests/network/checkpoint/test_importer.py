"""Published files to a network: all variants in, everything else refused with all of its faults."""

import os
import socket
from functools import lru_cache

import pytest
import torch
from support.networks.published_states import published_states

from edge_arseg.errors import CheckpointError
from edge_arseg.network.checkpoint.importer import network_from_checkpoint, network_from_files
from edge_arseg.network.variants import VARIANTS

BISE = "camvid-bise18"


@lru_cache(maxsize=1)
def states(variant):
    return published_states(variant)


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Weights are never downloaded: any connection is an error here."""

    def refuse(*args, **kwargs):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)


@pytest.fixture(scope="module")
def untouched(tmp_path_factory):
    """The files ``hr.pth`` and ``ar.pth`` of a variant: 50 MB each, so they are written once."""
    folder = tmp_path_factory.mktemp("untouched")

    def files(variant):
        paths = [folder / variant / f"{role}.pth" for role in ("hr", "ar")]
        if not paths[0].parent.exists():
            paths[0].parent.mkdir()
            for path, state in zip(paths, states(variant)[:2], strict=True):
                torch.save(state, path)
        return paths

    return files


@pytest.fixture
def read(tmp_path, untouched):
    """Write two state_dicts, of which ``None`` is the untouched one, and read the network."""

    def call(variant, hr=None, ar=None):
        paths = untouched(variant)
        for place, state in enumerate((hr, ar)):
            if state is not None:
                paths[place] = tmp_path / paths[place].name
                torch.save(state, paths[place])
        return network_from_files(*paths)

    return call


def changed(state, **entries):
    """The state with entries added, replaced, or (``None``) left out; ``__`` stands for a dot."""
    new = {"module." + key.replace("__", "."): value for key, value in entries.items()}
    return {key: value for key, value in (state | new).items() if value is not None}


def assert_same_weights(network, expected):
    ours, theirs = network.state_dict(), expected.state_dict()
    assert list(ours) == list(theirs)
    assert [key for key in ours if not torch.equal(ours[key], theirs[key])] == []


# What is read


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_is_recognised_and_read_completely(read, variant):
    network = read(variant)
    assert network.model == VARIANTS[variant]
    assert not network.training
    assert_same_weights(network, states(variant)[2])


def test_the_two_branches_come_from_their_own_files(read):
    key = "cp__resnet__conv1__weight"
    hr, ar, _ = states(BISE)
    weight = hr["module.cp.resnet.conv1.weight"]
    network = read(BISE, changed(hr, **{key: weight + 1.0}), changed(ar, **{key: weight - 1.0}))
    torch.testing.assert_close(network.hr.encoder.conv1.weight, weight + 1.0)
    torch.testing.assert_close(network.lr.encoder.conv1.weight, weight - 1.0)


def test_files_without_the_data_parallel_prefix(read):
    hr, ar, expected = states(BISE)
    plain = [{key.removeprefix("module."): value for key, value in state.items()} for state in (hr, ar)]
    assert_same_weights(read(BISE, *plain), expected)


@pytest.mark.parametrize("entries", [160, 162, 168])
def test_the_hr_file_of_cityscapes_in_its_three_forms(read, entries):
    plain, ar, expected = states("cityscapes-psp18")
    converted = plain | {key: ar[key] for key in ar if key.startswith("module.final_conv.")}
    fused = converted | {key: torch.randn_like(ar[key]) for key in ar if "fuse_attention" in key}  # random, unused
    hr = {160: plain, 162: converted, 168: fused}[entries]
    assert len(hr) == entries
    head = {"module.final_conv.": "module.cls.4."}
    for alias, first in head.items():
        hr = {key: hr.get(key.replace(alias, first), value) for key, value in hr.items()}
    assert_same_weights(read("cityscapes-psp18", hr), expected)


@pytest.mark.parametrize("variant", ["camvid-psp18", "cityscapes-bise18"])
def test_heads_of_training_only_may_be_absent(read, variant):
    unused = ("module.classifier.", "module.conv_out16.", "module.conv_out32.")
    trimmed = [{k: v for k, v in state.items() if not k.startswith(unused)} for state in states(variant)[:2]]
    assert_same_weights(read(variant, *trimmed), states(variant)[2])


def test_half_precision_copies_are_not_taken_for_the_original(read):
    hr = {key: value.half() if value.is_floating_point() else value for key, value in states(BISE)[0].items()}
    with pytest.raises(
        CheckpointError, match=r"ffm\.bn\.weight|ffm\.bn_atten\.weight|sp\.conv1\.conv\.weight: float16"
    ):
        read(BISE, hr)


# What is refused


def test_weights_stored_twice_must_be_equal(read):
    ar = states(BISE)[1]
    edited = ar["module.feat_conv_out.conv.weight"].clone()
    edited[0, 0, 0, 0] += 1e-3
    with pytest.raises(CheckpointError) as caught:
        read(BISE, ar=changed(ar, feat_conv_out__conv__weight=edited))
    message = str(caught.value)
    assert "1 stored twice with different values" in message
    assert "conv_out.conv.conv.weight and feat_conv_out.conv.weight" in message
    assert "ar.pth" in message
    assert "hr.pth" not in message


def test_a_head_stored_twice_must_be_equal_in_cityscapes_too(read):
    ar = states("cityscapes-psp18")[1]
    with pytest.raises(CheckpointError, match=r"cls\.4\.bias and final_conv\.bias"):
        read("cityscapes-psp18", ar=changed(ar, final_conv__bias=ar["module.final_conv.bias"] + 1.0))


def test_all_faults_of_both_files_are_in_one_error(read):
    hr, ar, _ = states(BISE)
    bad = torch.full((256,), 1.0)
    bad[17] = float("nan")
    infinite = ar["module.conv_out.conv_out.weight"].clone()
    infinite[3, 0, 0, 0] = float("inf")
    with pytest.raises(CheckpointError) as caught:
        read(
            BISE,
            changed(
                hr,
                cp__resnet__bn1__weight=None,
                cp__resnet__bn1__bias=None,
                sp__conv2__conv__weight=torch.zeros(64, 64, 5, 5),
                surplus__weight=torch.zeros(3),
                ffm__convblk__bn__bias=bad,
            ),
            changed(
                ar,
                fuse_attention__hr_key_conv__bias=None,
                fuse_attention__hr_value_conv__weight=torch.zeros(64, 1, 3, 3),
                cp__arm16__bn_atten__num_batches_tracked=torch.tensor(0.0),
                conv_out__conv_out__weight=infinite,
                final_conv__weight=infinite,
            ),
        )
    message = str(caught.value)
    for line in (
        "not a complete camvid-bise18 checkpoint",
        "2 missing:",
        "cp.resnet.bn1.weight",
        "cp.resnet.bn1.bias",
        "1 unexpected:",
        "surplus.weight",
        "sp.conv2.conv.weight: float32 (64, 64, 5, 5) seen, float32 (64, 64, 3, 3) expected",
        "1 holding NaN or infinity:",
        "ffm.convblk.bn.bias",
        "1 missing:",
        "fuse_attention.hr_key_conv.bias",
        "fuse_attention.hr_value_conv.weight: float32 (64, 1, 3, 3) seen, float32 (256, 1, 3, 3) expected",
        "cp.arm16.bn_atten.num_batches_tracked: float32 () seen, int64 () expected",
        "conv_out.conv_out.weight",
    ):
        assert line in message
    assert message.index("hr.pth") < message.index("ar.pth")


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16, torch.int64])
def test_another_type_is_named(read, dtype):
    hr = states(BISE)[0]
    wrong = hr["module.cp.resnet.bn1.weight"].to(dtype)
    name = str(dtype).removeprefix("torch.")
    with pytest.raises(
        CheckpointError, match=rf"cp\.resnet\.bn1\.weight: {name} \(64,\) seen, float32 \(64,\) expected"
    ):
        read(BISE, changed(hr, cp__resnet__bn1__weight=wrong))


def test_a_name_with_and_without_the_prefix_is_ambiguous(read):
    hr = states(BISE)[0]
    with pytest.raises(CheckpointError, match=r"cp\.resnet\.bn1\.weight \(with and without 'module\.'\)"):
        read(BISE, hr | {"cp.resnet.bn1.weight": torch.zeros(64)})


def test_an_hr_file_is_no_ar_file(read):
    hr = states(BISE)[0]
    with pytest.raises(CheckpointError, match=r"(?s)ar\.pth.*6 missing.*fuse_attention\.lr_query_conv\.weight"):
        read(BISE, ar=hr)


def test_an_ar_file_in_the_place_of_the_hr_file_is_read_as_the_same_architecture(read):
    """Its fusion weights are left alone, as the authors' own loading of Cityscapes does."""
    ar = states(BISE)[1]
    assert read(BISE, hr=ar).model.name == BISE


@pytest.mark.parametrize(("hr", "ar"), [("camvid-psp18", BISE), (BISE, "cityscapes-bise18")])
def test_files_of_two_variants_do_not_mix(untouched, hr, ar):
    hr_file, ar_file = untouched(hr)[0], untouched(ar)[1]
    with pytest.raises(CheckpointError, match=rf"hr\.pth is of {hr}, .*ar\.pth of {ar}; expected one model's files"):
        network_from_files(hr_file, ar_file)


@pytest.mark.parametrize("prefix", ["", "module.", "backbone."])
def test_another_network(tmp_path, prefix):
    keys = ("conv1.weight", "bn1.weight", "layer1.0.conv1.weight", "fc.weight")  # as torchvision names a ResNet
    torch.save({prefix + key: torch.zeros(3) for key in keys}, tmp_path / "resnet18.pth")
    with pytest.raises(CheckpointError, match=r"another network; 4 entries seen such as .*bn1\.weight") as caught:
        network_from_files(tmp_path / "resnet18.pth", tmp_path / "resnet18.pth")
    assert all(name in str(caught.value) for name in VARIANTS)


@pytest.mark.parametrize("classes", [2, 21])
def test_another_number_of_classes(read, classes):
    hr = states(BISE)[0]
    weight, bias = torch.zeros(classes, 256, 1, 1), torch.zeros(classes)
    other = changed(
        hr,
        conv_out__conv_out__weight=weight,
        conv_out__conv_out__bias=bias,
        final_conv__weight=weight,
        final_conv__bias=bias,
    )
    with pytest.raises(CheckpointError, match=rf"{classes} classes seen in the head, expected 12 .*, 19 "):
        read(BISE, other)


@pytest.mark.parametrize("shape", [(), (0,), (0, 256, 1, 1)])
def test_a_head_of_no_classes(read, shape):
    empty = torch.zeros(shape)
    hr = changed(states(BISE)[0], conv_out__conv_out__weight=empty, final_conv__weight=empty)
    with pytest.raises(CheckpointError):
        read(BISE, hr)


def test_a_head_stored_once_as_its_second_name(read):
    """Without any head the number of classes is unknown: still one error that names the missing weights."""
    hr = {
        k: v
        for k, v in states(BISE)[0].items()
        if not k.startswith(("module.conv_out.conv_out.", "module.final_conv."))
    }
    with pytest.raises(CheckpointError, match=r"conv_out\.conv_out\.weight"):
        read(BISE, hr)


# Folders


@pytest.fixture(scope="module")
def other_scale(tmp_path_factory):
    """An AR file for another LR scale."""
    path = tmp_path_factory.mktemp("scale") / "ar.pth"
    torch.save(changed(states(BISE)[1], cp__resnet__bn1__bias=torch.full((64,), 7.0)), path)
    return path


@pytest.fixture
def folder(tmp_path, untouched, other_scale):
    """The published layout of one model, with two AR scales."""
    hr, ar = untouched(BISE)
    for name in ("HR", "LR", "AR"):
        (tmp_path / name).mkdir()
    os.link(hr, tmp_path / "HR" / "whatever.pth")
    os.link(ar, tmp_path / "AR" / "PSPNet_resnet18_0.5_93_.pth")
    os.link(other_scale, tmp_path / "AR" / "PSPNet_resnet18_0.3_88_.pth")
    return tmp_path


def test_a_folder_is_read_for_the_lr_scale_asked_for(folder):
    assert_same_weights(network_from_checkpoint(folder), states(BISE)[2])
    other = network_from_checkpoint(folder, lr_scale=0.3)
    assert (network_from_checkpoint(folder).lr_scale, other.lr_scale) == (0.5, 0.3)
    assert torch.equal(other.lr.encoder.bn1.bias, torch.full((64,), 7.0))


def test_a_scale_without_a_file_lists_the_scales_there_are(folder):
    with pytest.raises(CheckpointError, match=r"no file for LR scale 0\.7; scales seen: 0\.3, 0\.5.*--lr-scale"):
        network_from_checkpoint(folder, lr_scale=0.7)


def test_two_files_of_one_scale_are_not_chosen_between(folder):
    (folder / "AR" / "PSPNet_resnet18_0.5_12_.pth").write_bytes(b"an older epoch")
    with pytest.raises(CheckpointError, match=r"0\.5_12_\.pth.*0\.5_93_\.pth.*--ar FILE"):
        network_from_checkpoint(folder)


@pytest.mark.parametrize("name", ["HR", "AR"])
def test_a_folder_without_its_two_folders(folder, name):
    (folder / name).rename(folder / "elsewhere")
    with pytest.raises(CheckpointError, match=f"no folder {name}/ inside; expected the published layout"):
        network_from_checkpoint(folder)


def test_two_files_in_hr(folder):
    (folder / "HR" / "another.pth").write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"expected one file, seen: another\.pth, whatever\.pth.*--hr FILE"):
        network_from_checkpoint(folder)


def test_no_files_at_all(folder):
    (folder / "HR" / "whatever.pth").unlink()
    with pytest.raises(CheckpointError, match="expected one file, seen: none"):
        network_from_checkpoint(folder)


def test_notes_the_system_left_are_no_checkpoints(folder):
    (folder / "HR" / ".DS_Store").write_bytes(b"")
    (folder / "AR" / ".DS_Store").write_bytes(b"")
    assert network_from_checkpoint(folder).model.name == BISE


def test_one_file_alone(folder):
    with pytest.raises(
        CheckpointError, match=r"one file seen; the published models have two.*--hr HR_FILE --ar AR_FILE"
    ):
        network_from_checkpoint(folder / "HR" / "whatever.pth")


def test_a_checkpoint_that_is_not_there_says_what_was_expected(tmp_path):
    with pytest.raises(CheckpointError, match=r"nothing there; expected a \.safetensors file or a folder"):
        network_from_checkpoint(tmp_path / "none")
