"""The endpoint that lists policies of all types. It is ours."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Final

from msgspec import UNSET

from mailreeve.access.permissions import Permission
from mailreeve.families.directory.groups import rows as groups
from mailreeve.families.machinery.call import Call
from mailreeve.families.policies.overview import operations
from mailreeve.families.policies.overview.sections import Section, Seen, set_name
from mailreeve.families.policies.overview.types import FindPolicies, ListedPolicy, NamedTarget
from mailreeve.families.policies.references import DirectoryReferences
from mailreeve.policy.model.policies import FromPart
from mailreeve.policy.model.targets import TargetType
from mailreeve.wire import fields
from mailreeve.wire.endpoint import endpoint
from mailreeve.wire.pagination import Page
from mailreeve.wire.policy_target import TargetDocument
from mailreeve.wire.tokens import Kind

MOST: Final = 10  # Ours: each item may look through thousands of policies.


@endpoint("ext/find-policies", Permission.GATEWAY_POLICIES_READ, Permission.WEB_SECURITY_POLICIES_READ, most=MOST)
def find_policies(call: Call, item: FindPolicies) -> Page[ListedPolicy]:
    """List the policies of all types that the caller may read, or those that filters let pass."""
    page = operations.find(call, item)
    named = _names(call)
    return page.showing([_answer(call, section, seen, named) for section, seen in page.rows])


def _answer(
    call: Call, section: Section, seen: Seen, named: Callable[[TargetDocument], NamedTarget]
) -> ListedPolicy:
    first = seen.documents[0] if seen.documents else None
    starts, ends = (None, None) if first is None else (first.starts, first.ends)
    does = seen.does
    if seen.set_key:
        set_ = set_name(call.work, seen.set_key)
        does = f"{does} by {set_.name}" if set_ is not None else does
    return ListedPolicy(
        id=call.seal(section.kind, seen.key),
        type=section.type,
        does=does,
        state=operations.state(call, seen),
        enabled=operations.is_enabled(seen),
        description=seen.description,
        comment="" if first is None else first.comment,
        from_=[named(document.from_) for document in seen.documents],
        to=[named(document.to) for document in seen.documents],
        from_part=FromPart.ENVELOPE_FROM if first is None else first.from_part,
        override=any(document.override for document in seen.documents),
        bidirectional=any(document.bidirectional for document in seen.documents),
        source_ips=() if first is None else first.source_ips,
        spf_domains=() if first is None else first.spf_domains,
        immutable=seen.immutable,
        create_time=fields.written(seen.created_at),
        last_updated=fields.written(seen.updated_at),
        from_date=UNSET if starts is None else fields.written(starts),
        to_date=UNSET if ends is None else fields.written(ends),
    )


def _names(call: Call) -> Callable[[TargetDocument], NamedTarget]:
    """How sides are named. Of many policies on a page, most name the same few groups."""
    references = DirectoryReferences(call)

    @cache
    def group(key: str) -> NamedTarget:
        row = groups.find_group(call.work, key)
        return NamedTarget(TargetType.PROFILE_GROUP, "" if row is None else row.name, call.seal(Kind.GROUP, key))

    attribute = cache(references.attribute_name)

    def named(target: TargetDocument) -> NamedTarget:
        if target.type is TargetType.PROFILE_GROUP:
            return group(target.key)
        if target.type is TargetType.ADDRESS_ATTRIBUTE_VALUE:
            return NamedTarget(target.type, f"{attribute(target.attribute)}={target.shown}")
        return NamedTarget(target.type, target.shown)

    return named


ENDPOINTS: Final = (find_policies,)
