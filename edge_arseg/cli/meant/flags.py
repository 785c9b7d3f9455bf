"""A value behind a flag, which takes none: it would count as an argument."""

import os
import re
from collections.abc import Iterator, Sequence

import click

from edge_arseg.cli.meant.options import arguments_of
from edge_arseg.cli.settings.flag_with_value import FlagWithValue
from edge_arseg.cli.source import can_be_read

_ON, _OFF = ("true", "yes", "on", "1"), ("false", "no", "off", "0")
_NUMBER = re.compile(r"\d{1,3}")


def refuse_value_of_flag(ctx: click.Context, args: Sequence[str]) -> None:
    """Refuse a number, or a word such as ``true``, that stands behind a flag and names nothing that is there.

    A number in the place of a source is the camera of that number. It is refused behind ``--verbose`` alone, where
    there is no such camera and a source follows.

    Args:
        ctx: of the command.
        args: its command line, as typed.

    Raises:
        click.UsageError: says how the flag is typed.
    """
    behind, arguments = _behind_flags(ctx.command, args)
    for place, (flag, option) in behind.items():
        shown = arguments[place]
        word = shown.lower()
        if not (_NUMBER.fullmatch(word) or word in (*_ON, *_OFF)) or os.path.lexists(shown):
            continue
        may_be_camera = place == 0 and word.isdecimal() and arguments_of(ctx.command)[:1] in (["SOURCE"], ["INPUT"])
        if may_be_camera and not (option.count and any(map(can_be_read, arguments[1:])) and not _is_camera(word)):
            continue
        raise click.UsageError(f"{flag} takes no value, and {shown} is one; {_instead(option, shown)}", ctx)


def _is_camera(number: str) -> bool:
    return os.path.exists(f"/dev/video{int(number)}")  # noqa: PTH110 - never raises


def _instead(option: click.Option, word: str) -> str:
    if option.count and word.isdecimal() and word != "0":
        short = min(option.opts, key=len)
        return f"type {short if word == '1' else f'{short}{short[-1]}'}"
    return "leave out both: off is the default" if word.lower() in _OFF else f"leave out {word}"


def _behind_flags(command: click.Command, args: Sequence[str]) -> tuple[dict[int, tuple[str, click.Option]], list[str]]:
    """Return the arguments of a command line, and of those right behind a flag their places with it."""
    options = {flag: param for param in command.params if isinstance(param, click.Option) for flag in param.opts}
    behind: dict[int, tuple[str, click.Option]] = {}
    arguments: list[str] = []
    left = list(args)
    last: tuple[str, click.Option] | None = None
    while left:
        word = left.pop(0)
        if word == "--":
            arguments.extend(left)
            break
        if not word.startswith("-") or word == "-":
            if last is not None:
                behind[len(arguments)] = last
            arguments.append(word)
            last = None
            continue
        last = None
        for flag, option, value in _flags_in(word, options):
            last = (flag, option) if _is_flag(option) else None
            alone = isinstance(option, FlagWithValue) and left[:1] and left[0].startswith("-")
            if last is None and value is None and not alone:
                del left[: option.nargs]
    return behind, arguments


def _flags_in(word: str, options: dict[str, click.Option]) -> Iterator[tuple[str, click.Option, str | None]]:
    """Yield the options of a word, ``--name=value`` or ``-vq``: as typed, what they are, a value within the word."""
    if word.startswith("--"):
        name, equals, value = word.partition("=")
        if name in options:
            yield name, options[name], value if equals else None
        return
    for place, letter in enumerate(word[1:], 2):
        option = options.get(f"-{letter}")
        if option is None:
            return
        yield f"-{letter}", option, word[place:] or None
        if not _is_flag(option):
            return


def _is_flag(option: click.Option) -> bool:
    return bool(option.is_flag or option.count)
