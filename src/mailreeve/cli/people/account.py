"""`mailreeve account`: several accounts in one folder. The operator's matter: it works on the folder alone."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec
from rich.console import Console

from mailreeve.app import logs
from mailreeve.app.accounts import LegalHolds, add_account, list_accounts, remove_account, set_locked
from mailreeve.app.folder import FolderError, opened_folder
from mailreeve.app.private_files import written
from mailreeve.app.settings import SettingsError
from mailreeve.app.settings import read as read_settings
from mailreeve.cli.confirming import yes_option
from mailreeve.cli.listing import print_csv
from mailreeve.cli.options import csv_option, data_option, ends_with, fail, json_option, wants_csv
from mailreeve.cli.output import echo
from mailreeve.cli.tables import Column, print_table
from mailreeve.cli.times import in_column
from mailreeve.store.migrations import SchemaError

_ends = ends_with(FolderError, SettingsError, SchemaError, OSError)


@click.group("account")
def command() -> None:
    """Keep several accounts in one folder: each with domains, users, policies, roles and keys of its own.

    This works on the folder alone, since no caller of the API sees more than one account. A server may run on
    it: it takes mail and calls of a new account within 0.1 seconds, without a restart.

    \b
    mailreeve account add --domain example.org --admin ann@example.org
    """
    logs.configure_quietly()


@command.command("list")
@csv_option
@json_option
@_ends
@data_option
def list_(data: Path, as_json: bool) -> None:
    """List the accounts with their domains.

    \b
    mailreeve account list
    """
    wants_csv(as_json=as_json)
    with opened_folder(data, read_settings(data, {})) as opened:
        found = list_accounts(opened)
    if as_json:
        echo(msgspec.json.encode({"accounts": found}))
        return
    if wants_csv():
        print_csv([msgspec.to_builtins(one) for one in found])
        return
    columns = [Column("account"), Column("name", 2), Column("domains", 2), Column("users"), Column("state")]
    print_table(
        Console(highlight=False, soft_wrap=True),
        [*columns, Column("created")],
        [
            (
                one.code,
                one.name,
                ", ".join(one.domains),
                str(one.users),
                "locked" if one.locked else "active",
                in_column(one.created)[:10],
            )
            for one in found
        ],
    )


@command.command("add")
@click.option("--domain", "domain_names", multiple=True, required=True, help="An internal domain; repeatable.")
@click.option("--admin", help="The administrator's address.  [default: admin@ the first domain]")
@click.option("--name", help="What the account is called.  [default: the first domain]")
@click.option(
    "--save",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the credentials to this new file instead, readable by you alone.",
)
@json_option
@_ends
@data_option
def add(
    data: Path,
    domain_names: tuple[str, ...],
    admin: str | None,
    name: str | None,
    save: Path | None,
    as_json: bool,
) -> None:
    """Make another account. Its credentials are shown once, as by init.

    \b
    mailreeve account add --domain example.org --admin ann@example.org
    """
    if name is not None and (not name.strip() or len(name) > 512 or not name.isprintable()):
        raise click.BadParameter("a name has 1 to 512 printable characters", param_hint="--name")
    with opened_folder(data, read_settings(data, {})) as opened:
        made = add_account(opened, domain_names, admin, name, save)
    if as_json:
        echo(written(made))
        return
    if save is not None:
        echo(f"account {made.account_code} is made; its credentials are in {save}")
        return
    echo("\n".join(f"{key:<15} {value}" for key, value in msgspec.structs.asdict(made).items()))


@command.command("lock")
@click.argument("code")
@json_option
@_ends
@data_option
def lock(code: str, data: Path, as_json: bool) -> None:
    """Refuse every call for an account, and put its mail off, until it is unlocked.

    \b
    mailreeve account lock CODE
    """
    _set_locked(data, code, True, as_json)


@command.command("unlock")
@click.argument("code")
@json_option
@_ends
@data_option
def unlock(code: str, data: Path, as_json: bool) -> None:
    """Serve a locked account again.

    \b
    mailreeve account unlock CODE
    """
    _set_locked(data, code, False, as_json)


@command.command("remove")
@click.argument("code")
@click.option("--with-legal-holds", is_flag=True, help="Remove archived mail under legal hold too.")
@yes_option()
@json_option
@_ends
@data_option
def remove(code: str, with_legal_holds: bool, yes: bool, data: Path, as_json: bool) -> None:
    """Remove an account with all that it has: users, policies, keys, records, archive, audit log. Nothing brings
    it back.

    Mail that was delivered stays where it is. An account whose archive has messages under legal hold is removed
    with --with-legal-holds alone.

    \b
    mailreeve account remove CMRA12345678 --yes
    """
    with opened_folder(data, read_settings(data, {})) as opened:
        wanted = next((one for one in list_accounts(opened) if one.code == code), None)
        if wanted is None:
            raise FolderError(f"there is no account {code}")
        if not yes:
            asked = f"Remove {code} ({', '.join(wanted.domains)}) with {wanted.users} users and all that it has?"
            if not sys.stdin.isatty():
                fail(f"{asked} Nobody can answer; give --yes")
            if not click.confirm(asked, err=True):
                fail("nothing was removed")
        try:
            removed = remove_account(opened, code, with_legal_holds=with_legal_holds)
        except LegalHolds as problem:
            raise FolderError(f"{problem}; export them, or give --with-legal-holds") from problem
    echo(msgspec.json.encode(removed) if as_json else f"removed {removed.code}, {removed.rows} rows")


def _set_locked(data: Path, code: str, locked: bool, as_json: bool) -> None:
    with opened_folder(data, read_settings(data, {})) as opened:
        changed = set_locked(opened, code, locked)
    if as_json:
        echo(msgspec.json.encode({"code": code, "locked": locked, "changed": changed}))
        return
    state = "locked" if locked else "active"
    echo(f"{code} is {state}" + ("" if changed else ", as it was"))
