"""The accounts of a data folder, for its operator: list, add, lock, unlock, remove. A server may run on the
folder; it notices within 0.1 seconds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from mailreeve.access.caller import Origin
from mailreeve.app.folder import FolderError, Opened
from mailreeve.app.folder_api import local_caller
from mailreeve.app.new_account import Credentials, create_account, names_of
from mailreeve.app.private_files import reserved, written
from mailreeve.families.archive import rows as archive
from mailreeve.families.directory.account import operations, rows
from mailreeve.families.directory.domains import rows as domains
from mailreeve.families.directory.domains.errors import DOMAIN_EXISTS
from mailreeve.families.directory.users import rows as users
from mailreeve.formats.addresses import Domain
from mailreeve.store.transactions import Work
from mailreeve.wire.errors import ItemRefused


class AccountSummary(Struct, frozen=True):
    """An account, as `account list` shows it."""

    code: str
    name: str
    admin_email: str
    domains: Sequence[str]
    users: int
    locked: bool
    created: datetime


class RemovedAccount(Struct, frozen=True):
    """An account that was removed, and how many rows it had."""

    code: str
    rows: int


class LegalHolds(FolderError):
    """An account is not removed, because so many messages of its archive are under legal hold."""

    def __init__(self, code: str, number: int) -> None:
        held = "1 message is" if number == 1 else f"{number} messages are"
        super().__init__(f"{code} is not removed: {held} under legal hold in its archive, and would be gone")
        self.number = number


def list_accounts(opened: Opened) -> list[AccountSummary]:
    """All accounts, in the order of their codes."""
    codes = opened.store.look_up(rows.codes)
    return [opened.store.read(codes[code], _summary) for code in sorted(codes)]


def add_account(
    opened: Opened, domain_names: tuple[str, ...], admin: str | None, name: str | None, save: Path | None
) -> Credentials:
    """Make an account with these domains, an administrator and an application, wholly or not at all.

    The credentials are saved to the new file `save`, if one is named. Raises `FolderError`, or `OSError` where the
    file cannot be written.
    """
    if save is None:
        return _added(opened, domain_names, admin, name)
    with reserved(save) as place:
        made = _added(opened, domain_names, admin, name)
        place.write(written(made) + "\n")
        place.place()
    return made


def set_locked(opened: Opened, code: str, locked: bool) -> bool:
    """Lock an account, or unlock it. Whether that is news. Raises `FolderError`."""
    account_id = opened.account_id(code)
    return opened.store.write(account_id, _origin(account_id), lambda work: operations.set_locked(work, locked))


def remove_account(opened: Opened, code: str, *, with_legal_holds: bool = False) -> RemovedAccount:
    """Remove an account with all that it has. Raises `FolderError` for the only one, without which the folder
    would be none; and for one whose archive has messages under legal hold, unless these are to go
    as well (`with_legal_holds`)."""
    account_id = opened.account_id(code)
    if len(opened.store.look_up(rows.codes)) == 1:
        raise FolderError(f"{code} is the only account of the folder; remove the folder instead")

    def require_no_holds(work: Work) -> None:
        held = archive.count_on_hold(work)
        if held and not with_legal_holds:
            raise LegalHolds(code, held)

    def remove(work: Work) -> int:
        require_no_holds(work)  # One may have come a moment ago.
        return rows.remove(work)

    opened.store.read(account_id, require_no_holds)
    # First, so that a server neither takes mail nor calls for what is going.
    set_locked(opened, code, True)
    return RemovedAccount(code, opened.store.write(account_id, _origin(account_id), remove))


def _added(opened: Opened, domain_names: tuple[str, ...], admin: str | None, name: str | None) -> Credentials:
    parsed, administrator = names_of(domain_names, admin)
    try:
        return create_account(opened, parsed, administrator, name, local_caller("").actor)
    except ItemRefused as refusal:
        (problem,) = refusal.problems
        if problem.code == DOMAIN_EXISTS.code:
            raise FolderError(f"--domain: {_taken(opened, parsed)}") from refusal
        raise FolderError(f"--{problem.field}: {problem.message}") from refusal


def _taken(opened: Opened, parsed: dict[Domain, str]) -> str:
    """Which of the domains is whose: the operator may know."""
    codes = {key: code for code, key in opened.store.look_up(rows.codes).items()}
    owners, _ = opened.store.look_up(domains.owners)
    for name, typed in parsed.items():
        above = name
        while above:
            owner = owners.get(above)
            if owner is not None:
                below = "" if above == name else f" lies below {above}, which"
                return f"{typed}{below} is a domain of the account {codes[owner]}"
            above = Domain(above.partition(".")[2])
    return DOMAIN_EXISTS.message


def _summary(work: Work) -> AccountSummary:
    row = rows.get(work)
    shown = [one.shown for one in domains.every(work)]
    return AccountSummary(
        row.code, row.name, row.admin_email, shown, users.count(work), row.locked, row.created_at
    )


def _origin(account_id: str) -> Origin:
    return Origin(local_caller(account_id).actor)
