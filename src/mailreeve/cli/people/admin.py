"""`mailreeve admin`: the users who have a role."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Mapping
from typing import Final

import click
import msgspec

from mailreeve.app.terminal import escaped_line
from mailreeve.cli.calling import calls_api
from mailreeve.cli.confirming import changed, confirm_at_terminal, yes_option
from mailreeve.cli.listing import Object, Table, limit_option, page_size, show
from mailreeve.cli.options import json_option
from mailreeve.cli.output import echo
from mailreeve.cli.refusals import Options
from mailreeve.cli.tables import Column
from mailreeve.cli.times import in_column
from mailreeve.client import Client
from mailreeve.client.api import convert
from mailreeve.families.directory.administrators.types import AdministratorAnswer

LONGEST: Final = 1024  # octets of standard input that a password may take
_OCTETS: Final = 18  # of a password that is made up


@click.group("admin")
def command() -> None:
    """Appoint, list, lock and dismiss administrators: users who have a role.

    The last administrator who can sign in can be neither locked nor dismissed.

    \b
    mailreeve admin add ann@example.com --role "Full Administrator"
    """


@command.command("list")
@limit_option
@json_option
@calls_api
def list_(api: Client, limit: int, as_json: bool) -> None:
    """List the users who have a role, and when their keys were last used.

    \b
    mailreeve admin list
    """
    show(api.pages("ext/get-administrators", page_size=page_size(limit)), _TABLE, limit, as_json=as_json)


def _cells(row: Object, _: Mapping[str, str]) -> tuple[str, ...]:
    one = convert(row, AdministratorAnswer)
    state = "locked" if one.account_locked else "disabled" if one.account_disabled else "active"
    # Points in time as answers have them, all in UTC: the last is the greatest text.
    last_used = max((key.last_used for key in one.keys if isinstance(key.last_used, str)), default="")
    return one.email_address, one.role, state, str(len(one.keys)), in_column(last_used) or "never"


_TABLE: Final = Table(
    ("administrator", "administrators"),
    (Column("administrator", 1), Column("role", 1), Column("state"), Column("keys"), Column("last used (UTC)")),
    _cells,
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
    row = changed(api, "ext/add-administrator", item, _named(address, role))
    if as_json:
        echo(msgspec.json.encode({**row, **({} if password_stdin else {"password": password})}))
        return
    echo(f"{escaped_line(str(row['emailAddress']))}, {escaped_line(str(row['role']))}")
    if not password_stdin:
        echo(f"  password  {password}")


@command.command("remove")
@click.argument("address")
@yes_option()
@json_option
@calls_api
def remove(api: Client, address: str, yes: bool, as_json: bool) -> None:
    """Take a user's role. The user stays, and may call nothing.

    \b
    mailreeve admin remove bob@example.com
    """
    confirm_at_terminal([f"the role of {address}"], yes=yes)
    row = changed(api, "ext/remove-administrator", {"emailAddress": address}, _named(address))
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
    options = {"emailAddress": ("ADDRESS", who), "appId": ("APP_ID", who), "role": ("ROLE", role)}
    row = changed(api, "ext/set-role", item, options)
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
    row = changed(api, "user/update-user", item, _named(str(item["emailAddress"])))
    if as_json:
        echo(msgspec.json.encode({**row, **({} if password_stdin else {"password": password})}))
        return
    echo(f"{escaped_line(str(row['emailAddress']))} has another password")
    if not password_stdin:
        echo(f"  password  {password}")


def _change(api: Client, item: dict[str, object], said: str, as_json: bool) -> None:
    row = changed(api, "user/update-user", item, _named(str(item["emailAddress"])))
    echo(msgspec.json.encode(row) if as_json else f"{escaped_line(str(row['emailAddress']))} is {said}")


def _read_password() -> str:
    """The first line of standard input. Raises `BadParameter` where there is none."""
    line = sys.stdin.readline(LONGEST).rstrip("\r\n")
    if not line:
        raise click.BadParameter("standard input is empty", param_hint="--password-stdin")
    return line


def _named(address: str, role: str | None = None) -> Options:
    return {
        "emailAddress": ("ADDRESS", address),
        "role": ("--role", role),
        "name": ("--name", None),
        "password": ("--password-stdin", None),
        "accountLocked": ("ADDRESS", address),
    }
