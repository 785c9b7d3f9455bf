"""One writer at a time, and nobody else's folder."""

import pytest

from edge_arseg.errors import DataError, SinkError
from edge_arseg.spec.model import CAMVID_11
from edge_arseg.training.pairs.store import StoreHead
from edge_arseg.training.pairs.writer import StoreWriter

HEAD = StoreHead(CAMVID_11, 64, 96, 12)


def test_a_second_writer_is_refused_while_the_first_works(tmp_path):
    first = StoreWriter(tmp_path / "store", HEAD)
    with pytest.raises(SinkError, match="a running process adds to it"):
        StoreWriter(tmp_path / "store", HEAD)
    del first
    assert not StoreWriter(tmp_path / "store", HEAD).has("a", "train", {})


def test_a_folder_of_something_else_stays_as_it_is(tmp_path):
    (tmp_path / "clips.jsonl").write_text("mine")
    with pytest.raises(DataError, match="holds something else"):
        StoreWriter(tmp_path, HEAD)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]
