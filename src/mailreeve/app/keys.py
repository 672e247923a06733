"""Credentials of programs that call the API: list them, issue new ones, revoke them, on an open data folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from mailreeve.access.caller import Origin
from mailreeve.app.folder import FolderError, Opened
from mailreeve.app.new_account import written
from mailreeve.app.private_files import reserved
from mailreeve.families.directory.account import rows as accounts
from mailreeve.families.directory.users import rows as users
from mailreeve.families.login import keys
from mailreeve.families.login.issue import issue_application
from mailreeve.families.login.keys import Application, Revoked
from mailreeve.formats.addresses import AddressError, parse_address
from mailreeve.store.transactions import Work

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


def list_keys(opened: Opened, account_id: str) -> Sequence[Application]:
    """The applications of an account, and whose keys they were given; nothing secret."""
    return opened.store.read(account_id, keys.every)


def issue_keys(opened: Opened, account_id: str, address: str | None, name: str, save: Path | None) -> NewKeys:
    """Make an application `name` with keys for the user with this address, by default the account's administrator.

    They are saved to the new file `save`, if one is named, or not made at all. Raises `FolderError`, or `OSError`
    where the file cannot be written.
    """
    if save is None:
        return _issued(opened, account_id, address, name)
    with reserved(save) as place:
        made = _issued(opened, account_id, address, name)
        place.write(written(made) + "\n")
        place.place()
    return made


def revoke_keys(opened: Opened, account_id: str, ids: Sequence[str]) -> Sequence[Revoked]:
    """Revoke applications and access keys: all that are named, or none. Raises `UnknownKeyError`."""

    def revoke(work: Work) -> list[Revoked]:
        return [keys.revoke(work, name) for name in dict.fromkeys(ids)]

    return opened.store.write(account_id, _ORIGIN, revoke)


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
