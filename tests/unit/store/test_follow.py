"""A policy set is never older than the last commit, holds all of it, and costs no more than what changed."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from datetime import UTC, datetime

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, MetaData, Table, Text, delete, insert, select

from mailreeve.formats.addresses import Domain
from mailreeve.formats.networks import parse_network
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.model.facts import Directory, DirectoryChanges
from mailreeve.policy.model.policies import BlockedOption, BlockedSenderPolicy, Changes, Scope
from mailreeve.policy.model.policy_types import PolicyType
from mailreeve.policy.model.web_places import Places
from mailreeve.store import changes
from mailreeve.store.changes import MOST_NAMED, Name, Part, Touched
from mailreeve.store.engines import SqliteEngine
from mailreeve.store.follow import Follower, Keep, Loader, Loaders, _Followed
from mailreeve.store.schema import account, account_column, audit_event, change, key_column
from mailreeve.store.transactions import Origin, Store, Work

ONE, TWO = "1" * 32, "2" * 32
RELAYS = (parse_network("10.0.0.0/8"),)

BLOCKED = PolicyType.BLOCKED_SENDERS


class Broken(Exception):
    """What a test's loader raises."""


class Families:
    """Loaders over one table: a row is a blocked sender policy if its text says so, else an internal domain."""

    def __init__(self, table) -> None:  # type: ignore[no-untyped-def]
        self.table = table
        self.loads: Counter[str] = Counter()
        self.asked: list[set[str]] = []
        self.broken = False
        self.lock = threading.Lock()
        self.before: Callable[[str], None] = lambda name: None

    def texts(self, work: Work, kind: str) -> list[str]:
        query = select(self.table.c.id).where(
            self.table.c.account_id == work.account_id, self.table.c.text == kind
        )
        return sorted(work.execute(query).scalars())

    def count(self, name: str) -> None:
        self.before(name)
        with self.lock:
            self.loads[name] += 1
        if self.broken:
            raise Broken

    def directory(self, work: Work) -> Directory:
        self.count("directory")
        return Directory(internal_domains=frozenset(map(Domain, self.texts(work, "directory"))))

    def blocked(self, work: Work) -> list[BlockedSenderPolicy]:
        self.count("blocked")
        return [
            BlockedSenderPolicy(key, key, Scope(), BlockedOption.BLOCK_SENDER, 0.0)
            for key in self.texts(work, "blocked")
        ]

    def some_directory(self, work: Work, names: Collection[Name]) -> DirectoryChanges:
        return DirectoryChanges(internal_domains=self.directory(work).internal_domains)

    def some_blocked(self, work: Work, names: Collection[Name]) -> Changes[BlockedSenderPolicy]:
        asked = {name.key for name in names}
        self.asked.append(asked)
        put = [policy for policy in self.blocked(work) if policy.id in asked]
        return Changes(put, frozenset(asked - {policy.id for policy in put}))

    def nothing(self, name: str) -> Loader[Sequence[object], Changes[object]]:
        def load(work: Work) -> Sequence[object]:
            self.count(name)
            return ()

        def load_some(work: Work, names: Collection[Name]) -> Changes[object]:
            self.count(name)
            return Changes()

        return Loader(load, load_some)

    def loaders(self) -> Loaders:
        others = {name: self.nothing(name) for name in ("managed", "definitions", "web")}
        return Loaders(
            directory=Loader(self.directory, self.some_directory),
            scoped={
                BLOCKED: Loader(self.blocked, self.some_blocked),
                PolicyType.PERMITTED_SENDERS: self.nothing("permitted"),
                PolicyType.ADDRESS_ALTERATION: self.nothing("alteration"),
            },
            places=lambda work: Places(),
            **others,  # type: ignore[arg-type]
        )

    def add(self, store: Store, key: str, part: Part | PolicyType = BLOCKED, account_id: str = ONE) -> None:
        kind = "blocked" if part is BLOCKED else part.value

        def transaction(work: Work) -> None:
            work.execute(insert(self.table).values(account_id=work.account_id, id=key, text=kind))
            work.changed(part, "create", "thing", key)

        store.write(account_id, Origin("test"), transaction)


def blocked(policies: PolicySet) -> set[str]:
    return {policy.id for policy in policies.blocked.policies}


@pytest.fixture
def families(things) -> Families:  # type: ignore[no-untyped-def]
    return Families(things.table)


@pytest.fixture
def follower(store: Store, families: Families) -> Follower:
    return Follower(store, families.loaders(), RELAYS)


EVERY = {"directory", "blocked", "permitted", "managed", "alteration", "definitions", "web"}


def test_a_set_is_loaded_on_first_use(store: Store, follower: Follower, families: Families) -> None:
    """With all its parts, the revision and the relays, and with what was there before the follower."""
    families.add(store, "p")
    policies = follower.current(ONE)
    assert (policies.account_id, policies.revision, tuple(policies.relay_networks.values())) == (ONE, 1, RELAYS)
    assert blocked(policies) == {"p"}
    assert families.loads == dict.fromkeys(EVERY, 1)


def test_nothing_is_read_while_nothing_changes(follower: Follower, families: Families) -> None:
    """The very same set is handed out again."""
    first = follower.current(ONE)
    assert all(follower.current(ONE) is first for _ in range(100))
    assert families.loads == dict.fromkeys(EVERY, 1)


def test_a_decision_after_a_write_sees_it(store: Store, follower: Follower, families: Families) -> None:
    """Each of many, one after the other, while sets handed out before stay as they are."""
    before = follower.current(ONE)
    for number in range(20):
        families.add(store, f"p{number}")
        policies = follower.current(ONE)
        assert blocked(policies) == {f"p{n}" for n in range(number + 1)}
        assert policies.revision == number + 1
    assert (blocked(before), before.revision) == (set(), 0)


def test_only_the_parts_that_were_touched_are_read(store: Store, follower: Follower, families: Families) -> None:
    """Once for many writes; the others are shared with the set before."""
    before = follower.current(ONE)
    families.loads.clear()
    for number in range(5):
        families.add(store, f"p{number}")
    after = follower.current(ONE)
    assert families.loads == {"blocked": 1}
    assert after.web is before.web
    assert after.identities is before.identities
    families.add(store, "x.test", Part.DIRECTORY)
    families.add(store, "q")
    assert follower.current(ONE).directory.internal_domains == {"x.test"}
    assert families.loads == {"blocked": 2, "directory": 1}
    families.add(store, "y.test", Part.DIRECTORY)
    follower.current(ONE)
    assert families.loads == {"blocked": 2, "directory": 2}


def test_only_the_objects_that_were_touched_are_read(store: Store, follower: Follower, families: Families) -> None:
    """New ones, changed ones and those that are gone; what a transaction undid is not asked for."""
    for key in "abc":
        families.add(store, key)
    follower.current(ONE)

    def transaction(work: Work) -> None:
        work.execute(delete(families.table).where(families.table.c.id == "b"))
        work.changed(BLOCKED, "delete", "thing", "b")
        with suppress(Broken), work.item():
            work.changed(BLOCKED, "update", "thing", "c")
            raise Broken

    store.write(ONE, Origin("test"), transaction)
    families.add(store, "d")
    assert blocked(follower.current(ONE)) == {"a", "c", "d"}
    assert families.asked == [{"b", "d"}]


def test_a_part_is_read_as_a_whole_after_very_many_changes(
    store: Store, follower: Follower, families: Families
) -> None:
    """What a commit says about them is not kept without end."""
    follower.current(ONE)
    families.add(store, "p")

    def transaction(work: Work) -> None:
        names = [Name("thing", str(number)) for number in range(MOST_NAMED + 1)]
        work.changed(BLOCKED, "import", "thing", "all", names=names)

    store.write(ONE, Origin("test"), transaction)
    assert blocked(follower.current(ONE)) == {"p"}
    assert families.asked == []
    families.add(store, "q")
    assert blocked(follower.current(ONE)) == {"p", "q"}
    assert families.asked == [{"q"}]


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_sets_that_nobody_asks_for_are_let_go(store: Store, families: Families) -> None:
    """After their time; one that is asked for again is loaded again, with what was written meanwhile."""
    clock = Clock()
    follower = Follower(store, families.loaders(), RELAYS, Keep(idle=60.0), clock)
    families.add(store, "p")
    one, two = follower.current(ONE), follower.current(TWO)
    clock.now = 50.0
    assert follower.current(TWO) is two
    clock.now = 61.0
    assert follower.let_go() == 1
    assert follower._accounts[ONE].current is None
    assert follower.current(TWO) is two
    families.add(store, "q")
    families.loads.clear()
    assert blocked(follower.current(ONE)) == {"p", "q"}
    assert families.loads == dict.fromkeys(EVERY, 1)
    assert blocked(one) == {"p"}


def test_no_more_policies_are_kept_than_there_is_room_for(store: Store, families: Families) -> None:
    """The account asked for last stays, however large; those asked for longer ago go first."""
    clock = Clock()
    follower = Follower(store, families.loaders(), RELAYS, Keep(policies=1), clock)
    for key in "ab":
        families.add(store, key)
    one = follower.current(ONE)
    assert follower.let_go() == 0
    clock.now = 1.0
    follower.current(TWO)
    assert follower.let_go() == 1
    assert follower._accounts[ONE].current is None
    assert follower.current(ONE) is not one


def test_a_set_that_is_being_loaded_is_not_let_go(store: Store, families: Families) -> None:
    """Whoever loads it wants it."""
    clock = Clock()
    follower = Follower(store, families.loaders(), RELAYS, Keep(idle=60.0), clock)
    follower.current(ONE)
    families.add(store, "p")
    let_go: list[int] = []

    def late(name: str) -> None:
        clock.now += 100.0
        let_go.append(follower.let_go())

    families.before = late
    assert blocked(follower.current(ONE)) == {"p"}
    assert let_go == [0]


def test_a_long_load_says_how_far_it_is(
    store: Store, follower: Follower, families: Families, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the log, and what it came to."""
    monkeypatch.setattr("mailreeve.store.follow.LOGGED_EVERY", 0.0)
    monkeypatch.setattr("mailreeve.store.follow._LOOKED_AT_CLOCK", 2)
    for key in "abc":
        families.add(store, key)
    with structlog.testing.capture_logs() as logs:
        follower.current(ONE)
    assert [(log["event"], log.get("read"), log.get("objects")) for log in logs] == [
        ("loading policies", 2, None),
        ("policies loaded", None, 3),
    ]


def test_a_commit_that_touches_no_part_changes_the_revision_only(
    store: Store, follower: Follower, families: Families
) -> None:
    """A decision records the revision, so it must be right."""
    follower.current(ONE)
    families.loads.clear()
    store.write(ONE, Origin("test"), lambda work: work.changed(None, "create", "user", "u"))
    assert follower.current(ONE).revision == 1
    assert families.loads == {}


def test_a_write_that_failed_costs_nothing(store: Store, follower: Follower, families: Families) -> None:
    """The set before is still the newest."""
    before = follower.current(ONE)

    def transaction(work: Work) -> None:
        work.changed(Part.WEB_LISTS, "create", "thing", "k")
        raise Broken

    with pytest.raises(Broken):
        store.write(ONE, Origin("test"), transaction)
    assert follower.current(ONE) is before


def test_another_account_is_not_affected(store: Store, follower: Follower, families: Families) -> None:
    """Neither by what it holds nor by having to load again."""
    one, two = follower.current(ONE), follower.current(TWO)
    families.add(store, "p", account_id=TWO)
    assert follower.current(ONE) is one
    assert blocked(follower.current(TWO)) == {"p"}
    assert (one.account_id, two.account_id) == (ONE, TWO)


def test_a_load_that_fails_leaves_the_set_stale(store: Store, follower: Follower, families: Families) -> None:
    """Nobody is handed the old set after a write; the next caller tries again."""
    follower.current(ONE)
    families.add(store, "p")
    families.broken = True
    for _ in range(2):
        with pytest.raises(Broken):
            follower.current(ONE)
    families.broken = False
    assert blocked(follower.current(ONE)) == {"p"}


def test_a_first_load_that_fails_is_tried_again(follower: Follower, families: Families) -> None:
    """With all parts."""
    families.broken = True
    with pytest.raises(Broken):
        follower.current(ONE)
    families.broken = False
    families.loads.clear()
    follower.current(ONE)
    assert families.loads == dict.fromkeys(EVERY, 1)


def test_many_callers_wait_for_one_load(store: Store, follower: Follower, families: Families) -> None:
    """A changed part is read once, however many ask at the same time."""
    follower.current(ONE)
    families.add(store, "p")
    families.loads.clear()
    loading, go_on = threading.Event(), threading.Event()

    def hold(name: str) -> None:
        loading.set()
        assert go_on.wait(10)

    families.before = hold
    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(follower.current, ONE) for _ in range(8)]
        assert loading.wait(10)
        go_on.set()
        sets = [future.result() for future in futures]
    assert families.loads == {"blocked": 1}
    assert all(policies is sets[0] for policies in sets)


def test_a_commit_while_loading_is_seen_by_the_next_caller(
    store: Store, follower: Follower, families: Families
) -> None:
    """The load in progress may miss it; whoever asks after it does not."""
    follower.current(ONE)
    families.add(store, "before")

    def write_meanwhile(name: str) -> None:
        families.before = lambda name: None
        with ThreadPoolExecutor(1) as other:
            other.submit(families.add, store, "meanwhile").result()

    families.before = write_meanwhile
    during = follower.current(ONE)
    assert (blocked(during), during.revision) == ({"before"}, 1)
    after = follower.current(ONE)
    assert (blocked(after), after.revision) == ({"before", "meanwhile"}, 2)


def test_a_set_read_before_its_counters_is_not_handed_out(
    store: Store, follower: Follower, families: Families
) -> None:
    """A reader without the lock is overtaken by a write and a load after it looked at the set: it must not take
    the old set for the new one."""

    class Overtaken(_Followed):
        """Lets a load happen right after somebody without the lock looked at the set."""

        @property
        def current(self) -> PolicySet | None:  # type: ignore[override]
            value = _Followed.current.__get__(self)  # type: ignore[attr-defined]
            nonlocal overtaking
            if overtaking and not self.lock.locked():
                overtaking = False
                follower.current(ONE)
            return value  # type: ignore[no-any-return]

        @current.setter
        def current(self, value: PolicySet | None) -> None:
            _Followed.current.__set__(self, value)  # type: ignore[attr-defined]

    overtaking = False
    follower._accounts[ONE] = Overtaken()
    follower.current(ONE)
    families.add(store, "p")
    overtaking = True
    assert blocked(follower.current(ONE)) == {"p"}


def between_commit_and_hint(monkeypatch: pytest.MonkeyPatch, store: Store, action: Callable[[], object]) -> None:
    """Have something done once between the next commit and the hint that there was one."""
    hint = store.feed.hint

    def late(account_id: str, revision: int, touched: Touched) -> None:
        monkeypatch.setattr(store.feed, "hint", hint)
        action()
        hint(account_id, revision, touched)

    monkeypatch.setattr(store.feed, "hint", late)


def test_a_set_holds_all_that_its_revision_says(
    store: Store, follower: Follower, families: Families, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A load falls between the commit of another writer and the hint of it: the set has that revision, so it must
    have its change too, although the change is in another part."""
    follower.current(ONE)
    caught: list[PolicySet] = []
    families.add(store, "p")
    between_commit_and_hint(monkeypatch, store, lambda: caught.append(follower.current(ONE)))
    families.add(store, "x.test", Part.DIRECTORY)
    assert [(p.revision, p.directory.internal_domains, blocked(p)) for p in caught] == [(2, {"x.test"}, {"p"})]


def test_a_writer_sees_the_commit_before_its_own_that_nobody_has_heard_of(
    store: Store, follower: Follower, families: Families, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between a commit and the news of it everybody else may still decide by the set before."""
    families.add(store, "p")
    follower.current(ONE)
    caught: list[tuple[set[str], set[str]]] = []

    def look() -> None:
        reader = blocked(follower.current(ONE))
        writer = store.rehearse(ONE, Origin("test"), lambda work: follower.current(ONE, work.revision))
        caught.append((reader, blocked(writer)))

    between_commit_and_hint(monkeypatch, store, look)
    families.add(store, "q")
    assert caught == [({"p"}, {"p", "q"})]
    assert blocked(follower.current(ONE)) == {"p", "q"}


def test_a_writer_sees_what_was_there_before_and_not_what_it_wrote(
    store: Store, follower: Follower, families: Families
) -> None:
    """Whether or not it asks after it wrote, and whatever another process committed."""
    follower.current(ONE)
    families.add(Store(store._engine), "theirs")

    def transaction(work: Work) -> PolicySet:
        work.execute(insert(families.table).values(account_id=work.account_id, id="own", text="blocked"))
        work.changed(BLOCKED, "create", "thing", "own")
        before = follower.current(ONE, work.revision)
        assert blocked(follower.rehearsed(work, before)) == {"theirs", "own"}
        return before

    assert blocked(store.write(ONE, Origin("test"), transaction)) == {"theirs"}
    assert blocked(follower.current(ONE)) == {"theirs", "own"}


def test_who_is_too_far_behind_reads_everything(
    store: Store, follower: Follower, families: Families, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows in between may be gone."""
    monkeypatch.setattr(changes, "KEPT", 2)
    monkeypatch.setattr(changes, "PRUNED_EVERY", 1)
    follower.current(ONE)
    for key in "ab":
        families.add(store, key)
    families.loads.clear()
    assert blocked(follower.current(ONE)) == {"a", "b"}
    assert families.loads == {"blocked": 1}
    for key in "cde":
        families.add(store, key)
    families.loads.clear()
    assert blocked(follower.current(ONE)) == set("abcde")
    assert families.loads == dict.fromkeys(EVERY, 1)


@pytest.fixture
def hasty() -> Iterator[None]:
    """Threads take turns as often as can be, so that races show."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("hasty")
def test_a_read_after_a_write_sees_it_from_many_threads(
    store: Store, follower: Follower, families: Families
) -> None:
    """Eight writers, each of which looks for its own change, and readers that see sets grow and never shrink."""
    done = threading.Event()
    parts = (BLOCKED, Part.DIRECTORY)

    def holds(policies: PolicySet) -> set[str]:
        return blocked(policies) | set(policies.directory.internal_domains)

    def writer(name: int) -> None:
        for number in range(25):
            key = f"w{name}n{number}.test"
            families.add(store, key, parts[number % 2])
            assert key in holds(follower.current(ONE))

    def reader() -> int:
        looks, last, held = 0, -1, set()
        while not done.is_set():
            policies = follower.current(ONE)
            assert policies.revision >= last
            assert held <= holds(policies)
            # Every commit adds one row, so a set says by its size which revision it is of.
            assert len(holds(policies)) == policies.revision
            last, held, looks = policies.revision, holds(policies), looks + 1
        return looks

    with ThreadPoolExecutor(11) as pool:
        readers = [pool.submit(reader) for _ in range(3)]
        writers = [pool.submit(writer, name) for name in range(8)]
        wait(writers)
        done.set()
        for future in (*writers, *readers):
            future.result()
    assert follower.current(ONE).revision == 200


steps = st.lists(
    st.tuples(st.sampled_from(["write", "look"]), st.sampled_from([ONE, TWO]), st.sampled_from(list(Part))),
    max_size=12,
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], tuple[Store, Families]]]:
    """A fresh database for each example."""
    made: list[SqliteEngine] = []

    def fresh() -> tuple[Store, Families]:
        tables = MetaData()
        account.to_metadata(tables)
        audit_event.to_metadata(tables)
        change.to_metadata(tables)
        table = Table("thing", tables, account_column(), key_column(), Column("text", Text))
        engine = SqliteEngine(tmp_path_factory.mktemp("example") / "m.db")
        made.append(engine)
        store = Store(engine)
        with engine.writing() as connection:
            tables.create_all(connection)
            for key in (ONE, TWO):
                row = {"id": key, "code": key, "name": "", "admin_email": "", "revision": 0}
                connection.execute(insert(account).values(**row, created_at=datetime(2026, 1, 1, tzinfo=UTC)))
        return store, Families(table)

    yield fresh
    for engine in made:
        engine.dispose()


@settings(max_examples=30)
@given(steps)
def test_any_order_of_writes_and_looks_shows_the_newest(
    shared: Callable[[], tuple[Store, Families]], plan: list[tuple[str, str, Part]]
) -> None:
    """Whatever was written by then is seen at each look, and a part is read at most once for each look after a
    write that touched it."""
    store, families = shared()
    follower = Follower(store, families.loaders(), ())
    written: dict[str, list[tuple[str, Part]]] = {ONE: [], TWO: []}
    for number, (what, account_id, part) in enumerate(plan):
        if what == "write":
            families.add(store, f"k{number}.test", part, account_id)
            written[account_id].append((f"k{number}.test", part))
            continue
        policies = follower.current(account_id)
        expected = written[account_id]
        assert blocked(policies) == {key for key, p in expected if p is BLOCKED}
        assert policies.directory.internal_domains == {key for key, p in expected if p is Part.DIRECTORY}
        assert policies.revision == len(expected)


two_processes = st.lists(
    st.tuples(
        st.sampled_from(["write", "write", "write many", "hear", "look"]),
        st.sampled_from([0, 1]),
        st.sampled_from([BLOCKED, Part.DIRECTORY, Part.CREDENTIALS]),
    ),
    max_size=15,
)


@settings(max_examples=50)
@given(two_processes)
def test_two_processes_that_follow_one_feed_see_the_same(
    shared: Callable[[], tuple[Store, Families]], plan: list[tuple[str, int, Part]]
) -> None:
    """Whoever wrote, and however rows were pruned: a set is never older than what its process heard of and never
    older than its own last write, and is the set loaded anew as of its revision."""
    store, families = shared()
    stores = store, Store(store._engine)
    followers = [Follower(each, families.loaders(), ()) for each in stores]
    states: list[set[str]] = [set()]
    known = [0, 0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(changes, "KEPT", 6)
        patch.setattr(changes, "PRUNED_EVERY", 2)
        patch.setattr(changes, "MOST_NAMED", 4)
        for number, (what, process, part) in enumerate(plan):
            if what.startswith("write"):
                for n in range(7 if what == "write many" else 1):
                    key = f"k{number}n{n}.test"
                    families.add(stores[process], key, part)
                    states.append(states[-1] | ({key} if part is not Part.CREDENTIALS else set()))
                known[process] = len(states) - 1
            elif what == "hear":
                stores[process].feed.look()
                known[process] = len(states) - 1
            else:
                policies = followers[process].current(ONE)
                assert policies.revision >= known[process]
                assert blocked(policies) | set(policies.directory.internal_domains) == states[policies.revision]
