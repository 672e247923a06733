"""`mailreeve directory`: the directory server whose users and groups are taken over."""

from __future__ import annotations

from typing import Final

import click
import msgspec

from mailreeve.cli.calling import calls_api
from mailreeve.cli.confirming import changed
from mailreeve.cli.listing import text, texts
from mailreeve.cli.options import json_option
from mailreeve.cli.output import echo
from mailreeve.cli.times import shown
from mailreeve.client import Client

STATUS: Final = "directory/get-connection"
SYNC: Final = "directory/execute-sync"
PREVIEW: Final = "ext/preview-directory-sync"


@click.group("directory")
def command() -> None:
    """The directory server whose users and groups are taken over.

    \b
    mailreeve directory sync --dry-run
    mailreeve directory status
    """


@command.command("sync")
@click.option("--dry-run", is_flag=True, help="Read the directory, and tell what would be changed.")
@json_option
@calls_api
def sync(api: Client, dry_run: bool, as_json: bool) -> None:
    """Have the server take the directory over now, or tell what that would change.

    \b
    mailreeve directory sync --dry-run
    """
    row = changed(api, PREVIEW if dry_run else SYNC, {}, {})
    if as_json:
        echo(msgspec.json.encode(row))
    elif not dry_run:
        echo("the server reads the directory; mailreeve directory status tells what came of it")
    else:
        for line in texts(row, "changes"):
            echo(line)
        echo(f"{row.get('total')} changes, none of which is made")


@command.command("status")
@json_option
@calls_api
def status(api: Client, as_json: bool) -> None:
    """Tell when the directory was read last, and what came of it.

    \b
    mailreeve directory status
    """
    rows = api.call(STATUS)
    if as_json:
        echo(msgspec.json.encode({"connections": rows}))
        return
    if not rows:
        echo("no directory is configured: the setting directory_url names one")
    for row in rows:
        echo(f"{text(row, 'server')} {text(row, 'description')}: {text(row, 'status')}")
        if text(row, "lastSync"):
            echo(f"  read {shown(text(row, 'lastSync'))}, {row.get('changes')} changes")
        if text(row, "problem"):
            echo(f"  {text(row, 'problem')}")
