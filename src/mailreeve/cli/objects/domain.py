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
from mailreeve.cli.times import shown
from mailreeve.client import Client
from mailreeve.families.directory.domains.types import InboundType

FIND: Final = "domain/get-internal-domain"
CREATE: Final = "domain/create-domain"
UPDATE: Final = "ext/update-domain"
REMOVE: Final = "ext/remove-domain"
VERIFY: Final = "domain/verify-domain"
PENDING: Final = "domain/get-pending-domain"
GIVE_UP: Final = "domain/delete-pending-domain"

inbound_type_choice: Final = click.Choice([type_.value for type_ in InboundType])
"""How recipients are validated, as an option takes it."""

_MEANS: Final = {"any": "any", "known": "known: only those in the directory"}


def _cells(row: Object, _: Mapping[str, str]) -> tuple[str, ...]:
    takes = text(row, "inboundType")
    return text(row, "domain"), _MEANS.get(takes, takes)


_TABLE: Final = Table(("domain", "domains"), (Column("domain", 1), Column("recipients")), _cells)
_WAITING: Final = Table(
    ("domain", "domains"),
    (Column("domain", 1), Column("code", 1), Column("until")),
    lambda row, _: (text(row, "domain"), text(row, "token"), shown(text(row, "expiry"))),
)


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
    if as_json:
        echo(msgspec.json.encode(row))
    elif not text(row, "token"):
        echo(f"mail for {text(row, 'domain')} is taken, and it is internal")
    else:
        echo(f"{text(row, 'domain')} waits for its proof until {shown(text(row, 'expiry'))}. Put into the DNS:")
        echo(f'  {text(row, "domain")}. TXT "{text(row, "token")}"')
        echo(f"and then: mailreeve domain verify {text(row, 'domain')}")


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


@command.command("pending")
@limit_option
@json_option
@calls_api
def pending(api: Client, limit: int, as_json: bool) -> None:
    """List the domains that wait for their proof, and the code that the DNS has to have.

    \b
    mailreeve domain pending
    """
    show(api.pages(PENDING, page_size=page_size(limit)), _WAITING, limit, as_json=as_json)


@command.command("verify")
@click.argument("name")
@json_option
@calls_api
def verify(api: Client, name: str, as_json: bool) -> None:
    """Look into the DNS for the code of a domain, and take mail for it if it is there.

    \b
    mailreeve domain verify example.net
    """
    row = changed(api, VERIFY, {"domain": name}, {"domain": ("NAME", name)})
    echo(msgspec.json.encode(row) if as_json else f"mail for {text(row, 'domain')} is taken, and it is internal")


@command.command("give-up")
@click.argument("name")
@yes_option()
@json_option
@calls_api
def give_up(api: Client, name: str, yes: bool, as_json: bool) -> None:
    """Give up on a domain that waits for its proof. Its code is no good any more.

    \b
    mailreeve domain give-up example.net --yes
    """
    confirm_removal([f"{name}, which waits for its proof"], yes=yes)
    row = changed(api, GIVE_UP, {"domain": name}, {"domain": ("NAME", name)})
    echo(msgspec.json.encode(row) if as_json else f"{text(row, 'domain')} waits no more")


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
