"""Options that were typed and count for nothing in a run are told as warnings."""

import pytest

STREET = "test://street?size=48x64&frames=2"


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (("--max-age", "100ms"), "--max-age counts for nothing: test://street?size=48x64&frames=2 is no live source; "),
        (("--timeout", "5s"), "--timeout counts for nothing: test://street?size=48x64&frames=2 is no live source\n"),
        (("--rtsp-transport", "tcp"), "is no rtsp:// source"),
        (("--segment", "60s"), "--segment counts for nothing: no sink is an overlay video"),
        (("--no-legend",), "--legend counts for nothing: no sink draws"),
        (("--mode", "hr", "--keyframes", "adaptive"), "--keyframes counts for nothing: mode hr runs one branch"),
        (("--motion", "zero", "--recode-scale", "0.5"), "--recode-scale counts for nothing: --motion zero"),
    ],
)
def test_an_option_that_changes_nothing_is_told(run, typed, told):
    answer = run(STREET, "null://", "-q", *typed)
    assert (answer.code, answer.err.count("warning: "), told in answer.err) == (0, 1, True), answer.err


def test_options_that_count_are_not_told(run, tmp_path, monkeypatch):
    monkeypatch.setenv("EDGE_ARSEG_RUN_TIMEOUT", "5s")  # for the runs that have a use for it
    typed = ("--segment", "60s", "--alpha", "0.4", "--max-age", "9s", "--realtime", "--interval", "3")
    answer = run(STREET, tmp_path / "o.mp4", "-q", *typed, "--motion", "recode", "--recode-scale", "0.5")
    assert (answer.code, answer.err) == (0, "")


def test_a_source_behind_serve_is_no_address(run):
    answer = run("--serve", "drive.mp4", "null://")
    assert (answer.code, "type --serve behind the source and the sinks" in answer.err) == (2, True), answer.err
