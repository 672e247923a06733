"""Which outcomes are kept, how many, and for how long."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import msgspec
import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from mailreeve.families.keeping.keeper import MessageKeeper
from mailreeve.families.keeping.kept import Kept
from mailreeve.families.machinery.copies import Copy
from mailreeve.families.tracking import operations, record_budget, rows
from mailreeve.families.tracking.operations import KEEP_OTHERS, KEEP_REFUSALS, OldOutcomes
from mailreeve.families.tracking.outcomes import Outcome, State
from mailreeve.families.tracking.record_budget import DAY, HOUR, RecordBudget
from mailreeve.families.tracking.rows import Recorded, message_outcome
from mailreeve.formats.addresses import parse_address
from mailreeve.formats.authors import HeaderFrom
from mailreeve.formats.message import Content
from mailreeve.policy.model.decisions import SpamChecks, Stage

ONE = 1_000  # octets
EVER = datetime.fromtimestamp(0, UTC)

STRANGER, OTHER, OWN = "192.0.2.9", "198.51.100.7", "127.0.0.1"


def keep(keeper: MessageKeeper, outcomes: Sequence[Outcome]) -> None:
    """Record the outcomes of one message."""
    assert keeper.record([Kept(outcomes)]) == [None]


def outcome(account_id: str, recipient: str, state: State = State.REJECTED, **more: object) -> Outcome:
    known = {
        "account_id": account_id,
        "decision_id": "id",
        "at": time.time(),
        "source_ip": STRANGER,
        "sender": "ann@out.test",
        "effective_sender": "ann@out.test",
        "recipient": recipient,
        "effective_recipient": recipient,
        "header_from": None,
        "subject": "",
        "message_id": "",
        "size": 0,
        "state": state,
        "stage": Stage.RCPT if state in (State.REJECTED, State.DEFERRED) else None,
        "layer": "default",
        "reply": "",
        "policy_id": "",
        "description": "",
        "revision": 1,
        "spam_checks": SpamChecks.RUN,
    }
    return Outcome(**{**known, **more})


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0 // DAY * DAY

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def budget(clock, monkeypatch) -> RecordBudget:
    """Three refusals for a source and hour, five for an account and day; of deliveries four and six. Each outcome
    takes `ONE` octets."""
    for name, number in {"REFUSED_BY_SOURCE": 3, "REFUSED_BY_ACCOUNT": 5}.items():
        monkeypatch.setattr(record_budget, name, number * ONE)
    for name, number in {"DELIVERED_BY_SOURCE": 4, "DELIVERED_BY_ACCOUNT": 6}.items():
        monkeypatch.setattr(record_budget, name, number * ONE)
    monkeypatch.setattr(rows.Written, "octets", ONE)
    return RecordBudget([ip_network("127.0.0.0/8")], clock)


@pytest.fixture
def keeper(services, budget) -> MessageKeeper:
    return MessageKeeper(services.store, budget)


def kept(account) -> list[str]:
    """The recipients of the outcomes that the account has."""
    query = select(message_outcome.c.recipient).where(message_outcome.c.account_id == account.id)
    return sorted(account.write(lambda work: work.execute(query).scalars().all()))


def test_message_with_copies_that_have_no_place_is_kept_in_no_part(account, keeper):
    """It is put off then: a copy that is not kept would be lost."""
    copy = Copy(account.id, "id", parse_address("ann@out.test"), (), Content(b"Subject: x\r\n"))
    [problem, nothing] = keeper.record(
        [Kept([outcome(account.id, "u@corp.test")], outgoing=[copy]), Kept([outcome(account.id, "v@corp.test")])]
    )
    assert "no place" in str(problem)
    assert nothing is None
    assert kept(account) == ["v@corp.test"]


def refusals(account_id: str, number: int, **more: object) -> list[Outcome]:
    return [outcome(account_id, f"u{n}@corp.test", **more) for n in range(number)]


def admitted(budget: RecordBudget, outcomes: list[Outcome]) -> list[Outcome]:
    return budget.admit([(outcome, ONE) for outcome in outcomes])


def test_outcomes_are_kept_each_with_its_account(account, other_account, keeper):
    keep(
        keeper,
        [outcome(account.id, "u@corp.test"), outcome(other_account.id, "x@elsewhere.test", State.DELIVERED)],
    )
    assert kept(account) == ["u@corp.test"]
    assert kept(other_account) == ["x@elsewhere.test"]


def test_one_source_fills_no_disk_with_refusals(account, keeper):
    """What goes beyond is left out, of one call as of many; deliveries are kept whatever happened before."""
    keep(keeper, refusals(account.id, 2))
    keep(keeper, [*refusals(account.id, 4), outcome(account.id, "got@corp.test", State.DELIVERED)])
    assert kept(account) == ["got@corp.test", "u0@corp.test", "u0@corp.test", "u1@corp.test"]


@pytest.mark.parametrize("state", [State.REJECTED, State.DEFERRED])
def test_refusals_of_both_kinds_are_counted(budget, state):
    assert len(admitted(budget, refusals("a", 9, state=state))) == 3


def test_each_source_is_counted_by_the_hour(budget, clock):
    """Another source, another account, and the next hour each have room."""
    assert len(admitted(budget, refusals("a", 4))) == 3
    assert admitted(budget, refusals("a", 1)) == []
    assert len(admitted(budget, refusals("a", 1, source_ip=OTHER))) == 1
    assert len(admitted(budget, refusals("b", 1))) == 1
    clock.now += HOUR
    assert len(admitted(budget, refusals("a", 1))) == 1


def test_a_source_is_a_network_of_ipv6(budget):
    """Whoever has one address has 2^64."""
    sources = [f"2001:db8::{n}" for n in range(1, 6)]
    kept = admitted(budget, [outcome("a", "u@corp.test", source_ip=source) for source in sources])
    assert len(kept) == 3
    assert len(admitted(budget, refusals("a", 1, source_ip="2001:db8:0:1::1"))) == 1


def test_many_sources_are_counted_together_by_the_day(budget, clock):
    sources = [f"192.0.2.{n}" for n in range(9)]
    assert len(admitted(budget, [outcome("a", "u@corp.test", source_ip=source) for source in sources])) == 5
    clock.now += HOUR
    assert admitted(budget, refusals("a", 1)) == []
    clock.now += DAY
    assert len(admitted(budget, refusals("a", 1))) == 1


def test_a_relay_network_has_no_limit_of_its_own(budget):
    """The server in front brings everybody's mail; the account's limit holds for it too."""
    assert len(admitted(budget, refusals("a", 9, source_ip=OWN))) == 5


def test_what_is_left_out_is_counted_in_the_log(budget, clock):
    """One line when it begins and one with the number: not a line for each, or the log fills the disk instead."""
    with capture_logs() as logged:
        for _ in range(5):
            admitted(budget, refusals("a", 2))
        assert [entry["event"] for entry in logged] == ["outcomes are no longer recorded"]
        clock.now += HOUR
        admitted(budget, [])
    assert [entry.get("number") for entry in logged] == [None, 7]


def test_what_is_old_is_forgotten_in_small_transactions(account, other_account, services, clock, monkeypatch):
    """Refusals before deliveries, in every account, however many there are; what is young stays."""
    monkeypatch.setattr(operations, "FORGET_AT_ONCE", 3)
    keeper = MessageKeeper(services.store, RecordBudget((), clock))
    now = time.time()
    week, month = now - KEEP_REFUSALS.total_seconds() - 60, now - KEEP_OTHERS.total_seconds() - 60
    for id_ in (account.id, other_account.id):
        keep(
            keeper,
            [
                *refusals(id_, 7, at=week),
                outcome(id_, "young@corp.test", at=now),
                outcome(id_, "held@corp.test", State.DELIVERED, at=week),
                outcome(id_, "gone@corp.test", State.DELIVERED, at=month),
            ],
        )
    transactions = []
    write = services.store.write
    monkeypatch.setattr(
        services.store, "write", lambda *args: transactions.append(write(*args)) or transactions[-1]
    )
    assert OldOutcomes(services.store).forget() == 16
    assert transactions == [3, 3, 2, 3, 3, 2]
    monkeypatch.undo()
    assert kept(account) == kept(other_account) == ["held@corp.test", "young@corp.test"]
    assert OldOutcomes(services.store).forget() == 0


def test_deliveries_have_a_budget_of_their_own(account, keeper):
    """A source may send as well as be refused without end; the other kind still has room."""
    keep(keeper, [outcome(account.id, f"u{n}@corp.test", State.DELIVERED) for n in range(9)])
    assert kept(account) == [f"u{n}@corp.test" for n in range(4)]
    keep(keeper, [outcome(account.id, f"v{n}@corp.test", State.ACCEPTED, source_ip=OTHER) for n in range(9)])
    assert len(kept(account)) == 6
    keep(keeper, refusals(account.id, 9))
    assert len(kept(account)) == 9


@pytest.mark.parametrize("state", [State.REJECTED, State.DEFERRED])
def test_a_copy_that_was_dropped_with_250_is_always_recorded(account, keeper, state):
    """D-13: nobody was told of it, so the record is all that is left; however much was recorded before."""
    keep(keeper, refusals(account.id, 9))
    dropped = [outcome(account.id, f"dropped{n}@corp.test", state, stage=Stage.DATA) for n in range(5)]
    keep(keeper, [*refusals(account.id, 1), *dropped, outcome(account.id, "got@corp.test", State.DELIVERED)])
    names = {one.recipient for one in dropped}
    assert set(kept(account)) == {"u0@corp.test", "u1@corp.test", "u2@corp.test", "got@corp.test"} | names
    assert kept(account).count("u0@corp.test") == 1


def test_a_message_that_nobody_got_is_within_the_budget(budget):
    """Its sender was told, at the end of the data as at RCPT."""
    assert len(admitted(budget, refusals("a", 9, stage=Stage.DATA))) == 3


def test_dropped_copies_take_room_of_their_source_alone(budget):
    got = outcome("a", "got@corp.test", State.DELIVERED)
    assert len(admitted(budget, [*refusals("a", 9, stage=Stage.DATA), got])) == 10
    assert admitted(budget, refusals("a", 1)) == []
    assert len(admitted(budget, refusals("a", 9, source_ip=OTHER))) == 3


def test_octets_are_counted_and_not_rows(budget):
    """A large record takes the room of many small ones, and a small one may follow it."""
    large, small = outcome("a", "u@corp.test"), outcome("a", "v@corp.test")
    assert budget.admit([(large, 2 * ONE), (large, 2 * ONE), (small, ONE), (small, ONE)]) == [large, small]


def test_sources_beyond_number_are_counted_as_one(budget, monkeypatch):
    """Whoever has very many networks fills no memory with them."""
    monkeypatch.setattr(record_budget, "MAX_SOURCES", 1)
    assert len(admitted(budget, refusals("a", 1))) == 1
    others = [outcome("a", "u@corp.test", source_ip=f"198.51.100.{n}") for n in range(9)]
    assert len(admitted(budget, others)) == 3
    assert len(budget._by_source) == 2


AUTHORS = tuple(HeaderFrom(parse_address(f"a{n}@out.test"), f"Author {n} " + "x" * 100) for n in range(8))
SMALL = (HeaderFrom(parse_address("ann@out.test"), "Ann"),)


def recorded(account) -> dict[str, Recorded]:
    """What replay reads, by recipient."""
    start = datetime.now(UTC) - timedelta(days=30)
    return {one.recipient: one for one in account.write(lambda work: list(rows.recorded(work, start)))}


def documents(account) -> dict[str, str]:
    query = select(message_outcome.c.recipient, message_outcome.c.document)
    return dict(account.write(lambda work: work.execute(query.where(account_of(account))).all()))


def account_of(account):
    return message_outcome.c.account_id == account.id


def test_a_large_header_is_kept_once_for_all_recipients(account, services):
    """In the row that is kept longest; every recipient's record is read with it."""
    many = [
        outcome(account.id, f"u{n}@corp.test", State.DELIVERED if n == 2 else State.REJECTED, header_from=AUTHORS)
        for n in range(5)
    ]
    keep(MessageKeeper(services.store, RecordBudget()), many)
    holding = [to for to, document in documents(account).items() if "Author 3" in document]
    assert holding == ["u2@corp.test"]
    assert {one.header_from for one in recorded(account).values()} == {AUTHORS}
    written = rows.written(many)
    assert written[2].octets > written[1].octets + 1_000


def test_a_small_header_stands_in_every_row(account, services):
    """Each can be read alone."""
    keep(
        MessageKeeper(services.store, RecordBudget()),
        [outcome(account.id, f"u{n}@corp.test", header_from=SMALL, subject="hello") for n in range(3)],
    )
    assert all('"Ann"' in document and "hello" in document for document in documents(account).values())
    assert {one.header_from for one in recorded(account).values()} == {SMALL}


def test_a_header_whose_row_is_gone_is_not_guessed(account, services):
    """Nobody decides anew by what is not known."""
    keep(
        MessageKeeper(services.store, RecordBudget()),
        [outcome(account.id, f"u{n}@corp.test", header_from=AUTHORS) for n in range(2)],
    )
    [holder] = [to for to, document in documents(account).items() if "Author 3" in document]
    account.write(lambda work: work.execute(message_outcome.delete().where(message_outcome.c.recipient == holder)))
    [left] = recorded(account).values()
    assert (left.header_from, left.header_cut) == (None, True)


def test_records_of_before_are_read_as_ever(account):
    """A document without the newer members, and no row to look at."""
    old = msgspec.to_builtins(outcome(account.id, "u@corp.test", header_from=SMALL))
    del old["header_cut"]

    def insert_old(work):
        values = {
            "account_id": account.id,
            "id": "0" * 32,
            "at": datetime.now(UTC),
            "decision_id": "id",
            "state": "rejected",
            "sender": "",
            "recipient": "u@corp.test",
            "document": msgspec.json.encode(old).decode(),
        }
        work.execute(message_outcome.insert().values(values))

    account.write(insert_old)
    [record] = recorded(account).values()
    assert (record.header_from, record.header_cut) == (SMALL, False)


def test_keeper_tells_whether_it_could_keep_anything(account, services, monkeypatch):
    """Asked with nothing, it leaves nothing behind, and raises where a write fails."""
    keeper = MessageKeeper(services.store, RecordBudget())
    keeper.record([])
    assert kept(account) == []

    def broken(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(services.store, "write", broken)
    with pytest.raises(OSError, match="disk full"):
        keeper.record([])


def test_messages_that_are_recorded_together_share_a_transaction(services, account):
    """Each with its own outcomes."""
    keeper = MessageKeeper(services.store, RecordBudget())
    before = services.store.read(
        account.id, lambda work: rows.count_recorded(work, datetime.fromtimestamp(0, UTC))
    )
    written = []
    write = services.store.write
    services.store.write = lambda *args, **more: written.append(args[0]) or write(*args, **more)
    messages = [Kept([outcome(account.id, f"{name}@corp.test", State.DELIVERED)]) for name in "abc"]
    assert keeper.record(messages) == [None] * 3
    assert written == [account.id]
    found = services.store.read(account.id, lambda work: rows.count_recorded(work, EVER))
    assert found == before + 3


def test_a_message_whose_records_cannot_be_kept_puts_off_no_other(services, account):
    keeper = MessageKeeper(services.store, RecordBudget())
    bad = msgspec.structs.replace(outcome(account.id, "b@corp.test", State.DELIVERED), account_id="nobody")
    both = [
        outcome(account.id, "a@corp.test", State.DELIVERED),
        msgspec.structs.replace(outcome(account.id, "a2@corp.test", State.DELIVERED), at=float("inf")),
    ]
    good = outcome(account.id, "c@corp.test", State.DELIVERED)
    told = keeper.record([Kept([bad]), Kept(both), Kept([good])])
    assert [one is None for one in told] == [False, False, True]
    found = services.store.read(account.id, lambda work: [one.recipient for one in rows.recorded(work, EVER)])
    assert found[:1] == ["c@corp.test"]
    assert not {"a@corp.test", "a2@corp.test", "b@corp.test"} & set(found)
