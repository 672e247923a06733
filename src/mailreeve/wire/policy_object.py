"""What is a policy object on the wire, and which scope does it stand for (api.md section 3.0)?

Three forms of the same thing meet here: the object that clients write, in its nested and its old flat spelling;
the document that the store keeps; and the object that answers carry, which is a superset of what any client
reads. Groups and attributes are the store's; `References` looks them up.
"""

from __future__ import annotations

from datetime import UTC, datetime
from math import inf
from typing import Annotated, Final, Protocol, TypeVar

from msgspec import UNSET, Meta, Struct, UnsetType, field

from mailreeve.policy.networks import parse_network
from mailreeve.policy.policies import FromPart, Scope
from mailreeve.policy.targets import Target, TargetType, fold_display_name, shared_target
from mailreeve.wire import fields
from mailreeve.wire.errors import (
    AT_LEAST_ONE,
    BAD_RANGE,
    BLANK,
    NOT_ALLOWED,
    NULL,
    ItemRefused,
    Problem,
    problem,
    refused,
)
from mailreeve.wire.items import MaybeEmpty

T = TypeVar("T")

MAX_DESCRIPTION: Final = 512
MAX_COMMENT: Final = 2048
MAX_CONDITIONS: Final = 1000  # values of one condition

_ALWAYS: Final = -inf  # one value for all policies: written out it would be made anew each time

BLOCKED_SENDER_TYPES: Final = frozenset(TargetType)
ALTERATION_TYPES: Final = frozenset(TargetType) - {
    TargetType.FREE_MAIL_DOMAINS,
    TargetType.HEADER_DISPLAY_NAME,
}
WEB_TYPES: Final = frozenset(TargetType)


class References(Protocol):
    """The objects of other families that a policy names. All raise `ItemRefused` naming `field`."""

    def group_key(self, wire_id: str, field: str) -> str:
        """The store key of an existing group."""

    def group_id(self, key: str) -> str:
        """The wire id of a group."""

    def group(self, key: str) -> GroupObject:
        """A group with those right below it."""

    def attribute_key(self, wire_id: str | None, name: str | None, field: str) -> str:
        """The store key of an existing attribute, by id or by name."""

    def attribute_id(self, key: str) -> str:
        """The wire id of an attribute."""

    def attribute_name(self, key: str) -> str:
        """The name of an attribute."""


class AttributeItem(Struct, frozen=True, omit_defaults=True):
    """A user attribute and the value it should equal."""

    value: str | None = None
    id: str | None = None
    name: str | None = None


WrittenType = Annotated[
    TargetType, Meta(extra={"also": {"email_address": TargetType.INDIVIDUAL_EMAIL_ADDRESS.value}})
]
"""A target type as clients write it: two of them call an individual address so. Answers have the proper name."""


class TargetItem(Struct, frozen=True, rename="camel"):
    """A policy target as clients write it. Members that its type does not need are ignored."""

    type: WrittenType
    email_address: str | None = None
    email_domain: str | None = None
    group_id: str | None = None
    attribute: AttributeItem | None = None
    header_display_name: str | None = None


class ConditionsItem(Struct, frozen=True):
    """Conditions on the sending side (api.md section 3.0.3)."""

    source_ips: list[str] = field(default_factory=list, name="sourceIPs")
    hostnames: list[str] = field(default_factory=list)
    spf_domains: list[str] = field(default_factory=list, name="spfDomains")


class PolicyItem(Struct, frozen=True, rename="camel"):
    """A policy object as clients write it. What is left out of a new policy takes its default (api.md section
    3.0.1); what that means for an old one, `document` says."""

    description: MaybeEmpty | None = None
    comment: str | None = None
    from_: TargetItem | None = field(default=None, name="from")
    to: TargetItem | None = None
    from_type: WrittenType | None = None
    from_value: str | None = None
    to_type: WrittenType | None = None
    to_value: str | None = None
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


class TargetDocument(Struct, frozen=True, omit_defaults=True):
    """A target as the store keeps it: `key` is what is matched, `shown` what the writer typed."""

    type: TargetType
    key: str = ""
    shown: str = ""
    attribute: str = ""

    def target(self) -> Target:
        """The target as decisions see it. Raises `ValueError` for one that can match nothing."""
        if self.type is TargetType.INDIVIDUAL_EMAIL_ADDRESS and "@" not in self.key:
            raise ValueError("the address of a target is none")
        return shared_target(self.type, self.key, self.attribute)


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

    def group_keys(self) -> frozenset[str]:
        """The groups that the policy names."""
        return frozenset(t.key for t in (self.from_, self.to) if t.type is TargetType.PROFILE_GROUP)


class GroupObject(Struct, frozen=True, rename="camel"):
    """A group inside an answer about something else (api.md section 3.0.4)."""

    id: str
    description: str
    source: str
    parent_id: str
    user_count: int
    folder_count: int
    folders: tuple[GroupObject, ...] = ()


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
    them absent elsewhere, clients.md), whether there are recipients to name (D-26), and whether an answer carries
    a target's whole group beside its id."""

    types: frozenset[TargetType]
    description_required: bool
    targets_required: bool
    far_dates: bool
    recipients: bool = True
    group_objects: bool = False


BLOCKED_SENDERS: Final = Rules(BLOCKED_SENDER_TYPES, True, True, True)
ADDRESS_ALTERATION: Final = Rules(ALTERATION_TYPES, False, False, False)
WEB_SECURITY: Final = Rules(WEB_TYPES, True, False, False, recipients=False, group_objects=True)

_EVERYONE: Final = TargetDocument(TargetType.EVERYONE)
_DEFAULTS: Final = PolicyDocument("", _EVERYONE, _EVERYONE)


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
    from_ = _side(f"{path}.from", item.from_, item.from_type, item.from_value)
    to = _side(f"{path}.to", item.to, item.to_type, item.to_value)
    whole = from_.item is not None and (to.item is not None or not rules.recipients)
    kept = None if whole else old
    base = kept or _DEFAULTS
    missing: list[Problem] = []
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
        from_=base.from_ if from_.item is None else _target(from_, rules, references),
        to=base.to if to.item is None else _target(to, rules, references),
        from_part=_given(item.from_part, base.from_part),
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


class _Side(Struct, frozen=True):
    """One side of a scope as it was written: its target in the nested spelling, and which spelling it had."""

    path: str
    item: TargetItem | None
    flat: bool = False

    def name(self, member: str) -> str:
        """What the writer called a member of the target."""
        if not self.flat:
            return f"{self.path}.{member}"
        return f"{self.path}Type" if member == "type" else f"{self.path}Value"


def _side(path: str, target: TargetItem | None, flat_type: TargetType | None, value: str | None) -> _Side:
    """The flat spelling counts where the nested one is absent (api.md section 3.2.1)."""
    if target is not None or flat_type is None:
        return _Side(path, target)
    item = TargetItem(
        flat_type,
        email_address=value,
        email_domain=value,
        group_id=value,
        attribute=AttributeItem(value=value),
        header_display_name=value,
    )
    return _Side(path, item, flat=True)


def _target(side: _Side, rules: Rules, references: References) -> TargetDocument:
    item, name = side.item or TargetItem(TargetType.EVERYONE), side.name
    if item.type not in rules.types:
        names = ",".join(t for t in TargetType if t in rules.types)
        raise refused(NOT_ALLOWED, name("type"), f"Field must be one of [{names}]")
    match item.type:
        case TargetType.INDIVIDUAL_EMAIL_ADDRESS:
            text = _required(item.email_address, name("emailAddress"))
            return TargetDocument(item.type, fields.address(text, name("emailAddress")).key, text)
        case TargetType.EMAIL_DOMAIN:
            text = _required(item.email_domain, name("emailDomain")).removeprefix("@")
            return TargetDocument(item.type, fields.domain(text, name("emailDomain")), text)
        case TargetType.PROFILE_GROUP:
            text = _required(item.group_id, name("groupId"))
            return TargetDocument(item.type, references.group_key(text, name("groupId")))
        case TargetType.HEADER_DISPLAY_NAME:
            text = _required(item.header_display_name, name("headerDisplayName"))
            return TargetDocument(item.type, fold_display_name(text), text)
        case TargetType.ADDRESS_ATTRIBUTE_VALUE:
            attribute = item.attribute or AttributeItem()
            text = _required(attribute.value, name("attribute.value"))
            if attribute.id is None and attribute.name is None:
                raise refused(AT_LEAST_ONE, name("attribute.id"), "attribute.id or attribute.name is required")
            key = references.attribute_key(attribute.id, attribute.name, f"{side.path}.attribute")
            return TargetDocument(item.type, text.casefold(), text, key)
        case _:
            return TargetDocument(item.type)


def _required(text: str | None, path: str) -> str:
    if text is None:
        raise refused(NULL, path)
    return text


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
