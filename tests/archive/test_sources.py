"""Lists of sources, and what cannot be one of many."""

from pathlib import Path


def test_a_list_names_videos_folders_and_patterns(run, videos):
    Path("list.txt").write_text("# recordings of a year\nsouth/c.mp4\n\nnorth\nnorth/*.mp4\n")
    answer = run("@list.txt", "jsonl://out/{stem}.jsonl")
    assert answer.code == 0, answer.err
    assert "3 videos, 20 frames" in answer.err
    assert sorted(path.name for path in Path("out").glob("*.jsonl")) == ["a.jsonl", "b.jsonl", "c.jsonl"]


def test_a_list_of_one_line_is_a_source_as_ever(run, videos):
    Path("first.txt").write_text("north/a.mp4\n\n")
    assert run("@first.txt", "jsonl://a.jsonl").code == 0
    assert not Path(".edge-arseg").exists()


def test_a_live_source_is_refused_and_its_login_is_not_shown(run, videos):
    Path("list.txt").write_text("north/a.mp4\nrtsp://admin:secret@host/stream\n")
    answer = run("@list.txt", "jsonl://out/{stem}.jsonl")
    assert (answer.code, "secret" in answer.err, Path("out").exists()) == (4, False, False)
    assert "rtsp://***@host/stream: one of many sources has to be a file" in answer.err


def test_a_video_that_is_not_there_is_named_and_the_others_are_run(run, videos):
    Path("list.txt").write_text("north/a.mp4\nnorth/gone.mp4\n")
    answer = run("@list.txt", "jsonl://out/{stem}.jsonl")
    assert (answer.code, "1 of 2 videos failed: north/gone.mp4" in answer.err) == (4, True), answer.err
    assert [path.name for path in Path("out").glob("*.jsonl")] == ["a.jsonl"]


def test_resume_needs_the_names_of_sinks(run, videos):
    answer = run("north", "--resume")
    assert (answer.code, "name them, for example 'jsonl://out/{stem}.jsonl'" in answer.err) == (2, True)
