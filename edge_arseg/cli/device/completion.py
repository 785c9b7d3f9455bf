"""``edge-arseg completion``."""

import click

WHERE = {
    "bash": "~/.local/share/bash-completion/completions/edge-arseg",
    "zsh": "a folder of $fpath, as _edge-arseg",
    "fish": "~/.config/fish/completions/edge-arseg.fish",
}
"""Shell to the file that it reads by itself."""
VARIABLE = "_EDGE_ARSEG_COMPLETE"


@click.command()
@click.argument("shell", type=click.Choice(list(WHERE)))
def completion(shell: str) -> None:
    """Print what makes SHELL complete commands and their values.

    Values are options, bundles, targets and backends.

    \b
    bash   edge-arseg completion bash > ~/.local/share/bash-completion/completions/edge-arseg
    zsh    edge-arseg completion zsh > ~/.zfunc/_edge-arseg, with ~/.zfunc in $fpath before compinit
    fish   edge-arseg completion fish > ~/.config/fish/completions/edge-arseg.fish

    It counts from the next shell on. For this one alone: eval "$(edge-arseg completion bash)".
    """
    from click.shell_completion import get_completion_class

    from edge_arseg.cli.main import cli

    kind = get_completion_class(shell)
    assert kind is not None  # of the three that are offered
    source = kind(cli, {}, "edge-arseg", VARIABLE)
    click.echo(source.source_template % source.source_vars())
