import errno
import json
import os
from dataclasses import replace

import pytest
from support.bundles.small import write_small_bundle

from edge_arseg.compiler.writing import NewBundle
from edge_arseg.errors import BundleError
from edge_arseg.runtime.bundles import reading
from edge_arseg.runtime.bundles.reading import MANIFEST, read_bundle
from edge_arseg.runtime.bundles.zoo import bundle_path, shipped_bundles
from edge_arseg.spec.manifest import Role


@pytest.fixture
def bundle(tmp_path):
    return write_small_bundle(tmp_path / "small.arseg")


def test_reads_what_was_written(bundle):
    read = read_bundle(bundle)
    assert read.manifest.name == "small"
    assert read.graph_path(Role.FUSE) == bundle / "onnx/fuse.onnx"
    assert read.golden_frames().distances.tolist() == [0, 11]
    assert read.fusion_weights().key_weight.shape == (8, 1, 3, 3)
    assert read.decoder_weights().weight.shape == (11, 8)


def test_the_digest_names_the_content(bundle, tmp_path):
    same = write_small_bundle(tmp_path / "same.arseg")
    other = write_small_bundle(tmp_path / "other.arseg", gop=6)
    assert read_bundle(bundle).digest == read_bundle(same).digest != read_bundle(other).digest


def test_an_edited_file_is_refused(bundle):
    file = bundle / "onnx/lr.onnx"
    data = bytearray(file.read_bytes())
    data[7] ^= 1
    file.write_bytes(data)
    with pytest.raises(BundleError, match=r"onnx/lr\.onnx: SHA-256 [0-9a-f]{16}\.\.\. seen"):
        read_bundle(bundle)
    assert read_bundle(bundle, digests=False)


def test_every_bad_file_is_reported(bundle):
    (bundle / "onnx/hr.onnx").unlink()
    (bundle / "onnx/lr.onnx").write_bytes(b"short")
    with pytest.raises(BundleError) as caught:
        read_bundle(bundle)
    message = str(caught.value)
    assert "2 of 8 files are not as written" in message
    assert "onnx/hr.onnx: missing" in message
    assert "onnx/lr.onnx: 5 bytes seen, 1100 expected" in message


def test_a_link_out_of_the_bundle_is_refused(bundle, tmp_path):
    file = bundle / "onnx/hr.onnx"
    (tmp_path / "outside").write_bytes(file.read_bytes())
    file.unlink()
    file.symlink_to(tmp_path / "outside")
    with pytest.raises(BundleError, match="a link that leads out of the bundle"):
        read_bundle(bundle)


def test_an_edited_manifest_that_escapes_is_refused(bundle):
    data = json.loads((bundle / MANIFEST).read_text())
    data["files"]["../../etc/passwd"] = {"sha256": "0" * 64, "bytes": 1}
    (bundle / MANIFEST).write_text(json.dumps(data))
    with pytest.raises(BundleError, match="leads out of the bundle"):
        read_bundle(bundle)


def test_what_is_there_instead_of_a_bundle_is_said(tmp_path):
    (tmp_path / "file.arseg").write_text("x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/readme.txt").write_text("x")
    with pytest.raises(BundleError, match="a file seen, expected a bundle folder"):
        read_bundle(tmp_path / "file.arseg")
    with pytest.raises(BundleError, match=r"seen: readme\.txt"):
        read_bundle(tmp_path / "folder")
    with pytest.raises(BundleError, match=r"bundles there: file\.arseg"):
        read_bundle(tmp_path / "typo.arseg")


def test_the_bundles_in_the_package_are_found_by_name(tmp_path):
    with pytest.raises(BundleError, match="-b BUNDLE"):
        shipped_bundles(tmp_path)
    for name in ("two", "one", "one-int8"):
        write_small_bundle(tmp_path / f"{name}.arseg")
    assert [bundle.path.name for bundle in shipped_bundles(tmp_path)] == ["one-int8.arseg", "one.arseg", "two.arseg"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_manifest_is_said(bundle):
    (bundle / MANIFEST).chmod(0)
    with pytest.raises(BundleError):
        read_bundle(bundle)


def test_weights_for_another_window_than_the_manifest_says_are_refused(bundle):
    read = read_bundle(bundle)
    manifest = replace(read.manifest, model=replace(read.manifest.model, window=3))
    with pytest.raises(BundleError, match="weights for a window of 7 seen, one of 3 expected; export the bundle again"):
        replace(read, manifest=manifest).fusion_weights()


def test_a_link_that_leads_to_itself_is_a_damaged_file(bundle):
    (bundle / "onnx/lr.onnx").unlink()
    (bundle / "onnx/lr.onnx").symlink_to("lr.onnx")
    with pytest.raises(BundleError, match=r"onnx/lr\.onnx: cannot be read \(Too many levels of symbolic links\)"):
        read_bundle(bundle)


def test_what_may_not_be_read_is_said(bundle, monkeypatch):
    def refused(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(reading, "sha256_of", refused)
    with pytest.raises(BundleError, match=r"onnx/hr\.onnx: cannot be read \(Permission denied\)(.|\n)*chmod -R"):
        read_bundle(bundle)
    monkeypatch.setattr(reading.Path, "read_bytes", refused)
    with pytest.raises(BundleError, match=r"cannot be read \(Permission denied\); check the path"):
        read_bundle(bundle)


def test_a_name_that_is_too_long_is_no_bundle():
    with pytest.raises(BundleError, match="File name too long"):
        read_bundle("a" * 5000)
    with pytest.raises(BundleError, match="no bundle is called"):
        bundle_path("a" * 5000)


def test_weights_are_those_of_the_classes(bundle):
    read_bundle(bundle).check_weights()
    data = json.loads((bundle / MANIFEST).read_text())
    data["model"]["classes"].pop()
    (bundle / MANIFEST).write_text(json.dumps(data))
    with pytest.raises(BundleError, match="weights for 11 classes seen, the manifest has 10"):
        read_bundle(bundle).check_weights()


def test_a_file_that_cannot_be_read_any_more_is_an_error_of_the_bundle(bundle, tmp_path, monkeypatch):
    """A disk that failed behind ``read_bundle`` ended in OSError of Python, with a trace, for verify and for copies."""
    read = read_bundle(bundle)

    def broken(path):
        raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))

    monkeypatch.setattr("pathlib.Path.read_bytes", broken)
    for name, work in (
        ("golden/gop.npz", read.golden_frames),
        ("decoder/weights.npz", read.decoder_weights),
        ("small.arseg/", lambda: NewBundle(tmp_path / "copy.arseg").copy(read)),
    ):
        with pytest.raises(BundleError, match=rf"{name}.*: cannot be read \(Input/output error\); check the disk"):
            work()
    assert not (tmp_path / "copy.arseg").exists()
