"""What is a policy object on the wire, and which scope does it stand for (api.md section 3.0)?

Three forms of the same thing meet here: the object that clients write, in its nested and its old flat spelling;
the document that the store keeps; and the object that answers carry, which is a superset of what any client
reads. Groups and attributes are the store's; `References` looks them up.
"""

from __future__ import annotations

from datetime import UTC, datetime
from math import inf
from typing import Final, TypeVar

from msgspec import UNSET, Struct, UnsetType, field, json, structs

from mailreeve.formats.addresses import Address
from mailreeve.formats.networks import Network, parse_network
from mailreeve.policy.model.policies import FromPart, Scope
from mailreeve.policy.model.targets import TargetType
from mailreeve.policy.model.wording import listed, quoted
from mailreeve.wire import fields
from mailreeve.wire.errors import (
    BAD_RANGE,
    BLANK,
    NOT_ALLOWED,
    NULL,
    ItemRefused,
    Problem,
    problem,
    refused,
)
from mailreeve.wire.items import AsWritten, MaybeEmptyProse, Prose
from mailreeve.wire.policy_target import (
    AttributeItem,
    GroupObject,
    References,
    TargetDocument,
    TargetItem,
    WrittenType,
    side,
    target,
)

T = TypeVar("T")

MAX_DESCRIPTION: Final = 512
MAX_COMMENT: Final = 2048
MAX_CONDITIONS: Final = 1000  # values of one condition

_NAMING: Final = (TargetType.INDIVIDUAL_EMAIL_ADDRESS, TargetType.EMAIL_DOMAIN)

_ALWAYS: Final = -inf  # one value for all policies: written out it would be made anew each time

BLOCKED_SENDER_TYPES: Final = frozenset(TargetType)
ALTERATION_TYPES: Final = frozenset(TargetType) - {
    TargetType.FREE_MAIL_DOMAINS,
    TargetType.HEADER_DISPLAY_NAME,
}
WEB_TYPES: Final = frozenset(TargetType)


class ConditionsItem(Struct, frozen=True):
    """Conditions on the sending side (api.md section 3.0.3)."""

    source_ips: list[str] = field(default_factory=list, name="sourceIPs")
    hostnames: list[str] = field(default_factory=list)
    spf_domains: list[str] = field(default_factory=list, name="spfDomains")


class PolicyItem(Struct, frozen=True, rename="camel"):
    """A policy object as clients write it. What is left out of a new policy takes its default (api.md section
    3.0.1); what that means for an old one, `document` says."""

    description: MaybeEmptyProse | None = None
    comment: Prose | None = None
    from_: TargetItem | None = field(default=None, name="from")
    to: TargetItem | None = None
    from_type: WrittenType | None = None
    from_value: AsWritten | None = None
    to_type: WrittenType | None = None
    to_value: AsWritten | None = None
    from_part: FromPart | None = None
    from_date: str | None = None
    from_eternal: bool | None = None
    to_date: str | None = None
    to_eternal: bool | None = None
    override: bool | None = None
    bidirectional: bool | None = None
    enabled: bool | None = None
    enforced: bool | None = None
    conditions: ConditionsItem | None = None


class PolicyDocument(Struct, frozen=True, omit_defaults=True):
    """A policy object as the store keeps it. Dates are absent where the policy is eternal; `..._shown` is what the
    writer typed, where that is not how we would write the date (D-47)."""

    description: str
    from_: TargetDocument
    to: TargetDocument
    comment: str = ""
    from_part: FromPart = FromPart.ENVELOPE_FROM
    starts: datetime | None = None
    ends: datetime | None = None
    starts_shown: str = ""
    ends_shown: str = ""
    override: bool = False
    bidirectional: bool = False
    enabled: bool = True
    enforced: bool = False
    source_ips: tuple[str, ...] = ()
    hostnames: tuple[str, ...] = ()
    spf_domains: tuple[str, ...] = ()

    def scope(self) -> Scope:
        """The scope as decisions see it. Raises `ValueError` where what is stored is none."""
        # In the order of the members: of a million policies this is the larger part of loading them.
        return Scope.of(
            self.from_.target(),
            self.to.target(),
            self.from_part,
            tuple([parse_network(text) for text in self.source_ips]) if self.source_ips else (),
            _ALWAYS if self.starts is None else self.starts.timestamp(),
            inf if self.ends is None else self.ends.timestamp(),
            self.override,
            self.bidirectional,
            self.enabled,
        )

    def networks(self) -> frozenset[Network]:
        """The source addresses that the policy is limited to, however they were typed."""
        return frozenset(fields.network(text, "sourceIPs") for text in self.source_ips)

    def group_keys(self) -> frozenset[str]:
        """The groups that the policy names."""
        return frozenset(t.key for t in (self.from_, self.to) if t.type is TargetType.PROFILE_GROUP)

    def names(self, name: str) -> bool:
        """Whether the policy names an address, by its key, or a domain."""
        return any(t.key == name and t.type in _NAMING for t in (self.from_, self.to))

    def renamed(self, old: str, new: Address) -> PolicyDocument:
        """The policy with another address where it names the one with the key `old`."""
        named = TargetDocument(TargetType.INDIVIDUAL_EMAIL_ADDRESS, new.key, str(new))
        from_, to = (
            named if t.type is TargetType.INDIVIDUAL_EMAIL_ADDRESS and t.key == old else t
            for t in (self.from_, self.to)
        )
        return structs.replace(self, from_=from_, to=to)


class TargetAnswer(Struct, frozen=True, rename="camel", omit_defaults=True):
    """A policy target in an answer."""

    type: TargetType
    email_address: str | UnsetType = UNSET
    email_domain: str | UnsetType = UNSET
    group_id: str | UnsetType = UNSET
    group: GroupObject | UnsetType = UNSET
    attribute: AttributeItem | UnsetType = UNSET
    header_display_name: str | UnsetType = UNSET


class ConditionsAnswer(Struct, frozen=True, omit_defaults=True):
    """Conditions in an answer: an empty object when there are none."""

    source_ips: tuple[str, ...] = field(default=(), name="sourceIPs")
    hostnames: tuple[str, ...] = ()
    spf_domains: tuple[str, ...] = field(default=(), name="spfDomains")


class PolicyAnswer(Struct, frozen=True, rename="camel"):
    """A policy object in an answer, with both the nested and the flat spelling of its targets."""

    description: str
    comment: str
    from_part: FromPart
    from_: TargetAnswer = field(name="from")
    to: TargetAnswer
    from_type: TargetType
    to_type: TargetType
    from_eternal: bool
    to_eternal: bool
    override: bool
    bidirectional: bool
    enabled: bool
    enforced: bool
    conditions: ConditionsAnswer
    create_time: str
    last_updated: str
    from_value: str | UnsetType = UNSET
    to_value: str | UnsetType = UNSET
    from_date: str | UnsetType = UNSET
    to_date: str | UnsetType = UNSET


class Rules(Struct, frozen=True):
    """How the families differ: which target types they take, whether description and targets are required,
    whether an eternal policy answers with the far dates (blocked senders do, as recorded; terraform wants
    them absent elsewhere, clients.md), whether there are recipients to name (D-26), whether an answer carries
    a target's whole group beside its id, and where a policy looks for the sender that does not say."""

    types: frozenset[TargetType]
    description_required: bool
    targets_required: bool
    far_dates: bool
    recipients: bool = True
    group_objects: bool = False
    from_part: FromPart = FromPart.ENVELOPE_FROM


BLOCKED_SENDERS: Final = Rules(BLOCKED_SENDER_TYPES, True, True, True)
ANTI_SPOOFING: Final = Rules(BLOCKED_SENDER_TYPES, True, True, True, from_part=FromPart.BOTH)
ADDRESS_ALTERATION: Final = Rules(ALTERATION_TYPES, False, False, False)
WEB_SECURITY: Final = Rules(WEB_TYPES, True, False, False, recipients=False, group_objects=True)

_EVERYONE: Final = TargetDocument(TargetType.EVERYONE)
_DEFAULTS: Final = PolicyDocument("", _EVERYONE, _EVERYONE)


def naming(name: str) -> str:
    """A part of the text of every stored document that names an address, by its key, or a domain; others may have
    it as well."""
    return f'"key":{json.encode(name).decode()}'


def document(
    item: PolicyItem,
    rules: Rules,
    references: References,
    path: str = "policy",
    old: PolicyDocument | None = None,
) -> PolicyDocument:
    """The document that an item stands for. `path` is where the item stands, for naming members.

    Written over an `old` one, an item that names its whole scope replaces all, and what it leaves out takes its
    default, as for a new policy. An item that does not is taken for a change: what it holds is replaced, all else
    stays, above all the scope, which must never become everyone by omission (D-48).

    A date forces its side not to be eternal (behaviour.md section 2.1), unless it is the far date that answers
    give for an eternal policy and clients send back (api.md section 3.2.4). Raises `ItemRefused`, with
    everything that is missing at once.
    """
    from_ = side(
        f"{path}.from", item.from_, item.from_type, item.from_value, references, None if old is None else old.from_
    )
    to = side(f"{path}.to", item.to, item.to_type, item.to_value, references, None if old is None else old.to)
    whole = from_.item is not None and (to.item is not None or not rules.recipients)
    kept = None if whole else old
    base = kept or _DEFAULTS
    missing: list[Problem] = []
    if not rules.targets_required or kept is not None:
        # Unread, the value would leave its side to everyone, or as it was.
        missing += [problem(NULL, f"{side.path}Type") for side in (from_, to) if side.typeless]
    description = _given(item.description, base.description)
    if rules.description_required and not description:
        missing.append(problem(NULL if item.description is None else BLANK, f"{path}.description"))
    if rules.targets_required and kept is None:
        missing += [problem(NULL, side.path) for side in (from_, to) if side.item is None]
    if missing:
        raise ItemRefused(missing)
    starts = _date(item.from_date, item.from_eternal, fields.ETERNAL_FROM, f"{path}.fromDate", base.starts)
    ends = _date(item.to_date, item.to_eternal, fields.ETERNAL_TO, f"{path}.toDate", base.ends)
    if starts is not None and ends is not None and starts >= ends:
        raise refused(BAD_RANGE, f"{path}.toDate")
    conditions = item.conditions or ConditionsItem(
        list(base.source_ips), list(base.hostnames), list(base.spf_domains)
    )
    for name, values in (
        ("sourceIPs", conditions.source_ips),
        ("hostnames", conditions.hostnames),
        ("spfDomains", conditions.spf_domains),
    ):
        if len(values) > MAX_CONDITIONS:
            raise refused(NOT_ALLOWED, f"{path}.conditions.{name}", f"At most {MAX_CONDITIONS} values are allowed")
    for n, text in enumerate(conditions.source_ips):
        fields.network(text, f"{path}.conditions.sourceIPs[{n}]")
    return PolicyDocument(
        description=fields.short(description, f"{path}.description", MAX_DESCRIPTION),
        comment=fields.short(_given(item.comment, base.comment), f"{path}.comment", MAX_COMMENT),
        from_=base.from_ if from_.item is None else target(from_, rules.types, references),
        to=base.to if to.item is None else target(to, rules.types, references),
        from_part=_given(item.from_part, rules.from_part if kept is None else kept.from_part),
        starts=starts,
        ends=ends,
        starts_shown=_shown(item.from_date, starts, base.starts_shown),
        ends_shown=_shown(item.to_date, ends, base.ends_shown),
        override=_given(item.override, base.override),
        bidirectional=_given(item.bidirectional, base.bidirectional),
        enabled=_given(item.enabled, base.enabled),
        enforced=_given(item.enforced, base.enforced),
        source_ips=tuple(conditions.source_ips),
        hostnames=tuple(conditions.hostnames),
        spf_domains=tuple(conditions.spf_domains),
    )


def lost(item: PolicyItem, old: PolicyDocument, new: PolicyDocument) -> list[str]:
    """What an update took from a policy's limits by leaving it out, in words for its writer.

    To replace the whole is what the pages say (D-48), but clients that send only some members do not mean that a
    policy for one network, or for a month, holds everywhere and for ever.
    """
    members = [
        name
        for name, given, had, has in (
            ("conditions", item.conditions, old.source_ips, new.source_ips),
            ("fromDate", item.from_date or item.from_eternal, old.starts, new.starts),
            ("toDate", item.to_date or item.to_eternal, old.ends, new.ends),
            ("enabled: false", item.enabled, not old.enabled, not new.enabled),
        )
        if given is None and had and not has
    ]
    if not members:
        return []
    text = (
        f"{quoted(new.description)} has lost {listed(members, len(members))}: an update that names its scope "
        "replaces the whole policy; send all members to keep them"
    )
    return [text]


def _given(value: T | None, kept: T) -> T:
    return kept if value is None else value


def answer(
    kept: PolicyDocument, rules: Rules, references: References, created: datetime, updated: datetime
) -> PolicyAnswer:
    """The policy object that answers carry for a kept document."""
    far_from, far_to = (fields.ETERNAL_FROM, fields.ETERNAL_TO) if rules.far_dates else (UNSET, UNSET)
    return PolicyAnswer(
        description=kept.description,
        comment=kept.comment,
        from_part=kept.from_part,
        from_=_target_answer(kept.from_, rules, references),
        to=_target_answer(kept.to, rules, references),
        from_type=kept.from_.type,
        to_type=kept.to.type,
        from_value=_flat_value(kept.from_, references),
        to_value=_flat_value(kept.to, references),
        from_eternal=kept.starts is None,
        to_eternal=kept.ends is None,
        from_date=far_from if kept.starts is None else kept.starts_shown or fields.written(kept.starts),
        to_date=far_to if kept.ends is None else kept.ends_shown or fields.written(kept.ends),
        override=kept.override,
        bidirectional=kept.bidirectional,
        enabled=kept.enabled,
        enforced=kept.enforced,
        conditions=ConditionsAnswer(kept.source_ips, kept.hostnames, kept.spf_domains),
        create_time=fields.written(created),
        last_updated=fields.written(updated),
    )


def _date(text: str | None, eternal: bool | None, far: str, path: str, kept: datetime | None) -> datetime | None:
    if text is None:
        if eternal is True:
            return None
        if eternal is False and kept is None:
            raise refused(NULL, path, f"{NULL.message}: the policy is said not to be eternal")
        return kept
    value = fields.moment(text, path)
    if eternal is not False and value == fields.moment(far, path):
        return None
    return value.astimezone(UTC)


def _shown(text: str | None, value: datetime | None, kept: str) -> str:
    """How a date was typed, empty where that is how we write it anyway."""
    if value is None or text == fields.written(value):
        return ""
    return kept if text is None else text


def _target_answer(kept: TargetDocument, rules: Rules, references: References) -> TargetAnswer:
    match kept.type:
        case TargetType.INDIVIDUAL_EMAIL_ADDRESS:
            return TargetAnswer(kept.type, email_address=kept.shown)
        case TargetType.EMAIL_DOMAIN:
            return TargetAnswer(kept.type, email_domain=kept.shown)
        case TargetType.PROFILE_GROUP:
            group = references.group(kept.key) if rules.group_objects else UNSET
            return TargetAnswer(kept.type, group_id=references.group_id(kept.key), group=group)
        case TargetType.HEADER_DISPLAY_NAME:
            return TargetAnswer(kept.type, header_display_name=kept.shown)
        case TargetType.ADDRESS_ATTRIBUTE_VALUE:
            name = references.attribute_name(kept.attribute)
            attribute = AttributeItem(kept.shown, references.attribute_id(kept.attribute), name)
            return TargetAnswer(kept.type, attribute=attribute)
        case _:
            return TargetAnswer(kept.type)


def _flat_value(kept: TargetDocument, references: References) -> str | UnsetType:
    if kept.type is TargetType.PROFILE_GROUP:
        return references.group_id(kept.key)
    return kept.shown or UNSET
