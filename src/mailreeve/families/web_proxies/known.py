"""Which proxy asks? Found by its token, and kept at hand until its own row, or its account, changes."""

from __future__ import annotations

import hmac
import threading
from typing import Final

from mailreeve.families.web_proxies import rows
from mailreeve.families.web_proxies.operations import KIND, MARK, hash_token
from mailreeve.families.web_proxies.rows import FoundProxy
from mailreeve.memory.bounded import Bounded
from mailreeve.store.changes import WHOLE, Name, Part, Touched
from mailreeve.store.transactions import Store
from mailreeve.wire.tokens import Kind

MOST: Final = 1_000  # proxies kept at hand
LONGEST: Final = 256  # characters of what may be a token


class KnownProxies:
    """The proxies that asked of late. One that was sent away is unknown for its very next question."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._found: Bounded[str, FoundProxy] = Bounded(MOST)
        self._lock = threading.Lock()
        store.feed.follow(self._touched)

    def at_hand(self, token: str) -> bool:
        """Whether `find` finds it without waiting for anything."""
        return self._store.feed.up_to_date and self._found.get(hash_token(token)) is not None

    def find(self, token: str) -> FoundProxy | None:
        """The proxy with this token, unless its account is locked. It may wait for the store."""
        if len(token) > LONGEST or not token.startswith(MARK):
            return None
        hashed = hash_token(token)
        self._store.feed.catch_up()
        found = self._found.get(hashed)
        if found is None:
            found = self._store.look_up(lambda connection: rows.by_token(connection, hashed))
            if found is None:
                return None
            with self._lock:
                if found.revision >= self._store.feed.followed_to(found.account_id):
                    self._found.keep(hashed, found)
        if found.locked or not hmac.compare_digest(found.token_hash, hashed):
            return None
        return found

    def _touched(self, account_id: str, touched: Touched) -> None:
        names = touched.get(Part.CREDENTIALS)
        if not names:
            return
        with self._lock:
            for hashed in list(self._found):
                found = self._found.get(hashed)
                if found is None or found.account_id != account_id:
                    continue
                mine = (WHOLE, Name(KIND, found.id), Name(Kind.ACCOUNT, account_id))
                if any(name in names for name in mine):
                    self._found.drop(hashed)
