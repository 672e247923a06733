"""`mailreeve delegate`: who may open whose mailbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import click
import msgspec

from mailreeve.cli import ids
from mailreeve.cli.calling import calls_api
from mailreeve.cli.confirming import carried_out
from mailreeve.cli.listing import Object, Table, limit_option, page_size, show
from mailreeve.cli.options import json_option
from mailreeve.cli.output import echo
from mailreeve.cli.refusals import said_of
from mailreeve.cli.tables import Column
from mailreeve.client import Client


@click.group("delegate")
def command() -> None:
    """Say who may open whose mailbox.

    HOLDER is the user who may, ADDRESS the one whose mailbox it is. For the API the holder is `primaryAddress`.

    \b
    mailreeve delegate add ann@example.com --mailbox boss@example.com
    """


_mailbox = click.option("--mailbox", required=True, metavar="ADDRESS", help="Whose mailbox.")


@command.command("list")
@calls_api
@click.argument("holder")
@limit_option
@json_option
def list_(api: Client, holder: str, limit: int, as_json: bool) -> None:
    """List the mailboxes that a user may open.

    \b
    mailreeve delegate list ann@example.com
    """
    kind = ids.right_of(holder)
    with said_of({"primaryAddress": ("HOLDER", holder)}):
        pages = api.pages(kind.path, kind.item, page_size=page_size(limit))
        show(pages, _TABLE, limit, as_json=as_json, member=kind.member)


@command.command("add")
@calls_api
@click.argument("holder")
@_mailbox
@json_option
def add(api: Client, holder: str, mailbox: str, as_json: bool) -> None:
    """Let a user open a mailbox.

    \b
    mailreeve delegate add ann@example.com --mailbox boss@example.com
    """
    item = {"primaryAddress": holder, "delegateAddress": mailbox}
    with said_of({"primaryAddress": ("HOLDER", holder), "delegateAddress": ("--mailbox", mailbox)}):
        (made,) = carried_out(api, "user/add-delegate-user", item).data
    echo(msgspec.json.encode(made) if as_json else f"{holder} may open the mailbox of {mailbox}")


@command.command("remove")
@calls_api
@click.argument("holder")
@_mailbox
@json_option
def remove(api: Client, holder: str, mailbox: str, as_json: bool) -> None:
    """Take the right to open a mailbox away. ADDRESS may be the beginning of the right's id.

    \b
    mailreeve delegate remove ann@example.com --mailbox boss@example.com
    """
    with said_of({"primaryAddress": ("HOLDER", holder)}):
        right = ids.resolve(api, ids.right_of(holder), mailbox, "--mailbox")
    (gone,) = carried_out(api, "user/remove-delegate-user", {"id": right}).data
    echo(msgspec.json.encode(gone) if as_json else f"{holder} may no longer open the mailbox of {mailbox}")


def _columns(_: Sequence[Object]) -> list[Column]:
    return [Column("id"), Column("mailbox", 3), Column("name", 2)]


def _cells(rights: Sequence[Object], shown: Mapping[str, str]) -> list[list[str]]:
    return [
        [shown[str(right["id"])], str(right.get("emailAddress", "")), str(right.get("name", ""))]
        for right in rights
    ]


_TABLE: Final = Table(("mailbox", "mailboxes"), _columns, _cells)
