"""The item and the answer of the endpoint that lists policies of all types."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from msgspec import UNSET, Struct, UnsetType, field

from mailreeve.policy.model.policies import FromPart
from mailreeve.policy.model.targets import TargetType


class ListedType(StrEnum):
    """The types in the order in which they are listed."""

    BLOCKED_SENDERS = "blocked_senders"
    PERMITTED_SENDERS = "permitted_senders"
    ADDRESS_ALTERATION = "address_alteration"
    SPAM_SCANNING = "spam_scanning"
    WEB_LISTS = "web_lists"


class State(StrEnum):
    """Whether a policy is in force now: it is not while it is switched off, or outside its dates."""

    ACTIVE = "active"
    DISABLED = "disabled"
    PENDING = "pending"
    EXPIRED = "expired"


class FindPolicies(Struct, frozen=True, rename="camel"):
    """Which policies to list: those for which all that is given holds.

    `from_` and `to` are what that side names: an address, a domain, or a type of target that needs no more, such
    as `everyone`. `group_id` is a group that either side names. `matching` is an address that the from side would
    match, by whatever it names, and `matching_to` one that the to side would; a bidirectional policy may match the
    other way round. `text` is part of description, comment, or what a side names, in any case. `id_prefix` is how
    the id begins, without the dashes before it.
    """

    type: ListedType | None = None
    id: str | None = None
    id_prefix: str | None = None
    from_: str | None = field(default=None, name="from")
    to: str | None = None
    group_id: str | None = None
    matching: str | None = None
    matching_to: str | None = None
    enabled: bool | None = None
    state: State | None = None
    text: str | None = None


class NamedTarget(Struct, frozen=True, rename="camel", omit_defaults=True):
    """Whom a side names: `value` is the address, the domain, the group's name or whatever its type needs."""

    type: TargetType
    value: str = ""
    group_id: str | UnsetType = UNSET


class ListedPolicy(Struct, frozen=True, rename="camel"):
    """A policy of any type. `does` says in a few words what it does. `immutable` is one that cannot be changed.

    A web list has as many sides as it has targets, all others have one of each.
    """

    id: str
    type: ListedType
    does: str
    state: State
    enabled: bool
    description: str
    comment: str
    from_: Sequence[NamedTarget] = field(name="from")
    to: Sequence[NamedTarget]
    from_part: FromPart
    override: bool
    bidirectional: bool
    source_ips: Sequence[str] = field(name="sourceIPs")
    immutable: bool
    create_time: str
    last_updated: str
    from_date: str | UnsetType = UNSET
    to_date: str | UnsetType = UNSET
