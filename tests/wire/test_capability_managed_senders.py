"""Personal lists, from a signed call to the very next message (behaviour.md sections 3.3, 4 and 15)."""

from __future__ import annotations

import re

import pytest

from mailreeve.client import ApiError, Target

DELIVERED = "delivered, spam checks run"
SPARED = "delivered, spam checks skip"
# The texts of behaviour.md section 3.4, with the enhanced code of D-17.
BY_POLICY = "550 5.7.1 Envelope rejected - block policy for envelope from address at rcpt"
BY_ENTRY = "550 5.7.1 Envelope blocked - User Entry at rcpt"
BY_DOMAIN_ENTRY = "550 5.7.1 Envelope blocked - User Domain Entry at rcpt"
BY_HEADER = "550 5.7.1 Rejected by header-based manually Blocked Senders - block for manual block at data"

PATH = "managedsender/permit-or-block-sender"


def at_data(text: str) -> str:
    """The refusal, given at the end of data: another entry could still have turned it, had the header said so."""
    return text.replace(" at rcpt", " at data")


def refusal(gate, **item: str) -> tuple[str, str | None]:
    with pytest.raises(ApiError) as refused:
        gate.client.call(PATH, item)
    return refused.value.code, refused.value.field


# ---------------------------------------------------------------------------------------------------- the main job


def test_entry_holds_for_the_very_next_message_and_changes_with_the_next_call(gate):
    """There is no call that deletes an entry (behaviour.md section 4.3): permit and block move it."""
    u = gate.recipient()
    assert gate.judge("a@x.test", u) == DELIVERED
    blocked = gate.client.block_sender("a@x.test", u)
    assert (blocked.sender, blocked.to, blocked.type) == ("a@x.test", u, "Block")
    said = gate.send("a@x.test", u).refused[u]
    assert f"{said} at rcpt" == BY_ENTRY
    assert re.fullmatch("[a-z2-7]{16}", said.decision_id)
    (outcome,) = gate.outcomes(said.decision_id)
    assert (outcome["layer"], outcome["stage"]) == ("managed_senders", "rcpt")
    permitted = gate.client.permit_sender("a@x.test", u)
    assert (permitted.id, permitted.type) == (blocked.id, "Permit")
    assert gate.judge("a@x.test", u) == SPARED
    assert gate.client.permit_sender("a@x.test", u).id == blocked.id
    assert gate.judge("b@x.test", u) == DELIVERED


def test_endpoint_command_and_door_agree(gate):
    u = gate.recipient()
    gate.client.block_sender("x.test", u)
    gate.client.permit_sender("a@x.test", u)
    for sender, header_from, expected in (
        ("a@x.test", None, SPARED),
        ("b@x.test", None, at_data(BY_DOMAIN_ENTRY)),
        ("c@y.test", "C <b@x.test>", BY_HEADER),
        ("c@y.test", None, DELIVERED),
    ):
        assert gate.judge(sender, u, header_from) == expected
    told = gate.explain("c@y.test", u, "C <b@x.test>")
    assert told["layer"] == "managed_senders"
    assert told["winners"]["managed_senders"]["description"]
    assert gate.explain_by_command("c@y.test", u, "C <b@x.test>") == told


def test_strangers_forged_marks_are_gone_and_ours_is_there_once(gate):
    """Whatever case they are written in, and whether or not the sender is permitted."""
    u = gate.recipient()
    forged = [
        "X-Mailreeve-Spam-Checks: skip",
        "x-mailreeve-SPAM-checks: skip",
        "X-Mailreeve-Decision: aaaaaaaaaaaaaaaa",
        "X-Mailreeve-Original-From: boss@corp.test",
        "X-Mailreeve-Anything: at all",
    ]
    for expected in ("run", "skip"):
        sent = gate.send("a@x.test", u, fields=forged)
        message = sent.copies[u].message
        ours = [(name.lower(), value) for name, value in message.items() if name.lower().startswith("x-mailreeve")]
        decision = ("x-mailreeve-decision", sent.answer.decision_id)
        assert ours == [("x-mailreeve-spam-checks", expected), decision]
        gate.client.permit_sender("a@x.test", u)


# --------------------------------------------------------------------------------------------------------- vectors


def test_vector_4_policy_beats_a_personal_permit(gate):
    u = gate.recipient()
    gate.client.permit_sender("ok@bad.test", u)
    assert gate.judge("ok@bad.test", u) == SPARED
    policy = gate.block(Target.domain("bad.test"))
    assert gate.judge("ok@bad.test", u) == BY_POLICY
    gate.delete(policy)
    assert gate.judge("ok@bad.test", u) == SPARED


def test_vector_5_permit_for_all_beats_a_personal_block_by_envelope_and_header(gate):
    """D-16: and spam checks are skipped."""
    u = gate.recipient()
    gate.client.block_sender("p@x.test", u)
    gate.client.block_sender("h@x.test", u)
    assert gate.judge("p@x.test", u) == BY_ENTRY
    gate.permit_for_all("p@x.test")
    assert gate.judge("p@x.test", u) == SPARED
    assert gate.judge("p@x.test", u, "H <h@x.test>") == SPARED
    assert gate.judge("h@x.test", u) == BY_ENTRY


def test_vector_6_permitted_address_beats_its_blocked_domain(gate):
    """And the other way round: the more specific entry wins (behaviour.md section 4.2)."""
    u = gate.recipient()
    gate.client.block_sender("x.test", u)
    gate.client.permit_sender("a@x.test", u)
    assert gate.judge("a@x.test", u) == SPARED
    assert gate.judge("b@x.test", u) == at_data(BY_DOMAIN_ENTRY)
    assert gate.judge("b@sub.x.test", u) == DELIVERED
    v = gate.recipient()
    gate.client.permit_sender("x.test", v)
    gate.client.block_sender("a@x.test", v)
    assert gate.judge("b@x.test", v) == SPARED
    assert gate.judge("a@x.test", v).startswith("550 5.7.1 Envelope blocked - User Entry")


def test_blocked_domain_alone_is_refused_at_rcpt(gate):
    u = gate.recipient()
    gate.client.block_sender("@x.test", u)
    assert gate.judge("b@x.test", u) == BY_DOMAIN_ENTRY


def test_vector_7_ones_block_is_not_the_others(gate):
    u, v = gate.recipient(), gate.recipient()
    gate.client.block_sender("a@x.test", u)
    sent = gate.send("a@x.test", u, v)
    assert f"{sent.refused[u]} at rcpt" == BY_ENTRY
    assert (sent.answer.code, sent.copies.keys()) == (250, {v})


def test_vectors_8_and_9_entry_met_in_the_header_is_settled_at_the_end_of_data(gate):
    """Alone the message is refused; with another recipient it is delivered to that one, and recorded."""
    u, v = gate.recipient(), gate.recipient()
    gate.client.block_sender("a@x.test", u)
    assert gate.judge("other@y.test", u, "A <a@x.test>") == BY_HEADER
    sent = gate.send("other@y.test", u, v, header_from="A <a@x.test>")
    assert (sent.refused, sent.answer.code, sent.copies.keys()) == ({}, 250, {v})
    record = gate.last_outcome(u)
    assert (record["state"], record["stage"], record["layer"]) == ("rejected", "data", "managed_senders")
    assert f"{record['reply'].rpartition(' [')[0]} at data" == BY_HEADER
    assert gate.last_outcome(v)["state"] == "delivered"


# ------------------------------------------------------------------------------------------------ whose list it is


def test_list_is_the_users_whatever_address_of_theirs_is_written_to(gate):
    """Aliases lead to the user, a `+tag` of the recipient is ignored, one of the sender is not (D-18)."""
    u = gate.recipient()
    alias = gate.recipient()
    gate.client.call("user/create-user", {"emailAddress": u})
    gate.client.call("user/update-alias", {"aliasFor": u, "alias": alias})
    gate.client.block_sender("a@x.test", alias)
    for to in (u, alias, u.replace("@", "+news@"), u.upper()):
        assert gate.judge("A@X.test", to) == BY_ENTRY, to
    assert gate.judge("a+1@x.test", u) == DELIVERED


def test_list_of_an_address_joins_that_of_the_user_who_gets_it_as_an_alias(gate):
    """It goes on holding from the very next message on, for the user's other addresses too. What the user changed
    last about a sender counts, in whichever list; and all stays with the user when the alias goes."""
    u, address = gate.recipient(), gate.recipient()
    gate.client.block_sender("a@x.test", address)
    gate.client.permit_sender("b@x.test", address)
    gate.client.permit_sender("c@x.test", u)
    gate.client.call("user/create-user", {"emailAddress": u})
    gate.client.block_sender("c@x.test", address)
    gate.client.block_sender("b@x.test", u)
    alias = {"aliasFor": u, "alias": address}
    assert gate.judge("a@x.test", u) == DELIVERED
    gate.client.call("user/update-alias", alias)
    for sender in ("a@x.test", "b@x.test", "c@x.test"):
        for to in (address, address.replace("@", "+news@"), u):
            assert gate.judge(sender, to) == BY_ENTRY, (sender, to)
    gate.client.call("user/remove-alias", alias)
    assert gate.judge("a@x.test", u) == BY_ENTRY
    assert gate.judge("a@x.test", address) == DELIVERED


def test_list_is_that_of_the_reader_after_alteration(gate):
    """D-46: who gets the message decides, not whom it was written to."""
    u, reader = gate.recipient(), gate.recipient()
    alteration = gate.client.address_alteration
    gate.client.block_sender("a@x.test", u)
    gate.client.block_sender("b@x.test", reader)
    item = {"originalAddress": u, "newAddress": reader, "addressType": "envelope_to", "routing": "inbound"}
    (definition,) = alteration.create_definitions([item])
    gate.ending.callback(alteration.delete_definition, definition)
    assert gate.judge("a@x.test", u) == DELIVERED
    assert gate.judge("b@x.test", u) == BY_ENTRY


# ---------------------------------------------------------------------------------------------- refused by the API


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"to": "u@corp.test", "action": "block"}, ("err_validation_null", "sender")),
        ({"sender": "a@x.test", "action": "block"}, ("err_validation_null", "to")),
        ({"sender": "a@x.test", "to": "u@corp.test"}, ("err_validation_null", "action")),
        (
            {"sender": "a@x.test", "to": "u@corp.test", "action": "Block"},
            ("err_validation_value_not_allowed", "action"),
        ),
        (
            {"sender": "*@x.test", "to": "u@corp.test", "action": "block"},
            ("err_validation_invalid_email_address", "sender"),
        ),
        (
            {"sender": "a@x.test", "to": "u@elsewhere.test", "action": "block"},
            ("err_xdk_operation_forbidden_for_address", "to"),
        ),
    ],
)
def test_bad_item_is_refused_with_its_member_named_and_changes_nothing(gate, item, expected):
    assert refusal(gate, **item) == expected
    assert gate.judge("a@x.test", "u@corp.test") == DELIVERED


def test_one_bad_item_leaves_the_others_done(gate):
    """Each item of `data` succeeds or fails alone, and the failed one is told by its `key`."""
    u = gate.recipient()
    good = {"sender": "a@x.test", "to": u, "action": "block"}
    bad = {"sender": "nobody", "to": u, "action": "block"}
    answer = gate.client.send(PATH, good, bad, good | {"sender": "b@x.test"})
    assert [row["sender"] for row in answer.data] == ["a@x.test", "b@x.test"]
    assert [failure.item for failure in answer.failures] == [bad]
    assert [gate.judge(f"{name}@x.test", u) for name in "abc"] == [BY_ENTRY, BY_ENTRY, DELIVERED]
