"""`mailreeve domain`: the domains that mail is taken for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import click
import msgspec

from mailreeve.cli.calling import calls_api
from mailreeve.cli.confirming import changed, confirm_removal, yes_option
from mailreeve.cli.listing import Object, Table, limit_option, page_size, show, text, texts
from mailreeve.cli.options import json_option
from mailreeve.cli.output import echo
from mailreeve.cli.tables import Column
from mailreeve.client import Client
from mailreeve.families.directory.domains.types import InboundType

FIND: Final = "domain/get-internal-domain"
CREATE: Final = "domain/create-domain"
UPDATE: Final = "ext/update-domain"
REMOVE: Final = "ext/remove-domain"

inbound_type_choice: Final = click.Choice([type_.value for type_ in InboundType])
"""How recipients are validated, as an option takes it."""

_MEANS: Final = {"any": "any", "known": "known: only those in the directory"}


def _cells(row: Object, _: Mapping[str, str]) -> tuple[str, ...]:
    takes = text(row, "inboundType")
    return text(row, "domain"), _MEANS.get(takes, takes)


_TABLE: Final = Table(("domain", "domains"), (Column("domain", 1), Column("recipients")), _cells)


@click.group("domain")
def command() -> None:
    """The domains that mail is taken for.

    \b
    mailreeve domain add example.net --inbound-type known
    mailreeve domain set example.com --inbound-type known
    """


@command.command("list")
@limit_option
@json_option
@calls_api
def list_(api: Client, limit: int, as_json: bool) -> None:
    """List the domains, and which recipients each takes mail for.

    \b
    mailreeve domain list
    """
    show(api.pages(FIND, page_size=page_size(limit)), _TABLE, limit, as_json=as_json)


@command.command("add")
@click.argument("name")
@click.option(
    "--inbound-type",
    type=inbound_type_choice,
    default=InboundType.ANY.value,
    show_default=True,
    help="Which recipients mail is taken for: any, or known ones only.",
)
@json_option
@calls_api
def add(api: Client, name: str, inbound_type: str, as_json: bool) -> None:
    """Take mail for a domain from now on.

    A domain of one label, for a test, is written with a final dot: `localhost.`.

    \b
    mailreeve domain add example.net --inbound-type known
    """
    row = changed(api, CREATE, {"domain": name, "inboundType": inbound_type}, {"domain": ("NAME", name)})
    echo(msgspec.json.encode(row) if as_json else f"mail for {text(row, 'domain')} is taken, and it is internal")


@command.command("set")
@click.argument("name")
@click.option(
    "--inbound-type",
    type=inbound_type_choice,
    required=True,
    help="Which recipients mail is taken for: any, or known ones only.",
)
@json_option
@calls_api
def set_(api: Client, name: str, inbound_type: str, as_json: bool) -> None:
    """Change which recipients of a domain mail is taken for.

    \b
    mailreeve domain set example.com --inbound-type known
    """
    row = changed(api, UPDATE, {"domain": name, "inboundType": inbound_type}, {"domain": ("NAME", name)})
    if as_json:
        echo(msgspec.json.encode(row))
        return
    takes = text(row, "inboundType")
    echo(
        f"{text(row, 'domain')} takes mail for {'known recipients only' if takes == 'known' else 'any recipient'}"
    )


@command.command("remove")
@click.argument("name")
@click.option("--with-users", is_flag=True, help="Remove the users and aliases in it as well.")
@yes_option()
@json_option
@calls_api
def remove(api: Client, name: str, with_users: bool, yes: bool, as_json: bool) -> None:
    """Give a domain up. Mail for it is refused from then on.

    Its postmaster and abuse users go with it; others have to be removed or renamed before, or with --with-users go
    as well. Policies and groups that name it stay, and are told of.

    \b
    mailreeve domain remove old.example --yes
    """
    confirm_removal([f"{name}{', with all users and aliases in it' if with_users else ''}"], yes=yes)
    options = {"domain": ("NAME", name), "withUsers": ("--with-users", None)}
    row = changed(api, REMOVE, {"domain": name, "withUsers": with_users}, options)
    if as_json:
        echo(msgspec.json.encode(row))
        return
    echo(f"{text(row, 'domain')} is removed, and mail for it is refused")
    for kind, gone in (("user", texts(row, "users")), ("alias", texts(row, "aliases"))):
        for address in gone:
            echo(f"  {kind} {address} removed")
