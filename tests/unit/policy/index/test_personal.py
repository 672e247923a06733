"""Personal lists: behaviour.md section 4, D-18, D-46."""

from __future__ import annotations

import pytest

from mailreeve.policy.model.decisions import Action, SpamChecks
from mailreeve.policy.model.policy_types import Layer

U, V = "u@corp.test", "v@corp.test"
USER_ENTRY = "550 5.7.1 Envelope blocked - User Entry"
DOMAIN_ENTRY = "550 5.7.1 Envelope blocked - User Domain Entry"
HEADER_ENTRY = "550 5.7.1 Rejected by header-based manually Blocked Senders - block for manual block"


def outcome(decision):
    if decision.action is Action.REJECT:
        return str(decision.reply)
    return "permitted" if decision.spam_checks is SpamChecks.SKIP else "delivered"


@pytest.mark.parametrize(
    ("entries", "envelope", "header", "expected"),
    [
        (["block a@x.test"], "a@x.test", "a@x.test", USER_ENTRY),
        (["block x.test"], "a@x.test", "a@x.test", DOMAIN_ENTRY),
        (["block a@x.test"], "z@z.test", "a@x.test", HEADER_ENTRY),
        (["block x.test"], "z@z.test", "a@x.test", HEADER_ENTRY),
        (["block x.test"], "a@sub.x.test", "a@sub.x.test", "delivered"),
        (["block a@x.test"], "a+tag@x.test", "a+tag@x.test", "delivered"),
        (["block a@x.test"], "A@X.test", "A@X.test", USER_ENTRY),
        (["permit x.test"], "a@x.test", "z@z.test", "permitted"),
        (["permit x.test"], "z@z.test", "a@x.test", "permitted"),
        # An address beats a domain, wherever each is met.
        (["permit x.test", "block a@x.test"], "a@x.test", "a@x.test", USER_ENTRY),
        (["block x.test", "permit a@y.test"], "b@x.test", "a@y.test", "permitted"),
        (["permit x.test", "block a@y.test"], "b@x.test", "a@y.test", HEADER_ENTRY),
        # Equally narrow: the block wins, wherever it is met.
        (["block a@x.test", "permit a@y.test"], "a@x.test", "a@y.test", USER_ENTRY),
        (["permit a@x.test", "block a@y.test"], "a@x.test", "a@y.test", HEADER_ENTRY),
        (["permit x.test", "block y.test"], "a@x.test", "a@y.test", HEADER_ENTRY),
        # Two equal blocks: the envelope's text.
        (["block a@x.test", "block a@y.test"], "a@x.test", "a@y.test", USER_ENTRY),
    ],
)
def test_which_entry_decides(world, entries, envelope, header, expected):
    for entry in entries:
        world.personal(U, *entry.split())
    assert outcome(world.mail(envelope, U, header=header)) == expected


def test_the_list_is_the_recipients_alone(world):
    world.personal(V, "block", "a@x.test")
    assert outcome(world.mail("a@x.test", U)) == "delivered"


def test_the_null_sender_is_met_by_its_header_only(world):
    world.personal(U, "block", "a@x.test")
    assert outcome(world.mail("", U)) == "delivered"
    assert outcome(world.mail("", U, header="a@x.test")) == HEADER_ENTRY


@pytest.mark.parametrize("recipient", [U, "u+news@corp.test", "alias@corp.test", "alias+x@corp.test"])
def test_aliases_and_tags_lead_to_the_users_list(world, recipient):
    world.user(U, "alias@corp.test")
    world.personal(U, "block", "a@x.test")
    assert outcome(world.mail("a@x.test", recipient)) == USER_ENTRY


def test_an_address_whose_own_name_has_a_plus_is_not_cut(world):
    world.user(U)
    world.user("u+team@corp.test")
    world.personal(U, "block", "a@x.test")
    assert outcome(world.mail("a@x.test", "u+team@corp.test")) == "delivered"


def test_an_address_that_is_no_user_has_a_list_of_its_own(world):
    world.personal("shared@corp.test", "block", "a@x.test")
    assert outcome(world.mail("a@x.test", "shared+tag@corp.test")) == USER_ENTRY


def test_the_effective_recipients_list_counts(world):
    """D-46: the reader decides what to read."""
    world.define(U, V)
    world.personal(U, "block", "a@x.test")
    world.personal(V, "permit", "a@x.test")
    decision = world.mail("a@x.test", U)
    assert (outcome(decision), decision.recipient) == ("permitted", V)


@pytest.mark.parametrize("sender", [U, "boss@corp.test", "corp.test"])
@pytest.mark.parametrize(("authenticated", "expected"), [(True, "permitted"), (False, "delivered")])
def test_a_permit_of_an_inside_sender_needs_authentication(world, sender, authenticated, expected):
    """Behaviour.md section 4.4: a user who permits their own address must not receive every spoof."""
    world.personal(U, "permit", sender)
    address = sender if "@" in sender else f"any@{sender}"
    assert outcome(world.mail(address, U, authenticated=authenticated)) == expected
    assert outcome(world.mail("z@z.test", U, header=address, authenticated=authenticated)) == expected


def test_a_recipient_outside_who_permits_itself_needs_authentication_as_well(world):
    world.personal("u@y.test", "permit", "u@y.test")
    assert outcome(world.mail("u@y.test", "u@y.test", authenticated=False)) == "delivered"
    assert outcome(world.mail("u@y.test", "u@y.test", authenticated=True)) == "permitted"


def test_an_ignored_permit_leaves_the_word_to_wider_entries(world):
    world.personal(U, "permit", "boss@corp.test")
    world.personal(U, "block", "corp.test")
    assert outcome(world.mail("boss@corp.test", U, authenticated=False)) == DOMAIN_ENTRY
    assert outcome(world.mail("boss@corp.test", U, authenticated=True)) == "permitted"


def test_a_block_of_an_inside_sender_needs_nothing(world):
    world.personal(U, "block", "boss@corp.test")
    assert outcome(world.mail("boss@corp.test", U, authenticated=True)) == USER_ENTRY


def test_the_layer_is_managed_senders(world):
    world.personal(U, "permit", "a@x.test")
    assert world.mail("a@x.test", U).layer is Layer.MANAGED_SENDERS
