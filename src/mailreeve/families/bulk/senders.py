"""How are personal entries and blocked sender policies imported and exported?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final, cast

from msgspec import Struct

from mailreeve.families.bulk.errors import IMPORT_AMBIGUOUS
from mailreeve.families.bulk.paths import GroupPaths
from mailreeve.families.bulk.steps import Kind, Step
from mailreeve.families.bulk.targets import Targets
from mailreeve.families.bulk.types import BlockRow, SenderRow
from mailreeve.families.machinery.call import Call
from mailreeve.families.managed_senders import endpoints as managed_senders
from mailreeve.families.managed_senders import listing as managed_listing
from mailreeve.families.managed_senders import operations as managed_operations
from mailreeve.families.managed_senders import rows as managed_rows
from mailreeve.families.policies.blocked_senders import endpoints as blocked_senders
from mailreeve.families.policies.blocked_senders import operations
from mailreeve.families.policies.blocked_senders.rows import BLOCKED, BlockedSenderRow
from mailreeve.policy.model.policies import BlockedSenderPolicy
from mailreeve.policy.model.targets import Target
from mailreeve.policy.model.wording import quoted
from mailreeve.wire import fields
from mailreeve.wire.errors import refused
from mailreeve.wire.pagination import Page
from mailreeve.wire.policy_object import ConditionsItem, PolicyDocument, PolicyItem

Numbered = Sequence[tuple[int, Struct]]
_Same = tuple[str, Target, Target]
"""What says that a row is about a policy: its description, and whom it names on either side."""


def _plan_senders(call: Call, rows: Numbered, confirmed: bool | None) -> Iterator[Step]:
    def put(row: SenderRow) -> str:
        if row.expires is None:
            # What is left out stays as it is; through the API an entry has no end then.
            recipient = managed_operations.opened_list(call, row.to)
            matched = managed_operations.sender_key(call, row.sender)
            old = managed_rows.find(call.work, recipient, matched)
            if old is not None and old.action is row.action and not (old.is_auto or old.is_over(call.work.now)):
                reason = managed_operations.reason_of(row.reason)
                said = managed_rows.Said(row.action, reason, old.expires_at)
                return managed_operations.put(call, recipient, matched, row.sender, said)[0].id
        return managed_operations.permit_or_block(call, row.sender, row.to, row.action, row.reason, row.expires).id

    for number, row in rows:
        yield Step((number,), partial(put, cast(SenderRow, row)))


def senders_page(call: Call, to: str | None) -> Page[SenderRow]:
    """A page of the personal entries that somebody made, oldest first, without those that have ended: of one list,
    or of all that the caller may see where none is named, which for a user is the own one. What came by itself
    comes again by itself; taken in, it would be somebody's word. Raises `ItemRefused`."""
    whose = managed_operations.own_list(call) if to is None else managed_operations.shown_list(call, to)
    page = managed_listing.page(call.work, call.page, managed_listing.Narrowed(whose))
    shown = [
        SenderRow(
            row.recipient,
            row.sender_shown,
            row.action,
            row.reason or None,
            None if row.expires_at is None else fields.written(row.expires_at),
        )
        for row in page.rows
        if not row.is_auto and not row.is_over(call.work.now)
    ]
    return page.showing(shown)


class _Blocks:
    """The blocked sender policies that an import meets. Each is met by one row at most: several may have the same
    description, senders and recipients, and differ in the rest."""

    def __init__(self, call: Call, confirmed: bool | None) -> None:
        self._call = call
        self._confirmed = confirmed
        self._targets = Targets(call, GroupPaths(call))
        self._known: dict[_Same, list[str]] = defaultdict(list)
        for policy in call.policies.blocked.policies:
            self._known[_same(policy)].append(policy.id)

    def put(self, row: BlockRow) -> str:
        """The policy as the row has it, made unless it is there. Raises `ItemRefused`."""
        whole = self._item(row, scope=True)
        wanted = BLOCKED.document(self._call, whole)
        scope = wanted.scope()
        known = self._known.get((wanted.description, scope.from_, scope.to), [])
        found = [old for key in known if (old := BLOCKED.find(self._call, self._seal(key))) is not None]
        if not found:
            return operations.create(self._call, row.option, whole, self._confirmed).id
        part = self._item(row, scope=False)
        for old in found:
            if old.option is row.option and BLOCKED.document(self._call, part, old.document) == old.document:
                known.remove(old.id)
                return old.id
        if len(found) > 1:
            message = f"{len(found)} policies called {quoted(row.description)} have the same from and to"
            raise refused(IMPORT_AMBIGUOUS, "description", f"{message}: which of them is meant cannot be told")
        (old,) = found
        new = operations.update(self._call, self._seal(old.id), row.option, part, self._confirmed)
        known.remove(old.id)
        return new.id

    def _seal(self, key: str) -> str:
        return self._call.seal(BLOCKED.kind, key)

    def _item(self, row: BlockRow, *, scope: bool) -> PolicyItem:
        """The policy object that the row stands for. Without its scope it changes what it holds, and all else
        stays (D-48)."""
        given = [text is not None for text in (row.source_ips, row.hostnames, row.spf_domains)]
        conditions = ConditionsItem(
            (row.source_ips or "").split(), (row.hostnames or "").split(), (row.spf_domains or "").split()
        )
        return PolicyItem(
            description=row.description,
            comment=row.comment,
            from_=self._targets.read(row.from_, "from") if scope else None,
            to=self._targets.read(row.to, "to") if scope else None,
            from_part=row.from_part,
            from_date=row.from_date,
            to_date=row.to_date,
            override=row.override,
            bidirectional=row.bidirectional,
            enabled=row.enabled,
            enforced=row.enforced,
            conditions=conditions if any(given) else None,
        )


def _same(policy: BlockedSenderPolicy) -> _Same:
    return policy.description, policy.scope.from_, policy.scope.to


def _plan_blocks(call: Call, rows: Numbered, confirmed: bool | None) -> Iterator[Step]:
    blocks = _Blocks(call, confirmed)
    for number, row in rows:
        yield Step((number,), partial(blocks.put, cast(BlockRow, row)))


def blocks_page(call: Call) -> Page[BlockRow]:
    """A page of the blocked sender policies, oldest first. One that names what no row can say is left out, with a
    warning."""
    targets = Targets(call, GroupPaths(call))
    page = BLOCKED.page(call)
    shown: list[BlockRow] = []
    for row in page.rows:
        from_, to = targets.written(row.document.from_), targets.written(row.document.to)
        if from_ is None or to is None:
            name = quoted(row.document.description)
            call.warnings.append(f"{IMPORT_AMBIGUOUS.message}: {name}, which names one such group, is left out")
        else:
            shown.append(_block_row(row, row.document, from_, to))
    return page.showing(shown)


def _block_row(row: BlockedSenderRow, document: PolicyDocument, from_: str, to: str) -> BlockRow:
    starts, ends = document.starts, document.ends
    return BlockRow(
        description=document.description,
        option=row.option,
        from_=from_,
        to=to,
        from_part=document.from_part,
        from_date=None if starts is None else document.starts_shown or fields.written(starts),
        to_date=None if ends is None else document.ends_shown or fields.written(ends),
        source_ips=" ".join(document.source_ips) or None,
        hostnames=" ".join(document.hostnames) or None,
        spf_domains=" ".join(document.spf_domains) or None,
        override=document.override,
        bidirectional=document.bidirectional,
        enabled=document.enabled,
        enforced=document.enforced,
        comment=document.comment or None,
    )


SENDERS: Final = Kind(
    "senders",
    SenderRow,
    managed_senders.permit_or_block_sender.permissions,
    managed_senders.permit_or_block_sender.permissions,
    _plan_senders,
    own=True,
)
BLOCKS: Final = Kind(
    "blocks",
    BlockRow,
    blocked_senders.create_policy.permissions,
    blocked_senders.get_policy.permissions,
    _plan_blocks,
)
