"""How do archived messages get into the search? Read in the background, after they were acknowledged.

What nobody has read yet is marked so in its row: after a restart the reading goes on where it stopped.
"""

from __future__ import annotations

import zlib
from functools import partial
from typing import Final

import structlog

from mailreeve.access.caller import Origin
from mailreeve.families.archive import contents, rows
from mailreeve.families.archive.contents import Found
from mailreeve.families.archive.rows import ArchivedRow
from mailreeve.families.archive.search_index import INDEX, SearchIndex
from mailreeve.families.directory.account import rows as accounts
from mailreeve.store.bodies import Bodies
from mailreeve.store.transactions import Store, Work

AT_ONCE: Final = 20  # messages that are written in one transaction
MOST_WORDS: Final = 64 * 1024
"""Characters after which a transaction is ended: the mail that comes meanwhile waits a few milliseconds."""

_ORIGIN: Final = Origin("archive")
_log = structlog.get_logger(__name__)


class ArchiveReader:
    """Reads what is new in the archives of all accounts."""

    def __init__(self, store: Store, bodies: Bodies, index: SearchIndex = INDEX) -> None:
        self._store = store
        self._bodies = bodies
        self._index = index

    def read_new(self) -> int:
        """Read all that nobody has read yet. It blocks. How many messages."""
        total = 0
        for account_id in self._store.look_up(accounts.codes).values():
            after = ""
            while unread := self._store.read(account_id, partial(rows.unread, after_key=after, most=AT_ONCE)):
                after = unread[-1].id
                self._read(account_id, unread)
                total += len(unread)
        return total

    def _read(self, account_id: str, unread: list[ArchivedRow]) -> None:
        found: list[tuple[ArchivedRow, Found]] = []
        size = 0
        headers = self._store.read(account_id, lambda work: rows.headers_of(work, [row.id for row in unread]))
        for row in unread:
            packed = headers.get(row.id)
            if packed is None:  # It is gone since.
                continue
            one = self._found(account_id, row, packed)
            found.append((row, one))
            size += len(one.words.body) + len(one.words.files)
            if size >= MOST_WORDS:
                self._write(account_id, found)
                found, size = [], 0
        self._write(account_id, found)

    def _found(self, account_id: str, row: ArchivedRow, packed: bytes) -> Found:
        header = b""
        try:
            header = zlib.decompress(packed)
            with contents.whole_body(self._bodies, account_id, row) as body:
                return contents.read(row, header, body)
        except (OSError, zlib.error) as problem:
            _log.error("archived message is damaged", account=account_id, message=row.id, problem=str(problem))
            return contents.unreadable(row, header, str(problem))
        except Exception as problem:
            # A stranger wrote it. Whatever it does to us, those behind it are read.
            _log.exception("archived message was not read", account=account_id, message=row.id)
            return contents.unreadable(row, header, type(problem).__name__)

    def _write(self, account_id: str, found: list[tuple[ArchivedRow, Found]]) -> None:
        def write(work: Work) -> None:
            for row, one in found:
                there = rows.find(work, row.id)
                if there is not None and there.contents is None:  # It may be gone, or another has read it.
                    place = self._index.add(work, row.id, one.words)
                    rows.describe(work, row.id, one.contents, one.files, place)

        if found:
            self._store.write(account_id, _ORIGIN, write)
