"""The policy object: what clients may write, what it means, and what answers say of it (api.md section 3.0)."""

from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import ip_network
from math import inf

import msgspec
import pytest

from mailreeve.families.directory.groups.errors import GROUP_NOT_FOUND
from mailreeve.families.directory.users.errors import ATTRIBUTE_NOT_FOUND
from mailreeve.policy.model.policies import FromPart, Scope
from mailreeve.policy.model.targets import EVERYONE, Target, TargetType
from mailreeve.wire import items, policy_object
from mailreeve.wire.errors import (
    AT_LEAST_ONE,
    BAD_ADDRESS,
    BAD_DATE,
    BAD_DOMAIN,
    BAD_NETWORK,
    BAD_RANGE,
    BLANK,
    NOT_ALLOWED,
    NULL,
    TOO_LONG,
    Fault,
    ItemRefused,
    refused,
)
from mailreeve.wire.policy_object import (
    ADDRESS_ALTERATION,
    BLOCKED_SENDERS,
    MAX_COMMENT,
    MAX_CONDITIONS,
    MAX_DESCRIPTION,
    WEB_SECURITY,
    GroupObject,
    PolicyDocument,
    PolicyItem,
    Rules,
)

CREATED = datetime(2022, 4, 21, 6, 51, 4, tzinfo=UTC)
UPDATED = datetime(2022, 4, 22, 6, 51, 4, tzinfo=UTC)
JULY = "2030-07-01T00:00:00+0000"
AUGUST = "2030-08-01T00:00:00+0000"


class Directory:
    """`References` over one group and one attribute, whose ids are their keys with a prefix."""

    def group_key(self, wire_id: str, field: str) -> str:
        if wire_id != "id-g1":
            raise refused(GROUP_NOT_FOUND, field)
        return "g1"

    def group_id(self, key: str) -> str:
        return f"id-{key}"

    def group(self, key: str) -> GroupObject:
        return GroupObject(f"id-{key}", "Partners", "cloud", "", 2, 0)

    def attribute_key(self, wire_id: str | None, name: str | None, field: str) -> str:
        if wire_id != "id-a1" and name != "Department":
            raise refused(ATTRIBUTE_NOT_FOUND, f"{field}.{'name' if wire_id is None else 'id'}")
        return "a1"

    def attribute_id(self, key: str) -> str:
        return f"id-{key}"

    def attribute_name(self, key: str) -> str:
        return "Department"

    def is_own(self, domain: str) -> bool:
        return domain == "corp"


def written(policy: dict[str, object], rules: Rules = BLOCKED_SENDERS) -> PolicyDocument:
    """The document of a policy object as it comes in JSON."""
    return policy_object.document(items.read(policy, PolicyItem), rules, Directory())


def shown(document: PolicyDocument, rules: Rules = BLOCKED_SENDERS) -> dict[str, object]:
    """The policy object of an answer, as it goes out in JSON."""
    answer = policy_object.answer(document, rules, Directory(), CREATED, UPDATED)
    found: dict[str, object] = msgspec.json.decode(msgspec.json.encode(answer))
    return found


def policy(**members: object) -> dict[str, object]:
    """A policy object from everyone to everyone, with these members changed; `from_` is `from`."""
    changed = {name.rstrip("_"): value for name, value in members.items()}
    return {"description": "d", "from": {"type": "everyone"}, "to": {"type": "everyone"}} | changed


def faults(item: dict[str, object], rules: Rules = BLOCKED_SENDERS) -> list[tuple[str, str | None]]:
    with pytest.raises(ItemRefused) as caught:
        written(item, rules)
    return [(p.code, p.field) for p in caught.value.problems]


TARGETS = {
    "everyone": ({"type": "everyone"}, Target.of(TargetType.EVERYONE)),
    "internal": ({"type": "internal_addresses"}, Target.of(TargetType.INTERNAL_ADDRESSES)),
    "external": ({"type": "external_addresses"}, Target.of(TargetType.EXTERNAL_ADDRESSES)),
    "free mail": ({"type": "free_mail_domains"}, Target.of(TargetType.FREE_MAIL_DOMAINS)),
    "domain": (
        {"type": "email_domain", "emailDomain": "Bücher.test"},
        Target.of(TargetType.EMAIL_DOMAIN, "xn--bcher-kva.test"),
    ),
    "group": ({"type": "profile_group", "groupId": "id-g1"}, Target.of(TargetType.PROFILE_GROUP, "g1")),
    "attribute": (
        {"type": "address_attribute_value", "attribute": {"id": "id-a1", "value": "Sales"}},
        Target.of(TargetType.ADDRESS_ATTRIBUTE_VALUE, "sales", "a1"),
    ),
    "address": (
        {"type": "individual_email_address", "emailAddress": "Ann@Example.TEST"},
        Target.of(TargetType.INDIVIDUAL_EMAIL_ADDRESS, "ann@example.test"),
    ),
    "display name": (
        {"type": "header_display_name", "headerDisplayName": "The  Boss"},
        Target.of(TargetType.HEADER_DISPLAY_NAME, "the boss"),
    ),
}


# What a policy means.


def test_what_is_left_out_takes_the_documented_default() -> None:
    """The table of behaviour.md section 2.1, as decisions see it."""
    document = written({"description": "d"}, WEB_SECURITY)
    assert document.scope() == Scope.of(
        from_=EVERYONE,
        to=EVERYONE,
        from_part=FromPart.ENVELOPE_FROM,
        networks=(),
        starts=-inf,
        ends=inf,
        override=False,
        bidirectional=False,
        enabled=True,
    )
    assert (document.enforced, document.comment) == (False, "")


def test_nulls_and_blanks_take_the_defaults_too() -> None:
    """`toValue` and the dates are sent empty (clients.md)."""
    absent = dict.fromkeys(
        [
            "comment",
            "fromPart",
            "fromDate",
            "fromEternal",
            "toDate",
            "toEternal",
            "override",
            "enabled",
            "conditions",
        ]
    )
    blank = dict.fromkeys(absent, "")
    assert written(policy(**absent)) == written(policy(**blank)) == written(policy())


def test_everything_that_is_set_is_in_the_scope() -> None:
    """Each member of the object has its effect."""
    document = written(
        policy(
            from_={"type": "email_domain", "emailDomain": "x.test"},
            to={"type": "internal_addresses"},
            fromPart="both",
            fromDate=JULY,
            toDate=AUGUST,
            override="True",
            bidirectional=True,
            enabled="false",
            enforced=True,
            comment="c",
            conditions={"sourceIPs": ["8.8.8.8/24", "::1"], "hostnames": ["h"], "spfDomains": ["s"]},
        )
    )
    assert document.scope() == Scope.of(
        from_=Target.of(TargetType.EMAIL_DOMAIN, "x.test"),
        to=Target.of(TargetType.INTERNAL_ADDRESSES),
        from_part=FromPart.BOTH,
        networks=(ip_network("8.8.8.0/24"), ip_network("::1/128")),
        starts=datetime(2030, 7, 1, tzinfo=UTC).timestamp(),
        ends=datetime(2030, 8, 1, tzinfo=UTC).timestamp(),
        override=True,
        bidirectional=True,
        enabled=False,
    )
    assert (document.comment, document.enforced) == ("c", True)
    assert (document.hostnames, document.spf_domains) == (("h",), ("s",))


@pytest.mark.parametrize(("target", "meant"), TARGETS.values(), ids=TARGETS)
def test_each_target_type_is_what_it_says(target: dict[str, object], meant: Target) -> None:
    """On the sending side, all nine; values are matched in canonical form."""
    assert written(policy(from_=target)).scope().from_ == meant


@pytest.mark.parametrize("name", [name for name in TARGETS if name != "display name"])
def test_each_target_type_but_one_may_be_on_the_recipient_side(name: str) -> None:
    """D-02: all but the display name."""
    target, meant = TARGETS[name]
    assert written(policy(to=target)).scope().to == meant


def test_a_recipient_may_be_named_by_a_display_name() -> None:
    """D-02: kept and answered, in either spelling, although no recipient has one in the envelope."""
    target, _ = TARGETS["display name"]
    assert shown(written(policy(to=target)))["to"] == target
    flat = {**policy(), "toType": "header_display_name", "toValue": "Boss"}
    del flat["to"]
    assert shown(written(flat))["toValue"] == "Boss"


@pytest.mark.parametrize("name", ["free mail", "display name"])
@pytest.mark.parametrize("side", ["from_", "to"])
def test_address_alteration_takes_fewer_target_types(name: str, side: str) -> None:
    """Neither free mail nor display names (api.md section 3.0.2)."""
    target, _ = TARGETS[name]
    path = f"policy.{side.rstrip('_')}.type"
    assert faults(policy(**{side: target}), ADDRESS_ALTERATION) == [(NOT_ALLOWED.code, path)]


@pytest.mark.parametrize("value", ["web_device", "web_device_group", "Everyone", "anyone"])
def test_a_target_type_that_is_none_is_refused(value: str) -> None:
    """Device targets have no meaning here and are not quietly ignored."""
    assert faults(policy(to={"type": value})) == [(NOT_ALLOWED.code, "to.type")]


def test_values_that_a_target_type_does_not_need_are_ignored() -> None:
    """One client sends `everyone` together with an address (api.md section 3.0.2)."""
    target = {"type": "everyone", "emailAddress": "not an address", "groupId": "nor a group"}
    assert written(policy(from_=target)) == written(policy())


@pytest.mark.parametrize(
    ("target", "field"),
    [
        ({"type": "individual_email_address"}, "emailAddress"),
        ({"type": "individual_email_address", "emailDomain": "x.test"}, "emailAddress"),
        ({"type": "email_domain", "emailDomain": None}, "emailDomain"),
        ({"type": "profile_group", "groupId": ""}, "groupId"),
        ({"type": "header_display_name"}, "headerDisplayName"),
        ({"type": "address_attribute_value"}, "attribute.value"),
        ({"type": "address_attribute_value", "attribute": {"id": "id-a1"}}, "attribute.value"),
    ],
)
def test_the_value_that_a_target_type_needs_is_named(target: dict[str, object], field: str) -> None:
    """The "required when" column of api.md section 3.0.2."""
    assert faults(policy(from_=target)) == [(NULL.code, f"policy.from.{field}")]


@pytest.mark.parametrize(
    ("kind", "field"),
    [("individual_email_address", "fromValue"), ("email_domain", "fromValue"), ("profile_group", "fromValue")],
)
def test_the_flat_spelling_needs_its_value_too(kind: str, field: str) -> None:
    """And the complaint names the member that the client writes."""
    flat = {"description": "d", "fromType": kind, "toType": "everyone"}
    assert faults(flat) == [(NULL.code, f"policy.{field}")]


@pytest.mark.parametrize(
    ("target", "fault", "field"),
    [
        ({"type": "individual_email_address", "emailAddress": "bad"}, BAD_ADDRESS, "emailAddress"),
        ({"type": "email_domain", "emailDomain": "*.x.test"}, BAD_DOMAIN, "emailDomain"),
        ({"type": "profile_group", "groupId": "nobody"}, GROUP_NOT_FOUND, "groupId"),
        (
            {"type": "address_attribute_value", "attribute": {"id": "no", "value": "v"}},
            ATTRIBUTE_NOT_FOUND,
            "attribute.id",
        ),
        (
            {"type": "address_attribute_value", "attribute": {"name": "no", "value": "v"}},
            ATTRIBUTE_NOT_FOUND,
            "attribute.name",
        ),
        ({"type": "address_attribute_value", "attribute": {"value": "v"}}, AT_LEAST_ONE, "attribute.id"),
    ],
)
@pytest.mark.parametrize("side", ["from_", "to"])
def test_a_bad_value_is_refused_with_its_member(
    side: str, target: dict[str, object], fault: Fault, field: str
) -> None:
    """On either side."""
    assert faults(policy(**{side: target})) == [(fault.code, f"policy.{side.rstrip('_')}.{field}")]


def test_an_attribute_may_be_named_instead_of_identified() -> None:
    """`{id, name, value}`, either of the first two (api.md section 3.0.2)."""
    named = {"type": "address_attribute_value", "attribute": {"name": "Department", "value": "Sales"}}
    assert written(policy(from_=named)).scope().from_ == TARGETS["attribute"][1]


# The old flat spelling.


@pytest.mark.parametrize(
    ("flat_type", "value", "name"),
    [
        ("everyone", "", "everyone"),
        ("email_domain", "Bücher.test", "domain"),
        ("profile_group", "id-g1", "group"),
        ("individual_email_address", "Ann@Example.TEST", "address"),
        ("header_display_name", "The  Boss", "display name"),
    ],
)
def test_the_flat_spelling_means_the_same(flat_type: str, value: str, name: str) -> None:
    """`fromType` and `fromValue` for `from`, an empty value for none (api.md section 3.2.1)."""
    flat = {"description": "d", "fromType": flat_type, "fromValue": value, "toType": "everyone", "toValue": ""}
    assert written(flat) == written(policy(from_=TARGETS[name][0]))


def test_the_two_spellings_may_be_mixed_and_the_nested_one_counts() -> None:
    """A client sends back what answers hold, which is both."""
    both = policy(from_={"type": "internal_addresses"}, fromType="external_addresses", toType="everyone")
    assert written(both).scope().from_.type is TargetType.INTERNAL_ADDRESSES
    one_each = {"description": "d", "from": {"type": "internal_addresses"}, "toType": "external_addresses"}
    scope = written(one_each).scope()
    assert (scope.from_.type, scope.to.type) == (TargetType.INTERNAL_ADDRESSES, TargetType.EXTERNAL_ADDRESSES)


def test_a_flat_value_without_a_type_is_no_target() -> None:
    """It does not make a policy for everyone."""
    assert faults({"description": "d", "fromValue": "x.test", "toType": "everyone"}) == [
        (NULL.code, "policy.from")
    ]


# What must be there.


def test_blocked_senders_need_description_and_both_sides_and_say_so_at_once() -> None:
    """A block that would hit everyone by omission is refused (behaviour.md section 11)."""
    missing = [(NULL.code, f"policy.{name}") for name in ("description", "from", "to")]
    assert faults({}) == missing
    assert faults({"from": {"type": "everyone"}}) == [missing[0], missing[2]]


def test_a_blank_description_is_told_from_a_missing_one() -> None:
    """`err_validation_blank` (api.md section 1.6)."""
    assert faults(policy(description=" ")) == [(BLANK.code, "policy.description")]


def test_web_policies_need_a_description_only_and_alteration_policies_nothing() -> None:
    """Omitted sides mean everyone there (api.md sections 3.3.4 and 3.4.3)."""
    assert faults({}, WEB_SECURITY) == [(NULL.code, "policy.description")]
    assert written({}, ADDRESS_ALTERATION).scope() == Scope()
    assert written({"description": ""}, ADDRESS_ALTERATION).description == ""


def test_the_path_of_a_complaint_begins_where_the_policy_stands() -> None:
    """Web policies stand in a list."""
    with pytest.raises(ItemRefused) as caught:
        policy_object.document(PolicyItem(), WEB_SECURITY, Directory(), "policies[3]")
    assert caught.value.problems[0].field == "policies[3].description"


# Dates.


def test_a_date_ends_eternity_on_its_side() -> None:
    """Whatever the flag says (behaviour.md section 2.1)."""
    document = written(policy(fromDate=JULY, fromEternal=True))
    assert (document.starts, document.ends) == (datetime(2030, 7, 1, tzinfo=UTC), None)
    document = written(policy(toDate=JULY, toEternal="true"))
    assert (document.starts, document.ends) == (None, datetime(2030, 7, 1, tzinfo=UTC))


@pytest.mark.parametrize("eternal", [True, None, "true"])
def test_the_far_dates_mean_eternal(eternal: object) -> None:
    """They come back from clients that read them (api.md section 3.2.4), in any spelling of the zone."""
    far = policy(
        fromDate="1900-01-01T00:00:00+00:00", toDate="2100-01-01T23:59:59Z", fromEternal=eternal, toEternal=eternal
    )
    assert (written(far).starts, written(far).ends) == (None, None)


def test_a_far_date_that_is_said_not_to_be_eternal_is_a_date() -> None:
    """The writer insists."""
    document = written(policy(toDate="2100-01-01T23:59:59+0000", toEternal=False))
    assert document.ends == datetime(2100, 1, 1, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(("side", "date"), [("from", "fromDate"), ("to", "toDate")])
def test_no_eternity_and_no_date_is_refused(side: str, date: str) -> None:
    """Rather than read as eternal."""
    assert faults(policy(**{f"{side}Eternal": False})) == [(NULL.code, f"policy.{date}")]
    assert faults(policy(**{date: "soon"})) == [(BAD_DATE.code, f"policy.{date}")]


@pytest.mark.parametrize(("start", "end"), [(AUGUST, JULY), (JULY, JULY), (JULY, "2030-07-01T02:00:00+0200")])
def test_a_policy_must_start_before_it_ends(start: str, end: str) -> None:
    """The end is exclusive (D-12), so equal dates would never match."""
    assert faults(policy(fromDate=start, toDate=end)) == [(BAD_RANGE.code, "policy.toDate")]


# Limits.


def test_a_bad_range_is_named_by_its_place() -> None:
    """The one among many."""
    assert faults(policy(conditions={"sourceIPs": ["8.8.8.8", "nonsense"]})) == [
        (BAD_NETWORK.code, "policy.conditions.sourceIPs[1]")
    ]


@pytest.mark.parametrize("name", ["sourceIPs", "hostnames", "spfDomains"])
def test_conditions_are_limited_in_number(name: str) -> None:
    """The limit itself is allowed."""
    written(policy(conditions={name: ["192.0.2.1"] * MAX_CONDITIONS}))
    too_many = policy(conditions={name: ["192.0.2.1"] * (MAX_CONDITIONS + 1)})
    assert faults(too_many) == [(NOT_ALLOWED.code, f"policy.conditions.{name}")]


@pytest.mark.parametrize(("name", "most"), [("description", MAX_DESCRIPTION), ("comment", MAX_COMMENT)])
def test_texts_are_limited_in_length(name: str, most: int) -> None:
    """The limit itself is allowed."""
    written(policy(**{name: "x" * most}))
    assert faults(policy(**{name: "x" * (most + 1)})) == [(TOO_LONG.code, f"policy.{name}")]


# What answers say.


def test_the_answer_is_the_recorded_one() -> None:
    """The live example of api.md section 3.2.1, member for member; we add `comment`, which later pages have."""
    assert shown(written(policy(description="some test policy"))) == {
        "description": "some test policy",
        "comment": "",
        "fromPart": "envelope_from",
        "from": {"type": "everyone"},
        "to": {"type": "everyone"},
        "fromType": "everyone",
        "toType": "everyone",
        "fromEternal": True,
        "toEternal": True,
        "fromDate": "1900-01-01T00:00:00+0000",
        "toDate": "2100-01-01T23:59:59+0000",
        "override": False,
        "bidirectional": False,
        "conditions": {},
        "enabled": True,
        "enforced": False,
        "createTime": "2022-04-21T06:51:04+0000",
        "lastUpdated": "2022-04-22T06:51:04+0000",
    }


@pytest.mark.parametrize("rules", [ADDRESS_ALTERATION, WEB_SECURITY])
def test_elsewhere_eternal_policies_have_no_dates(rules: Rules) -> None:
    """Terraform wants them absent (clients.md); real dates are there."""
    answer = shown(written(policy(toDate=JULY), rules), rules)
    assert "fromDate" not in answer
    assert (answer["toDate"], answer["toEternal"], answer["fromEternal"]) == (JULY, False, True)


@pytest.mark.parametrize(
    ("name", "nested", "flat"),
    [
        ("domain", {"type": "email_domain", "emailDomain": "Bücher.test"}, "Bücher.test"),
        ("group", {"type": "profile_group", "groupId": "id-g1"}, "id-g1"),
        ("address", {"type": "individual_email_address", "emailAddress": "Ann@Example.TEST"}, "Ann@Example.TEST"),
        ("display name", {"type": "header_display_name", "headerDisplayName": "The  Boss"}, "The  Boss"),
        (
            "attribute",
            {
                "type": "address_attribute_value",
                "attribute": {"id": "id-a1", "name": "Department", "value": "Sales"},
            },
            "Sales",
        ),
    ],
)
def test_targets_are_shown_as_typed_in_both_spellings(name: str, nested: dict[str, object], flat: str) -> None:
    """D-43: matched as A-labels, shown as typed."""
    answer = shown(written(policy(from_=TARGETS[name][0])))
    assert (answer["from"], answer["fromType"], answer["fromValue"]) == (nested, nested["type"], flat)
    assert "toValue" not in answer


def test_a_domain_is_shown_without_the_at() -> None:
    """However it was typed (api.md section 3.0.2)."""
    answer = shown(written(policy(from_={"type": "email_domain", "emailDomain": "@x.test"})))
    assert (answer["from"], answer["fromValue"]) == ({"type": "email_domain", "emailDomain": "x.test"}, "x.test")


def test_web_policies_show_the_whole_group() -> None:
    """In place of, and here beside, its id (api.md section 3.0.2)."""
    answer = shown(written(policy(from_=TARGETS["group"][0]), WEB_SECURITY), WEB_SECURITY)
    assert answer["from"] == {
        "type": "profile_group",
        "groupId": "id-g1",
        "group": {
            "id": "id-g1",
            "description": "Partners",
            "source": "cloud",
            "parentId": "",
            "userCount": 2,
            "folderCount": 0,
            "folders": [],
        },
    }


def test_conditions_are_shown_as_typed() -> None:
    """Host bits and all (api.md section 3.0.3)."""
    conditions = {"sourceIPs": ["8.8.8.8/24"], "hostnames": ["h.test"], "spfDomains": ["s.test"]}
    assert shown(written(policy(conditions=conditions)))["conditions"] == conditions


def test_the_groups_that_a_policy_names_are_told() -> None:
    """On either side, so that they are not deleted under it."""
    group = TARGETS["group"][0]
    assert written(policy()).group_keys() == frozenset()
    assert written(policy(from_=group)).group_keys() == written(policy(to=group)).group_keys() == {"g1"}
