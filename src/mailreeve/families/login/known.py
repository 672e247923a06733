"""Whose credentials were looked up before? Kept in clear, in memory, until their own rows change.

A call is signed anew each time, but with the same keys; looking them up and opening them cost more than most calls
do. What becomes of the rows is told by the feed of changes, so a user who is locked is locked for the very next
call, as with the policy sets of `store.follow`.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from typing import Final

from msgspec import Struct

from mailreeve.families.login.rows import APPLICATION, BINDING, ApplicationRow, BindingRow
from mailreeve.store.changes import WHOLE, Feed, Name, Part, Touched
from mailreeve.wire.tokens import Kind

MOST: Final = 10_000  # credentials kept; past that all are forgotten


class Credentials(Struct, frozen=True):
    """An application, a binding to it, and the keys of both in clear. `revision` is that of the account in which
    they were looked up."""

    application: ApplicationRow
    binding: BindingRow
    app_key: str
    secret_key: bytes
    revision: int

    def depend_on(self, names: Collection[Name]) -> bool:
        """Whether one of these objects says if they hold."""
        user = Name(Kind.USER, self.binding.user_id)
        mine = WHOLE, user, Name(BINDING, self.binding.id), Name(APPLICATION, self.application.id)
        return any(name in names for name in mine)


class KnownCredentials:
    """The credentials of calls whose signature was right."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._found: dict[tuple[str, str], Credentials] = {}
        self._lock = threading.Lock()
        feed.follow(self._touched)

    def find(self, app_id: str, access_key: str) -> Credentials | None:
        """What these keys stand for, if it was looked up and holds. It may wait for the store after a commit."""
        self._feed.catch_up()
        return self._found.get((app_id, access_key))

    def at_hand(self, app_id: str, access_key: str) -> bool:
        """Whether `find` finds something without waiting for anything."""
        return self._feed.up_to_date and (app_id, access_key) in self._found

    def keep(self, app_id: str, access_key: str, found: Credentials) -> None:
        """Remember what was looked up, unless there may be news of it already."""
        with self._lock:
            if found.revision < self._feed.told(found.application.account_id):
                return
            if len(self._found) >= MOST:
                self._found.clear()
            self._found[app_id, access_key] = found

    def _touched(self, account_id: str, touched: Touched) -> None:
        names = touched.get(Part.CREDENTIALS)
        if not names:
            return
        with self._lock:
            gone = [
                key
                for key, found in self._found.items()
                if found.application.account_id == account_id and found.depend_on(names)
            ]
            for key in gone:
                del self._found[key]
