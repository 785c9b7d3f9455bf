"""A file of settings, TOML: read, checked, and turned into what click takes for defaults of one command.

::

    backend = "openvino"     # every command that has --backend

    [run]
    scene-cut = 0.4

    [train.hr]
    steps = 20000
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from edge_arseg.cli.settings.flag_with_value import FlagWithValue
from edge_arseg.cli.settings.names import SHARED, is_set_elsewhere, is_shared, key_of
from edge_arseg.errors import OptionError
from edge_arseg.quantity import counted
from edge_arseg.suggestion import did_you_mean

_HEADER = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]\s*(#.*)?$")
_KEY = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")


@dataclass(frozen=True, slots=True)
class FileSettings:
    """What a file says of one command.

    Attributes:
        path: the file.
        values: name of each parameter to its value, as it would be typed.
        lines: name of each parameter to where it stands, ``settings.toml, line 3``.
    """

    path: Path
    values: Mapping[str, str | list[str]]
    lines: Mapping[str, str]


def settings_from_file(
    file: Path, path: tuple[str, ...], options: Sequence[click.Parameter], commands: Sequence[str], named_by: str = ""
) -> FileSettings:
    """Read what a file says of a command.

    Args:
        file: TOML.
        path: words of the command, ``("train", "hr")``.
        options: of the command.
        commands: names of all commands, which tables may have.
        named_by: variable of the environment that names the file; empty: it was typed.

    Raises:
        OptionError: the file cannot be read, is not TOML, or holds a key or a kind of value that nothing takes: all
            faults in one message, each with its line.
    """
    from edge_arseg.storage.toml import data_from_toml, toml_text

    try:
        text = toml_text(file)
        data = data_from_toml(text)
    except OSError as error:
        origin = f"{named_by} names it" if named_by else "check the path"
        raise OptionError(f"--config {file}: cannot be read ({error.strerror or error}); {origin}") from error
    except ValueError as error:
        raise OptionError(f"--config {file}: not TOML ({error})") from error
    places = dict(_places(text))
    known = {key_of(option): option for option in options if is_set_elsewhere(option) and key_of(option) != "config"}
    faults: list[str] = []
    values: dict[str, str | list[str]] = {}
    lines: dict[str, str] = {}

    def take(table: Mapping[str, Any], at: tuple[str, ...]) -> None:
        for written, value in table.items():
            key, words = written.replace("_", "-"), (*at, written)
            where = f"{file}, line {places[words]}" if words in places else str(file)
            if isinstance(value, dict):
                if fault := _table_fault(words, path, commands):
                    faults.append(f"{where}: {fault}")
                elif words == path[: len(words)]:
                    take(value, words)
                continue
            own = at == path
            names = list(known) if own else SHARED
            if key not in names or (at and not own):
                whose = f"edge-arseg {' '.join(path)}" if own else "all commands"
                if not at and written in commands:
                    meant = f"settings of a command stand below a line [{written}]"
                elif not at and key in known:
                    meant = f"it belongs to edge-arseg {' '.join(path)}: write it under [{'.'.join(path)}]"
                else:
                    meant = _meant(key, value, options if own else ()) or did_you_mean(
                        key, names if own or not at else ()
                    )
                faults.append(f"{where}: no setting of {whose} is called {written!r}{'; ' if meant else ''}{meant}")
            elif key in known and (own or is_shared(key, path)):
                option = known[key]
                try:
                    if value is not False or not isinstance(option, FlagWithValue):
                        values[str(option.name)] = _typed(value, option)
                        lines[str(option.name)] = where
                except ValueError as error:
                    faults.append(f"{where}: {written}: {error}")

    # what is said of all commands first, so that the command's own table has the last word
    take({key: value for key, value in data.items() if not isinstance(value, dict)}, ())
    take({key: value for key, value in data.items() if isinstance(value, dict)}, ())
    if faults:
        raise OptionError(
            "\n".join([f"--config {file}: {counted(len(faults), 'wrong entry')}", *(f"  {f}" for f in faults)])
        )
    return FileSettings(file, values, lines)


def _table_fault(words: tuple[str, ...], path: tuple[str, ...], commands: Sequence[str]) -> str | None:
    """Say what is wrong with the name of a table; tables of other commands are left to these."""
    if len(words) == 1 and words[0] not in commands:
        meant = did_you_mean(words[0], commands)
        return f"no command is called {words[0]!r}{'; ' if meant else ''}{meant}"
    if words[: len(path)] == path and len(words) > len(path):
        return f"a table seen where edge-arseg {' '.join(path)} has settings: {words[-1]!r}"
    return None


def _meant(key: str, value: Any, options: Sequence[click.Parameter]) -> str:
    """Say what to write in place of an argument, or of a flag that turns another one off; else nothing."""
    for option in options:
        if isinstance(option, click.Argument) and key in re.findall(
            r"[a-z]+", f"{option.metavar} {option.name}".lower()
        ):
            return "arguments are typed on the command line"
        if f"--{key}" in option.secondary_opts and isinstance(value, bool):
            return f"write {key_of(option)} = {'false' if value else 'true'}"
    return ""


def _typed(value: Any, option: click.Parameter) -> str | list[str]:
    """Return a value as it would be typed.

    Raises:
        ValueError: nothing can be typed like this.
    """
    many = option.multiple
    if isinstance(value, bool) and isinstance(option, FlagWithValue):
        return option.alone
    if isinstance(value, bool) and not getattr(option, "is_flag", False):
        number = isinstance(option.type, click.types.IntParamType | click.types.FloatParamType)
        raise ValueError(f"{_typed_one(value)} seen, expected {'a number' if number else 'a text'}")
    if isinstance(value, list):
        if not many:
            raise ValueError("a list seen, expected one value")
        return [str(_typed_one(one)) for one in value]
    return [_typed_one(value)] if many else _typed_one(value)


def _typed_one(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise ValueError(f"{type(value).__name__} seen, expected a text, a number, true or false")


def _places(text: str) -> Iterator[tuple[tuple[str, ...], int]]:
    """Yield every table and key of a TOML document, the words of its name with its line."""
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.fullmatch(line):
            table = _words(header[1])
            yield table, number
        elif key := _KEY.match(line):
            words = (*table, *_words(key[1]))
            for length in range(len(table) + 1, len(words)):
                yield words[:length], number
            yield words, number


def _words(name: str) -> tuple[str, ...]:
    return tuple(word.strip().strip("\"'") for word in name.split("."))
