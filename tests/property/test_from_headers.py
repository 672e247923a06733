"""Whatever stands in a From header, the door does what the explanation says (design.md sections 1 and 7)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from effort import examples
from hypothesis import example, given, settings
from hypothesis import strategies as st
from policy_parts import parts

from mailreeve.families.explain.operations import explain_message
from mailreeve.families.explain.types import ExplainMessage
from mailreeve.formats.addresses import Domain, parse_address, parse_sender
from mailreeve.formats.display_names import fold_display_name
from mailreeve.formats.networks import parse_ip
from mailreeve.mail.plan import Reject
from mailreeve.mail.transaction import Accepted, Transaction
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.model.facts import Directory
from mailreeve.policy.model.policies import (
    BlockedOption,
    BlockedSenderPolicy,
    FromPart,
    ManagedAction,
    ManagedSender,
    Scope,
)
from mailreeve.policy.model.targets import EVERYONE, Target, TargetType
from mailreeve.wire.tokens import KEY_OCTETS, Ids

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SOURCE = "192.0.2.9"
RECIPIENTS = ("u@corp.test", "v@corp.test")


def policy(number: int, from_: Target, option: BlockedOption = BlockedOption.BLOCK_SENDER) -> BlockedSenderPolicy:
    scope = Scope.of(from_, EVERYONE, FromPart.HEADER_FROM)
    return BlockedSenderPolicy(f"{number:032x}", f"policy {number}", scope, option, float(number))


POLICIES = PolicySet.build(
    account_id="acme",
    revision=7,
    directory=Directory(
        internal_domains=frozenset((Domain("corp.test"),)),
        groups={"g@group.test": ("f" * 32,), "group2.test": ("f" * 32,)},
        group_names={"f" * 32: "G"},
    ),
    **parts(
        blocked=[
            policy(1, Target.of(TargetType.EMAIL_DOMAIN, "bad.test")),
            policy(2, Target.of(TargetType.INDIVIDUAL_EMAIL_ADDRESS, "eve@x.test")),
            policy(3, Target.of(TargetType.HEADER_DISPLAY_NAME, fold_display_name("The Boss"))),
            policy(4, Target.of(TargetType.PROFILE_GROUP, "f" * 32)),
            policy(5, Target.of(TargetType.INDIVIDUAL_EMAIL_ADDRESS, "ok@bad.test"), BlockedOption.NO_ACTION),
        ]
    ),
    managed=[ManagedSender("e" * 32, "u@corp.test", "p@x.test", ManagedAction.BLOCK)],
)

PIECES = st.sampled_from(
    [
        *(
            "The Boss",
            "the b0ss",
            "\u0422he \u0412\u043e\u0455\u0455",
            "The\u200b Boss",
            '"The Boss"',
            "(The Boss)",
        ),
        *("=?utf-8?q?The_Boss?=", "=?utf-8?b?VGhlIEJvc3M=?=", "=?iso-8859-1?q?=93The_Boss=94?=", "=?utf-8?q?e?="),
        *("eve@x.test", "<eve@x.test>", "e@bad.test", "<e@bad.test>", "é@bad.test", "<ok@bad.test>", "p@x.test"),
        *("<p@x.test>", "g@group.test", "a@group2.test", "a..b@bad.test", "x" * 70 + "@bad.test", "Team:", ";"),
        *(
            "(The",
            "Boss)",
            "(",
            ")",
            "<",
            ">",
            '"',
            "\\",
            ",",
            ":",
            "@",
            ".",
            " ",
            "\t",
            "\r\n ",
            "\x01",
            "\x1b[0m",
        ),
        *(
            "\x85",
            "\u202e",
            "bad.test",
            "bad\u3002test",
            "[192.0.2.1]",
            "Ann",
            "é",
            "\ufffd",
            "=?",
            "?=",
            "=?x?b?!?=",
        ),
    ]
)


@pytest.fixture(scope="module")
def ids() -> Ids:
    return Ids(bytes(KEY_OCTETS))


@given(st.one_of(st.lists(PIECES, max_size=8).map("".join), st.text(st.characters(exclude_categories=["Cs"]))))
@example("e@bad.test\x85")
@example("“e@bad.test”")
@example('"The Boss" <ok@bad.test>')
@settings(max_examples=examples(150))
def test_the_door_does_what_the_explanation_says(ids: Ids, text: str) -> None:
    """Verdict, stage and reply, for a recipient with a personal list and for one without."""
    # One field of a message: its value holds no line end but that of a fold, and no NUL, which the door refuses.
    field = (
        text.replace("\r\n ", "\ue000").translate({ord(c): None for c in "\x00\r\n"}).replace("\ue000", "\r\n ")
    )
    transaction = Transaction(parse_ip(SOURCE), new_id=lambda: "id")
    transaction.begin(parse_sender("bounces@esp.test"), NOW.timestamp())
    for recipient in RECIPIENTS:
        assert isinstance(transaction.rcpt(parse_address(recipient), POLICIES), Accepted)
    content = b"From: " + field.encode() + b"\r\nSubject: t\r\n\r\nHello.\r\n"
    plan = transaction.end_of_message(content)
    refused = {str(step.recipient): str(step.reply) for step in plan.steps if isinstance(step, Reject)}
    for recipient in RECIPIENTS:
        item = ExplainMessage("bounces@esp.test", recipient, field, SOURCE)
        told = explain_message(POLICIES, ids, "acme", item, NOW)
        assert told.verdict == ("reject" if recipient in refused else "deliver")
        assert told.smtp_reply == refused.get(recipient)
        assert told.stage == ("data" if recipient in refused else None)


@pytest.mark.parametrize(
    "text", ["a@bad.test", "eve@x.test", "a@x.test (The Boss)", "g@group.test", "a@group2.test", "p@x.test"]
)
def test_each_policy_is_met(ids: Ids, text: str) -> None:
    """A property over messages that nobody refuses would prove nothing."""
    item = ExplainMessage("bounces@esp.test", "u@corp.test", text, SOURCE)
    assert explain_message(POLICIES, ids, "acme", item, NOW).verdict == "reject"
