"""Parameter types and options that several commands share."""

import functools
import glob
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click

from edge_arseg.runtime.engines.contract import AUTO, EngineOptions
from edge_arseg.runtime.engines.opening import BACKENDS
from edge_arseg.runtime.fusion.opening import CHOICES
from edge_arseg.spec.frame import MOTIONS

BACKEND_HELP = (
    f"Engine library: {', '.join(BACKENDS)}; or auto: the engine of the bundle's target, else the fastest that gives "
    "the right classes on this machine, found at the first use and remembered."
)


class SizeType(click.ParamType):
    """Rows x columns, like ``720x960``; converts to ``(720, 960)``."""

    name = "HxW"

    def convert(
        self, value: str | tuple[int, int], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """Parse ``value``."""
        if isinstance(value, tuple):
            return value
        match = re.fullmatch(r"(\d{1,5})[xX](\d{1,5})", value.strip())
        if not match:
            self.fail(f"{value!r} seen, expected rows x columns like 720x960", param, ctx)
        return int(match[1]), int(match[2])


SIZE = SizeType()


class BundleType(click.ParamType):
    """A bundle's folder, or the name of one in the package; converts to the folder."""

    name = "bundle"

    def convert(self, value: str | Path, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the folder.

        Raises:
            BundleError: nothing is called so.
        """
        from edge_arseg.runtime.bundles.zoo import bundle_path

        return bundle_path(value)

    def get_missing_message(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        """Say what one is, where none is given."""
        return "Expected a folder NAME.arseg, or the name of a bundle in the package; `edge-arseg zoo list` names them."

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
        """Return names in the package, bundles on disk, and folders on the way to them."""
        from edge_arseg.runtime.bundles.reading import SUFFIX
        from edge_arseg.runtime.bundles.zoo import shipped_names

        names = [name for name in shipped_names() if name.startswith(incomplete)]
        folders = [path for path in sorted(Path().glob(f"{glob.escape(incomplete)}*")) if path.is_dir()]
        return _items([*names, *(str(path) if path.suffix == SUFFIX else f"{path}{os.sep}" for path in folders)])


class BackendType(click.ParamType):
    """A backend, which ``engine_class`` checks; completed from those that come with the package."""

    name = "backend"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
        """Return the backends that begin so."""
        return _items(name for name in (AUTO, *BACKENDS) if name.startswith(incomplete))


class TargetType(click.ParamType):
    """A target, which ``target_named`` checks; completed from the files of the package."""

    name = "target"

    def get_missing_message(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        """Say what one is, where none is given."""
        return "`edge-arseg targets list` names them; on a board `edge-arseg targets detect` names its own."

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
        """Return the targets that begin so."""
        from edge_arseg.spec.targets.own_folder import own_folder
        from edge_arseg.storage.data_folder import data_folder

        folders = (data_folder("targets"), own_folder())
        ids = sorted({file.stem for folder in folders for file in folder.glob("*.toml")})  # read none: a shell waits
        return _items(name for name in ids if name.startswith(incomplete) and name != "jetpacks")


def _items(names: Iterable[str]) -> list[Any]:
    from click.shell_completion import CompletionItem

    return [CompletionItem(name) for name in names]


BUNDLE, BACKEND, TARGET = BundleType(), BackendType(), TargetType()

bundle_option: Callable = click.option(
    "-b",
    "--bundle",
    type=BUNDLE,
    help="Bundle to use: a folder NAME.arseg, or the name of one in the package (`zoo list`). [default: the fastest in "
    "the package that gives the right classes here]",
)
backend_option: Callable = click.option("--backend", type=BACKEND, default=AUTO, show_default=True, help=BACKEND_HELP)
json_option: Callable = click.option(
    "--json", "as_json", is_flag=True, help="Result on stdout as one JSON object, in place of tables. [default: off]"
)


def motion_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--motion`` and ``--recode-scale``."""
    source = click.option(
        "--motion",
        type=click.Choice(MOTIONS),
        default="auto",
        show_default=True,
        help="Source of the motion vectors: codec, those in the stream; recode, found by encoding the frames again; "
        "zero, none: nothing moves; auto, those in the stream where they are usable, else recode.",
    )
    scale = click.option(
        "--recode-scale",
        type=click.FloatRange(0.1, 1),
        default=1.0,
        show_default=True,
        help="Share of the frame's size at which it is encoded again, 0.1 to 1, where motion is recode: 0.5 takes a "
        "third of the time and finds coarser motion.",
    )
    return source(scale(command))


stream_option: Callable = click.option(
    "--stream",
    type=click.IntRange(0),
    help="Number of the video stream in a container, counted from 0 over all its streams. [default: that of the "
    "largest video]",
)


unchecked_option: Callable = click.option(
    "--unchecked",
    is_flag=True,
    help="Permission to run a bundle whose golden frames do not get the right classes here: a warning, and a mark "
    "in every record, in place of exit code 3. [default: off]",
)


def engine_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--fusion``, ``--backend``, ``--threads`` and ``--unchecked``; the command gets them as ``engines``."""

    @click.option(
        "--fusion",
        type=click.Choice(CHOICES),
        default="auto",
        show_default=True,
        help="Code that fuses a keyframe's feature with the LR feature: kernel, compiled for this CPU or GPU; "
        "kernel-bf16, the same in bfloat16, for int8 branches on CPUs with AMX; graph, in the engine library, slower; "
        "auto, the fastest of them that runs.",
    )
    @backend_option
    @click.option(
        "--threads", type=click.IntRange(1), help="Number of CPU threads of the engines. [default: all cores]"
    )
    @unchecked_option
    @functools.wraps(command)
    def with_engines(fusion: str, backend: str, threads: int | None, unchecked: bool, **others: Any) -> Any:
        return command(engines=EngineOptions(fusion, backend, threads, unchecked), **others)

    return with_engines
