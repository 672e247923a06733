"""`mailreeve keys`: which credentials programs have for calling the API, new ones, and taking them back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click
import msgspec
from msgspec import Struct

from mailreeve.app import logs
from mailreeve.app.folder import FolderError, opened_folder
from mailreeve.app.keys import issue_keys, list_keys, revoke_keys
from mailreeve.app.new_account import written
from mailreeve.app.settings import SettingsError
from mailreeve.app.settings import read as read_settings
from mailreeve.app.terminal import escaped_line
from mailreeve.cli.options import account_option, data_option, ends_with, fail, json_option
from mailreeve.cli.output import echo
from mailreeve.families.login.keys import Application, Revoked, UnknownKeyError
from mailreeve.store.migrations import SchemaError

SHOWN: Final = 12  # characters of an access key, which name it


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
def list_(data: Path, account: str | None, as_json: bool) -> None:
    """List applications, and whose keys they were given. Nothing secret is shown."""
    with opened_folder(data, read_settings(data, {})) as opened:
        found = list_keys(opened, opened.account_id(account))
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
def new(data: Path, account: str | None, address: str | None, name: str, save: Path | None, as_json: bool) -> None:
    """Make an application with keys for a user, whose role it gets.

    The credentials are shown once, as by init: only you have them in clear from then on.
    """
    if not name.strip() or len(name) > 512 or not name.isprintable():
        raise click.BadParameter("a name has 1 to 512 printable characters", param_hint="--name")
    with opened_folder(data, read_settings(data, {})) as opened:
        made = issue_keys(opened, opened.account_id(account), address, name, save)
    if as_json:
        echo(written(made))
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
def revoke(data: Path, account: str | None, ids: tuple[str, ...], as_json: bool) -> None:
    """Take keys back: all of them, or none when an ID is not known.

    An ID is an application's app id or client id: then all that it had is void, access tokens too. Or it is an
    access key, or its first 8 characters or more: then a user's keys are. One that begins with a dash goes behind
    `--`, after all options.
    """
    with opened_folder(data, read_settings(data, {})) as opened:
        try:
            done = revoke_keys(opened, opened.account_id(account), ids)
        except UnknownKeyError as problem:
            fail(f"{problem}; nothing was revoked")
    if as_json:
        echo(msgspec.json.encode(_Revoked(done)))
        return
    for one in done:
        what = "with all its keys" if one.access_key is None else f"access key {one.access_key[:SHOWN]}…"
        echo(f"revoked {one.app_id}, {what}")
