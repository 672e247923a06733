"""Whose credentials were looked up before? Kept in clear, in memory, until their own rows change.

A call is signed anew each time, but with the same keys; looking them up and opening them cost more than most calls
do. What becomes of the rows is told by the feed of changes, so a user who is locked is locked for the very next
call, as with the policy sets of `store.follow`.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator
from datetime import datetime
from itertools import islice, product
from typing import Final

from msgspec import Struct

from mailreeve.families.directory.roles.rows import ROLE
from mailreeve.families.login.rows import APPLICATION, BINDING, ApplicationRow, BindingRow
from mailreeve.memory.bounded import Bounded
from mailreeve.store.changes import WHOLE, Feed, Name, Part, Touched
from mailreeve.wire.tokens import Kind

MOST: Final = 10_000  # credentials kept


class Credentials(Struct, frozen=True):
    """An application, a binding to it, and the keys of both in clear, with those that were exchanged and may still
    be good. `revision` is that of the account in which they were looked up."""

    application: ApplicationRow
    binding: BindingRow
    app_key: str
    secret_key: bytes
    revision: int
    old_app_key: str | None = None
    old_secret_key: bytes | None = None

    def exchanged(self, now: datetime) -> Iterator[tuple[bytes, str]]:
        """The pairs of keys with one that was exchanged, and is good for a while yet."""
        secrets, app_keys = [self.secret_key], [self.app_key]
        if self.old_secret_key is not None and self.binding.old_until is not None and now < self.binding.old_until:
            secrets.append(self.old_secret_key)
        if self.old_app_key is not None and self.application.old_until and now < self.application.old_until:
            app_keys.append(self.old_app_key)
        return islice(product(secrets, app_keys), 1, None)

    def depend_on(self, names: Collection[Name]) -> bool:
        """Whether one of these objects says if they hold."""
        user = Name(Kind.USER, self.binding.user_id)
        mine = (
            WHOLE,
            user,
            Name(BINDING, self.binding.id),
            Name(APPLICATION, self.application.id),
            Name(Kind.ACCOUNT, self.application.account_id),
        )
        # Which role it is does not matter: they are seldom changed.
        return any(name in names for name in mine) or any(name.kind == ROLE for name in names)


class KnownCredentials:
    """The credentials of calls whose signature was right."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._found: Bounded[tuple[str, str], Credentials] = Bounded(MOST)
        self._lock = threading.Lock()
        feed.follow(self._touched)

    def find(self, app_id: str, access_key: str) -> Credentials | None:
        """What these keys stand for, if it was looked up and holds. It may wait for the store after a commit."""
        self._feed.catch_up()
        return self._found.get((app_id, access_key))

    def at_hand(self, app_id: str, access_key: str) -> bool:
        """Whether `find` finds something without waiting for anything."""
        return self._feed.up_to_date and self._found.get((app_id, access_key)) is not None

    def keep(self, app_id: str, access_key: str, found: Credentials) -> None:
        """Remember what was looked up, unless there may be news of it already."""
        with self._lock:
            if found.revision < self._feed.followed_to(found.application.account_id):
                return
            self._found.keep((app_id, access_key), found)

    def _touched(self, account_id: str, touched: Touched) -> None:
        names = touched.get(Part.CREDENTIALS)
        if not names:
            return
        with self._lock:
            for key in self._found:
                found = self._found.get(key)
                if found is not None and found.application.account_id == account_id and found.depend_on(names):
                    self._found.drop(key)
