"""The policies of each type, as all of them are listed: a section for each type, in the order of its keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from msgspec import Struct

from mailreeve.access.permissions import Permission
from mailreeve.families.machinery.pages import Stretch
from mailreeve.families.policies.address_alteration import rows as alteration
from mailreeve.families.policies.address_alteration.rows import ALTERATION, AlterationPolicyRow
from mailreeve.families.policies.blocked_senders.rows import BLOCKED, BlockedSenderRow
from mailreeve.families.policies.family import PolicyFamily, PolicyRow, R
from mailreeve.families.policies.overview.types import ListedType
from mailreeve.families.policies.permitted_senders.rows import PERMITTED
from mailreeve.families.policies.spam_scanning.rows import SPAM, SpamPolicyRow
from mailreeve.families.policies.web_lists import rows as web
from mailreeve.families.policies.web_lists.rows import WebPolicyRow
from mailreeve.policy.explain.words import options_words
from mailreeve.policy.model.policies import WebAction
from mailreeve.policy.model.policy_types import POLICY_TYPES
from mailreeve.store.transactions import Work
from mailreeve.wire.policy_object import PolicyDocument
from mailreeve.wire.tokens import Kind


class Seen(Struct, frozen=True):
    """A policy as it is looked at. A web list has a document for each of its targets, all others have one."""

    key: str
    description: str
    documents: Sequence[PolicyDocument]
    does: str
    created_at: datetime
    updated_at: datetime
    set_key: str = ""
    immutable: bool = False


class Section(Struct, frozen=True):
    """The policies of one type: who may read them, what ids are bound to, and how they are read after a key, or up
    to one and with it."""

    type: ListedType
    read: Permission
    kind: str
    after: Callable[[Work, str, int], Stretch[Seen]]
    up_to: Callable[[Work, str, int], Stretch[Seen]]
    total: Callable[[Work], int]


def _section(type_: ListedType, family: PolicyFamily[R], seen: Callable[[R], Seen]) -> Section:
    def of(stretch: Stretch[R]) -> Stretch[Seen]:
        return Stretch([seen(row) for row in stretch.rows], stretch.reached)

    facts = POLICY_TYPES[family.type]
    return Section(
        type_,
        facts.read,
        facts.kind,
        lambda work, place, most: of(family.after(work, place, most)),
        lambda work, place, most: of(family.up_to(work, place, most)),
        family.total,
    )


def _seen(row: PolicyRow, does: str, *, set_key: str = "", immutable: bool = False) -> Seen:
    document = row.document
    return Seen(
        row.id, document.description, (document,), does, row.created_at, row.updated_at, set_key, immutable
    )


def _blocked(row: BlockedSenderRow) -> Seen:
    return _seen(row, row.option.value, immutable=row.immutable)


def _altering(row: AlterationPolicyRow) -> Seen:
    return _seen(row, "alter", set_key=row.set_id)


def _scanning(row: SpamPolicyRow) -> Seen:
    return _seen(row, options_words(row.options))


def _web(work: Work, keys: Stretch[str]) -> Stretch[Seen]:
    """Lists are read in the order of their keys, whichever way these are."""
    found = {row.id: row for row in web.read(work, keys.rows)}
    return Stretch([_web_list(found[key]) for key in keys.rows if key in found], keys.reached)


def _web_list(row: WebPolicyRow) -> Seen:
    counts = [
        (action.value, sum(1 for entry in row.entries if entry.action is action))
        for action in (WebAction.BLOCK, WebAction.ALLOW)
    ]
    does = ", ".join(f"{name} {count}" for name, count in counts if count) or "nothing"
    documents = [target.document for target in row.targets]
    return Seen(row.id, row.description, documents, does, row.created_at, row.updated_at)


SECTIONS: Final = (
    _section(ListedType.BLOCKED_SENDERS, BLOCKED, _blocked),
    _section(ListedType.PERMITTED_SENDERS, PERMITTED, lambda row: _seen(row, "permit")),
    _section(ListedType.ADDRESS_ALTERATION, ALTERATION, _altering),
    _section(ListedType.SPAM_SCANNING, SPAM, _scanning),
    Section(
        ListedType.WEB_LISTS,
        Permission.WEB_SECURITY_POLICIES_READ,
        Kind.WEB_POLICY,
        lambda work, place, most: _web(work, web.keys_after(work, place, most)),
        lambda work, place, most: _web(work, web.keys_up_to(work, place, most)),
        web.total,
    ),
)

set_name: Final = alteration.find_set
"""The set that an alteration policy applies."""
