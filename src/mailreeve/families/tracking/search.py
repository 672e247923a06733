"""Which records meet what is asked for? Each criterion is a term that a record has, or must not have."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Column, ColumnElement, Select, bindparam, exists, select

from mailreeve.families.machinery.latest import latest
from mailreeve.families.tracking import rows
from mailreeve.families.tracking.rows import Kept, message_outcome
from mailreeve.families.tracking.terms import NULL, Field, bare_message_id, message_term, term
from mailreeve.families.tracking.types import Criteria, FindMailRecords
from mailreeve.policy.model.policy_types import POLICY_TYPES
from mailreeve.store.keys import least_key
from mailreeve.store.records import ours
from mailreeve.store.transactions import ACCOUNT, Work
from mailreeve.wire import fields
from mailreeve.wire.errors import BAD_RANGE, INVALID_TOKEN, NOT_ALLOWED, TOO_MANY_ITEMS, ItemRefused, refused
from mailreeve.wire.pagination import Asked, Page
from mailreeve.wire.tokens import Ids, Kind

SHORTEST: Final = 4
"""Characters that the beginning of a decision id has at least: shorter ones name thousands."""
MOST_EXCLUDED: Final = 20  # criteria
DECISION_ID: Final = 16  # characters of a whole one

_IN_REPLY: Final = re.compile(rf"\[([a-z2-7]{{{DECISION_ID}}})\]")
_BEGINNING: Final = re.compile(rf"[a-z2-7]{{{SHORTEST},{DECISION_ID}}}")
_LAST: Final = "{"  # the character after the last letter


class Wanted(Struct, frozen=True):
    """What is asked for, in the store's terms: `all_of` are values by field, `none_of` terms, `decision` is the
    beginning of a decision id, `not_decisions` such as are not wanted; the rest bounds the keys of the rows."""

    all_of: Sequence[tuple[Field, str]] = ()
    none_of: Sequence[str] = ()
    decision: str = ""
    not_decisions: Sequence[str] = ()
    since: datetime | None = None
    until: datetime | None = None
    after: str = ""
    oldest_first: bool = False


def wanted(item: FindMailRecords, ids: Ids, account_id: str, now: datetime) -> Wanted:
    """What an item asks for. Raises `ItemRefused`."""
    since = None if item.since is None else fields.moment_or_ago(item.since, "since", now)
    until = None if item.until is None else fields.moment_or_ago(item.until, "until", now)
    if since is not None and until is not None and since >= until:
        raise refused(BAD_RANGE, "since")
    none_of: list[str] = []
    not_decisions: list[str] = []
    for number, one in enumerate(item.exclude):
        none_of += [term(*pair) for pair in _asked(one, ids, account_id, f"exclude[{number}].")]
        if one.id is not None:
            not_decisions.append(decision_of(one.id, f"exclude[{number}].id"))
        # Each is looked for in every record that else would do.
        if max(number + 1, len(none_of) + len(not_decisions)) > MOST_EXCLUDED:
            raise refused(NOT_ALLOWED, "exclude", f"{TOO_MANY_ITEMS.message}: at most {MOST_EXCLUDED} are allowed")
    return Wanted(
        all_of=sorted(_asked(item, ids, account_id, ""), key=lambda pair: _RANK[pair[0]]),
        none_of=none_of,
        decision="" if item.id is None else decision_of(item.id, "id"),
        not_decisions=not_decisions,
        since=since,
        until=until,
        after="" if item.after is None else ids.open(Kind.MAIL_RECORD, item.after, account_id, "after"),
        oldest_first=item.oldest_first,
    )


_RANK: Final = {field: number for number, field in enumerate(Field)}


def decision_of(text: str, field: str) -> str:
    """The decision id, or its beginning, that a text names: itself, or what an SMTP reply has in brackets."""
    found = _IN_REPLY.search(text.lower())
    if found is not None:
        return found[1]
    bare = text.strip().strip("[]").lower()
    if not _BEGINNING.fullmatch(bare):
        message = (
            f"{NOT_ALLOWED.message}: a decision id has {DECISION_ID} letters and digits, as in the SMTP reply; "
            f"its first {SHORTEST} or more will do"
        )
        raise refused(NOT_ALLOWED, field, message)
    return bare


def beyond(beginning: str) -> str:
    """What no decision id with this beginning reaches."""
    return beginning + _LAST


def _asked(item: Criteria, ids: Ids, account_id: str, at: str) -> Iterator[tuple[Field, str]]:
    if item.from_ is not None:
        if item.from_ in ("", NULL):
            yield Field.FROM, NULL
        else:
            yield _address_or_domain(item.from_, at + "from", Field.FROM, Field.FROM_DOMAIN)
    if item.to is not None:
        yield _address_or_domain(item.to, at + "to", Field.TO, Field.TO_DOMAIN)
    if item.message_id is not None:
        yield Field.MESSAGE_ID, bare_message_id(item.message_id)
    if item.queue_id is not None:
        yield Field.QUEUE_ID, item.queue_id
    if item.policy_id is not None:
        yield Field.POLICY, _policy_key(item.policy_id, ids, account_id, at + "policyId")
    if item.source_ip is not None:
        yield Field.SOURCE_IP, str(fields.ip(item.source_ip, at + "sourceIp"))
    if item.verdict is not None:
        yield Field.VERDICT, item.verdict.value


def _address_or_domain(text: str, field: str, address: Field, domain: Field) -> tuple[Field, str]:
    if "@" in text[1:]:
        return address, str(fields.address(text.strip("<>"), field))
    return domain, fields.domain(text, field)


def _policy_key(wire_id: str, ids: Ids, account_id: str, field: str) -> str:
    """The key of a policy or personal entry. An id says nothing of its kind, but opens as one kind only."""
    for row in POLICY_TYPES.values():
        try:
            return ids.open(row.kind, wire_id, account_id, field)
        except ItemRefused:
            continue
    raise refused(INVALID_TOKEN, field, f"{INVALID_TOKEN.message}: no policy of this account has that id")


def found(work: Work, asked: Asked, what: Wanted) -> Page[Kept]:
    """A page of the records that meet what is asked for; those that cannot be read are left out."""
    page = keys_found(work, asked, what)
    by_key = rows.kept(work, page.rows)
    return page.showing([by_key[key] for key in page.rows if key in by_key])


def keys_found(work: Work, asked: Asked, what: Wanted) -> Page[str]:
    """The keys of a page of these records."""
    first, *others = what.all_of or (None,)
    if what.decision or first is None:
        key = message_outcome.c.id
        within: Select[Any] = select(key).where(ours(message_outcome))
        others = list(what.all_of)
        if what.decision:
            column = message_outcome.c.decision_id
            within = within.where(column >= what.decision, column < beyond(what.decision))
    else:
        key = message_term.c.id
        within = select(key).where(ours(message_term), message_term.c.term == term(*first))
    for bound in _bounds(key, what):
        within = within.where(bound)
    further = [_has(key, term(*pair)) for pair in others]
    further += [~_has(key, one) for one in what.none_of]
    further += [~_is_of(key, one) for one in what.not_decisions]
    narrowed = within.where(*further) if further else None
    return latest(work, asked, key, within, narrowed, oldest_first=what.oldest_first)


def _bounds(key: Column[str], what: Wanted) -> Iterator[ColumnElement[bool]]:
    if what.since is not None:
        yield key >= least_key(what.since.timestamp())
    if what.until is not None:
        yield key < least_key(what.until.timestamp())
    if what.after:
        yield key > what.after


def _has(key: ColumnElement[str], wanted_term: str) -> ColumnElement[bool]:
    """Whether the record has the term."""
    other = message_term.alias()
    its = other.c.account_id == bindparam(ACCOUNT), other.c.term == wanted_term, other.c.id == key
    return exists().where(*its)


def _is_of(key: ColumnElement[str], decision: str) -> ColumnElement[bool]:
    other = message_outcome.alias()
    its = other.c.account_id == bindparam(ACCOUNT), other.c.id == key
    return exists().where(*its, other.c.decision_id >= decision, other.c.decision_id < beyond(decision))
