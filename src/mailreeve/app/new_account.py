"""A new data folder: an account, its domains, an administrator and an application."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from mailreeve.access.caller import Origin
from mailreeve.access.permissions import Role
from mailreeve.app.folder import DATABASE, KEY_FILE, LOCK, UNFINISHED, FolderError, Opened, make_key_file
from mailreeve.app.new_folder import new_folder
from mailreeve.app.private_files import reserved, touch_private, write_private
from mailreeve.app.settings import FILE_NAME, OptionError, Settings
from mailreeve.families.directory.account import operations as accounts
from mailreeve.families.directory.domains import operations as domains
from mailreeve.families.directory.users import operations as users
from mailreeve.families.login.issue import issue_application, url_safe
from mailreeve.families.registry import seed_account
from mailreeve.formats.addresses import Address, AddressError, Domain, parse_address, parse_domain
from mailreeve.store.transactions import Work

APPLICATION: Final = "Default application"

_SETTINGS_TEXT: Final = """\
# Settings of this Mailreeve folder. Every one may also be given as an environment variable MAILREEVE_..., and some
# as an option of `mailreeve serve`, which win over this file. docs/settings.md lists them all.

# http = "127.0.0.1:8025"
# smtp = "127.0.0.1:2525"
# next_hop = "127.0.0.1:25"        # or "maildir:DIR"
# relay_networks = ["127.0.0.0/8", "::1/128"]
"""


class Credentials(Struct, frozen=True):
    """The credentials of a new account, as `init --json` prints them."""

    account_code: str
    app_id: str
    app_key: str
    access_key: str
    secret_key: str
    client_id: str
    client_secret: str
    admin: str
    admin_password: str


def initialise(
    data: Path, domain_names: tuple[str, ...], admin: str | None, save: Path | None = None
) -> Credentials:
    """Make the folder, wholly or not at all, and save the credentials to the new file `save`.

    Raises `FolderError` or `OSError` and changes nothing when the folder holds anything or the file cannot be
    written.
    """
    parsed, administrator = _names(domain_names, admin)
    if save is None or save.parent.resolve() == data.resolve():
        inside = "" if save is None else save.name
        if inside in (FILE_NAME, DATABASE, KEY_FILE, LOCK, UNFINISHED):
            raise FolderError(f"--save: {save} is a file of the data folder itself")
        with new_folder(data, frozenset((inside,)) if inside else frozenset()) as building:
            credentials = _fill(building, parsed, administrator)
            if inside:
                write_private(building / inside, written(credentials) + "\n")
        return credentials
    # Reserved before anything is made: credentials that cannot be saved are lost.
    with reserved(save) as place:
        with new_folder(data) as building:
            credentials = _fill(building, parsed, administrator)
            place.write(written(credentials) + "\n")
        place.place()
    return credentials


def _names(domain_names: tuple[str, ...], admin: str | None) -> tuple[dict[Domain, str], Address]:
    """The domains, each with the name as it was typed, which is how it is shown; and the administrator."""
    parsed: dict[Domain, str] = {}
    for name in domain_names:
        try:
            parsed[parse_domain(name)] = name
        except AddressError as problem:
            raise OptionError(f"--domain {name!r}: {problem}") from problem
    if not parsed:
        raise FolderError("--domain is required")
    try:
        administrator = parse_address(admin or f"admin@{next(iter(parsed))}")
    except AddressError as problem:
        raise OptionError(f"--admin {admin!r}: {problem}") from problem
    if administrator.domain not in parsed:
        raise OptionError(f"--admin {admin!r}: {administrator.domain} is none of the account's domains")
    return parsed, administrator


def _fill(folder: Path, names: dict[Domain, str], administrator: Address) -> Credentials:
    make_key_file(folder)
    touch_private(folder / DATABASE)
    opened = Opened(folder, Settings(), new=True)
    password = url_safe(18)
    account_id, code = accounts.new_identity()

    def create(work: Work) -> Credentials:
        accounts.create(work, code, next(iter(names)), str(administrator))
        for typed in names.values():
            domains.register(work, typed)
        seed_account(work)
        user_id = users.create_administrator(work, administrator, password, Role.SUPER_ADMINISTRATOR)
        keys = issue_application(work, opened.vault, APPLICATION, Role.SUPER_ADMINISTRATOR, user_id)
        return Credentials(code, **msgspec.structs.asdict(keys), admin=str(administrator), admin_password=password)

    try:
        credentials = opened.store.write(account_id, Origin("mailreeve init"), create)
        opened.sign_accounts()
    finally:
        opened.close()
    (folder / FILE_NAME).write_text(_SETTINGS_TEXT, "utf-8")
    return credentials


def written(credentials: Struct) -> str:
    """Credentials as they are saved, and printed for programs."""
    return msgspec.json.format(msgspec.json.encode(credentials)).decode()
