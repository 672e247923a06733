"""Which outcomes are kept? The table and its queries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Boolean, Column, Index, String, Table, Text, bindparam, delete, false, func, insert, select

from mailreeve.families.tracking.outcomes import REFUSED, Outcome, State
from mailreeve.families.tracking.terms import NULL, Field, message_term, term, terms_of
from mailreeve.formats.authors import HeaderFrom
from mailreeve.formats.malformed import Flaw
from mailreeve.policy.model.authentication import Authentication
from mailreeve.policy.model.content import SpamVerdict
from mailreeve.store.keys import new_key
from mailreeve.store.many import ManyRows, Row
from mailreeve.store.records import given, ours
from mailreeve.store.schema import KEY, Moment, account_column, key_column, metadata
from mailreeve.store.transactions import ACCOUNT, Work

message_outcome: Final = Table(
    "message_outcome",
    metadata,
    account_column(),
    key_column(),
    Column("at", Moment, nullable=False),
    Column("decision_id", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("sender", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("header_at", KEY, nullable=True),
    Column("follows", Boolean, nullable=False, server_default=false()),
    Index(None, "account_id", "decision_id"),
    Index(None, "account_id", "at"),
)
"""Outcomes. `document` is the `Outcome` as JSON, the other columns are for finding it. `header_at` is the row in
whose document the header of the message stands, where that is another one; `follows` is as in `Outcome`."""

SMALL_HEADER: Final = 512
"""Octets up to which a header stands in the row of every recipient: most do, and each row can be read alone. A
larger one stands in one row of the message: else a hundred recipients would have a hundred copies."""

_ROW: Final = 256  # octets that a row takes besides its texts: keys, time, and its entries in two indexes
_TERM: Final = 72  # octets that a term takes besides its text: two keys, and room in its page

READ_AT_ONCE: Final = 1_000  # rows that are fetched together


class _Header(Struct, frozen=True):
    """Of an outcome what comes from the header of the message. Members as there."""

    header_from: tuple[HeaderFrom, ...] | None
    subject: str
    message_id: str
    header_cut: bool


def _header_of(outcome: Outcome) -> _Header:
    return _Header(outcome.header_from, outcome.subject, outcome.message_id, outcome.header_cut)


_NO_HEADER: Final = _Header(None, "", "", False)


class Written(Struct, frozen=True):
    """An outcome as it is to be kept, of those of one message: its document, and by what it is found. Where its
    header is large, and stands in the document of another one of the message, `header_in` says which."""

    outcome: Outcome
    document: bytes
    header_in: int | None
    terms: frozenset[str]

    @property
    def octets(self) -> int:
        """How many octets its rows take, about."""
        texts = len(self.document) + len(self.outcome.sender) + len(self.outcome.recipient)
        return texts + _ROW + sum(map(len, self.terms)) + _TERM * len(self.terms)


def written(outcomes: Sequence[Outcome]) -> list[Written]:
    """The outcomes of one message as they are to be kept, a large header written once: in the first of those that
    are kept longest."""
    if len(outcomes) == 1:  # as of most messages: nobody to share a header with
        return [_written(outcomes[0])]
    holders: dict[_Header, int] = {}
    for number in sorted(range(len(outcomes)), key=lambda n: outcomes[n].state in REFUSED):
        holders.setdefault(_header_of(outcomes[number]), number)
    large = {h: n for h, n in holders.items() if len(msgspec.json.encode(h)) > SMALL_HEADER}
    found: list[Written] = []
    for number, outcome in enumerate(outcomes):
        holder = large.get(_header_of(outcome), number)
        if holder == number:
            found.append(_written(outcome))
        else:
            without = replace(outcome, **{name: getattr(_NO_HEADER, name) for name in _Header.__struct_fields__})
            document = msgspec.json.encode(without)
            found.append(Written(outcome, document, holder, frozenset(terms_of(outcome))))
    return found


def _written(outcome: Outcome) -> Written:
    return Written(outcome, msgspec.json.encode(outcome), None, frozenset(terms_of(outcome)))


def add(work: Work, *messages: Sequence[Outcome]) -> None:
    """Keep the outcomes of messages of this account: all rows of a table at once."""
    put(work, [written(outcomes) for outcomes in messages])


def put(work: Work, messages: Iterable[Sequence[Written]]) -> None:
    """Keep what `written` made of the outcomes of messages of this account: all rows of a table at once."""
    account_id = work.account_id
    added: list[Row] = []
    found_by: list[tuple[str, str, str]] = []
    for outcomes in messages:
        keys = [new_key() for _ in outcomes]
        for key, one in zip(keys, outcomes, strict=True):
            outcome = one.outcome
            added.append(
                (
                    account_id,
                    key,
                    datetime.fromtimestamp(outcome.at, UTC),
                    outcome.decision_id,
                    outcome.state.value,
                    outcome.sender,
                    outcome.recipient,
                    one.document.decode(),
                    None if one.header_in is None else keys[one.header_in],
                    outcome.follows,
                )
            )
            found_by += [(account_id, term, key) for term in one.terms]
    # In order: neighbours are written to one page of the index.
    found_by.sort()
    _outcomes.insert(work, added)
    _terms.insert(work, found_by)


def try_to_write(work: Work) -> None:
    """Write a row and take it out again: what is durable afterwards is nothing, but it was written."""
    row = {"account_id": work.account_id, "id": new_key(), "at": work.now, "document": "", "follows": False}
    row |= dict.fromkeys(("decision_id", "state", "sender", "recipient"), "")
    work.execute(insert(message_outcome).values(row))
    mine = (message_outcome.c.account_id == work.account_id) & (message_outcome.c.id == row["id"])
    work.execute(delete(message_outcome).where(mine))


_outcomes: Final = ManyRows(message_outcome)
_terms: Final = ManyRows(message_term)


class Recorded(Struct, frozen=True, gc=False):
    """Of an outcome what a decision is made from, and what names it. Members as in `Outcome`."""

    decision_id: str
    at: float
    source_ip: str
    sender: str
    recipient: str
    header_from: tuple[HeaderFrom, ...] | None
    header_cut: bool = False
    source_trusted: bool | None = None
    spam: SpamVerdict | None = None
    flaws: tuple[Flaw, ...] = ()
    authentication: Authentication | None = None


_decode_recorded: Final = msgspec.json.Decoder(Recorded).decode


def recorded(work: Work, since: datetime, most: int | None = None) -> Iterator[Recorded]:
    """What doors decided since then, the newest first, read while it is asked for."""
    holder = message_outcome.alias()
    has_header = (holder.c.account_id == message_outcome.c.account_id) & (
        holder.c.id == message_outcome.c.header_at
    )
    query = (
        select(message_outcome.c.id, message_outcome.c.document, message_outcome.c.header_at, holder.c.document)
        .select_from(message_outcome.outerjoin(holder, has_header))
        .where(
            message_outcome.c.account_id == work.account_id,
            message_outcome.c.at >= since,
            message_outcome.c.recipient != "",  # refused at connect, before anybody was named
            message_outcome.c.follows.is_(False),
        )
        .order_by(message_outcome.c.at.desc())
        .limit(most)
    )
    rows = work.execute(query.execution_options(yield_per=READ_AT_ONCE))
    yield from work.read(message_outcome.name, rows, _recorded)


def count_recorded(work: Work, since: datetime) -> int:
    """How many outcomes of doors there are since then."""
    table = message_outcome
    number: int = work.execute(
        select(func.count())
        .select_from(table)
        .where(
            table.c.account_id == work.account_id,
            table.c.at >= since,
            table.c.recipient != "",
            table.c.follows.is_(False),
        )
    ).scalar_one()
    return number


def forget(work: Work, refusals_before: datetime, others_before: datetime, most: int) -> int:
    """Remove what is old, at most so many: refusals go earlier, since strangers make them at will. The number."""
    refusal = message_outcome.c.state.in_(REFUSED)
    removed = 0
    for kind, before in ((refusal, refusals_before), (~refusal, others_before)):
        old = (
            _kept_with_header.where(kind, message_outcome.c.at < before)
            # The row that holds the header of others goes after them: what they are found by is in it.
            .order_by(message_outcome.c.at, message_outcome.c.header_at.is_(None))
            .limit(most - removed)
        )
        found = work.run(old).all()
        keys: list[dict[str, object]] = [{ACCOUNT: work.account_id, "key": row[0]} for row in found]
        terms: list[dict[str, object]] = [
            {ACCOUNT: work.account_id, "key": one.key, "which": term}
            for one in work.read(message_outcome.name, found, _kept)
            for term in terms_of(one.outcome)
        ]
        work.insert_many(_delete, keys)
        work.insert_many(_delete_term, terms)
        removed += len(found)
    return removed


_delete: Final = delete(message_outcome).where(ours(message_outcome), message_outcome.c.id == given("key"))
_delete_term: Final = delete(message_term).where(
    ours(message_term), message_term.c.term == given("which"), message_term.c.id == given("key")
)


class Kept(Struct, frozen=True):
    """An outcome as it is kept, with its header, and the key of its row."""

    key: str
    outcome: Outcome


def _kept(row: Sequence[Any]) -> Kept:
    key, document, header_at, held = row
    outcome = _decode_outcome(document)
    if header_at is not None:
        # Where its row is gone already, so is the header.
        header = replace(_NO_HEADER, header_cut=True) if held is None else _decode_header(held)
        outcome = replace(outcome, **{name: getattr(header, name) for name in _Header.__struct_fields__})
    return Kept(key, outcome)


_decode_outcome: Final = msgspec.json.Decoder(Outcome).decode
_decode_header: Final = msgspec.json.Decoder(_Header).decode

_holder: Final = message_outcome.alias("holder")
_kept_with_header: Final = (
    select(message_outcome.c.id, message_outcome.c.document, message_outcome.c.header_at, _holder.c.document)
    .select_from(
        message_outcome.outerjoin(
            _holder,
            (_holder.c.account_id == message_outcome.c.account_id) & (_holder.c.id == message_outcome.c.header_at),
        )
    )
    .where(ours(message_outcome))
)
_by_keys: Final = _kept_with_header.where(message_outcome.c.id.in_(bindparam("keys", expanding=True)))
_by_decision: Final = (
    _kept_with_header.where(
        message_outcome.c.decision_id >= given("first"), message_outcome.c.decision_id < given("beyond")
    )
    .order_by(message_outcome.c.decision_id, message_outcome.c.id)
    .limit(given("most"))
)

MOST_LATER: Final = 200
"""Later records that are looked at to tell whether a message was taken since."""

_later: Final = (
    select(message_outcome.c.recipient)
    .select_from(
        message_term.join(
            message_outcome,
            (message_outcome.c.account_id == message_term.c.account_id)
            & (message_outcome.c.id == message_term.c.id),
        )
    )
    .where(ours(message_term), message_term.c.term == given("which"), message_term.c.id > given("key"))
    .order_by(message_term.c.id)
    .limit(given("most"))
)
_of_messages: Final = (
    select(message_outcome.c.id)
    .select_from(
        message_term.join(
            message_outcome,
            (message_outcome.c.account_id == message_term.c.account_id)
            & (message_outcome.c.id == message_term.c.id),
        )
    )
    .where(
        ours(message_term),
        message_term.c.term.in_(bindparam("terms", expanding=True)),
        message_outcome.c.state.in_(bindparam("states", expanding=True)),
    )
    .limit(1)
)

_of_senders: Final = (
    select(message_outcome.c.id, message_outcome.c.document)
    .select_from(
        message_term.join(
            message_outcome,
            (message_outcome.c.account_id == message_term.c.account_id)
            & (message_outcome.c.id == message_term.c.id),
        )
    )
    .where(ours(message_term), message_term.c.term == given("which"))
    .order_by(message_term.c.id.desc())
    .limit(given("most"))
)

_of_recipient: Final = _kept_with_header.where(
    message_outcome.c.decision_id == given("decision"),
    message_outcome.c.recipient == given("whose"),
    message_outcome.c.follows.is_(False),
)


def of_recipient(work: Work, decision_id: str, recipient: str) -> Outcome | None:
    """What the door made of the message for one recipient; None where it is not kept, or not any more."""
    found = kept_of_recipient(work, decision_id, recipient)
    return None if found is None else found.outcome


def kept_of_recipient(work: Work, decision_id: str, recipient: str) -> Kept | None:
    """The same, with the key of its row."""
    row = work.run(_of_recipient, {"decision": decision_id, "whose": recipient}).first()
    return work.read_one(message_outcome.name, row, _kept)


def kept(work: Work, keys: Sequence[str]) -> dict[str, Kept]:
    """The outcomes of these rows, by key; without those that are not there or cannot be read."""
    if not keys:
        return {}
    rows = work.run(_by_keys, {"keys": list(keys)})
    return {one.key: one for one in work.read(message_outcome.name, rows, _kept)}


def any_of_message(work: Work, message_ids: Sequence[str], states: Sequence[State]) -> bool:
    """Whether there is a record of one of these messages, by their Message-IDs, in one of these states."""
    if not message_ids:
        return False
    terms = [term(Field.MESSAGE_ID, one) for one in message_ids]
    return work.run(_of_messages, {"terms": terms, "states": list(states)}).first() is not None


def sent_by(work: Work, addresses: Sequence[str], most: int) -> Iterator[Outcome]:
    """The newest outcomes of each of these senders, at most so many of one, in the envelope or the From header.
    Where a header is kept in another row, it is left out."""
    for address in addresses:
        rows = work.run(_of_senders, {"which": term(Field.FROM, address), "most": most})
        yield from work.read(message_outcome.name, rows, lambda row: _decode_outcome(row[1]))


def is_last(work: Work, kept: Kept) -> bool:
    """Whether nothing is recorded later of what this record is of: the same message, by its Message-ID; or, where
    that was never seen, mail of the same sender for the same recipient, of which some are looked at."""
    one = kept.outcome
    by = term(Field.MESSAGE_ID, one.message_id) if one.message_id else term(Field.FROM, one.sender or NULL)
    found = work.run(_later, {"which": by, "key": kept.key, "most": MOST_LATER})
    recipient = one.recipient.casefold()
    return not any(later.casefold() == recipient for (later,) in found)


def of_decision(work: Work, first: str, beyond: str, most: int) -> list[Kept]:
    """The outcomes whose decision ids are from `first` on and before `beyond`, at most so many, in their order."""
    rows = work.run(_by_decision, {"first": first, "beyond": beyond, "most": most})
    return list(work.read(message_outcome.name, rows, _kept))


def _recorded(row: Sequence[Any]) -> Recorded:
    _, document, header_at, held = row
    record = _decode_recorded(document)
    if header_at is None:
        return record
    # Where its row is gone already, so is the header.
    header = None if held is None else _decode_recorded(held)
    authors = None if header is None else header.header_from
    return replace(record, header_from=authors, header_cut=header is None or header.header_cut)
