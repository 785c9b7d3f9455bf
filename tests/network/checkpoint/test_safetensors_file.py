"""Our own checkpoint format: out and in again, bit for bit, and what is refused."""

import json
import os

import pytest
import torch
from safetensors.torch import load_file, save_file
from support.networks.published_states import published_states
from support.networks.small import OWN, OWN_MODEL, own_network

from edge_arseg.errors import CheckpointError, OptionError, SinkError
from edge_arseg.network.checkpoint import safetensors_file
from edge_arseg.network.checkpoint.importer import network_from_checkpoint
from edge_arseg.network.checkpoint.safetensors_file import network_from_safetensors, safetensors_from_network
from edge_arseg.spec.frame import Branch
from edge_arseg.testing.networks import random_frame


@pytest.fixture(scope="module")
def own():
    return own_network()


@pytest.fixture
def file(own, tmp_path):
    return safetensors_from_network(own, tmp_path / "own.safetensors")


def metadata_of(file):
    content = file.read_bytes()
    length = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + length])["__metadata__"]


def rewritten(file, *, metadata=None, tensors=None):
    """The same file with other metadata entries (``None`` leaves one out) or other tensors."""
    new = {key: value for key, value in (metadata_of(file) | (metadata or {})).items() if value is not None}
    save_file(load_file(file) if tensors is None else tensors, file, metadata=new or None)
    return file


@torch.inference_mode()
def logits(network):
    key, frame = random_frame(45, 61), random_frame(45, 61, seed=1)
    return (
        network.hr_logits(key),
        network.lr_logits(frame, 0.5),
        network.ar_logits(key, frame, torch.randn(12, 16, 2, generator=torch.Generator().manual_seed(0)), 0.5),
    )


def test_out_and_in_again_gives_the_same_logits_bit_for_bit(own, file):
    read = network_from_checkpoint(file, backbone=OWN)
    assert read.model == OWN_MODEL
    assert not read.training
    assert all(torch.equal(one, other) for one, other in zip(logits(read), logits(own), strict=True))


def test_a_published_model_too(tmp_path):
    network = published_states("camvid-bise18")[2]
    read = network_from_safetensors(safetensors_from_network(network, tmp_path / "a.safetensors"))
    assert read.model == network.model
    assert all(torch.equal(one, other) for one, other in zip(logits(read), logits(network), strict=True))


@pytest.mark.parametrize("scale", [None, 0.7, 1.0])
def test_the_lr_scale_that_was_trained_with_stays_with_the_weights(tmp_path, scale):
    network = own_network()
    network.lr_scale = scale
    file = safetensors_from_network(network, tmp_path / "own.safetensors")
    assert network_from_safetensors(file, backbone=OWN).lr_scale == scale
    assert ("lr_scale" in metadata_of(file)) == (scale is not None)


@pytest.mark.parametrize("text", ["0", "1.5", "nan", "half", ""])
def test_an_lr_scale_that_cannot_be_is_refused(file, text):
    rewritten(file, metadata={"lr_scale": text})
    with pytest.raises(CheckpointError, match=r"LR scale .* seen, expected more than 0, up to 1"):
        network_from_safetensors(file, backbone=OWN)


def test_a_file_of_before_the_position_bias_has_none(own, file):
    tensors = {key: value for key, value in load_file(file).items() if key != "creff.position_bias"}
    read = network_from_safetensors(rewritten(file, tensors=tensors), backbone=OWN)
    assert own.creff.position_bias.abs().max() > 0.5
    assert torch.equal(read.creff.position_bias, torch.zeros(49))
    assert torch.equal(read.creff.key.weight, own.creff.key.weight)


def test_the_same_network_makes_the_same_bytes(own, tmp_path):
    """Provenance and records compare digests; 30 files with the library's order would be alike once in 10^40 times."""
    files = [safetensors_from_network(own, tmp_path / f"{number}.safetensors") for number in range(30)]
    assert len({file.read_bytes() for file in files}) == 1
    assert list(metadata_of(files[0])) == sorted(metadata_of(files[0]))


@pytest.mark.parametrize(("mask", "mode"), [(0o002, 0o664), (0o077, 0o600)])
def test_the_file_has_the_permissions_of_any_new_file(own, tmp_path, mask, mode):
    """safetensors 0.8 keeps everybody but the owner out; a colleague, and a container's user, could not read it."""
    before = os.umask(mask)
    try:
        made = safetensors_from_network(own, tmp_path / "a.safetensors")
    finally:
        os.umask(before)
    assert made.stat().st_mode & 0o777 == mode


def test_nothing_else_is_left_in_the_folder(file):
    assert list(file.parent.iterdir()) == [file]


def test_a_file_is_replaced(own, file):
    file.write_bytes(b"old")
    safetensors_from_network(own, file)
    assert network_from_safetensors(file, backbone=OWN).model == OWN_MODEL


def test_folders_above_are_made_and_removed_again_where_nothing_is_written(own, tmp_path, monkeypatch):
    assert safetensors_from_network(own, tmp_path / "a" / "b" / "own.safetensors").is_file()
    monkeypatch.setattr(safetensors_file, "save_file", full)
    with pytest.raises(SinkError, match="the disk is full"):
        safetensors_from_network(own, tmp_path / "c" / "own.safetensors")
    assert [child.name for child in tmp_path.iterdir()] == ["a"]


def full(*_, **__):
    raise OSError(28, "No space left on device")


def test_a_link_is_followed_and_stays(own, tmp_path):
    (tmp_path / "newest.safetensors").symlink_to("own.safetensors")
    safetensors_from_network(own, tmp_path / "newest.safetensors")
    assert (tmp_path / "newest.safetensors").is_symlink()
    assert (tmp_path / "own.safetensors").is_file()


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"name": "../../evil"}, r"name: '\.\./\.\./evil' seen, expected a plain name"),
        ({"name": ""}, "name: '' seen"),
        ({"classes": []}, "classes: 0 seen, expected 1 to 255"),
        ({"classes": [{"name": "road", "color": [999, 0, 0]}]}, r"classes\.0\.color: \[999, 0, 0\] seen"),
        ({"normalisation": {"mean": [0, 0, 0], "std": [0, 1, 1]}}, "normalisation: .* std above 0"),
    ],
)
def test_a_model_that_cannot_be_meant_is_refused(file, changes, fault):
    model = json.loads(metadata_of(file)["model"])
    rewritten(file, metadata={"model": json.dumps({**model, **changes})})
    with pytest.raises(CheckpointError, match=fault):
        network_from_safetensors(file, backbone=OWN)


def test_tensors_of_types_without_infinity_are_unexpected(file):
    strange = torch.zeros(3).to(torch.float8_e4m3fn)
    rewritten(file, tensors={**load_file(file), "strange": strange})
    with pytest.raises(CheckpointError, match="unexpected strange"):
        network_from_safetensors(file, backbone=OWN)


def test_a_backbone_that_has_moved_can_be_named(file, own):
    rewritten(file, metadata={"model": metadata_of(file)["model"].replace(OWN, "gone.elsewhere:build")})
    with pytest.raises(OptionError, match=r"cannot import 'gone\.elsewhere'"):
        network_from_safetensors(file, backbone="gone.elsewhere:build")
    read = network_from_safetensors(file, backbone=OWN)
    assert read.model.backbone == OWN
    assert all(torch.equal(one, other) for one, other in zip(logits(read), logits(own), strict=True))


def test_a_file_alone_does_not_decide_what_is_imported(file, tmp_path, monkeypatch):
    (tmp_path / "hostile.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\ndef build(): pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    rewritten(file, metadata={"model": metadata_of(file)["model"].replace(OWN, "hostile:build")})
    with pytest.raises(CheckpointError, match="--backbone hostile:build"):
        network_from_safetensors(file)
    assert not (tmp_path / "ran").exists()


# Damage


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_a_copy_that_stopped(file, share):
    content = file.read_bytes()
    file.write_bytes(content[: int(share * len(content))])
    with pytest.raises(CheckpointError, match="not a readable safetensors file"):
        network_from_safetensors(file)


@pytest.mark.parametrize("content", [b"text\n" * 20, b"\xff" * 64, (10).to_bytes(8, "little") + b"{not json}"])
def test_something_else(tmp_path, content):
    file = tmp_path / "a.safetensors"
    file.write_bytes(content)
    with pytest.raises(CheckpointError, match="not a readable safetensors file"):
        network_from_safetensors(file)


def test_nothing_there_and_a_folder(tmp_path):
    with pytest.raises(CheckpointError, match=r"nothing there; expected a \.safetensors file"):
        network_from_safetensors(tmp_path / "a.safetensors")
    (tmp_path / "b.safetensors").mkdir()
    with pytest.raises(CheckpointError, match=r"a folder without best\.safetensors seen"):
        network_from_checkpoint(tmp_path / "b.safetensors")


def test_a_file_of_another_program(tmp_path):
    save_file({"weight": torch.zeros(3)}, tmp_path / "a.safetensors")
    with pytest.raises(CheckpointError, match="of another program"):
        network_from_safetensors(tmp_path / "a.safetensors")
    save_file({"weight": torch.zeros(3)}, tmp_path / "a.safetensors", metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match="of another program"):
        network_from_safetensors(tmp_path / "a.safetensors")


@pytest.mark.parametrize("revision", ["2", "0", "", "one", None])
def test_an_unknown_revision(file, revision):
    with pytest.raises(CheckpointError, match=f"revision {revision} seen, this version reads 1"):
        network_from_safetensors(rewritten(file, metadata={"revision": revision}))


@pytest.mark.parametrize(
    "model",
    [
        None,
        "",
        "{",
        "[]",
        "{}",
        '{"name": "a", "backbone": "bise18", "classes": "none", "normalisation": 1}',
        '{"name": "a", "backbone": "bise18", "classes": [], "normalisation": {"mean": [0, 0], "std": [1, 1, 1]}}',
    ],
)
def test_a_damaged_model_description(file, model):
    with pytest.raises(CheckpointError, match="its model description is damaged"):
        network_from_safetensors(rewritten(file, metadata={"model": model}))


def test_all_faults_of_the_weights_are_in_one_error(file):
    tensors = load_file(file)
    del tensors["hr.stem.0.weight"]
    del tensors["creff.key.bias"]
    tensors["surplus"] = torch.zeros(2)
    tensors["lr_head.classifier.weight"] = torch.zeros(12, 32, 1, 1)
    tensors["hr.stem.1.bias"] = tensors["hr.stem.1.bias"].double()
    tensors["lr.stem.1.weight"] = tensors["lr.stem.1.weight"] * float("nan")
    with pytest.raises(CheckpointError) as caught:
        network_from_safetensors(rewritten(file, tensors=tensors), backbone=OWN)
    message = str(caught.value)
    for line in (
        "does not fit backbone 'own_backbone:build'",
        "missing hr.stem.0.weight",
        "missing creff.key.bias",
        "unexpected surplus",
        "lr_head.classifier.weight: float32 (12, 32, 1, 1) seen, float32 (11, 32, 1, 1) expected",
        "hr.stem.1.bias: float64 (16,) seen, float32 (16,) expected",
        "lr.stem.1.weight: holds NaN or infinity",
    ):
        assert line in message


def test_weights_of_another_backbone(file):
    with pytest.raises(CheckpointError, match=r"(?s)does not fit backbone 'bise18'.*missing .*unexpected"):
        network_from_safetensors(file, backbone="bise18")


@pytest.mark.parametrize("trained", [(Branch.HR,), (Branch.HR, Branch.LR)])
def test_which_branches_were_trained_comes_back(own, tmp_path, trained):
    network = own_network()
    network.trained = trained
    file = safetensors_from_network(network, tmp_path / "own.safetensors")
    assert metadata_of(file)["trained"] == ",".join(branch.value for branch in trained)
    assert network_from_checkpoint(file, backbone=OWN).trained == trained


def test_a_file_that_does_not_say_what_was_trained_counts_as_trained(file):
    assert network_from_checkpoint(rewritten(file, metadata={"trained": None}), backbone=OWN).trained == (
        Branch.HR,
        Branch.LR,
    )


def test_trained_branches_that_do_not_exist_are_refused(file):
    with pytest.raises(CheckpointError, match="trained branches 'lr' seen, expected hr or hr,lr"):
        network_from_checkpoint(rewritten(file, metadata={"trained": "lr"}), backbone=OWN)
