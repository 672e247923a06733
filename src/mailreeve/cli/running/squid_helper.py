"""`mailreeve squid-helper`: what Squid runs to ask about each request."""

from __future__ import annotations

import os

import click

from mailreeve.cli.options import misused
from mailreeve.web.helper.link import Address
from mailreeve.web.helper.squid import SquidHelper


@click.command("squid-helper")
@click.option(
    "--socket", "where", metavar="unix:PATH|HOST:PORT", required=True, help="Where serve --web-socket listens."
)
@click.option("--account", default="", metavar="CODE", help="The account, where the server has several.")
@click.option(
    "--fail-closed", is_flag=True, help="Block everything while the server is gone; else everything passes."
)
def command(where: str, account: str, fail_closed: bool) -> None:
    """Answer Squid's external_acl_type, by what a running server says.

    Squid starts it. It reads a request a line, with concurrency, and answers OK or ERR with message=, tag= and
    log=. No request waits for longer than two seconds.

    \b
    mailreeve squid-helper --socket unix:/run/mailreeve/web.sock
    """
    helper = SquidHelper(_address(where), account, fail_closed=fail_closed)
    try:
        helper.run()
    except BrokenPipeError:
        # Squid is gone, and so is whoever would hear of it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _address(text: str) -> Address:
    path = text.removeprefix("unix:")
    if path != text:
        return path
    host, colon, port = text.rpartition(":")
    if not colon or not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
        misused(f"--socket {text!r}: this is neither unix:PATH nor HOST:PORT")
    return host.strip("[]") or "127.0.0.1", int(port)
