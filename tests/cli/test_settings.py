"""Options from the command line, the environment, a file and their defaults; what is told, and where."""

import json
import os
import re
import shutil
import subprocess
import sys

import click
import pytest
from support.bundles.fake import FAKE
from support.commands import commands

from edge_arseg.cli.main import exit_code
from edge_arseg.cli.settings.names import is_set_elsewhere, key_of, variables_of
from edge_arseg.storage.toml import data_from_toml


@pytest.fixture
def settings(edge_arseg):
    """What ``--print-config`` says of a command, as data, with the text."""

    def ask(*arguments):
        answer = edge_arseg(*arguments, "--print-config")
        assert answer.code == 0, answer.err
        return data_from_toml(answer.out), answer.out

    return ask


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "settings.toml"
        path.write_text(text)
        return path

    return write


def test_every_option_of_every_command_has_variables_of_its_own():
    for words, command in commands():
        found = [variables_of(option, words)[0] for option in command.params if is_set_elsewhere(option)]
        assert len(found) == len(set(found)) >= 4, words
        assert all(re.fullmatch(r"EDGE_ARSEG_[A-Z0-9_]+", name) for name in found)


def test_a_secret_is_not_printed_but_where_it_is_set(settings, file, monkeypatch):
    secret = "0123456789abcdef"
    path = file(f'[run]\nserve-token = "{secret}"\n')
    for options, origin in (
        (("--config", path), f"{path}, line 2"),
        (("--serve-token", secret), "command line"),
        ((), "EDGE_ARSEG_RUN_SERVE_TOKEN"),
    ):
        if not options:
            monkeypatch.setenv("EDGE_ARSEG_RUN_SERVE_TOKEN", secret)
        _, text = settings("run", *options)
        assert secret not in text
        assert f"# serve-token is set, and a secret: not shown; from {origin}\n" in text
    found, _ = settings("run", "--serve-token", "@token.txt")
    assert found["run"]["serve-token"] == "@token.txt"


def test_the_command_line_wins_over_the_environment_that_over_a_file_and_that_over_the_default(
    settings, file, monkeypatch
):
    path = file('motion = "zero"\n[run]\nlimit = 5\nscene-cut = 0.25\n')
    monkeypatch.setenv("EDGE_ARSEG_RUN_LIMIT", "6")
    found, text = settings("run", "--scene-cut", "0.75", "--config", path)
    assert (found["run"]["scene-cut"], found["run"]["limit"], found["run"]["motion"]) == (0.75, 6, "zero")
    assert found["run"]["recode-scale"] == 1.0
    assert re.search(r"scene-cut = 0.75 +# command line\n", text)
    assert re.search(r"limit = 6 +# EDGE_ARSEG_RUN_LIMIT\n", text)
    assert re.search(rf'motion = "zero" +# {path}, line 1\n', text)
    assert re.search(r"recode-scale = 1.0 +# default\n", text)


def test_the_variable_of_the_command_wins_over_that_of_all(settings, monkeypatch):
    monkeypatch.setenv("EDGE_ARSEG_BACKEND", "openvino")
    monkeypatch.setenv("EDGE_ARSEG_BENCH_BACKEND", "fake")
    assert settings("run")[0]["run"]["backend"] == "openvino"
    assert settings("bench")[0]["bench"]["backend"] == "fake"


def test_what_is_printed_can_be_fed_back(settings, file):
    arguments = ("train", "prepare", "--size", "96x128", "--unlabelled", "a.mp4", "--unlabelled", "b c.mp4", "-v")
    found, text = settings(*arguments)
    assert found["train"]["prepare"]["size"] == "96x128"
    assert found["train"]["prepare"]["unlabelled"] == ["a.mp4", "b c.mp4"]
    assert "# output is not set and required" in text
    assert settings("train", "prepare", "--config", file(text))[0] == found


def test_an_option_that_shares_a_name_and_means_something_else_is_left_alone(settings, monkeypatch):
    monkeypatch.setenv("EDGE_ARSEG_FUSION", "graph")
    assert settings("run")[0]["run"]["fusion"] == "graph"
    assert settings("train", "lr")[0]["train"]["lr"]["fusion"] != "graph"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[run]\nmotoin = 'zero'\n", "line 2: no setting of edge-arseg run is called 'motoin'; did you mean motion?"),
        ("backand = 'fake'\n", "line 1: no setting of all commands is called 'backand'; did you mean backend?"),
        ("\n[runn]\nlimit = 1\n", "line 2: no command is called 'runn'; did you mean run?"),
        ("[run]\nlimit = [1, 2]\n", "line 2: limit: a list seen, expected one value"),
        ("[run]\nlimit = 1979-05-27\n", "line 2: limit: date seen"),
        ("[run.more]\nlimit = 1\n", "line 1: a table seen where edge-arseg run has settings: 'more'"),
        ("[run]\nlimit = 'many'\n", "'many' seen, expected a whole number of at least 1 (set by "),
        ("[run\n", "not TOML"),
        ("[run]\nsource = 'drive.mp4'\n", "'source'; arguments are typed on the command line"),
        ("[run]\nno-legend = true\n", "'no-legend'; write legend = false"),
        ("limit = 1\n", "'limit'; it belongs to edge-arseg run: write it under [run]"),
        ("[run]\nbundle = true\n", "line 2: bundle: true seen, expected a text"),
        ("[run]\nscene-cut = true\n", "line 2: scene-cut: true seen, expected a number"),
        ("[run]\nrealtime = 'maybe'\n", "'maybe' seen, expected true or false (set by "),
        ("[run]\nlimt = 1\n", "1 wrong entry"),
        ("[[run]]\nlimit = 1\n", "is called 'run'; settings of a command stand below a line [run]"),
    ],
)
def test_a_file_with_faults_is_refused_with_the_line_and_what_was_meant(edge_arseg, file, text, said):
    answer = edge_arseg("run", "test://street", "null://", "--config", file(text))
    assert answer.code == 2
    assert said in " ".join(answer.err.split())


def test_a_file_that_is_not_there_says_who_names_it(edge_arseg, monkeypatch, tmp_path):
    typed = edge_arseg("zoo", "list", "--config", tmp_path / "none.toml")
    assert (typed.code, typed.err.endswith("(No such file or directory); check the path\n")) == (2, True)
    monkeypatch.setenv("EDGE_ARSEG_CONFIG", "none.toml")
    assert "(No such file or directory); EDGE_ARSEG_CONFIG names it" in edge_arseg("zoo", "list").err


def test_tables_of_other_commands_are_left_to_them(settings, file):
    assert (
        settings("run", "--config", file("[bench]\nframs = 1\n[train.hr]\nsteps = 3\n"))[0]["run"]["motion"] == "auto"
    )


def test_a_wrong_value_says_which_variable_it_comes_from(edge_arseg, monkeypatch):
    monkeypatch.setenv("EDGE_ARSEG_THREADS", "all")
    answer = edge_arseg("run", "test://street", "null://")
    assert answer.code == 2
    assert "(set by EDGE_ARSEG_THREADS)" in answer.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "--piece-length", "nan"), "'nan' seen, expected a duration above 0 such as 60s"),
        (("run", "--scene-cut", "NaN"), "'nan' seen, expected a finite number from 0 to 1"),
        (("run", "--max-age", "1e999"), "'1e999' seen, expected a duration above 0 such as 40ms"),
        (("run", "--segment", 400 * "9"), "'inf' seen, expected a finite number"),
        (("bench", "--rate", "inf"), "'inf' seen, expected a finite number above 0"),
    ],
)
def test_no_option_takes_what_is_no_number_or_has_no_end(edge_arseg, arguments, said):
    answer = edge_arseg(*arguments)
    assert (answer.code, said in " ".join(answer.err.split())) == (2, True), answer.err


def test_a_file_sets_no_endless_number(edge_arseg, file):
    answer = edge_arseg("run", "test://street", "--config", file("[run]\nmax-age = inf\n"))
    assert (answer.code, "'inf' seen, expected a duration above 0 such as 40ms or 0.5s (set by " in answer.err) == (
        2,
        True,
    ), answer.err


def test_a_variable_that_sets_nothing_is_told(edge_arseg, fake_bundle, monkeypatch):
    monkeypatch.setenv("EDGE_ARSEG_INSPECT_JSN", "1")
    answer = edge_arseg("inspect", fake_bundle)
    assert answer.err.startswith("warning: EDGE_ARSEG_INSPECT_JSN sets nothing; did you mean EDGE_ARSEG_INSPECT_JSON")


def test_a_variable_without_its_command_is_told(edge_arseg, fake_bundle, monkeypatch):
    monkeypatch.setenv("EDGE_ARSEG_JSON", "1")
    monkeypatch.setenv("EDGE_ARSEG_CHROMIUM", "/usr/bin/chromium")
    answer = edge_arseg("inspect", fake_bundle)
    assert answer.err == "warning: EDGE_ARSEG_JSON sets nothing; did you mean EDGE_ARSEG_INSPECT_JSON?\n"


@pytest.mark.parametrize(
    ("written", "variable", "meant"),
    [
        ("serve = true", None, "127.0.0.1:8008"),
        ("serve = false", None, None),
        ("serve = 9000", None, "9000"),
        ('serve = "0.0.0.0"', None, "0.0.0.0"),
        ("", "1", "127.0.0.1:8008"),
        ("", "True", "127.0.0.1:8008"),
        ("", "false", None),
        ("", "9000", "9000"),
        ("serve = 9000", "true", "127.0.0.1:8008"),
    ],
)
def test_an_option_that_may_stand_alone_is_set_by_true(settings, file, monkeypatch, written, variable, meant):
    if variable is not None:
        monkeypatch.setenv("EDGE_ARSEG_RUN_SERVE", variable)
    assert settings("run", "--config", file(f"[run]\n{written}\n"))[0]["run"].get("serve") == meant


def test_a_run_is_continued_by_true(settings, file):
    assert settings("train", "hr", "--config", file("[train.hr]\nresume = true\n"))[0]["train"]["hr"]["resume"] == "-o"


def test_a_variable_does_what_the_option_does(edge_arseg, fake_bundle, monkeypatch):
    monkeypatch.setenv("EDGE_ARSEG_INSPECT_JSON", "1")
    assert json.loads(edge_arseg("inspect", fake_bundle).out)["name"] == "fake"


def test_options_before_and_behind_the_command_are_the_same(edge_arseg, fake_bundle, file):
    path = file("[inspect]\njson = true\n")
    for arguments in (("--config", path, "inspect", fake_bundle), ("inspect", fake_bundle, "--config", path)):
        assert json.loads(edge_arseg(*arguments).out)["name"] == "fake"


def test_a_login_is_not_printed(settings):
    assert "hunter2" not in settings("eval", "--clip", "rtsp://me:hunter2@host/x", "--labels", "x")[1]


def test_quiet_leaves_warnings_and_errors(run, tmp_path):
    assert run("test://street?size=48x64&frames=2", "null://", "-q").err == ""
    answer = run("nothing.mp4", "null://", "-q")
    assert (answer.code, answer.err.count("\n")) == (4, 1)


def test_a_log_file_has_everything_that_was_told_with_its_time(run, tmp_path):
    log = tmp_path / "logs/run.log"
    assert run("test://street?size=48x64&frames=2", "null://", "-q", "--log-file", log).code == 0
    assert run("nothing.mp4", "null://", "--log-file", log).code == 4
    lines = log.read_text().splitlines()
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} (INFO|NOTE|WARNING|ERROR) ", line) for line in lines)
    assert sum("2 frames, 1 keyframe," in line for line in lines) == 1
    assert " ERROR edge-arseg: nothing.mp4" in lines[-1]


def test_a_file_that_is_no_log_is_not_added_to(run, tmp_path):
    (tmp_path / "clip.mp4").write_bytes(b"\0\0\0 ftypisom")
    answer = run("test://street?size=48x64&frames=2", "null://", "--log-file", tmp_path / "clip.mp4")
    assert answer.code == 4
    assert "holds something that is no log" in answer.err
    assert (tmp_path / "clip.mp4").read_bytes() == b"\0\0\0 ftypisom"


def test_the_traceback_of_an_unforeseen_error_is_shown_with_v_alone(capsys, monkeypatch):
    def wrong(*_args):
        raise ZeroDivisionError("nobody foresaw this")

    monkeypatch.setattr("edge_arseg.doctor.findings.findings", wrong)
    for arguments, trace in ((["doctor"], False), (["doctor", "-v"], True)):
        assert exit_code(arguments) == 70
        assert ("Traceback" in capsys.readouterr().err) == trace


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("edge-arseg qua", ["quantize"]),
        ("edge-arseg zoo c", ["copy"]),
        ("edge-arseg inspect camvid-compact-i", ["camvid-compact-int8"]),
        ("edge-arseg run --backend openvino", ["openvino", "openvino-bf16"]),
        ("edge-arseg compile x --target jetson-orin-nano", ["jetson-orin-nano-4gb", "jetson-orin-nano-8gb"]),
        ("edge-arseg targets show jetson-thor-t4", ["jetson-thor-t4000"]),
        ("edge-arseg run --recode", ["--recode-scale"]),
    ],
)
def test_bash_completes(line, offered, tmp_path):
    """A real bash reads the script that is printed, and asks it what the shell would ask."""
    asked = f"""
        eval "$(edge-arseg completion bash)"
        COMP_WORDS=({line}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
        _edge_arseg_completion edge-arseg
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    lines, err = in_shell("bash", asked, tmp_path)
    assert lines[:-1] == offered, err


def in_shell(shell, script, tmp_path):
    """Run a script in a shell, with the command on its path."""
    if shutil.which(shell) is None:
        pytest.skip(f"needs {shell}")
    command = tmp_path / "edge-arseg"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m edge_arseg "$@"\n')
    command.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    done = subprocess.run([shell, "-c", script], capture_output=True, text=True, env=environment, timeout=60)
    return done.stdout.split("\n"), done.stderr


def test_fish_completes(tmp_path):
    asked = 'edge-arseg completion fish | source; complete -C "edge-arseg run --backend openvino"'
    lines, err = in_shell("fish", asked, tmp_path)
    assert [line.split("\t")[0] for line in lines if line] == ["openvino", "openvino-bf16"], err


def test_zsh_completes(tmp_path):
    """Outside its line editor, zsh has no ``compadd``; what the script would hand it is printed."""
    asked = """
        compdef() { :; }; compadd() { print -l -- "${(P)@[-1]}"; }; _describe() { print -l -- "${(P)3}"; }
        eval "$(edge-arseg completion zsh)"
        words=(edge-arseg inspect camvid-compact-i); CURRENT=3; _edge_arseg_completion
    """
    lines, err = in_shell("zsh", asked, tmp_path)
    assert [line for line in lines if line] == ["camvid-compact-int8"], err


def test_a_word_that_is_not_known_is_answered_with_what_was_meant(edge_arseg):
    for arguments, meant in (
        (["bnech"], "bench"),
        (["targets", "shw"], "show"),
        (["run", "--moton", "zero"], "--motion"),
        (["run", "test://street", "null://", "--backend", "openvno"], "openvino"),
        (["targets", "show", "jetson-orin-nano-8g"], "jetson-orin-nano-8gb"),
        (["inspect", "camvid-compct"], "camvid-compact"),
        (["run", "test://street", "maks://x", "-b", "camvid-compact", *FAKE], "masks"),
        (["run", "rtps://host/x", "null://", "-b", "camvid-compact", *FAKE], "rtsp"),
    ):
        answer = edge_arseg(*arguments)
        assert answer.code in (2, 3, 4)
        assert f"did you mean {meant}" in answer.err, answer.err


def test_a_key_of_a_file_is_the_longest_flag_of_its_option():
    assert key_of(click.Option(["-o", "--output"])) == "output"
