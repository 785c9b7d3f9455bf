"""What a wrong command line leads to: the option, the command or the name that was meant."""

from pathlib import Path

import pytest
from support.commands import commands

from edge_arseg.cli.meant import commands as command_names
from edge_arseg.cli.meant import options as option_names
from edge_arseg.cli.meant.arguments import PLACES
from edge_arseg.cli.meant.options import arguments_of, option_meant

COMMANDS = dict(commands())


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A folder with one video."""
    monkeypatch.chdir(tmp_path)
    Path("drive.mp4").write_bytes(b"no engine is tried, so nothing reads this")
    Path("empty.mp4").touch()
    monkeypatch.setattr("edge_arseg.cli.engine_choice.announced_choice", None)


@pytest.mark.parametrize(
    ("typed", "code", "told"),
    [
        ("run drive.mp4 o.mp4 --gop 3", 2, "did you mean --interval?"),
        ("run drive.mp4 o.mp4 --device cpu", 2, "did you mean --backend?"),
        ("run drive.mp4 o.mp4 --recode_scale 1", 2, "did you mean --recode-scale?"),
        ("run drive.mp4 o.mp4 --target orin", 2, "made for a board by `edge-arseg compile --target`"),
        ("run -i drive.mp4", 2, "SOURCE is typed without an option"),
        ("run drive.mp4 --output o.mp4", 2, "SINK is typed without an option"),
        ("bench --max-frames 9", 2, "did you mean --frames?"),
        ("eval --frames 9", 2, "did you mean --limit?"),
        ("eval --source drive.mp4", 2, "did you mean --clip or --images?"),
        ("train hr --data camvid", 2, "DATASET is typed without an option"),
        ("train hr camvid --epochs 3", 2, "did you mean --steps?"),
        ("train lr --lr 1e-3", 2, "did you mean --rate?"),
        ("compile camvid-compact --device orin", 2, "did you mean --target?"),
        ("quantize camvid-compact --calibration x", 2, "did you mean --clip or --images?"),
        ("export --gop-size 4", 2, "did you mean --gop?"),
        ("verify -b camvid-compact", 2, "BUNDLE is typed without an option"),
        (
            "eval drive.mp4",
            2,
            "Name a clip by --clip, images by --images, their labels by --labels, and the bundle by -b",
        ),
        ("run camvid-compact-int8 o.mp4", 4, "a bundle seen, expected a video, a camera or a stream"),
        ("bench mine.arseg", 4, "a bundle is named by -b mine.arseg"),
        ("demo camvid-compact", 4, "a bundle is named by -b camvid-compact"),
        ("eval --clip camvid-compact --labels .", 4, "a bundle seen, expected a video"),
        ("run drive.mp4 mine.arseg", 4, "did you mean -b mine.arseg, which names a bundle?"),
        ("run drive.mp4 -b camvid", 3, "did you mean camvid-compact-int8, camvid-compact or camvid-lite1-int8?"),
        ("bench drive.mp4 --mode ar hr", 2, "several modes are one word, ar,hr"),
        ("bench --workload streets", 2, "did you mean street?"),
        ("tune camvid-compact --clip drive.mp4 --labels . --keep 2²", 2, "'2²' seen, expected numbers like 0,2,8"),
        ("tune camvid-compact --clip drive.mp4 --labels . --min-miou 0.68", 2, "expected points of 100: 68 for 68%"),
        ("run drive.mp4 o.mp4 --max-age 33fps", 2, "expected a duration above 0 such as 40ms or 0.5s"),
        ("run drive.mp4 o.mp4 --timeout 5d", 2, "expected a duration above 0 such as 60s, 10m or 1h"),
        ("bench drive.mp4 record.json", 2, "Name the record by -o"),
        ("zoo copy camvid-compact mine", 2, "Name the folder to write by -o"),
        ("compile camvid-compact cuda", 2, "Name the board by --target"),
        ("infer drive.mp4", 2, "did you mean run?"),
        ("serve", 2, "did you mean run?"),
        ("models", 2, "did you mean zoo list?"),
        ("zoo show", 2, "did you mean `edge-arseg inspect NAME`? expected copy, list or path"),
        ("zoo xyz", 2, "expected copy, list or path"),
        ("targets info cuda", 2, "did you mean show?"),
        ("inspect", 2, "`edge-arseg zoo list` names them"),
        ("targets show", 2, "`edge-arseg targets list` names them"),
        ("targets show xavier", 2, "did you mean jetson-agx-xavier or jetson-xavier-nx?"),
        ("compile camvid-compact --target orin-nano", 2, "did you mean jetson-orin-nano-4gb"),
        ("report", 2, "`edge-arseg bench -o NAME.json` writes one"),
        ("inspect mine.arseg", 3, "or name one of `edge-arseg zoo list`"),
        ("run drive.mp4 --verbose 3", 2, "--verbose takes no value, and 3 is one; type -vv"),
        ("run --verbose 3 drive.mp4", 2, "--verbose takes no value, and 3 is one; type -vv"),
        ("run drive.mp4 -v 1", 2, "-v takes no value, and 1 is one; type -v"),
        ("run drive.mp4 a.mp4 --force yes", 2, "--force takes no value, and yes is one; leave out yes"),
        (
            "run drive.mp4 --strip False a.mp4",
            2,
            "and False is one; leave out both: off is the default",
        ),
        ("run --realtime true drive.mp4", 2, "--realtime takes no value, and true is one; leave out true"),
        ("eval -q 2", 2, "-q takes no value, and 2 is one; leave out 2"),
        ("inspect --json 1 camvid-compact", 2, "--json takes no value, and 1 is one; leave out 1"),
        ("run drive.mp4 masks", 4, "did you mean masks://masks?"),
        ("run drive.mp4 jsonl:/a.jsonl", 4, "did you mean jsonl://a.jsonl?"),
        ("run drive.mp4 masks:out", 4, "did you mean masks://out?"),
        ("run drive.mp4 raw:/tmp/a.raw", 4, "did you mean raw:///tmp/a.raw?"),
        ("train lr nothing --pairs . -o new", 3, "no bundle is called 'nothing'"),
        ("run drive.mp4 out/a.json", 4, "did you mean jsonl://out/a.json?"),
        ("run drive.mp4 a.wmv", 4, "did you mean a.mp4?"),
        ("run drive.mp4 o{steem}.mp4", 4, "{steem} is not filled in; did you mean {stem}?"),
        ("run drive.mp4 masks://{name}", 4, "{name} is not filled in; did you mean {stem}?"),
        ("run drive.mp4 o{num}.mp4", 4, "did you mean {number}?"),
        ("run drive.mp5", 4, "did you mean drive.mp4?"),
        ("run drvie.mp4", 4, "did you mean drive.mp4?"),
        ("run nowhere/drive.mp4", 4, "no folder nowhere"),
        ("run 987", 4, "cameras of this machine: "),
        ("run images://nowhere/*.png", 4, "there is no folder nowhere"),
        ("run empty.mp4", 4, "empty.mp4: an empty file"),
        ("bench drive.mp5", 4, "did you mean drive.mp4?"),
        ("demo drive.mp5", 4, "did you mean drive.mp4?"),
        ("eval --clip drive.mp5 --labels .", 4, "did you mean drive.mp4?"),
        ("eval --clip drive.mp4 --labels gone", 3, "gone: no such folder"),
        ("run drive.mp4 a.mp4 --threads lots", 2, "'lots' seen, expected a whole number of at least 1"),
        ("run drive.mp4 a.mp4 --interval -3", 2, "'-3' seen, expected a whole number of at least 1"),
        ("run drive.mp4 a.mp4 --alpha 3", 2, "'3.0' seen, expected a number from 0 to 1"),
        ("train hr x -o y --dropout 1", 2, "'1.0' seen, expected a number from 0 to below 1"),
        ("train hr x -o y --seed -1", 2, "'-1' seen, expected a whole number from 0 to 9223372036854775807"),
        ("train hr x -o y --rate -1", 2, "'-1.0' seen, expected a number above 0"),
        ("train lr x -o y --lr-scale 2", 2, "'2.0' seen, expected a number above 0, up to 1"),
        ("train lr x -o y --confidence 7", 2, "'7.0' seen, expected a number from 0 to 1"),
        ("eval --clip drive.mp4", 2, "Missing option '--labels': folder of labels"),
        ("quantize camvid-compact", 2, "Missing option '-o' / '--output': folder of the bundle to write"),
    ],
)
def test_a_wrong_command_line_names_the_right_one_at_once(edge_arseg, typed, code, told):
    if typed.startswith("train lr nothing"):
        pytest.importorskip("torch")
    answer = edge_arseg(*typed.split())
    assert (answer.code, told in answer.err) == (code, True), answer.err
    assert sorted(path.name for path in Path().iterdir()) == ["drive.mp4", "empty.mp4"]


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("run --force 987 a.mp4", "987: there is no camera /dev/video987"),
        ("run -v 987", "987: there is no camera /dev/video987"),
        ("run --threads 2 drive.mp4 a", "cannot write a: a name without"),
        ("run drive.mp4 a.mp4 -b 1", "no bundle is called '1'"),
        ("run drive.mp4 --serve 9000 a", "cannot write a: a name without"),
        ("run -qb camvid-compact 987 a.mp4", "987: there is no camera /dev/video987"),
        ("run --force -- 987 drive.mp4", "987: there is no camera /dev/video987"),
    ],
)
def test_a_number_that_is_a_camera_or_the_value_of_an_option_is_taken_for_it(edge_arseg, typed, told):
    if "--serve" in typed:
        pytest.importorskip("uvicorn")
    err = edge_arseg(*typed.split()).err
    assert ("takes no value" in err, told in err) == (False, True), err


def test_a_file_called_like_a_value_may_stand_behind_a_flag(edge_arseg):
    Path("yes").write_bytes(b"")
    assert "yes: an empty file" in edge_arseg("run", "--realtime", "yes").err


@pytest.mark.parametrize("typed", ["--xyzzy", "-Z"])
def test_nothing_is_suggested_where_nothing_is_near(typed):
    assert {option_meant(typed, command) for command in COMMANDS.values()} == {""}


def test_every_place_that_is_suggested_exists():
    """An option or a command that is renamed has to be renamed in the tables as well."""
    flags = {flag for command in COMMANDS.values() for param in command.params for flag in param.opts}
    places = {place for command in COMMANDS.values() for place in arguments_of(command)}
    assert {place for here, _ in option_names.OF_OTHERS for place in here} <= flags | places
    words = {" ".join(path) for path in COMMANDS} | {word for path in COMMANDS for word in path}
    assert {here for here in command_names.OF_OTHERS if not here.startswith("--")} <= words
    assert set(PLACES) <= set(COMMANDS)
    for path, text in PLACES.items():
        own = {flag for param in COMMANDS[path].params for flag in param.opts}
        named = {word.strip(",;") for word in text.split() if word.startswith("-")}
        assert named - {"--help"} <= own, path


def test_an_option_before_its_command_is_told_its_place(edge_arseg):
    answer = edge_arseg("-b", "camvid-compact", "run", "drive.mp4")
    assert (answer.code, "options of a command stand behind it: edge-arseg COMMAND -b ..." in answer.err) == (2, True)
    answer = edge_arseg("zoo", "--json", "list")
    assert "edge-arseg zoo COMMAND --json ..." in answer.err
    assert "did you mean --verbose or --version?" in edge_arseg("--verbos", "doctor").err
