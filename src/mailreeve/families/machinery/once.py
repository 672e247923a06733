"""How is a call that is sent twice done once? Its answer is kept under a key, with the change (ADR 0085).

The row is written in the transaction of the change: where one is, the other is, in every worker and after every
restart. Writers take turns, so that of two calls with one key the second finds what the first has left.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from typing import Final

import msgspec
from msgspec import Struct
from sqlalchemy import Column, Index, String, Table, Text, delete, func, insert, select

from mailreeve.access.caller import Caller
from mailreeve.access.masking import masked
from mailreeve.store.schema import Moment, account_column, metadata
from mailreeve.store.transactions import Work
from mailreeve.wire.errors import KEY_DONE, KEY_OTHER, TOO_MANY_KEYS, RequestRefused

KEPT: Final = timedelta(hours=24)
MOST_KEPT: Final = 10_000  # keys of an account
LONGEST_ANSWER: Final = 64 * 1024  # octets of an answer that is kept; of a longer one only that it was given

kept_answer: Final = Table(
    "kept_answer",
    metadata,
    account_column(),
    Column("id", String(64), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("kept_at", Moment, nullable=False),
    Column("answer", Text, nullable=True),
    Index(None, "account_id", "kept_at"),
)
"""Calls that were done under a key. `id` is a digest of the caller and the key, `digest` one of the path and the
body; `answer` is absent where it holds secrets, or is long."""


class Once(Struct, frozen=True):
    """A call that is to be done once: under which key, and what it was, as digests in hexadecimal digits."""

    id: str
    digest: str


def once(caller: Caller, key: str, *sent: bytes) -> Once:
    """The call of this caller under the key. `sent` is all that makes it another call: its path, its body."""
    who = [caller.actor.encode(), caller.app_id.encode(), key.encode()]
    return Once(_digest(*who), _digest(*sent))


def kept(work: Work, call: Once) -> bytes | None:
    """The answer that was given to this call; None where it was not done yet. Raises `RequestRefused` where the
    key belongs to another call, or the answer is not kept."""
    row = work.execute(
        select(kept_answer.c.digest, kept_answer.c.answer).where(
            kept_answer.c.account_id == work.account_id,
            kept_answer.c.id == call.id,
            kept_answer.c.kept_at > work.now - KEPT,
        )
    ).one_or_none()
    if row is None:
        return None
    if row.digest != call.digest:
        raise RequestRefused(KEY_OTHER)
    if row.answer is None:
        raise RequestRefused(KEY_DONE)
    answer: str = row.answer
    return answer.encode()


def make_room(work: Work) -> None:
    """Remove what is kept no longer. Raises `RequestRefused` where the account has as many keys as it may: to
    forget one that is still good would do a call twice."""
    mine = kept_answer.c.account_id == work.account_id
    work.execute(delete(kept_answer).where(mine, kept_answer.c.kept_at <= work.now - KEPT))
    number = work.execute(select(func.count()).select_from(kept_answer).where(mine)).scalar_one()
    if number >= MOST_KEPT:
        raise RequestRefused(TOO_MANY_KEYS)


def keep(work: Work, call: Once, answer: Callable[[], bytes] | None) -> None:
    """Keep the answer of a call that was done; `answer` is None for one that is no text."""
    text = None if answer is None else _kept_text(answer())
    row = {"id": call.id, "digest": call.digest, "kept_at": work.now, "answer": text}
    work.insert(insert(kept_answer), row)


def _kept_text(payload: bytes) -> str | None:
    """What is kept of an answer: nothing, where it is long or holds what must not be repeated."""
    if len(payload) > LONGEST_ANSWER:
        return None
    members = msgspec.json.decode(payload, type=dict[str, object])
    return payload.decode() if masked(members) == members else None


def _digest(*parts: bytes) -> str:
    """A digest of the parts, which no other parts have: each stands behind its length."""
    return sha256(b"".join(len(part).to_bytes(8) + part for part in parts)).hexdigest()
