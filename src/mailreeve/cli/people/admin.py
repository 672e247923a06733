"""`mailreeve admin`: the users who have a role."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import click
import msgspec
from msgspec import Struct
from rich.console import Console

from mailreeve.app.terminal import escaped_line
from mailreeve.cli.calling import calls_api
from mailreeve.cli.options import json_option
from mailreeve.cli.output import echo, say
from mailreeve.cli.people.refusals import refusals_named
from mailreeve.cli.people.times import shown
from mailreeve.cli.tables import Column, print_table
from mailreeve.client import Client
from mailreeve.client.api import convert, only

NAMED: Final = {
    "emailAddress": "ADDRESS",
    "role": "--role",
    "name": "--name",
    "password": "--password-stdin",
    "accountLocked": "ADDRESS",
}
LONGEST: Final = 1024  # octets of standard input that a password may take
_OCTETS: Final = 18  # of a password that is made up


class _Key(Struct, frozen=True, rename="camel"):
    last_used: datetime | None = None
    last_used_from: str | None = None


class Administrator(Struct, frozen=True, rename="camel"):
    """A user who has a role, as the API answers it."""

    email_address: str
    name: str
    role: str
    account_locked: bool
    account_disabled: bool
    local_password: bool
    keys: Sequence[_Key]


@click.group("admin")
def command() -> None:
    """Appoint, list, lock and dismiss administrators: users who have a role.

    The last administrator who can sign in can be neither locked nor dismissed.

    \b
    mailreeve admin add ann@example.com --role "Full Administrator"
    """


@command.command("list")
@json_option
@calls_api
def list_(api: Client, as_json: bool) -> None:
    """List the users who have a role, and when their keys were last used.

    \b
    mailreeve admin list
    """
    rows = api.call("ext/get-administrators")
    if as_json:
        echo(msgspec.json.encode({"administrators": rows}))
        return
    columns = [Column("administrator", 1), Column("role", 1), Column("state"), Column("keys")]
    found = [convert(row, Administrator) for row in rows]
    print_table(
        Console(highlight=False, soft_wrap=True),
        [*columns, Column("last used (UTC)")],
        [
            (
                one.email_address,
                one.role,
                _state(one),
                str(len(one.keys)),
                shown(_last_use(one)).removesuffix(" UTC"),
            )
            for one in found
        ],
    )


_password_stdin = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input.  [default: one is made up]"
)


@command.command("add")
@click.argument("address")
@click.option("--role", required=True, help="What the user may do: a built-in role, or one of your own.")
@click.option("--name", metavar="TEXT", help="The user's name.")
@_password_stdin
@json_option
@calls_api
def add(api: Client, address: str, role: str, name: str | None, password_stdin: bool, as_json: bool) -> None:
    """Give a user a role and a password. The user is made if there is none with the address.

    A password that is made up is printed once.

    \b
    mailreeve admin add ann@example.com --role "Help Desk"
    """
    password = _read_password() if password_stdin else secrets.token_urlsafe(_OCTETS)
    item = {"emailAddress": address, "role": role, "name": name, "password": password}
    with refusals_named(NAMED):
        row = only(api.call("ext/add-administrator", item))
    if as_json:
        echo(msgspec.json.encode(row | ({} if password_stdin else {"password": password})))
        return
    echo(f"{escaped_line(str(row['emailAddress']))}, {escaped_line(str(row['role']))}")
    if not password_stdin:
        echo(f"  password  {password}")


@command.command("remove")
@click.argument("address")
@json_option
@calls_api
def remove(api: Client, address: str, as_json: bool) -> None:
    """Take a user's role. The user stays, and may call nothing.

    \b
    mailreeve admin remove bob@example.com
    """
    with refusals_named(NAMED):
        answer = api.send("ext/remove-administrator", {"emailAddress": address})
        row = only(answer.rows())
    _warn(answer.warnings)
    echo(msgspec.json.encode(row) if as_json else f"{escaped_line(str(row['emailAddress']))} has no role now")


@command.command("set-role")
@click.argument("who", metavar="ADDRESS|APP_ID")
@click.argument("role")
@json_option
@calls_api
def set_role(api: Client, who: str, role: str, as_json: bool) -> None:
    """Give a user or an application another role. It holds at once.

    \b
    mailreeve admin set-role ann@example.com "Help Desk"
    """
    item = {"role": role, "emailAddress" if "@" in who else "appId": who}
    with refusals_named({"emailAddress": "ADDRESS", "appId": "APP_ID", "role": "ROLE"}):
        answer = api.send("ext/set-role", item)
        row = only(answer.rows())
    _warn(answer.warnings)
    echo(msgspec.json.encode(row) if as_json else f"{escaped_line(who)}: {escaped_line(str(row['role']))}")


@command.command("lock")
@click.argument("address")
@json_option
@calls_api
def lock(api: Client, address: str, as_json: bool) -> None:
    """Refuse every call that is signed with a user's keys. They are good again once the user is unlocked.

    Access tokens are an application's, not a user's. Where the user has keys, and with them the secret of an
    application, `mailreeve keys revoke` ends those too.

    \b
    mailreeve admin lock bob@example.com
    """
    _change(api, {"emailAddress": address, "accountLocked": True}, "locked", as_json)


@command.command("unlock")
@click.argument("address")
@json_option
@calls_api
def unlock(api: Client, address: str, as_json: bool) -> None:
    """Let a locked user in again.

    \b
    mailreeve admin unlock bob@example.com
    """
    _change(api, {"emailAddress": address, "accountLocked": False}, "not locked", as_json)


@command.command("reset-password")
@click.argument("address")
@_password_stdin
@click.option("--must-change", is_flag=True, help="The user has to choose another at the next login.")
@json_option
@calls_api
def reset_password(api: Client, address: str, password_stdin: bool, must_change: bool, as_json: bool) -> None:
    """Give a user another password. One that is made up is printed once.

    \b
    mailreeve admin reset-password ann@example.com
    """
    password = _read_password() if password_stdin else secrets.token_urlsafe(_OCTETS)
    item: dict[str, object] = {"emailAddress": address, "password": password}
    if must_change:
        item["forcePasswordChange"] = True
    with refusals_named(NAMED):
        row = only(api.call("user/update-user", item))
    if as_json:
        echo(msgspec.json.encode(row | ({} if password_stdin else {"password": password})))
        return
    echo(f"{escaped_line(str(row['emailAddress']))} has another password")
    if not password_stdin:
        echo(f"  password  {password}")


def _change(api: Client, item: dict[str, object], said: str, as_json: bool) -> None:
    with refusals_named(NAMED):
        row = only(api.call("user/update-user", item))
    echo(msgspec.json.encode(row) if as_json else f"{escaped_line(str(row['emailAddress']))} is {said}")


def _read_password() -> str:
    """The first line of standard input. Raises `BadParameter` where there is none."""
    line = sys.stdin.readline(LONGEST).rstrip("\r\n")
    if not line:
        raise click.BadParameter("standard input is empty", param_hint="--password-stdin")
    return line


def _warn(warnings: Sequence[str]) -> None:
    for warning in warnings:
        say(f"Warning: {warning}")


def _cells(one: Administrator) -> tuple[str, ...]:
    last_use = shown(_last_use(one)).removesuffix(" UTC")
    return one.email_address, one.role, _state(one), str(len(one.keys)), last_use


def _state(one: Administrator) -> str:
    return "locked" if one.account_locked else "disabled" if one.account_disabled else "active"


def _last_use(one: Administrator) -> datetime | None:
    return max((key.last_used for key in one.keys if key.last_used is not None), default=None)
