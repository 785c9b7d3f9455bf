"""What a study is kept with, and what is said where another one is asked for."""

from edge_arseg.tuning.request import Request

REQUEST = Request({"clip": "drive.mp4", "phases": "0"}, {"clip": "9f", "labels": "07"})


def test_the_row_of_a_study_names_contents_beside_what_is_typed():
    assert REQUEST.row() == {
        "clip": "drive.mp4",
        "phases": "0",
        "content of the clip": "9f",
        "content of the labels": "07",
    }


def test_contents_are_told_where_nothing_that_is_typed_differs():
    assert REQUEST.told(["content of the labels", "phases"]) == ["phases"]
    assert REQUEST.told(["content of the clip", "content of the labels"]) == [
        "content of the clip",
        "content of the labels",
    ]
