"""Whoever pages through a list while it changes sees what is there throughout once, and nothing twice.

Rows come and go anywhere in the list, before the place that a token holds as well as after it, as when a clock was
set back; so does the very row whose key the token holds.
"""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy
from effort import examples
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule
from msgspec import UNSET, Struct
from sqlalchemy import delete, event, func, insert, select, update

from mailreeve.access.caller import Origin
from mailreeve.families.policies.web_lists.rows import page_of_keys, web_policy
from mailreeve.store.schema import account, metadata
from mailreeve.store.transactions import Work
from mailreeve.wire.pagination import PageRequest, Paging
from mailreeve.wire.tokens import KEY_OCTETS, Ids

AT = datetime(2026, 1, 1, tzinfo=UTC)
MINE, OTHERS = "1" * 32, "2" * 32
IDS = Ids(bytes(range(KEY_OCTETS)))

keys = st.integers(0, 25).map(lambda n: f"{n:032x}")
sizes = st.integers(1, 4)


class Walk:
    """One caller's way through the list: the token for the next page, what it has seen, and what it must see."""

    def __init__(self, size: int, there: set[str]) -> None:
        self.size = size
        self.throughout = set(there)
        self.seen: list[str] = []
        self.token: str | None = None


class Pages(RuleBasedStateMachine):
    """A list, its rows as a set beside it, and any number of callers who page through it."""

    walks: Bundle[Walk] = Bundle("walks")

    @initialize()
    def empty(self) -> None:
        self.engine = sqlalchemy.create_engine("sqlite://")
        event.listen(self.engine, "connect", lambda c, _: c.execute("PRAGMA foreign_keys=ON"))
        metadata.create_all(self.engine)
        self.connection = self.engine.connect()
        for key in (MINE, OTHERS):
            self.connection.execute(
                insert(account).values(id=key, code=key, name="", admin_email="", revision=0, created_at=AT)
            )
        self.work = Work(self.connection, MINE, Origin("test"), AT)
        self.there: set[str] = set()
        self.running: list[Walk] = []
        self._add(OTHERS, f"{7:032x}")

    def teardown(self) -> None:
        self.connection.close()
        self.engine.dispose()

    @rule(key=keys)
    def add(self, key: str) -> None:
        if key not in self.there:
            self._add(MINE, key)
            self.there.add(key)

    @rule(key=keys)
    def remove(self, key: str) -> None:
        self._remove({key})

    @rule(key=keys)
    def change(self, key: str) -> None:
        self.work.execute(update(web_policy).where(web_policy.c.id == key).values(description="other"))

    @rule(target=walks, size=sizes)
    def begin(self, size: int) -> Walk:
        walk = Walk(size, self.there)
        self.running.append(walk)
        return walk

    @rule(walk=consumes(walks), target=walks, purge=st.booleans())
    def next_page(self, walk: Walk, purge: bool) -> Walk:
        """The next page, whose rows are perhaps removed at once, as a script does that clears a list."""
        if walk not in self.running:
            return walk
        shown, rows, following, _ = self._page(walk.size, walk.token)
        assert len(rows) == shown <= walk.size
        walk.seen += rows
        assert walk.seen == sorted(set(walk.seen))
        walk.token = following
        if following is None:
            self.running.remove(walk)
            assert walk.throughout <= set(walk.seen)
        else:
            assert rows
        if purge:
            self._remove(set(rows))
        return walk

    @rule(walk=walks)
    def there_and_back(self, walk: Walk) -> None:
        """While nothing changes, `previous` leads to the rows before those of the page, and from there `next` to
        it again."""
        _, rows, _, before = self._page(walk.size, walk.token)
        earlier = sorted(key for key in self.there if rows and key < rows[0])
        if walk.token is None:
            assert before is None
        if before is not None and rows:
            _, back, again, _ = self._page(walk.size, before)
            assert back == earlier[-walk.size :]
            assert self._page(walk.size, again)[1] == rows

    @invariant()
    def counted(self) -> None:
        """The total is that of the rows, and the other account's list is its own."""
        if hasattr(self, "work"):
            own = select(func.count()).where(web_policy.c.account_id == MINE)
            assert self.work.execute(own).scalar_one() == len(self.there)
            assert page_of_keys(self.work, Paging(IDS, MINE, "x", [None], PageRequest(1)).asked[0]).total == len(
                self.there
            )

    def _page(self, size: int, token: str | None) -> tuple[int, list[str], str | None, str | None]:
        paging = Paging(IDS, MINE, "list", [_Item()], PageRequest(size, token or ""))
        page = page_of_keys(self.work, paging.asked[0])
        shown = paging.shown([page.showing([])])
        following, before = (None if t is UNSET else t for t in (shown.next, shown.previous))
        return shown.page_size, list(page.rows), following, before

    def _add(self, whose: str, key: str) -> None:
        self.connection.execute(
            insert(web_policy).values(account_id=whose, id=key, description="", created_at=AT, updated_at=AT)
        )

    def _remove(self, gone: set[str]) -> None:
        ours = web_policy.c.account_id == MINE
        self.work.execute(delete(web_policy).where(ours, web_policy.c.id.in_(gone)))
        self.there -= gone
        for walk in self.running:
            walk.throughout -= gone


class _Item(Struct, frozen=True):
    """A list that is asked for by nothing."""


Pages.TestCase.settings = settings(max_examples=examples(60), stateful_step_count=40, deadline=None)
TestPages = Pages.TestCase
