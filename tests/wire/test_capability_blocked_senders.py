"""Blocked senders, from a signed call to the very next message (behaviour.md sections 2, 3 and 15).

`gate.judge` sends a real message, and holds what became of it against what the server explains. Vectors are those
of behaviour.md section 15.
"""

from __future__ import annotations

import re
import smtplib
from datetime import UTC, datetime, timedelta

import pytest

from mailreeve.client import ApiError, Conditions, Policy, Target

DELIVERED = "delivered, spam checks run"
SPARED = "delivered, spam checks skip"
# The texts of behaviour.md section 3.4, with the enhanced code of D-17.
BY_ENVELOPE = "550 5.7.1 Envelope rejected - block policy for envelope from address at rcpt"
BY_HEADER = "550 5.7.1 Rejected by header-based Blocked Senders - block policy for header from at data"
OPEN_RELAY = "451 4.7.1 Open relay not allowed at rcpt"
INVALID_RECIPIENT = "550 5.1.1 Invalid Recipient at rcpt"

BAD = Target.domain("bad.test")
EVERYONE = Target.everyone()
FROM_HERE = Conditions(source_ips=("127.0.0.0/8",))
FROM_ELSEWHERE = Conditions(source_ips=("192.0.2.0/24", "2001:db8::/32"))
U = "u@corp.test"


# ---------------------------------------------------------------------------------------------------- the main job


def test_vector_1_policy_holds_for_the_very_next_message_until_it_is_deleted(gate):
    """On one open SMTP connection: passes; policy set; refused at RCPT with text and id; deleted; passes."""
    assert gate.judge("x@bad.test", U) == DELIVERED
    policy = gate.block(BAD)
    said = gate.send("x@bad.test", U).refused[U]
    assert f"{said} at rcpt" == BY_ENVELOPE
    assert re.fullmatch("[a-z2-7]{16}", said.decision_id)
    (outcome,) = gate.outcomes(said.decision_id)
    assert (outcome["state"], outcome["stage"], outcome["layer"]) == ("rejected", "rcpt", "blocked_senders")
    assert (outcome["sender"], outcome["recipient"], outcome["description"]) == ("x@bad.test", U, "a test's")
    gate.delete(policy)
    assert gate.judge("x@bad.test", U) == DELIVERED


def test_change_of_a_policy_holds_for_the_very_next_message(gate):
    """Option, scope and `enabled`, each by one update."""
    policy = gate.block(BAD)
    update = gate.client.blocked_senders.update
    assert gate.judge("x@bad.test", U) == BY_ENVELOPE
    update(policy.id, Policy("a test's", BAD, EVERYONE), "no_action")
    assert gate.judge("x@bad.test", U) == DELIVERED
    update(policy.id, Policy("a test's", Target.domain("worse.test"), EVERYONE))
    assert [gate.judge(f"x@{d}", U) for d in ("bad.test", "worse.test")] == [DELIVERED, BY_ENVELOPE]
    update(policy.id, Policy("a test's", Target.domain("worse.test"), EVERYONE, enabled=False))
    assert gate.judge("x@worse.test", U) == DELIVERED


@pytest.mark.parametrize(
    ("sender", "header_from", "expected"),
    [
        ("x@bad.test", None, BY_ENVELOPE),
        ("x@ok.test", "X <x@worse.test>", BY_HEADER),
        ("x@ok.test", None, DELIVERED),
    ],
)
def test_endpoint_command_and_door_agree(gate, sender, header_from, expected):
    """`judge` compares the endpoint and the door; the command says the same to the last word of its trace."""
    gate.block(BAD, override=True)  # so that no header can turn it
    gate.block(Target.domain("worse.test"), from_part="header_from")
    assert gate.judge(sender, U, header_from) == expected
    by_endpoint = gate.explain(sender, U, header_from)
    assert gate.explain_by_command(sender, U, header_from) == by_endpoint
    if expected != DELIVERED:
        winner = by_endpoint["winners"]["blocked_senders"]
        assert winner["description"] == "a test's"
        assert by_endpoint["layer"] == "blocked_senders"
        first = next(c for c in by_endpoint["trace"] if c["place"] == 1)
        assert (first["id"], first["failed"]) == (winner["id"], None)


# ---------------------------------------------------------------------------------------------------- who is meant


@pytest.mark.parametrize(
    ("target", "refused", "passing"),
    [
        (EVERYONE, ["x@bad.test", ""], []),
        (Target.internal(), ["v@corp.test"], ["x@bad.test", ""]),
        (Target.external(), ["x@bad.test", ""], ["v@corp.test"]),
        (Target.free_mail(), ["x@gmail.com", "x@web.de"], ["x@bad.test", "x@sub.gmail.com", ""]),
        (BAD, ["x@bad.test", "y@BAD.test"], ["x@sub.bad.test", "x@notbad.test", "bad.test@ok.test", ""]),
        (Target.address("X@bad.test"), ["x@bad.test"], ["y@bad.test", "x+tag@bad.test", ""]),
    ],
    ids=lambda value: value.type if isinstance(value, Target) else "",
)
def test_each_target_type_names_its_senders_and_no_others(gate, target, refused, passing):
    gate.block(target)
    for sender in refused:
        assert gate.judge(sender, U) == BY_ENVELOPE, sender
    for sender in passing:
        assert gate.judge(sender, U) == DELIVERED, sender


@pytest.mark.parametrize(
    ("target", "refused", "passing"),
    [
        (Target.internal(), [U], ["x@out.test"]),
        (Target.external(), ["x@out.test"], [U]),
        (Target.domain("out.test"), ["x@out.test"], ["x@sub.out.test", U]),
        (Target.address(U), [U, "U@CORP.test"], ["v@corp.test"]),
    ],
    ids=lambda value: value.type if isinstance(value, Target) else "",
)
def test_each_target_type_names_its_recipients_and_no_others(gate, target, refused, passing):
    gate.block(Target.address("boss@corp.test"), target)
    for recipient in refused:
        assert gate.judge("boss@corp.test", recipient) == BY_ENVELOPE, recipient
    for recipient in passing:
        assert gate.judge("boss@corp.test", recipient) == DELIVERED, recipient


def test_attribute_of_a_user_is_a_target(gate):
    """Set through the API, it holds for the next message; taken away, no longer (D-41: whatever the case)."""
    user = gate.recipient()
    gate.client.call("user/create-user", {"emailAddress": user})
    attribute = {"name": "Department", "value": "Sales"}
    gate.client.call("user/update-attributes", {"emailAddress": user, "attributes": [attribute]})
    gate.block(BAD, Target.attribute_value("Department", "SALES"))
    assert [gate.judge("x@bad.test", to) for to in (user, U)] == [BY_ENVELOPE, DELIVERED]
    gone = {"name": "Department", "value": ""}
    gate.client.call("user/update-attributes", {"emailAddress": user, "attributes": [gone]})
    assert gate.judge("x@bad.test", user) == DELIVERED


def test_display_name_is_a_target_whatever_the_address(gate):
    """Decoded, in any case, white space folded (D-42): known only once the header is."""
    gate.block(Target.display_name("Big Boss"))
    for header in ("Big Boss <x@ok.test>", '"BIG  boss" <x@ok.test>', "=?utf-8?B?QmlnIEJvc3M=?= <x@ok.test>"):
        assert gate.judge("x@ok.test", U, header) == BY_HEADER, header
    assert gate.judge("x@ok.test", U, "Big Bosses <x@ok.test>") == DELIVERED


def test_vector_19_group_holds_addresses_and_exact_domains(gate):
    partners = gate.group("partner.test", "ann@other.test")
    gate.block(Target.group(partners))
    senders = ["q@partner.test", "q@sub.partner.test", "ann@other.test", "bob@other.test"]
    assert [gate.judge(sender, U) for sender in senders] == [BY_ENVELOPE, DELIVERED, BY_ENVELOPE, DELIVERED]


def test_member_added_to_a_nested_group_is_blocked_from_the_next_message_on(gate):
    """Descendants count (D-03), and who leaves passes again."""
    above = gate.group()
    below = gate.group(parent=gate.group(parent=above))
    gate.block(Target.group(above))
    assert gate.judge("x@bad.test", U) == DELIVERED
    gate.join(below, "bad.test")
    assert gate.judge("x@bad.test", U) == BY_ENVELOPE
    other = gate.group()
    gate.client.call("directory/update-group", {"id": below, "parentId": other})
    assert gate.judge("x@bad.test", U) == DELIVERED


def test_accounts_own_group_of_blocked_senders_needs_no_policy(gate):
    """Every account has the group and its policy (behaviour.md section 3.2), for inbound mail."""
    (found,) = gate.client.call("directory/find-groups", {"query": "Blocked Senders"})
    gate.join(found["folders"][0]["id"], "bad.test")
    assert gate.judge("x@bad.test", U) == BY_ENVELOPE


# --------------------------------------------------------------------------------------------------- which address


def test_vector_15_header_policy_is_settled_at_the_end_of_data(gate):
    gate.block(BAD, from_part="header_from")
    assert gate.judge("x@ok.test", U, "X <x@bad.test>") == BY_HEADER
    assert gate.judge("x@bad.test", U, "X <x@ok.test>") == DELIVERED


def test_vector_16_of_both_addresses_the_header_is_the_one_used(gate):
    policy = gate.block(BAD, from_part="both")
    assert gate.judge("x@bad.test", U) == BY_ENVELOPE  # certain before the header came, whatever it will say
    (candidate,) = [c for c in gate.explain("x@bad.test", U)["trace"] if c["id"] == policy.id]
    assert candidate["part"] == "header_from"
    assert gate.judge("x@ok.test", U, "X <x@bad.test>") == BY_HEADER
    assert gate.judge("x@bad.test", U, "X <x@ok.test>") == BY_ENVELOPE


def test_every_author_of_several_counts(gate):
    gate.block(BAD, from_part="header_from")
    assert gate.judge("x@ok.test", U, "A <a@ok.test>, B <b@bad.test>") == BY_HEADER


def test_null_sender_is_external_and_nobody_in_particular(gate):
    """Bounces (D-06): met by everyone and external, never by a domain, and by a header policy if they have one."""
    gate.block(BAD, from_part="both")
    assert gate.judge("", U) == DELIVERED
    assert gate.judge("", U, "Mailer <daemon@bad.test>") == BY_HEADER
    copy = gate.send("", U).copies[U]
    assert copy.sender == ""
    policy = gate.block(Target.external(), Target.address(U))
    assert gate.judge("", U) == BY_ENVELOPE
    gate.delete(policy)
    assert gate.judge("", U) == DELIVERED


# ----------------------------------------------------------------------------------------------- which policy wins


def test_vector_2_no_action_exempts_from_the_block_and_from_nothing_else(gate):
    gate.block(BAD)
    gate.exempt(Target.address("ok@bad.test"))
    assert gate.judge("ok@bad.test", U) == DELIVERED
    assert gate.judge("x@bad.test", U) == BY_ENVELOPE


def test_vector_3_block_beats_a_permit_for_all(gate):
    gate.permit_for_all("ok@bad.test")
    assert gate.judge("ok@bad.test", U) == SPARED
    gate.block(BAD)
    assert gate.judge("ok@bad.test", U) == BY_ENVELOPE


def test_vector_10_narrowest_side_wins(gate):
    """D-10: the policy that names one recipient beats the one from a wide class to a wide class."""
    gate.block(Target.external(), Target.internal())
    gate.exempt(EVERYONE, Target.address("vip@corp.test"))
    assert gate.judge("z@z.test", "vip@corp.test") == DELIVERED
    assert gate.judge("z@z.test", U) == BY_ENVELOPE


def test_vectors_11_and_12_override_goes_first_and_of_two_the_narrower(gate):
    gate.block(Target.external(), Target.internal(), override=True)
    exemption = gate.exempt(EVERYONE, Target.address("vip@corp.test"))
    assert gate.judge("z@z.test", "vip@corp.test") == BY_ENVELOPE
    gate.delete(exemption)
    gate.exempt(EVERYONE, Target.address("vip@corp.test"), override=True)
    assert gate.judge("z@z.test", "vip@corp.test") == DELIVERED


def test_vector_13_source_address_is_a_filter_and_no_rank(gate):
    gate.block(EVERYONE, conditions=FROM_HERE)
    gate.exempt(Target.domain("z.test"))
    assert gate.judge("z@z.test", U) == DELIVERED
    assert gate.judge("y@y.test", U) == BY_ENVELOPE


def test_vector_14_overriding_source_block_beats_the_exemption(gate):
    """At RCPT, since somebody is exempted: the others are told for good."""
    gate.block(EVERYONE, conditions=FROM_HERE, override=True)
    gate.exempt(Target.domain("z.test"))
    assert gate.judge("z@z.test", U) == BY_ENVELOPE


def test_source_condition_that_is_not_met_blocks_nobody(gate):
    """`sourceIPs` of other networks; explained for an address inside them, the same message is refused."""
    gate.block(BAD, conditions=FROM_ELSEWHERE)
    assert gate.judge("x@bad.test", U) == DELIVERED
    for source in ("192.0.2.77", "2001:db8::1", "::ffff:192.0.2.77"):
        assert gate.explain("x@bad.test", U, sourceIp=source)["verdict"] == "reject", source


def test_source_blocked_for_everybody_is_refused_at_connect(gate):
    """Row 1 of behaviour.md section 1, where nothing could outrank it: 421 and no greeting. Connections that are
    open already are refused per recipient, without being cut."""
    gate.send("z@z.test", U)
    policy = gate.block(EVERYONE, conditions=FROM_HERE, override=True)
    with pytest.raises(smtplib.SMTPConnectError) as refused:
        gate.connect()
    assert refused.value.smtp_code == 421
    assert re.fullmatch(rb"4\.7\.1 Sender address blocked \[[a-z2-7]{16}\]", refused.value.smtp_error)
    told = gate.explain("z@z.test", U)
    assert (told["stage"], told["smtpReply"]) == ("connect", "421 4.7.1 Sender address blocked")
    said = gate.send("z@z.test", U).refused[U]
    assert str(said) == "451 4.7.1 Sender address blocked"
    gate.delete(policy)
    assert gate.connect().noop()[0] == 250


def test_vector_18_bidirectional_policy_holds_the_other_way_round(gate):
    gate.block(Target.address("a@x.test"), Target.address(U), bidirectional=True)
    assert gate.judge("a@x.test", U) == BY_ENVELOPE
    assert gate.judge(U, "a@x.test") == BY_ENVELOPE
    assert gate.judge("v@corp.test", "a@x.test") == DELIVERED


# ------------------------------------------------------------------------------------------------------------ when


def test_policy_that_has_ended_or_not_begun_does_nothing(gate):
    now = datetime.now(UTC)
    ended = gate.block(BAD, to_date=now - timedelta(seconds=5))
    coming = gate.block(BAD, from_date=now + timedelta(hours=1))
    assert gate.judge("x@bad.test", U) == DELIVERED
    failed = {c["id"]: c["failed"] for c in gate.explain("x@bad.test", U)["trace"]}
    assert failed[ended.id] == "it has expired"
    assert failed[coming.id] == "it has not started yet"
    gate.block(BAD, from_date=now - timedelta(hours=1), to_date=now + timedelta(hours=1))
    assert gate.judge("x@bad.test", U) == BY_ENVELOPE


def test_vector_17_start_is_inclusive_and_end_exclusive(gate):
    """D-12, to the second, asked of the explanation at given times."""
    start, end = datetime(2031, 5, 1, 12, tzinfo=UTC), datetime(2031, 5, 2, 12, tzinfo=UTC)
    gate.block(BAD, from_date=start, to_date=end)
    second = timedelta(seconds=1)
    verdicts = [
        gate.explain("x@bad.test", U, at=moment.isoformat())["verdict"]
        for moment in (start - second, start, end - second, end)
    ]
    assert verdicts == ["deliver", "reject", "reject", "deliver"]


# ---------------------------------------------------------------------------------------------- several recipients


def test_recipients_of_one_message_are_judged_one_by_one(gate):
    """One refused at RCPT, one by the header, one delivered to: 250, nobody's copy but that one's, and a record of
    each (D-13)."""
    early, late, fine = "early@corp.test", "late@corp.test", "fine@corp.test"
    gate.block(Target.domain("out.test"), Target.address(early))
    gate.block(BAD, Target.address(late), from_part="header_from")
    sent = gate.send("x@out.test", early, late, fine, header_from="X <x@bad.test>")
    assert f"{sent.refused[early]} at rcpt" == BY_ENVELOPE
    assert (sent.refused.keys(), sent.answer.code, sent.copies.keys()) == ({early}, 250, {fine})
    assert sent.copies[fine].message["X-Mailreeve-Decision"] == sent.answer.decision_id
    told = {to: gate.explain("x@out.test", to, "X <x@bad.test>")["stage"] for to in (early, late, fine)}
    assert told == {early: "rcpt", late: "data", fine: None}
    (record,) = gate.outcomes(sent.refused[early].decision_id)
    assert (record["recipient"], record["state"]) == (early, "rejected")
    (record,) = gate.outcomes(sent.answer.decision_id)
    assert (record["recipient"], record["state"]) == (fine, "delivered")
    record = gate.last_outcome(late)
    assert (record["state"], record["stage"], record["header_from"][0]["address"]["key"]) == (
        "rejected",
        "data",
        "x@bad.test",
    )


def test_message_that_every_recipient_is_refused_at_data_is_refused(gate):
    gate.block(BAD, from_part="header_from")
    sent = gate.send("x@out.test", U, "v@corp.test", header_from="X <x@bad.test>")
    assert (sent.refused, f"{sent.answer} at data", sent.copies) == ({}, BY_HEADER, {})


# ----------------------------------------------------------------------------------------------- relay, recipients


def test_mail_from_strangers_to_strangers_is_refused_even_from_a_relay_network(gate):
    """The account's own policy (D-14), which nobody can delete; the exemption group is the way around it."""
    assert gate.judge("x@out.test", "y@elsewhere.test") == OPEN_RELAY
    relay = next(
        p for p in gate.client.blocked_senders.every() if p.policy.description == "Default: no open relay"
    )
    with pytest.raises(ApiError) as refused:
        gate.client.blocked_senders.delete(relay.id)
    assert refused.value.code == "err_policy_immutable"
    (found,) = gate.client.call("directory/find-groups", {"query": "Relay exemptions"})
    gate.join(found["folders"][0]["id"], "x@out.test")
    assert gate.judge("x@out.test", "y@elsewhere.test") == DELIVERED


def test_claiming_an_internal_sender_opens_no_relay_from_outside(fresh_gate):
    """With relay networks that this machine is not in: what an address claims counts for nothing."""
    gate = fresh_gate(MAILREEVE_RELAY_NETWORKS="192.0.2.0/24")
    assert gate.judge("u@corp.test", "y@elsewhere.test") == OPEN_RELAY
    assert gate.judge("x@out.test", "y@elsewhere.test") == OPEN_RELAY
    assert gate.judge("", "y@elsewhere.test") == OPEN_RELAY
    assert gate.judge("x@out.test", U) == DELIVERED
    told = gate.explain("u@corp.test", "y@elsewhere.test")
    assert told["layer"] == "relay"
    assert gate.explain_by_command("u@corp.test", "y@elsewhere.test") == told
    assert gate.explain("u@corp.test", "y@elsewhere.test", sourceIp="192.0.2.9")["verdict"] == "deliver"


def test_unknown_recipient_of_a_domain_with_known_recipients_is_refused(gate):
    """A user or an alias made through the API is known to the next message."""
    domain = f"{gate.recipient().partition('@')[0]}.test"
    gate.client.call("domain/create-domain", {"domain": domain, "inboundType": "known"})
    ann, alias = f"ann@{domain}", f"a.lias@{domain}"
    assert gate.judge("x@out.test", ann) == INVALID_RECIPIENT
    assert gate.judge("x@out.test", f"postmaster@{domain}") == DELIVERED
    gate.client.call("user/create-user", {"emailAddress": ann})
    assert [gate.judge("x@out.test", to) for to in (ann, alias)] == [DELIVERED, INVALID_RECIPIENT]
    gate.client.call("user/update-alias", {"aliasFor": ann, "alias": alias})
    assert gate.judge("x@out.test", alias) == DELIVERED


# ---------------------------------------------------------------------------------------------- refused by the API


def test_vector_20_policy_without_targets_is_refused_and_both_are_named(gate):
    """Omission would mean everyone (behaviour.md sections 2.1 and 11)."""
    before = gate.client.call("policy/blockedsenders/get-policy")
    with pytest.raises(ApiError) as refused:
        gate.client.blocked_senders.create(Policy("blocks everything"))
    assert {(f.code, f.field) for f in refused.value.failures} == {
        ("err_validation_null", "policy.from"),
        ("err_validation_null", "policy.to"),
    }
    assert gate.client.call("policy/blockedsenders/get-policy") == before
    assert gate.judge("x@out.test", U) == DELIVERED
