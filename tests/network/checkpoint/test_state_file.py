"""Files that are no state_dict: each is refused with its own message, and none of them runs."""

import io
import os
import pickle
import struct
import zipfile
import zlib

import pytest
import torch

from edge_arseg.errors import CheckpointError
from edge_arseg.network.checkpoint.state_file import state_from_file

STATE = {"module.a": torch.arange(6.0).reshape(2, 3), "module.n": torch.tensor(3)}


class Trap:
    """Unpickling it creates a file: the harmless stand-in for what a hostile checkpoint would do."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


def saved(path, content, **options):
    torch.save(content, path, **options)
    return path


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_a_state_dict_in_either_of_torch_s_formats(tmp_path, zipped):
    state = state_from_file(saved(tmp_path / "a.pth", STATE, _use_new_zipfile_serialization=zipped))
    assert list(state) == list(STATE)
    assert all(torch.equal(state[key], STATE[key]) for key in STATE)


def _torch_zip(path, content):
    torch.save(content, path)


def _torch_legacy(path, content):
    torch.save(content, path, _use_new_zipfile_serialization=False)


def _plain_pickle(protocol):
    def write(path, content):
        path.write_bytes(pickle.dumps(content, protocol))

    return write


WRITERS = {"zip": _torch_zip, "legacy": _torch_legacy} | {f"pickle {n}": _plain_pickle(n) for n in range(1, 6)}


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
@pytest.mark.parametrize("inside", ["alone", "beside the weights"])
def test_code_in_a_pickle_is_refused_and_does_not_run(tmp_path, write, inside):
    sprung = tmp_path / "sprung"
    file = tmp_path / "a.pth"
    write(file, Trap(sprung) if inside == "alone" else {"module.a": torch.ones(2), "module.b": Trap(sprung)})
    with pytest.raises(CheckpointError, match=r"holds more than tensors.*can run code") as caught:
        state_from_file(file)
    assert not sprung.exists()
    assert str(file) in str(caught.value)
    assert "torch.save(model.state_dict(), FILE)" in str(caught.value)


@pytest.mark.filterwarnings("ignore")
def test_the_trap_would_have_sprung(tmp_path):
    """Otherwise the test above would show nothing."""
    file = saved(tmp_path / "a.pth", Trap(tmp_path / "sprung"))
    torch.load(file, weights_only=False)
    assert (tmp_path / "sprung").is_dir()


def test_a_whole_model_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="holds more than tensors"):
        state_from_file(saved(tmp_path / "a.pth", torch.nn.Conv2d(1, 1, 1)))


def png():
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


def other_zip():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("readme.txt", "not a checkpoint")
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"<html>Sign in to download</html>\n" * 40, id="web page"),
        pytest.param("Größe: 3\n".encode("latin-1"), id="text"),
        pytest.param(png(), id="picture"),
        pytest.param(other_zip(), id="another zip"),
        pytest.param(b"PK\x03\x04", id="start of a zip"),
        pytest.param(bytes(range(256)) * 64, id="every byte"),
        pytest.param(b"\x80\x02", id="start of a pickle"),
        pytest.param(b"\x80\x02}q\x00(X\x03", id="part of a pickle"),
        pytest.param(b"\0" * 4096, id="zeros"),
    ],
)
def test_something_else_is_no_checkpoint(tmp_path, content):
    file = tmp_path / "a.pth"
    file.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"not a PyTorch checkpoint, or damaged.*downloaded completely"):
        state_from_file(file)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.99])
def test_a_download_that_stopped(tmp_path, zipped, share):
    whole = saved(tmp_path / "a.pth", {"module.a": torch.randn(4000)}, _use_new_zipfile_serialization=zipped)
    content = whole.read_bytes()
    whole.write_bytes(content[: int(share * len(content))])
    with pytest.raises(CheckpointError, match="not a PyTorch checkpoint, or damaged"):
        state_from_file(whole)


def test_an_archive_with_a_changed_byte_is_refused_or_read_as_it_is(tmp_path):
    """Wherever the byte is: our error, or a dictionary of tensors, never another exception."""
    whole = saved(tmp_path / "a.pth", {"module.a": torch.zeros(64)})
    content = bytearray(whole.read_bytes())
    for position in range(0, len(content), 7):
        damaged = content.copy()
        damaged[position] ^= 0xFF
        whole.write_bytes(damaged)
        try:
            state = state_from_file(whole)
        except CheckpointError:
            continue
        assert all(isinstance(value, torch.Tensor) for value in state.values())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([torch.ones(2)], "holds a list, expected a state_dict"),
        (torch.ones(2), "holds a Tensor, expected a state_dict"),
        ({}, "an empty state_dict"),
        ({"state_dict": STATE, "epoch": 3}, r"no named tensors: state_dict, epoch.*checkpoint\['state_dict'\]"),
        ({"module.a": [1.0, 2.0]}, "no named tensors: module.a"),
        ({3: torch.ones(2)}, "no named tensors: 3"),
    ],
)
def test_something_else_inside(tmp_path, content, message):
    with pytest.raises(CheckpointError, match=message):
        state_from_file(saved(tmp_path / "a.pth", content))


def test_no_file_and_a_folder(tmp_path):
    with pytest.raises(CheckpointError, match="nothing seen, expected a checkpoint file"):
        state_from_file(tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match="a folder seen, expected a checkpoint file"):
        state_from_file(tmp_path)
