"""By what is a record of mail found? Terms: one row for each that a record has, in order of the record's key.

So any field that is asked for finds its records in the order of a list, newest or oldest first, without looking at
others, and several are looked up in each other (`search`). A record has about ten.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from sqlalchemy import Column, ForeignKey, Table, Text

from mailreeve.families.tracking.outcomes import Outcome, State
from mailreeve.policy.model.decisions import Stage
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
    # Plain text and no generator: this is done for every recipient of every message.
    recipient = lowered(outcome.recipient)
    senders = {lowered(outcome.sender), lowered(outcome.effective_sender)}
    for one in (outcome.header_from or ())[:MOST_AUTHORS]:
        if one.address is not None:
            senders.add(lowered(str(one.address)))
    found = {_VERDICT + lowered(outcome.state.value)}
    if outcome.stage is Stage.CONNECT:
        found.add(_VERDICT + State.CONNECTION.value)
    for sender in senders:
        if sender:
            found.add(_FROM + sender)
            found.add(_FROM_DOMAIN + sender.rpartition("@")[2])
        elif recipient:
            found.add(_FROM + NULL)
    for one_of in {recipient, lowered(outcome.effective_recipient)}:
        if one_of:
            found.add(_TO + one_of)
            found.add(_TO_DOMAIN + one_of.rpartition("@")[2])
    for prefix, value in (
        (_MESSAGE_ID, bare_message_id(outcome.message_id)),
        (_QUEUE_ID, outcome.queue_id),
        (_POLICY, outcome.policy_id),
        (_SOURCE_IP, outcome.source_ip),
    ):
        if value:
            found.add(prefix + lowered(value))
    found.discard(_FROM_DOMAIN)
    found.discard(_TO_DOMAIN)
    return found


def _prefix(field: Field) -> str:
    return term(field, "")


_MESSAGE_ID: Final = _prefix(Field.MESSAGE_ID)
_QUEUE_ID: Final = _prefix(Field.QUEUE_ID)
_FROM: Final = _prefix(Field.FROM)
_TO: Final = _prefix(Field.TO)
_POLICY: Final = _prefix(Field.POLICY)
_SOURCE_IP: Final = _prefix(Field.SOURCE_IP)
_FROM_DOMAIN: Final = _prefix(Field.FROM_DOMAIN)
_TO_DOMAIN: Final = _prefix(Field.TO_DOMAIN)
_VERDICT: Final = _prefix(Field.VERDICT)


def bare_message_id(text: str) -> str:
    """A Message-ID without what stands around it: logs show it with brackets and without."""
    return text.strip().removeprefix("<").removesuffix(">")
