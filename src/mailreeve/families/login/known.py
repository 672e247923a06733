"""Whose credentials were looked up before? Kept in clear, in memory, until the account's next commit.

A call is signed anew each time, but with the same keys; looking them up and opening them cost more than most calls
do. A commit of the account forgets them all, so a user who is locked is locked for the very next call, as with the
policy sets of `store.follow`.
"""

from __future__ import annotations

import threading
from typing import Final

from msgspec import Struct

from mailreeve.families.login.rows import ApplicationRow, BindingRow
from mailreeve.store.transactions import Store, Touched

MOST: Final = 10_000  # credentials kept; past that all are forgotten


class Credentials(Struct, frozen=True):
    """An application, a binding to it, and the keys of both in clear."""

    application: ApplicationRow
    binding: BindingRow
    app_key: str
    secret_key: bytes


class KnownCredentials:
    """The credentials of calls whose signature was right."""

    def __init__(self, store: Store) -> None:
        self._of_account: dict[str, set[tuple[str, str]]] = {}
        self._found: dict[tuple[str, str], Credentials] = {}
        self._commits = 0
        self._lock = threading.Lock()
        store.on_commit(self._committed)

    @property
    def commits(self) -> int:
        """How many commits there were so far. Ask before looking anything up."""
        return self._commits

    def find(self, app_id: str, access_key: str) -> Credentials | None:
        """What these keys stand for, if it was looked up since the account's last commit."""
        return self._found.get((app_id, access_key))

    def keep(self, app_id: str, access_key: str, found: Credentials, commits: int) -> None:
        """Remember what was looked up after `commits`, unless there was another one meanwhile."""
        key = app_id, access_key
        with self._lock:
            if self._commits != commits:
                return
            if len(self._found) >= MOST:
                self._found.clear()
                self._of_account.clear()
            self._found[key] = found
            self._of_account.setdefault(found.application.account_id, set()).add(key)

    def forget(self) -> None:
        """Forget all of them: what they stand for may have been changed by another process."""
        with self._lock:
            self._commits += 1
            self._found.clear()
            self._of_account.clear()

    def _committed(self, account_id: str, revision: int, touched: Touched) -> None:
        with self._lock:
            self._commits += 1
            for key in self._of_account.pop(account_id, ()):
                del self._found[key]
