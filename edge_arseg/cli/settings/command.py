"""A command whose options can be set by the environment and a file as well."""

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from typing import Any

import click
from click.core import ParameterSource

from edge_arseg.cli.meant.arguments import refuse_strays
from edge_arseg.cli.meant.flags import refuse_value_of_flag
from edge_arseg.cli.meant.options import option_meant
from edge_arseg.cli.meant.values import number_expected, option_needed, refuse_endless
from edge_arseg.cli.settings.common import common_from_context, common_options, print_option
from edge_arseg.cli.settings.file import FileSettings, settings_from_file
from edge_arseg.cli.settings.names import is_set_elsewhere, key_of, prefix_of, set_variable, variables_of
from edge_arseg.suggestion import did_you_mean

_FILE = "edge_arseg.settings"


def settled(command: click.Command, path: tuple[str, ...]) -> click.Command:
    """Return a command with settings; a group comes back as it is, with its commands to be settled by itself.

    Args:
        command: as it is declared.
        path: its words, ``("train", "hr")``.
    """
    return command if isinstance(command, click.Group) else SettledCommand(command, path)


class SettledCommand(click.Command):
    """A command with the common options, whose options are looked up in the environment and a file too."""

    def __init__(self, command: click.Command, path: tuple[str, ...]) -> None:
        params = [copy(param) for param in (*command.params, *common_options(), print_option())]
        super().__init__(
            command.name,
            context_settings=command.context_settings,
            callback=command.callback,
            params=params,
            help=command.help,
            epilog=command.epilog,
            short_help=command.short_help,
            options_metavar=command.options_metavar,
            add_help_option=command.add_help_option,
            no_args_is_help=command.no_args_is_help,
            hidden=command.hidden,
            deprecated=command.deprecated,
        )
        self.path = path
        for param in params:
            if is_set_elsewhere(param):
                param.envvar = variables_of(param, path)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse, with the file's values for defaults; or print the settings, and be done."""
        if ctx.resilient_parsing:  # a shell asks for completions
            return super().parse_args(ctx, args)
        with self._telling(ctx):
            self._read_file(ctx, args)
            if "--print-config" in args[: args.index("--") if "--" in args else None]:
                self._print(ctx, args)
            rest = super().parse_args(ctx, args)
            refuse_endless(self, ctx)
            return rest

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, with its messages going where the options say."""
        from edge_arseg.cli.log import inform, told, warn

        if not gc.isenabled():  # `main` turned it off
            gc.freeze()
            gc.enable()
        with told(common_from_context(ctx)):
            self._tell_settings(ctx, inform, warn)
            return super().invoke(ctx)

    def _tell_settings(self, ctx: click.Context, inform: Callable[[str], None], warn: Callable[[str], None]) -> None:
        known = self._variables()
        unnamed = {prefix_of((key_of(param),)): variables_of(param, self.path)[0] for param in self._settable()}
        for name in sorted(os.environ):
            if name.startswith(f"{prefix_of(self.path)}_") and name not in known:
                meant = did_you_mean(name, known)
                warn(f"{name} sets nothing{meant and f'; {meant}'}")
            elif name in unnamed and name not in known:
                warn(f"{name} sets nothing; did you mean {unnamed[name]}?")
        for param in self.params:
            if origin := self.origin(ctx, param):
                inform(f"--{key_of(param)} is set by {origin}")

    def origin(self, ctx: click.Context, param: click.Parameter) -> str:
        """Return the variable or the line of a file that sets a parameter; empty where neither does."""
        source = ctx.get_parameter_source(str(param.name))
        if source is ParameterSource.ENVIRONMENT and is_set_elsewhere(param):
            return set_variable(param, self.path) or ""
        if source is ParameterSource.DEFAULT_MAP:
            read: FileSettings = ctx.meta[_FILE]
            return read.lines[str(param.name)]
        return ""

    def _read_file(self, ctx: click.Context, args: list[str]) -> None:
        """Look for ``--config`` before anything else is looked at: the other options' defaults are in its file."""
        opts, rest, _ = self.make_parser(ctx).parse_args(args=list(args))
        refuse_value_of_flag(ctx, args)
        refuse_strays(ctx, self.path, rest)
        (option,) = (param for param in self.params if param.name == "config")
        option.handle_parse_result(ctx, opts, [])
        ctx.params.pop("config", None)
        if file := common_from_context(ctx).config:
            root = ctx.find_root().command
            commands = root.list_commands(ctx) if isinstance(root, click.Group) else [self.path[0]]
            named_by = "" if "config" in opts else set_variable(option, self.path) or ""
            ctx.meta[_FILE] = read = settings_from_file(file, self.path, self.params, commands, named_by)
            ctx.default_map = dict(read.values)

    def _print(self, ctx: click.Context, args: list[str]) -> None:
        from edge_arseg.cli.settings.effective import Setting, toml_from_settings

        opts, _, _ = self.make_parser(ctx).parse_args(args=list(args))
        found = []
        for param in self.params:
            if not is_set_elsewhere(param) or param.name == "config":
                continue
            try:
                param.handle_parse_result(ctx, opts, [])
            except click.MissingParameter:  # an option that has to be given: nobody has, yet
                found.append(Setting(param, None, "required"))
                continue
            found.append(Setting(param, _written(param, ctx, opts), _from(self.origin(ctx, param), param, ctx)))
        click.echo(toml_from_settings(self.path, found), nl=False)
        ctx.exit()

    def _variables(self) -> list[str]:
        return [variable for param in self._settable() for variable in variables_of(param, self.path)]

    def _settable(self) -> list[click.Parameter]:
        return [param for param in self.params if is_set_elsewhere(param)]

    @contextmanager
    def _telling(self, ctx: click.Context) -> Iterator[None]:
        """Say which option was meant, and where a wrong value comes from."""
        try:
            yield
        except click.NoSuchOption as error:
            meant = option_meant(error.option_name, self)
            raise click.UsageError(f"No such option: {error.option_name}{'; ' if meant else ''}{meant}", ctx) from None
        except click.MissingParameter as error:
            if needed := option_needed(error):
                raise click.UsageError(needed, ctx) from None
            raise
        except click.BadParameter as error:
            message = number_expected(error) or error.message
            if error.param is not None and (origin := self.origin(ctx, error.param)):
                message = f"{message} (set by {origin})"
            if message == error.message:
                raise
            raise click.BadParameter(message, error.ctx, error.param, error.param_hint) from error


def _written(param: click.Parameter, ctx: click.Context, opts: Any) -> Any:
    """Return the value of a parameter as it was written, before its type made something of it."""
    source = ctx.get_parameter_source(str(param.name))
    if source is ParameterSource.COMMANDLINE:
        return opts[param.name]
    if source is ParameterSource.ENVIRONMENT:
        return param.value_from_envvar(ctx)
    if source is ParameterSource.DEFAULT_MAP:
        return ctx.lookup_default(str(param.name))
    return param.to_info_dict()["default"]


def _from(origin: str, param: click.Parameter, ctx: click.Context) -> str:
    typed = ctx.get_parameter_source(str(param.name)) is ParameterSource.COMMANDLINE
    return origin or ("command line" if typed else "default")
