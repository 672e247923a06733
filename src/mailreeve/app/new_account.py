"""A new account: its domains, an administrator and an application; and a new data folder with one."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from mailreeve.access.caller import Origin
from mailreeve.access.permissions import Role
from mailreeve.app.folder import DATABASE, KEY_FILE, LOCK, UNFINISHED, FolderError, Opened, make_key_file
from mailreeve.app.new_folder import new_folder
from mailreeve.app.private_files import reserved, touch_private, write_private, written
from mailreeve.app.settings import FILE_NAME, OptionError, Settings, config_file
from mailreeve.families.directory.account import operations as accounts
from mailreeve.families.directory.domains import operations as domains
from mailreeve.families.directory.users import operations as users
from mailreeve.families.login.issue import Keys, issue_application, url_safe
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
# xclient_hosts = ["127.0.0.1/32"]  # where a Postfix on this machine hands mail in
"""


_ELSEWHERE_TEXT: Final = """\
# This file marks the folder as initialised. When it was made, the settings were in
# {}
# by --config or MAILREEVE_CONFIG: then nothing here is read.
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
    data: Path,
    domain_names: tuple[str, ...],
    admin: str | None,
    save: Path | None = None,
    inbound_type: str | None = None,
    fixed: Credentials | None = None,
) -> Credentials:
    """Make the folder, wholly or not at all, and save the credentials to the new file `save`. `inbound_type` is
    how the recipients of all domains are validated. `fixed` are the credentials of a sandbox.

    Raises `FolderError` or `OSError` and changes nothing when the folder holds anything or the file cannot be
    written.
    """
    parsed, administrator = names_of(domain_names, admin)
    if save is None or save.parent.resolve() == data.resolve():
        inside = "" if save is None else save.name
        if inside in (FILE_NAME, DATABASE, KEY_FILE, LOCK, UNFINISHED):
            raise FolderError(f"--save: {save} is a file of the data folder itself")
        with new_folder(data, frozenset((inside,)) if inside else frozenset()) as building:
            credentials = _fill(building, parsed, administrator, inbound_type, fixed)
            if inside:
                write_private(building / inside, written(credentials) + "\n")
        return credentials
    # Reserved before anything is made: credentials that cannot be saved are lost.
    with reserved(save) as place:
        with new_folder(data) as building:
            credentials = _fill(building, parsed, administrator, inbound_type, fixed)
            place.write(written(credentials) + "\n")
        place.place()
    return credentials


def names_of(domain_names: tuple[str, ...], admin: str | None) -> tuple[dict[Domain, str], Address]:
    """The domains, each with the name as it was typed, which is how it is shown; and the administrator. Raises
    `FolderError` or `OptionError` that names the option."""
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


def _fill(
    folder: Path,
    names: dict[Domain, str],
    administrator: Address,
    inbound_type: str | None,
    fixed: Credentials | None,
) -> Credentials:
    make_key_file(folder)
    touch_private(folder / DATABASE)
    opened = Opened(folder, Settings(), new=True)
    try:
        credentials = create_account(
            opened, names, administrator, None, "mailreeve init", inbound_type=inbound_type, fixed=fixed
        )
    finally:
        opened.close()
    elsewhere = config_file()
    text = _SETTINGS_TEXT if elsewhere is None else _ELSEWHERE_TEXT.format(elsewhere)
    (folder / FILE_NAME).write_text(text, "utf-8")
    return credentials


def create_account(
    opened: Opened,
    names: dict[Domain, str],
    administrator: Address,
    name: str | None,
    actor: str,
    *,
    inbound_type: str | None = None,
    fixed: Credentials | None = None,
) -> Credentials:
    """Make an account with these domains, an administrator and an application, in one transaction; `name` is by
    default its first domain, and `actor` who does it. Raises `ItemRefused`."""
    password = url_safe(18) if fixed is None else fixed.admin_password
    account_id, code = accounts.new_identity()
    if fixed is not None:
        code = fixed.account_code
    known = None if fixed is None else Keys(*(getattr(fixed, name) for name in Keys.__struct_fields__))

    def create(work: Work) -> Credentials:
        accounts.create(work, code, name or next(iter(names)), str(administrator))
        for typed in names.values():
            # A name of one label is meant: whoever makes a folder tries it out on this host.
            domains.register(work, typed.removesuffix(".") + ".", inbound_type)
        seed_account(work)
        user_id = users.create_administrator(work, administrator, password, Role.SUPER_ADMINISTRATOR)
        keys = issue_application(work, opened.vault, APPLICATION, Role.SUPER_ADMINISTRATOR, user_id, None, known)
        return Credentials(code, **msgspec.structs.asdict(keys), admin=str(administrator), admin_password=password)

    credentials = opened.store.write(account_id, Origin(actor), create)
    opened.sign_accounts()
    return credentials
