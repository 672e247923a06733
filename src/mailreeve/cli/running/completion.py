"""`mailreeve completion`: what has a shell complete commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print what has a shell complete commands and options, for its start-up file.

    \b
    mailreeve completion bash >> ~/.bashrc
    mailreeve completion zsh >> ~/.zshrc
    mailreeve completion fish > ~/.config/fish/completions/mailreeve.fish
    """
    made = get_completion_class(shell)
    if made is None:
        raise AssertionError("a shell of the choice is known")
    click.echo(made(ctx.find_root().command, {}, "mailreeve", "_MAILREEVE_COMPLETE").source())
