"""What every option says of itself, asked of the whole tree of commands."""

import re

import click
import pytest
from support.commands import commands

VERBS = frozenset(
    {
        "Add",
        "Ask",
        "Build",
        "Check",
        "Compile",
        "Draw",
        "Encode",
        "Go",
        "Keep",
        "Make",
        "Print",
        "Put",
        "Read",
        "Recode",
    }
    | {"Replace", "Run", "Say", "Score", "Set", "Show", "Skip", "Start", "Stop", "Take", "Try", "Use", "Write"}
)
RIDDLES = ("Of", "How", "Where", "What", "Which")
UNITS = re.compile(
    r"\b(frames?|images?|threads?|pixels?|MiB|steps?|pairs?|clips?|views?|streets?|processes|seconds|minutes|points|"
    r"bits|share|0\.1 to 1|0 to 1|0 to 5|counted from 0|[Ff]actor|rate|number|per step|pictures|stderr)\b",
    re.IGNORECASE,
)


COMMANDS = dict(commands())


def options(words):
    found = [param for param in COMMANDS[words].params if isinstance(param, click.Option) and not param.hidden]
    assert found
    return {max(option.opts, key=len): option for option in found}


def faults(option):
    """Return what an option leaves the reader to guess."""
    text, found = option.help or "", []
    first = text.split(" ", 1)[0].strip(",.;:")
    if not text:
        return ["no help"]
    if first in VERBS or first in RIDDLES or not first[0].isupper():
        found.append(f"begins with {first!r}, expected a noun")
    if not text.rstrip().endswith((".", "]")):
        found.append("no full stop")
    has_default = "[default:" in text or (option.show_default and option.default is not None) or option.required
    if not has_default:
        found.append("no default")
    if not option.is_flag and isinstance(option.type, (type(click.INT), type(click.FLOAT))) and not UNITS.search(text):
        found.append("no unit")
    return found


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_option_says_what_it_is_its_unit_and_its_default(words):
    assert {flag: seen for flag, option in options(words).items() if (seen := faults(option))} == {}


def test_riddles_would_be_found():
    assert faults(click.Option(["--motion"])) == ["no help"]
    assert faults(click.Option(["--threads"], type=int, help="Of the engines.")) == [
        "begins with 'Of', expected a noun",
        "no default",
        "no unit",
    ]
    assert faults(click.Option(["--encode"], help="Encode the frames first")) == [
        "begins with 'Encode', expected a noun",
        "no full stop",
        "no default",
    ]


def test_the_same_option_says_the_same_in_every_command():
    shared = ("--backend", "--motion", "--recode-scale", "--json", "--stream", "--unchecked", "--config")
    for flag in shared:
        said = {options(words)[flag].help for words in COMMANDS if flag in options(words)}
        assert len(said) == 1, flag
