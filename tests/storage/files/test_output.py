"""Where something may be written."""

import os

import pytest

from edge_arseg.errors import SinkError
from edge_arseg.storage.files.identity import is_special
from edge_arseg.storage.files.lock import is_locked
from edge_arseg.storage.files.output import check_output
from edge_arseg.storage.files.whole import write_whole


def test_an_output_is_neither_an_input_nor_in_a_bundle_nor_there(tmp_path):
    bundle, file = tmp_path / "a.arseg", tmp_path / "a.json"
    bundle.mkdir()
    file.write_text("{}")
    for path in (bundle, bundle / "new.json", bundle / "deep/new.json"):
        with pytest.raises(SinkError, match=r"a\.arseg, which is read; choose another name"):
            check_output(path, force=True, inputs=[bundle])
    with pytest.raises(SinkError, match=r"a\.json, which is read"):
        check_output(file, force=True, inputs=[file])
    with pytest.raises(SinkError, match=r"a\.json: it exists already; type --force to replace it"):
        check_output(file, force=False)
    check_output(file, force=True, inputs=[bundle])
    check_output(tmp_path / "b.json", force=False, inputs=[bundle, file])


def test_devices_and_pipes_take_everything(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path.__class__("/dev/null")):
        assert is_special(path)
        assert not is_locked(path)
        check_output(path, force=False)
    write_whole(tmp_path.__class__("/dev/null"), b"x")
