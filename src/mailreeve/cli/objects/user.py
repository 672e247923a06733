"""`mailreeve user`: the people of an account, and the addresses that they have."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Final, TextIO

import click
import msgspec

from mailreeve.cli.calling import calls_api
from mailreeve.cli.confirming import changed, confirm_at_terminal, confirm_removal, yes_option
from mailreeve.cli.ids import GROUP, resolve
from mailreeve.cli.listing import Object, Table, limit_option, page_size, show, text, texts
from mailreeve.cli.options import json_option, misused
from mailreeve.cli.output import echo
from mailreeve.cli.refusals import said_of
from mailreeve.cli.tables import Column
from mailreeve.cli.times import shown
from mailreeve.client import Client

FIND: Final = "ext/find-users"
DESCRIBE: Final = "ext/describe-user"
RENAME: Final = "ext/rename-user"
REMOVE: Final = "ext/remove-user"
MARK: Final = "user/add-to-purge-list"
UNMARK: Final = "user/remove-from-purge-list"
MARKED: Final = "ext/get-purge-list"
IMPORT: Final = "user/import-users"
STATUS: Final = "user/get-import-status"
CREATE: Final = "user/create-user"
UPDATE: Final = "user/update-user"
ADD_ALIAS: Final = "user/update-alias"
REMOVE_ALIAS: Final = "user/remove-alias"


@click.group("user")
def command() -> None:
    """The people of the account, and the addresses that they have.

    \b
    mailreeve user add pat@example.com --name Pat
    mailreeve user rename pat@example.com patricia@example.com
    """


@command.command("list")
@click.option("--domain", metavar="NAME", help="With an address in this domain, primary or alias.")
@click.option("--group", metavar="GROUP", help="In this group, or in one below it: its name, or its id.")
@click.option("--locked/--not-locked", default=None, help="Who may not sign in, or who may.")
@click.option("--text", "query", metavar="TEXT", help="With this in the name or in an address.")
@limit_option
@json_option
@calls_api
def list_(
    api: Client,
    domain: str | None,
    group: str | None,
    locked: bool | None,
    query: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """List the users, by their addresses.

    \b
    mailreeve user list --domain example.com --text pat
    """
    group_id = None if group is None else resolve(api, GROUP, group, "--group")
    item = _given(domain=domain, groupId=group_id, locked=locked, query=query)
    with said_of({"domain": ("--domain", domain), "query": ("--text", None)}):
        pages = api.pages(FIND, item, page_size=page_size(limit))
        show(pages, _TABLE, limit, as_json=as_json, is_filtered=bool(item))


@command.command("show")
@click.argument("address")
@json_option
@calls_api
def show_(api: Client, address: str, as_json: bool) -> None:
    """Describe a user, by any address: addresses before, groups, delegate rights, personal list.

    \b
    mailreeve user show pat@example.com
    """
    row = changed(api, DESCRIBE, {"emailAddress": address}, {"emailAddress": ("ADDRESS", address)})
    if as_json:
        echo(msgspec.json.encode(row))
        return
    lines = [(text(row, "emailAddress"), ""), ("name", text(row, "name")), ("role", text(row, "role"))]
    lines += [("state", _state(row)), ("aliases", _aliases(row))]
    lines += [
        ("was", f"{text(one, 'emailAddress')} until {shown(text(one, 'until'))}") for one in _rows(row, "formerly")
    ]
    for one in _rows(row, "groups"):
        until = text(one, "until")
        by = "" if text(one, "member") == text(row, "emailAddress") else f", by {text(one, 'member')}"
        lines.append(("group", f"{text(one, 'description')}{by}{f', until {shown(until)}' if until else ''}"))
    lines += [("attribute", f"{text(one, 'name')}: {text(one, 'value')}") for one in _rows(row, "attributes")]
    lines += [("kept", one) for one in texts(row, "kept")]
    for name, value in lines:
        if not value:
            if name == text(row, "emailAddress"):
                echo(name)
            continue
        echo(f"  {name:<10} {value}")


@command.command("add")
@click.argument("address")
@click.option("--name", metavar="TEXT", help="What the user is called.")
@click.option("--password-stdin", is_flag=True, help="Read a password from standard input.")
@click.option("--force-password-change", is_flag=True, help="The password has to be changed at the first use.")
@json_option
@calls_api
def add(
    api: Client, address: str, name: str | None, password_stdin: bool, force_password_change: bool, as_json: bool
) -> None:
    """Make a user in one of the account's domains. Without a password nobody signs in as that user.

    \b
    mailreeve user add pat@example.com --name Pat
    """
    password = sys.stdin.readline().rstrip("\n") if password_stdin else None
    if password_stdin and not password:
        misused("--password-stdin: standard input is empty")
    item = _given(
        emailAddress=address, name=name, password=password, forcePasswordChange=force_password_change or None
    )
    options = {
        "emailAddress": ("ADDRESS", address),
        "name": ("--name", name),
        "password": ("--password-stdin", None),
    }
    row = changed(api, CREATE, item, options)
    echo(msgspec.json.encode(row) if as_json else f"{text(row, 'emailAddress')} is made")


@command.command("set")
@click.argument("address")
@click.option("--name", metavar="TEXT", help="What the user is called.")
@click.option("--lock/--unlock", "locked", default=None, help="Whether the user may sign in.")
@json_option
@calls_api
def set_(api: Client, address: str, name: str | None, locked: bool | None, as_json: bool) -> None:
    """Change what a user is called, or whether the user may sign in.

    \b
    mailreeve user set pat@example.com --lock
    """
    if name is None and locked is None:
        misused("give --name, --lock or --unlock")
    options = {
        "emailAddress": ("ADDRESS", address),
        "name": ("--name", name),
        "accountLocked": ("--lock", None),
    }
    row = changed(api, UPDATE, _given(emailAddress=address, name=name, accountLocked=locked), options)
    echo(msgspec.json.encode(row) if as_json else f"{text(row, 'emailAddress')} is changed")


@command.command("rename")
@click.argument("old")
@click.argument("new")
@click.option("--no-alias", is_flag=True, help="Do not keep the old address: mail to it is nobody's then.")
@json_option
@calls_api
def rename(api: Client, old: str, new: str, no_alias: bool, as_json: bool) -> None:
    """Give a user another address, and with it all that is kept for the old one.

    Personal lists, groups, policies, delegate rights and keys follow. The old address stays as an alias.

    \b
    mailreeve user rename ann@example.com anna@example.com
    """
    item = {"emailAddress": old, "newAddress": new, "keepAsAlias": not no_alias}
    row = changed(api, RENAME, item, {"emailAddress": ("OLD", old), "newAddress": ("NEW", new)})
    if as_json:
        echo(msgspec.json.encode(row))
        return
    kept = ", which is an alias now" if text(row, "alias") else ""
    echo(f"{text(row, 'emailAddress')} was {text(row, 'was')}{kept}")
    for line in texts(row, "followed"):
        echo(f"  {line}")


@command.command("remove")
@click.argument("addresses", nargs=-1, required=True, metavar="ADDRESS...")
@click.option("--force", is_flag=True, help="Also if policies name the address, which stay.")
@yes_option()
@json_option
@calls_api
def remove(api: Client, addresses: tuple[str, ...], force: bool, yes: bool, as_json: bool) -> None:
    """Remove users, with their aliases, personal lists, memberships of groups, delegate rights and keys.

    A user whom policies name is refused, unless --force is given: the policies stay then.

    \b
    mailreeve user remove pat@example.com --yes
    """
    confirm_removal([f"the user {address}" for address in addresses], yes=yes)
    done: list[Object] = []
    for address in addresses:
        options = {"emailAddress": ("ADDRESS", address)}
        done.append(changed(api, REMOVE, {"emailAddress": address, "force": force}, options))
        if not as_json:
            echo(f"{text(done[-1], 'emailAddress')} is removed")
            for line in (*(f"alias {one}" for one in texts(done[-1], "aliases")), *texts(done[-1], "gone")):
                echo(f"  {line}")
    if as_json:
        echo(msgspec.json.encode({"removed": done}))


@command.command("purge")
@click.argument("addresses", nargs=-1, metavar="[ADDRESS...]")
@click.option("--list", "lists", is_flag=True, help="List who is marked, and when each goes.")
@click.option("--keep", is_flag=True, help="Unmark them instead: they stay.")
@yes_option()
@limit_option
@json_option
@calls_api
def purge(
    api: Client, addresses: tuple[str, ...], lists: bool, keep: bool, yes: bool, limit: int, as_json: bool
) -> None:
    """Mark users for removal. Each stays for a while (the setting purge_days) and goes then, unless unmarked.

    \b
    mailreeve user purge pat@example.com --yes
    mailreeve user purge pat@example.com --keep
    """
    if lists == bool(addresses) or (lists and keep):
        misused("give addresses, or --list alone")
    if lists:
        show(api.pages(MARKED, page_size=page_size(limit)), _MARKED, limit, as_json=as_json)
        return
    if not keep:
        confirm_removal([f"the user {address}, when it is time" for address in addresses], yes=yes)
    with said_of({"emailAddresses": ("ADDRESS", None)}):
        rows = api.call(UNMARK if keep else MARK, {"emailAddresses": list(addresses)})
    if as_json:
        echo(msgspec.json.encode({"kept" if keep else "marked": rows}))
        return
    for row in rows:
        stays = "stays" if row.get("wasMarked") else "was not marked"
        echo(f"{text(row, 'emailAddress')} {stays if keep else 'goes on ' + shown(text(row, 'purgeOn'))}")


@command.command("import")
@click.argument("file", type=click.File("r", encoding="utf-8-sig"))
@json_option
@calls_api
def import_(api: Client, file: TextIO, as_json: bool) -> None:
    """Make users of a CSV file with the columns email, name and mobile, in the background of a server.

    Users who are there get the name and the number of the file. `-` reads standard input.

    \b
    mailreeve user import people.csv
    """
    row = changed(api, IMPORT, {"file": file.read()}, {"file": ("FILE", None)})
    echo(msgspec.json.encode(row) if as_json else f"{row.get('total')} lines are being taken over by the server")


@command.command("import-status")
@json_option
@calls_api
def import_status(api: Client, as_json: bool) -> None:
    """Tell how far the last import of users has got, and which lines were refused.

    \b
    mailreeve user import-status
    """
    row = changed(api, STATUS, {}, {})
    if as_json:
        echo(msgspec.json.encode(row))
        return
    numbers = ", ".join(f"{row.get(name)} {name}" for name in ("created", "updated", "unchanged", "refused"))
    echo(f"{text(row, 'status')}: {row.get('processed')} of {row.get('total')} lines, {numbers}")
    for one in _rows(row, "errors"):
        echo(f"  line {one.get('line')}: {text(one, 'email')}: {text(one, 'message')}")


@command.group("alias")
def alias() -> None:
    """Further addresses of a user.

    \b
    mailreeve user alias add patricia@example.com --for pat@example.com
    """


@alias.command("add")
@click.argument("address")
@click.option("--for", "owner", metavar="USER", required=True, help="Whose: any address of the user.")
@json_option
@calls_api
def alias_add(api: Client, address: str, owner: str, as_json: bool) -> None:
    """Give a user another address. What is kept for that address joins what is the user's.

    \b
    mailreeve user alias add patricia@example.com --for pat@example.com
    """
    options = {"alias": ("ADDRESS", address), "aliasFor": ("--for", owner)}
    row = changed(api, ADD_ALIAS, {"alias": address, "aliasFor": owner}, options)
    echo(msgspec.json.encode(row) if as_json else f"{text(row, 'alias')} is an alias of {text(row, 'aliasFor')}")


@alias.command("remove")
@click.argument("address")
@yes_option()
@json_option
@calls_api
def alias_remove(api: Client, address: str, yes: bool, as_json: bool) -> None:
    """Take an alias from its user. What came with it stays with the user.

    \b
    mailreeve user alias remove patricia@example.com
    """
    confirm_at_terminal([f"the alias {address}"], yes=yes)
    row = changed(api, REMOVE_ALIAS, {"alias": address}, {"alias": ("ADDRESS", address)})
    echo(msgspec.json.encode(row) if as_json else f"{text(row, 'alias')} was an alias of {text(row, 'aliasFor')}")


def _given(**members: object) -> Mapping[str, object]:
    return {name: value for name, value in members.items() if value is not None}


def _cells(row: Object, _: Mapping[str, str]) -> tuple[str, ...]:
    return (text(row, "emailAddress"), text(row, "name"), _aliases(row), _state(row))


def _aliases(row: Object) -> str:
    shown, number = texts(row, "aliases"), row.get("aliasCount")
    more = number - len(shown) if isinstance(number, int) else 0
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _state(row: Object) -> str:
    words = [word for word in ("locked", "disabled") if row.get(word)]
    return ", ".join(words)


def _rows(row: Object, name: str) -> list[Object]:
    value = row.get(name)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


_MARKED: Final = Table(
    ("user", "users"),
    (Column("address", 1), Column("marked by", 1), Column("goes on")),
    lambda row, _: (text(row, "emailAddress"), text(row, "markedBy"), shown(text(row, "purgeOn"))),
)

_TABLE: Final = Table(
    ("user", "users"),
    (
        Column("address", 3),
        Column("name", 2, if_any=True),
        Column("aliases", 3, if_any=True),
        Column("state", if_any=True),
    ),
    _cells,
)
