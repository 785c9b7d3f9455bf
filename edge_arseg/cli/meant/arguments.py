"""What stands too much on a command line, and where it belongs."""

import click

from edge_arseg.cli.meant.options import arguments_of

PLACES: dict[tuple[str, ...], str] = {
    ("eval",): "name a clip by --clip, images by --images, their labels by --labels, and the bundle by -b",
    ("bench",): "name the record by -o, bundles by -b; several modes are one word, ar,hr",
    ("demo",): "name the folder to write by -o, the bundle by -b",
    ("zoo", "copy"): "name the folder to write by -o",
    ("convert",): "name the file to write by -o; of two published files the first by --hr, the second by --ar",
    ("export",): "name the bundle to write by -o; of two published files the first by --hr, the second by --ar",
    ("compile",): "name the board by --target, the bundle to write by -o",
    ("quantize",): "name clips by --clip, the bundle to write by -o",
    ("train", "prepare"): "name the folder to write by -o",
    ("train", "hr"): "name the folder to write by -o",
    ("train", "lr"): "name the pairs by --pairs, the folder to write by -o",
    ("doctor",): "where other files are read, a command names them: see edge-arseg --help",
    ("targets", "list"): "for one target type edge-arseg targets show NAME",
    ("zoo", "list"): "for one bundle type edge-arseg inspect NAME",
    ("targets", "detect"): "name the folder of another machine's files by --root",
}
"""Command to what names the things that people type as its arguments."""


def refuse_strays(ctx: click.Context, path: tuple[str, ...], rest: list[str]) -> None:
    """Refuse arguments that a command has no place for.

    Args:
        ctx: of the command.
        path: its words.
        rest: what is left of the command line where options and arguments are taken out.

    Raises:
        click.UsageError: says where they belong.
    """
    if not rest or ctx.allow_extra_args:
        return
    expected = " ".join(arguments_of(ctx.command)) or "no argument"
    place = PLACES.get(path, "")
    belongs = f". {place[0].upper()}{place[1:]}" if place else ""
    raise click.UsageError(f"{' '.join(rest)}: one argument too many; expected {expected}{belongs}", ctx)
