"""The feed of changes: which objects each revision of an account touched, and how a process follows it.

Every commit that takes a revision writes its rows in the same transaction. Whatever a process keeps of an account
between two requests (policy sets, credentials, whose domain it is) is brought up to date from these rows alone,
whichever process committed them.
A hint says that an account has a newer revision. A commit of this process gives it before its caller has an
answer, with what it wrote into the feed, which need not be read again then; of other processes' commits
`Feed.watched` learns within `WATCH_EVERY`.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from typing import Final, NamedTuple

import structlog
from sqlalchemy import Connection, bindparam, delete, insert, select

from mailreeve.policy.model.policy_types import PolicyType
from mailreeve.store.engines import SqliteEngine
from mailreeve.store.schema import account, change

WATCH_EVERY: Final = 0.025
"""Seconds between two looks for commits of other processes, which are to be in force within 0.1."""

MOST_NAMED: Final = 10_000
"""When more objects were touched, the parts are read as wholes."""

MOST_OWN: Final = 100
"""Commits of this process that are remembered until followers ask; of more the feed is read."""

KEPT: Final = 10_000
"""Revisions of an account whose rows are kept at least; whoever is further behind reads everything."""

PRUNED_EVERY: Final = 1_000
"""Revisions between two removals of rows that are older."""

TRIED_EVERY: Final = 0.5  # seconds between two attempts to watch a database that cannot be read
_UNKNOWN: Final = sys.maxsize
_log = structlog.get_logger(__name__)


class Part(StrEnum):
    """What an object belongs to that is no policy of a `PolicyType`, which are parts of their own: the other parts
    of a policy set, each loaded by one family, and what calls are signed with."""

    __hash__ = str.__hash__  # a part is found by the text that the feed holds

    DIRECTORY = "directory"
    DEFINITIONS = "definitions"
    WEB_LISTS = "web_lists"
    WEB_PLACES = "web_places"
    CREDENTIALS = "credentials"
    ZONE_KEYS = "zone_keys"


class Name(NamedTuple):
    """An object of a part, as the part's loader knows it: mostly the kind and the key of its row."""

    kind: str
    key: str


WHOLE: Final = Name("", "")
"""Instead of names: any object of the part may have been touched."""

Touched = Mapping[str, frozenset[Name]]
"""Which objects of which parts were touched: by `Part` or `PolicyType`."""

EVERYTHING: Final[Touched] = {part: frozenset({WHOLE}) for part in (*Part, *PolicyType)}

Follows = Callable[[str, Touched], None]
"""Who is told, account by account, what was touched. It is called in the thread of whoever asks, and does not
raise."""

_INSERT: Final = insert(change)
_SINCE: Final = select(change.c.part, change.c.kind, change.c.key).where(
    change.c.account_id == bindparam("account"), change.c.revision > bindparam("since")
)
_OLD: Final = delete(change).where(
    change.c.account_id == bindparam("account"), change.c.revision <= bindparam("until")
)
_REVISION: Final = select(account.c.revision).where(account.c.id == bindparam("account"))
_REVISIONS: Final = select(account.c.id, account.c.revision)


def write(connection: Connection, account_id: str, revisions: Mapping[int, Touched]) -> None:
    """Write the rows of revisions that follow each other, in the transaction that takes them."""
    rows = [
        {"account_id": account_id, "revision": revision, "n": n, "part": part, "kind": name.kind, "key": name.key}
        for revision, touched in revisions.items()
        for n, (part, name) in enumerate(_named(touched))
    ]
    if rows:
        connection.execute(_INSERT, rows)
    for revision in revisions:
        if revision % PRUNED_EVERY == 0:
            connection.execute(_OLD, {"account": account_id, "until": revision - KEPT})


def _named(touched: Touched) -> Iterator[tuple[str, Name]]:
    """What was touched, one by one; the parts as wholes where that is too much."""
    if sum(map(len, touched.values())) > MOST_NAMED:
        touched = {part: frozenset({WHOLE}) for part in touched}
    return ((part, name) for part, names in touched.items() for name in names)


def revision_of(connection: Connection, account_id: str) -> int:
    """The account's revision in this transaction. Raises `NoResultFound` where there is no such account."""
    revision: int = connection.execute(_REVISION, {"account": account_id}).scalar_one()
    return revision


def since(connection: Connection, account_id: str, revision: int, now: int) -> Touched:
    """What was touched after a revision and until `now`, which is the account's revision in this transaction. A
    part that is unknown here, as a process of another version writes it, may stand for any of ours."""
    if not 0 <= now - revision <= KEPT:
        return EVERYTHING
    names: dict[str, set[Name]] = {}
    for part, kind, key in connection.execute(_SINCE, {"account": account_id, "since": revision}):
        names.setdefault(part, set()).add(Name(kind, key))
    if not names.keys() <= EVERYTHING.keys():
        return EVERYTHING
    if sum(map(len, names.values())) > MOST_NAMED:
        return {part: frozenset({WHOLE}) for part in names}
    return {part: frozenset(several) for part, several in names.items()}


def _joined(several: Iterable[Touched]) -> Touched:
    names: dict[str, frozenset[Name]] = {}
    for touched in several:
        for part, more in touched.items():
            names[part] = names.get(part, frozenset()) | more
    return names


class Feed:
    """What this process knows of commits, its own and others'."""

    def __init__(self, engine: SqliteEngine) -> None:
        self._engine = engine
        self._newest: dict[str, int] = {}
        # What commits of this process touched that the followers have not been told of.
        self._own: dict[str, dict[int, Touched]] = {}
        self._blind = False
        self._followers: list[Follows] = []
        # Up to which revision the followers were told, and of which accounts there is more to tell.
        self._followed_to: dict[str, int] = {}
        self._behind: set[str] = set()
        # How many hints there were, and how many of these the followers' state covers.
        self._hints = self._covered = 0
        self._guard = threading.Lock()
        self._catching_up = threading.Lock()

    def newest(self, account_id: str) -> int:
        """The newest revision of an account that this process has heard of, 0 if of none. More than any there is
        while it cannot know, so that whoever asks looks for himself."""
        return _UNKNOWN if self._blind else self._newest.get(account_id, 0)

    def hint(self, account_id: str, revision: int, touched: Touched | None = None) -> None:
        """An account has this revision now, which touched this, where that is known."""
        with self._guard:
            if touched is not None:
                own = self._own.setdefault(account_id, {})
                if len(own) >= MOST_OWN:
                    own.clear()
                own[revision] = touched
            if revision > self._newest.get(account_id, 0):
                self._newest[account_id] = revision
                self._behind.add(account_id)
                self._hints += 1

    def follow(self, follower: Follows) -> None:
        """Have `follower` told of what is touched from now on, by `catch_up`."""
        self._followers.append(follower)

    def followed_to(self, account_id: str) -> int:
        """Up to which revision of the account followers have been, or are just being, told."""
        return self._followed_to.get(account_id, 0)

    @property
    def up_to_date(self) -> bool:
        """Whether the followers were told whatever this process has heard of."""
        return not self._blind and self._covered >= self._hints

    def catch_up(self) -> None:
        """Tell the followers whatever is new. Nearly free when nothing is; otherwise it reads the database."""
        if self._blind:
            self.look()
        # Asked first: what is committed later is the caller's future.
        hints = self._hints
        if self._covered >= hints:
            return
        with self._catching_up:
            if self._covered >= hints:
                return
            with self._guard:
                hints = self._hints
                behind = {one: self._newest[one] for one in self._behind if one in self._newest}
                gone = self._behind.difference(behind)
                for account_id in gone:
                    self._own.pop(account_id, None)
                own = {account_id: self._own.pop(account_id, {}) for account_id in behind}
            known = [account_id for account_id in behind if account_id in self._followed_to]
            news = dict.fromkeys(behind, EVERYTHING)
            for account_id in tuple(known):
                wanted = range(self._followed_to[account_id] + 1, behind[account_id] + 1)
                if len(wanted) <= len(own[account_id]) and all(one in own[account_id] for one in wanted):
                    news[account_id] = _joined(own[account_id][one] for one in wanted)
                    known.remove(account_id)
            if known:
                with self._engine.reading() as connection:
                    for account_id in known:
                        now = connection.execute(_REVISION, {"account": account_id}).scalar_one_or_none()
                        if now is None:  # It was removed since.
                            news[account_id] = EVERYTHING
                            continue
                        behind[account_id] = now
                        news[account_id] = since(connection, account_id, self._followed_to[account_id], now)
            news |= dict.fromkeys(gone, EVERYTHING)
            with self._guard:
                # Before the followers hear: whoever adds to what they keep asks whether it is older than this.
                self._followed_to.update(behind)
                # Nothing that was read of these before is worth keeping.
                self._followed_to.update(dict.fromkeys(gone, _UNKNOWN))
                self._behind -= gone
                self._behind -= {one for one, revision in behind.items() if revision >= self._newest.get(one, 0)}
            for account_id, touched in news.items():
                for follower in self._followers:
                    follower(account_id, touched)
            self._covered = hints

    def look(self) -> None:
        """Look for commits of other processes, and for accounts that they removed."""
        with self._guard:
            heard_of = set(self._newest)
        with self._engine.reading() as connection:
            found = connection.execute(_REVISIONS).all()
        for account_id, revision in found:
            if revision != self._newest.get(account_id):
                self.hint(account_id, revision)
        gone = heard_of.difference(account_id for account_id, _ in found)
        if gone:
            with self._guard:
                for account_id in gone:
                    self._newest.pop(account_id, None)
                self._behind |= gone
                self._hints += 1

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Look for commits of other processes as they come, in a thread, while the block runs."""
        stop = threading.Event()
        thread = threading.Thread(target=self._watch, args=(stop,), name="feed", daemon=True)
        self._blind = True  # until the first look
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
            self._blind = False

    def _watch(self, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                with self._engine.watching() as version:
                    self._look_at_changes(version, stop)
            except Exception as problem:
                # Whatever it was, another attempt may do better. Until then everybody looks for himself.
                if not self._blind:
                    _log.warning("the database cannot be watched", problem=str(problem))
                self._blind = True
                stop.wait(TRIED_EVERY)

    def _look_at_changes(self, version: Callable[[], int], stop: threading.Event) -> None:
        seen = None
        while not stop.is_set():
            now = version()
            if now != seen:
                # After the version: a commit in between shows as another version next time.
                self.look()
                seen = now
                self._blind = False
            # So that nobody else has to; with our own commits as well, which may show as no other version.
            self.catch_up()
            stop.wait(WATCH_EVERY)
