"""`mailreeve init`: make a data folder with an account, its domains, an administrator and an application."""

from __future__ import annotations

import json
import secrets
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

import click
import msgspec
from msgspec import Struct

from mailreeve.cli.folder import FolderError, Opened, is_initialised, make_key_file, write_private
from mailreeve.cli.options import data_option, ends_with, json_option
from mailreeve.directory.accounts import Origin
from mailreeve.directory.permissions import Role
from mailreeve.families.account import operations as accounts
from mailreeve.families.domains import operations as domains
from mailreeve.families.login.issue import issue_application
from mailreeve.families.registry import furnish
from mailreeve.families.users import operations as users
from mailreeve.policy.addresses import Address, AddressError, Domain, parse_address, parse_domain
from mailreeve.settings import DEFAULT_DATA, FILE_NAME, Settings
from mailreeve.store.transactions import Work

APPLICATION: Final = "Default application"

_SETTINGS_TEXT: Final = """\
# Settings of this Mailreeve folder. Every one may also be given as an option of `mailreeve serve` or as an
# environment variable MAILREEVE_..., which win over this file. docs/settings.md lists them all.

# http = "127.0.0.1:8025"
# smtp = "127.0.0.1:2525"
# next_hop = "127.0.0.1:25"        # or "maildir:DIR"
# relay_networks = ["127.0.0.0/8", "::1/128"]
"""


class Credentials(Struct, frozen=True):
    """What `init --json` prints."""

    account_code: str
    app_id: str
    app_key: str
    access_key: str
    secret_key: str
    client_id: str
    client_secret: str
    admin: str
    admin_password: str


def initialise(data: Path, domain_names: tuple[str, ...], admin: str | None) -> Credentials:
    """Make the folder, wholly or not at all. Raises `FolderError` and changes nothing when it holds anything."""
    parsed, administrator = _names(domain_names, admin)
    if is_initialised(data):
        raise FolderError(f"{data} is initialised already; nothing was changed")
    if data.exists() and (not data.is_dir() or any(data.iterdir())):
        raise FolderError(f"{data} exists and is not an empty folder; nothing was changed")
    data.parent.mkdir(parents=True, exist_ok=True)
    # Built beside its place and moved there at the end: a folder is initialised or is not there.
    building = Path(tempfile.mkdtemp(prefix=f".{data.name}-", dir=data.parent))
    try:
        credentials = _fill(building, parsed, administrator)
        building.replace(data)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    return credentials


def _names(domain_names: tuple[str, ...], admin: str | None) -> tuple[dict[Domain, str], Address]:
    """The domains, each with the name as it was typed, which is how it is shown; and the administrator."""
    try:
        parsed = {parse_domain(name): name for name in domain_names}
    except AddressError as problem:
        raise FolderError(f"--domain: {problem}") from problem
    if not parsed:
        raise FolderError("--domain is required")
    try:
        administrator = parse_address(admin or f"admin@{next(iter(parsed))}")
    except AddressError as problem:
        raise FolderError(f"--admin: {problem}") from problem
    if administrator.domain not in parsed:
        raise FolderError(f"--admin: {administrator.domain} is none of the account's domains")
    return parsed, administrator


def _fill(folder: Path, names: dict[Domain, str], administrator: Address) -> Credentials:
    make_key_file(folder)
    opened = Opened(folder, Settings())
    password = secrets.token_urlsafe(18)
    account_id, code = accounts.new_identity()

    def found(work: Work) -> Credentials:
        accounts.create(work, code, next(iter(names)), str(administrator))
        for typed in names.values():
            domains.register(work, typed)
        furnish(work)
        user_id = users.create_administrator(work, administrator, password, Role.SUPER_ADMINISTRATOR)
        keys = issue_application(work, opened.vault, APPLICATION, Role.SUPER_ADMINISTRATOR, user_id)
        return Credentials(code, **msgspec.structs.asdict(keys), admin=str(administrator), admin_password=password)

    try:
        credentials = opened.store.write(account_id, Origin("mailreeve init"), found)
    finally:
        opened.close()
    (folder / FILE_NAME).write_text(_SETTINGS_TEXT, "utf-8")
    return credentials


@click.command("init")
@data_option
@click.option("--domain", "domain_names", multiple=True, required=True, help="An internal domain; repeatable.")
@click.option("--admin", help="The administrator's address.  [default: admin@ the first domain]")
@click.option(
    "--save",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write the credentials to this new file, readable by you alone.",
)
@json_option
@ends_with(FolderError, OSError)
def command(
    data: Path, domain_names: tuple[str, ...], admin: str | None, save: Path | None, as_json: bool
) -> None:
    """Make a data folder with a first account.

    The credentials are printed once: only you have them in clear from then on.
    """
    credentials = initialise(data, domain_names, admin)
    text = msgspec.json.format(msgspec.json.encode(credentials)).decode()
    if save is not None:
        write_private(save, text + "\n")
    if as_json:
        click.echo(text)
        return
    click.echo(f"{data} is made.\n")
    click.echo("\n".join(describe(credentials)))
    click.echo("\n".join(["", "Once it serves, try in another terminal:", *suggestions(data, credentials)]))


def suggestions(data: Path, credentials: Credentials) -> list[str]:
    """Three commands that show the main job, for the default addresses."""
    sender, to = "offers@shop.test", credentials.admin
    item = json.dumps({"sender": sender, "to": to, "action": "block"})
    program = sys.argv[0]
    where = "" if data == Path(DEFAULT_DATA) else f" --data {data}"
    send = f"smtplib.SMTP('127.0.0.1', 2525).sendmail('{sender}', '{to}', 'Subject: hello')"
    return [
        f"  {program} call{where} managedsender/permit-or-block-sender '{item}'",
        f'  python3 -c "import smtplib; {send}"',
        f"  {program} explain mail{where} --from {sender} --to {to}",
    ]


def describe(credentials: Credentials) -> list[str]:
    """The credentials for a reader."""
    return [f"  {name:<15} {value}" for name, value in msgspec.structs.asdict(credentials).items()]
