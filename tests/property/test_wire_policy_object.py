"""Policy objects: what an answer says can be sent back, and means the same (api.md section 3.2.4)."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailreeve.policy.model.targets import TargetType
from mailreeve.wire import items, policy_object
from mailreeve.wire.policy_object import (
    ADDRESS_ALTERATION,
    BLOCKED_SENDERS,
    WEB_SECURITY,
    GroupObject,
    PolicyDocument,
    PolicyItem,
    Rules,
)

NOW = datetime(2026, 1, 2, tzinfo=UTC)


class Directory:
    """`References` in which every group and attribute exists; ids are keys in capitals."""

    def group_key(self, wire_id: str, field: str) -> str:
        return wire_id.lower()

    def group_id(self, key: str) -> str:
        return key.upper()

    def group(self, key: str) -> GroupObject:
        return GroupObject(key.upper(), "name", "cloud", "", 0, 0)

    def attribute_key(self, wire_id: str | None, name: str | None, field: str) -> str:
        return (wire_id or name or "").lower()

    def attribute_id(self, key: str) -> str:
        return key.upper()

    def attribute_name(self, key: str) -> str:
        return "named"

    def is_own(self, domain: str) -> bool:
        return domain == "corp"


words = st.text("abc XYZ09é", min_size=1, max_size=12).filter(str.strip)
labels = st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,8}", fullmatch=True)
domains = st.lists(labels, min_size=2, max_size=3).map(".".join)
addresses = st.builds("{}@{}".format, labels, domains)
moments = st.datetimes(timezones=st.just(UTC)).map(lambda at: at.isoformat())


def targets(types: frozenset[TargetType]) -> st.SearchStrategy[dict[str, object]]:
    valued = {
        TargetType.EMAIL_DOMAIN: st.fixed_dictionaries({"emailDomain": domains}),
        TargetType.INDIVIDUAL_EMAIL_ADDRESS: st.fixed_dictionaries({"emailAddress": addresses}),
        TargetType.PROFILE_GROUP: st.fixed_dictionaries({"groupId": labels.map(str.upper)}),
        TargetType.HEADER_DISPLAY_NAME: st.fixed_dictionaries({"headerDisplayName": words}),
        TargetType.ADDRESS_ATTRIBUTE_VALUE: st.fixed_dictionaries(
            {"attribute": st.fixed_dictionaries({"id": labels.map(str.upper), "value": words})}
        ),
    }
    return st.sampled_from(sorted(types)).flatmap(
        lambda kind: valued.get(kind, st.just({})).map(lambda members: {"type": kind.value} | members)
    )


@st.composite
def policies(draw: st.DrawFn, rules: Rules) -> dict[str, object]:
    senders, recipients = rules.types, rules.types - {TargetType.HEADER_DISPLAY_NAME}
    dates = sorted(draw(st.lists(moments, min_size=2, max_size=2, unique_by=lambda text: text[:19])))
    policy: dict[str, object] = {
        "description": draw(words),
        "from": draw(targets(senders)),
        "to": draw(targets(recipients)),
    }
    policy |= draw(
        st.fixed_dictionaries(
            {},
            optional={
                "comment": words,
                "fromPart": st.sampled_from(["envelope_from", "header_from", "both"]),
                "fromDate": st.just(dates[0]),
                "toDate": st.just(dates[1]),
                "override": st.booleans(),
                "bidirectional": st.booleans() | st.sampled_from(["true", "False"]),
                "enabled": st.booleans(),
                "enforced": st.booleans(),
                "conditions": st.fixed_dictionaries(
                    {},
                    optional={
                        "sourceIPs": st.lists(st.ip_addresses().map(str), max_size=3),
                        "hostnames": st.lists(domains, max_size=2),
                        "spfDomains": st.lists(domains, max_size=2),
                    },
                ),
            },
        )
    )
    return policy


def read(policy: object, rules: Rules) -> PolicyDocument:
    wire = msgspec.json.decode(msgspec.json.encode(policy))
    return policy_object.document(items.read(wire, PolicyItem), rules, Directory())


@pytest.mark.parametrize(
    "rules", [BLOCKED_SENDERS, ADDRESS_ALTERATION, WEB_SECURITY], ids=["blocked", "alteration", "web"]
)
@given(st.data())
def test_an_answer_sent_back_is_the_same_policy(rules: Rules, data: st.DataObject) -> None:
    """Item, document, answer, item: nothing is lost or changed on the way, and the store's JSON reads back."""
    document = read(data.draw(policies(rules)), rules)
    answer = policy_object.answer(document, rules, Directory(), NOW, NOW)
    assert read(answer, rules) == document
    stored = msgspec.json.decode(msgspec.json.encode(document), type=PolicyDocument)
    assert stored == document
    assert stored.scope() == document.scope()


@given(st.data())
def test_both_spellings_of_an_answer_mean_the_same(data: st.DataObject) -> None:
    """Without the nested members the flat ones stand for the same targets, but for attributes, whose name the
    flat spelling cannot hold."""
    policy = data.draw(policies(BLOCKED_SENDERS))
    document = read(policy, BLOCKED_SENDERS)
    answer = msgspec.to_builtins(policy_object.answer(document, BLOCKED_SENDERS, Directory(), NOW, NOW))
    flat = {
        name: value
        for name, value in answer.items()
        if name not in {"from", "to"} or answer[name]["type"] == "address_attribute_value"
    }
    assert read(flat, BLOCKED_SENDERS) == document
