"""By what is a record of mail found? Terms: one row for each that a record has, in order of the record's key.

So any field that is asked for finds its records in the order of a list, newest or oldest first, without looking at
others, and several are looked up in each other (`search`). A record has about ten.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from sqlalchemy import Column, ForeignKey, Table, Text

from mailreeve.families.tracking.outcomes import Outcome
from mailreeve.store.schema import KEY, metadata

MOST_AUTHORS: Final = 3
"""Authors of the From header that a record is found by. Honest mail has one, rarely two."""

message_term: Final = Table(
    "message_term",
    metadata,
    Column("account_id", KEY, ForeignKey("account.id"), primary_key=True),
    Column("term", Text, primary_key=True),
    Column("id", KEY, primary_key=True),
    sqlite_with_rowid=False,  # the primary key is all there is
)
"""What records are found by. `term` is a `Field` and its value, `id` the record's key."""


NULL: Final = "<>"
"""The null sender, as it is asked for."""


class Field(StrEnum):
    """What a record can be asked for. The value is the beginning of its terms, which is stored.

    The members stand in the order of how few records a value has, as a rule: a search begins with the first that
    is asked for.
    """

    MESSAGE_ID = "m"
    QUEUE_ID = "q"
    FROM = "f"
    TO = "t"
    POLICY = "p"
    SOURCE_IP = "i"
    FROM_DOMAIN = "F"
    TO_DOMAIN = "T"
    VERDICT = "v"


def term(field: Field, value: str) -> str:
    """The term of a field's value. Of addresses and domains case says nothing; ASCII's alone, as of all our
    comparisons in the database."""
    return f"{field.value}:{lowered(value)}"


def lowered(text: str) -> str:
    """The text with the letters of ASCII in small."""
    return text.lower() if text.isascii() else "".join(c.lower() if c.isascii() else c for c in text)


def terms_of(outcome: Outcome) -> set[str]:
    """The terms of a record. A sender is whoever stands in the envelope, before alteration or after it, or in the
    From header (behaviour.md section 8.5)."""
    return {term(field, value) for field, value in _named(outcome) if value}


def _named(outcome: Outcome) -> Iterator[tuple[Field, str]]:
    senders = {outcome.sender, outcome.effective_sender}
    senders |= {str(one.address) for one in (outcome.header_from or ())[:MOST_AUTHORS] if one.address is not None}
    for sender in senders:
        yield Field.FROM, sender or (NULL if outcome.recipient else "")
        yield Field.FROM_DOMAIN, sender.rpartition("@")[2]
    for recipient in {outcome.recipient, outcome.effective_recipient}:
        yield Field.TO, recipient
        yield Field.TO_DOMAIN, recipient.rpartition("@")[2]
    yield Field.MESSAGE_ID, bare_message_id(outcome.message_id)
    yield Field.QUEUE_ID, outcome.queue_id
    yield Field.POLICY, outcome.policy_id
    yield Field.SOURCE_IP, outcome.source_ip
    yield Field.VERDICT, outcome.state.value


def bare_message_id(text: str) -> str:
    """A Message-ID without what stands around it: logs show it with brackets and without."""
    return text.strip().removeprefix("<").removesuffix(">")
