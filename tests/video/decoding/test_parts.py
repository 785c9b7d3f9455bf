"""The outermost parts of containers, by their sizes."""

import io

import pytest

from edge_arseg.video.decoding.ends.parts import Part, layout_of


def test_of_many_parts_no_more_are_looked_at_than_asked_for():
    """In a store each look may be a request: behind them the file counts as whole."""
    boxes = (8).to_bytes(4, "big") + b"free"
    data = boxes * 200 + (100).to_bytes(4, "big") + b"mdat" + b"cut"
    assert layout_of(io.BytesIO(data), len(data)).short == Part("mdat", 1700)
    few = io.BytesIO(data)
    assert layout_of(few, len(data), 64).short is None
    assert few.tell() < 65 * 8 + 16


@pytest.mark.parametrize("size", range(14, 60))
def test_a_gif_that_is_cut_in_any_block_is_short_by_what_the_block_says(size):
    head = b"GIF89a" + bytes(4) + b"\x80\0\0" + bytes(6)  # two colours
    comment = b"\x21\xfe\x03abc\0"
    picture = b"\x2c" + bytes(8) + b"\x80" + bytes(6) + b"\x02" + b"\x02ab" + b"\x01c" + b"\0"
    data = (head + comment + picture + b"\x3b")[:size]
    ends = [len(head), len(head + comment), len(head + comment + picture)]
    layout = layout_of(io.BytesIO(data), len(data))
    short = len(data) not in ends and len(data) < ends[-1]
    assert (layout.kind, layout.short is not None) == ("gif", short)
    if short:
        assert len(data) < layout.short.end <= next(end for end in ends if end > len(data))


def test_a_gif_in_a_store_is_not_read_twice():
    file = io.BytesIO(b"GIF89a" + bytes(7) + b"\x21\xfe\xff")
    assert layout_of(file, 16, 64).short is None
    assert file.tell() <= 16
