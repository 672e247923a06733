"""`mailreeve delegate`: who may open whose mailbox."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import click
import msgspec

from mailreeve.cli import ids
from mailreeve.cli.calling import calls_api
from mailreeve.cli.confirming import carried_out, confirm_at_terminal, yes_option
from mailreeve.cli.listing import Object, Table, limit_option, page_size, show, text
from mailreeve.cli.options import json_option
from mailreeve.cli.output import echo
from mailreeve.cli.refusals import said_of
from mailreeve.cli.tables import Column
from mailreeve.cli.times import COMING, WHEN, coming, in_column
from mailreeve.cli.times import shown as shown_at
from mailreeve.client import Client

_SCOPES: Final = ("held", "lists", "archive", "send")


@click.group("delegate")
def command() -> None:
    """Say who may open whose mailbox.

    HOLDER is the user who may, ADDRESS the one whose mailbox it is. For the API the holder is `primaryAddress`.

    \b
    mailreeve delegate add ann@example.com --mailbox boss@example.com
    """


_mailbox = click.option("--mailbox", required=True, metavar="ADDRESS", help="Whose mailbox.")


@command.command("list")
@click.argument("holder")
@limit_option
@json_option
@calls_api
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
@click.argument("holder")
@_mailbox
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(_SCOPES),
    help="What of it; may be repeated. Without: all but send, or as it is.",
)
@click.option("--until", metavar=WHEN, help=f"When it ends: {COMING}.")
@json_option
@calls_api
def add(api: Client, holder: str, mailbox: str, scopes: tuple[str, ...], until: str | None, as_json: bool) -> None:
    """Let a user open a mailbox, or change what of it and until when.

    \b
    mailreeve delegate add ann@example.com --mailbox boss@example.com
    mailreeve delegate add ann@example.com --mailbox boss@example.com --until 30d
    """
    ends = coming(until, "--until")
    item: dict[str, object] = {"primaryAddress": holder, "delegateAddress": mailbox}
    if scopes:
        item["scopes"] = list(scopes)
    if ends is not None:
        item["expires"] = ends
    said = {
        "primaryAddress": ("HOLDER", holder),
        "delegateAddress": ("--mailbox", mailbox),
        "expires": ("--until", until),
    }
    with said_of(said):
        (made,) = carried_out(api, "user/add-delegate-user", item).data
    what = f" ({', '.join(scopes)})" if scopes else ""
    end = "" if ends is None else f" until {shown_at(ends)}"
    echo(msgspec.json.encode(made) if as_json else f"{holder} may open the mailbox of {mailbox}{what}{end}")


@command.command("remove")
@click.argument("holder")
@_mailbox
@yes_option()
@json_option
@calls_api
def remove(api: Client, holder: str, mailbox: str, yes: bool, as_json: bool) -> None:
    """Take the right to open a mailbox away. ADDRESS may be the beginning of the right's id.

    \b
    mailreeve delegate remove ann@example.com --mailbox boss@example.com
    """
    with said_of({"primaryAddress": ("HOLDER", holder)}):
        right = ids.resolve(api, ids.right_of(holder), mailbox, "--mailbox")
    confirm_at_terminal([f"the right of {holder} to open the mailbox of {mailbox}"], yes=yes)
    (gone,) = carried_out(api, "user/remove-delegate-user", {"id": right}).data
    echo(msgspec.json.encode(gone) if as_json else f"{holder} may no longer open the mailbox of {mailbox}")


def _cells(right: Object, shown: Mapping[str, str]) -> list[str]:
    scopes = right.get("scopes")
    opens = ", ".join(map(str, scopes)) if isinstance(scopes, list) else ""
    return [
        shown[str(right["id"])],
        text(right, "emailAddress"),
        text(right, "name"),
        opens,
        in_column(right.get("expires")),
    ]


_TABLE: Final = Table(
    ("mailbox", "mailboxes"),
    (
        Column("id"),
        Column("mailbox", 3),
        Column("name", 2, if_any=True),
        Column("opens", 2),
        Column("until (UTC)", if_any=True),
    ),
    _cells,
)
