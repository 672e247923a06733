"""`mailreeve keys`: which credentials programs have for calling the API, new ones, and taking them back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click
import msgspec
from msgspec import Struct

from mailreeve.access.caller import Origin
from mailreeve.app import logs
from mailreeve.app.folder import FolderError, Opened, opened_folder
from mailreeve.app.private_files import reserved
from mailreeve.app.settings import SettingsError
from mailreeve.app.settings import read as read_settings
from mailreeve.app.terminal import echo, escaped_line
from mailreeve.cli.options import account_option, data_option, ends_with, fail, json_option
from mailreeve.families.directory.account import rows as accounts
from mailreeve.families.directory.users import rows as users
from mailreeve.families.login import keys
from mailreeve.families.login.issue import issue_application
from mailreeve.families.login.keys import Application, Revoked, UnknownKeyError
from mailreeve.formats.addresses import AddressError, parse_address
from mailreeve.store.migrations import SchemaError
from mailreeve.store.transactions import Work

SHOWN: Final = 12  # characters of an access key, which name it
_ORIGIN: Final = Origin("mailreeve keys")


class NewKeys(Struct, frozen=True):
    """What `keys new --json` prints, and `--save` writes."""

    account_code: str
    app_id: str
    app_key: str
    access_key: str
    secret_key: str
    client_id: str
    client_secret: str
    user: str


class _Listed(Struct, frozen=True):
    applications: Sequence[Application]


class _Revoked(Struct, frozen=True):
    revoked: Sequence[Revoked]


@click.group("keys")
def command() -> None:
    """List, make and revoke the credentials of programs that call the API.

    This works on the data folder itself and needs no other credentials; a server may be running on it. It takes
    new keys at once, and refuses revoked ones within 0.1 seconds.
    """
    logs.configure_quietly()


@command.command("list")
@data_option
@account_option
@json_option
@ends_with(FolderError, SettingsError, SchemaError, OSError)
def list_keys(data: Path, account: str | None, as_json: bool) -> None:
    """List applications, and whose keys they were given. Nothing secret is shown."""
    with opened_folder(data, read_settings(data, {})) as opened:
        found = opened.store.read(opened.account_id(account), keys.every)
    if as_json:
        echo(msgspec.json.encode(_Listed(found)))
        return
    for one in found:
        echo(f"{escaped_line(one.name)}, {one.role}")
        echo(f"  app id      {one.app_id}")
        echo(f"  client id   {one.client_id}")
        for bound in one.keys:
            expires = f", until {bound.expires:%Y-%m-%d %H:%M} UTC" if bound.expires else ""
            echo(f"  access key  {bound.access_key[:SHOWN]}…  of {escaped_line(bound.user)}{expires}")


@command.command("new")
@data_option
@account_option
@click.option("--user", "address", metavar="ADDRESS", help="Whose keys.  [default: the account's administrator]")
@click.option("--name", default="mailreeve keys", show_default=True, help="What the application is called.")
@click.option(
    "--save",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the credentials to this new file instead, readable by you alone.",
)
@json_option
@ends_with(FolderError, SettingsError, SchemaError, OSError)
def new_keys(
    data: Path, account: str | None, address: str | None, name: str, save: Path | None, as_json: bool
) -> None:
    """Make an application with keys for a user, whose role it gets.

    The credentials are told once, as by init: only you have them in clear from then on.
    """
    if not name.strip() or len(name) > 512 or not name.isprintable():
        raise click.BadParameter("a name has 1 to 512 printable characters", param_hint="--name")
    with opened_folder(data, read_settings(data, {})) as opened:
        account_id = opened.account_id(account)
        if save is None:
            made = _issued(opened, account_id, address, name)
        else:
            with reserved(save) as place:
                made = _issued(opened, account_id, address, name)
                place.write(_written(made) + "\n")
                place.place()
    if as_json:
        echo(_written(made))
    elif save is not None:
        echo(f"keys of {made.user} are in {save}")
    else:
        echo("\n".join(f"{key:<15} {value}" for key, value in msgspec.structs.asdict(made).items()))


# An access key may begin with a hyphen.
@command.command("revoke", context_settings={"ignore_unknown_options": True})
@data_option
@account_option
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@json_option
@ends_with(FolderError, SettingsError, SchemaError, OSError)
def revoke_keys(data: Path, account: str | None, ids: tuple[str, ...], as_json: bool) -> None:
    """Take keys back: all of them, or none when an ID is not known.

    An ID is an application's app id or client id: then all that it had is void, access tokens too. Or it is an
    access key, or its first 8 characters or more: then a user's keys are.
    """

    def revoke(work: Work) -> list[Revoked]:
        return [keys.revoke(work, name) for name in dict.fromkeys(ids)]

    with opened_folder(data, read_settings(data, {})) as opened:
        try:
            done = opened.store.write(opened.account_id(account), _ORIGIN, revoke)
        except UnknownKeyError as problem:
            fail(f"{problem}; nothing was revoked")
    if as_json:
        echo(msgspec.json.encode(_Revoked(done)))
        return
    for one in done:
        what = "with all its keys" if one.access_key is None else f"access key {one.access_key[:SHOWN]}…"
        echo(f"revoked {one.app_id}, {what}")


def _issued(opened: Opened, account_id: str, address: str | None, name: str) -> NewKeys:
    def issue(work: Work) -> NewKeys:
        account = accounts.get(work)
        shown = address or account.admin_email
        try:
            found = users.find_by_address(work, parse_address(shown).key)
        except AddressError as problem:
            raise FolderError(f"--user: {problem}") from problem
        if found is None:
            raise FolderError(f"--user: there is no user {shown}")
        if found.role is None:
            raise FolderError(f"--user: {shown} has no role, so every call would be refused")
        if found.locked or found.disabled:
            raise FolderError(f"--user: {shown} is locked or disabled, so every call would be refused")
        made = issue_application(work, opened.vault, name, found.role, found.id)
        return NewKeys(account.code, **msgspec.structs.asdict(made), user=found.address)

    return opened.store.write(account_id, _ORIGIN, issue)


def _written(made: NewKeys) -> str:
    return msgspec.json.format(msgspec.json.encode(made)).decode()
