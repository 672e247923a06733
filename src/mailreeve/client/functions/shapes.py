"""Items and answers that several rooms have in common. Made by tools/make_client.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from msgspec import Struct, field

if TYPE_CHECKING:
    pass


class AttributeItem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A user attribute and the value it should equal."""

    value: str | None = None
    id: str | None = None
    name: str | None = None


class AttributeItemItem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A user attribute and the value it should equal."""

    value: str | None = None
    id: str | None = None
    name: str | None = None


class ConditionsAnswer(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"source_ips": "sourceIPs", "spf_domains": "spfDomains"},
):
    """Conditions in an answer: an empty object when there are none."""

    source_ips: tuple[str, ...] = ()
    hostnames: tuple[str, ...] = ()
    spf_domains: tuple[str, ...] = ()


class ConditionsItem(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"source_ips": "sourceIPs", "spf_domains": "spfDomains"},
):
    """Conditions on the sending side."""

    source_ips: Sequence[str] | None = None
    hostnames: Sequence[str] | None = None
    spf_domains: Sequence[str] | None = None


class GroupItem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A group as answers of web lists name it; of what they hold, the id counts."""

    id: str | None = None


class GroupObject(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"parent_id": "parentId", "user_count": "userCount", "folder_count": "folderCount"},
):
    """A group inside an answer about something else."""

    id: str = ""
    description: str = ""
    source: str = ""
    parent_id: str = ""
    user_count: int = 0
    folder_count: int = 0
    folders: tuple[GroupObject, ...] = ()


class PolicyAnswer(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "from_part": "fromPart",
        "from_": "from",
        "from_type": "fromType",
        "to_type": "toType",
        "from_eternal": "fromEternal",
        "to_eternal": "toEternal",
        "create_time": "createTime",
        "last_updated": "lastUpdated",
        "from_value": "fromValue",
        "to_value": "toValue",
        "from_date": "fromDate",
        "to_date": "toDate",
    },
):
    """A policy object in an answer, with both the nested and the flat spelling of its targets."""

    description: str = ""
    comment: str = ""
    from_part: str = ""
    from_: TargetAnswer = field(default_factory=lambda: TargetAnswer())
    to: TargetAnswer = field(default_factory=lambda: TargetAnswer())
    from_type: str = ""
    to_type: str = ""
    from_eternal: bool = False
    to_eternal: bool = False
    override: bool = False
    bidirectional: bool = False
    enabled: bool = False
    enforced: bool = False
    conditions: ConditionsAnswer = field(default_factory=lambda: ConditionsAnswer())
    create_time: str = ""
    last_updated: str = ""
    from_value: str | None = None
    to_value: str | None = None
    from_date: str | None = None
    to_date: str | None = None


class PolicyItem(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "from_": "from",
        "from_type": "fromType",
        "from_value": "fromValue",
        "to_type": "toType",
        "to_value": "toValue",
        "from_part": "fromPart",
        "from_date": "fromDate",
        "from_eternal": "fromEternal",
        "to_date": "toDate",
        "to_eternal": "toEternal",
    },
):
    """A policy object as clients write it. What is left out of a new policy takes its default; what that means
    for an old one, `document` says.
    """

    description: str | None = None
    comment: str | None = None
    from_: TargetItem | Mapping[str, object] | None = None
    to: TargetItem | Mapping[str, object] | None = None
    from_type: (
        Literal[
            "everyone",
            "internal_addresses",
            "external_addresses",
            "free_mail_domains",
            "email_domain",
            "profile_group",
            "address_attribute_value",
            "individual_email_address",
            "header_display_name",
        ]
        | None
    ) = None
    from_value: str | None = None
    to_type: (
        Literal[
            "everyone",
            "internal_addresses",
            "external_addresses",
            "free_mail_domains",
            "email_domain",
            "profile_group",
            "address_attribute_value",
            "individual_email_address",
            "header_display_name",
        ]
        | None
    ) = None
    to_value: str | None = None
    from_part: Literal["envelope_from", "header_from", "both"] | None = None
    from_date: str | None = None
    from_eternal: bool | None = None
    to_date: str | None = None
    to_eternal: bool | None = None
    override: bool | None = None
    bidirectional: bool | None = None
    enabled: bool | None = None
    enforced: bool | None = None
    conditions: ConditionsItem | Mapping[str, object] | None = None


class TargetAnswer(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "email_address": "emailAddress",
        "email_domain": "emailDomain",
        "group_id": "groupId",
        "header_display_name": "headerDisplayName",
    },
):
    """A policy target in an answer."""

    type: str = ""
    email_address: str | None = None
    email_domain: str | None = None
    group_id: str | None = None
    group: GroupObject | None = None
    attribute: AttributeItem | None = None
    header_display_name: str | None = None


class TargetItem(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "email_address": "emailAddress",
        "email_domain": "emailDomain",
        "group_id": "groupId",
        "header_display_name": "headerDisplayName",
    },
):
    """A policy target as clients write it. Members that its type does not need are ignored. A group may be
    named by `groupId` or, as it is read, by a `group` with its `id`.
    """

    type: Literal[
        "everyone",
        "internal_addresses",
        "external_addresses",
        "free_mail_domains",
        "email_domain",
        "profile_group",
        "address_attribute_value",
        "individual_email_address",
        "header_display_name",
    ]
    email_address: str | None = None
    email_domain: str | None = None
    group_id: str | None = None
    group: GroupItem | Mapping[str, object] | None = None
    attribute: AttributeItemItem | Mapping[str, object] | None = None
    header_display_name: str | None = None
