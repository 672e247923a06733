"""Address alteration: behaviour.md section 5, D-20, D-21."""

from __future__ import annotations

import pytest

from mailreeve.formats.addresses import parse_address
from mailreeve.policy.model.policies import AddressType

OLD = "jo@old.test"


@pytest.fixture
def merger(world):
    world.internal.add("old.test")
    return world


def rewritten(world, field, address, sender="a@x.test", recipient=OLD, **more):
    found = world.rewriter(sender, recipient, **more).rewrite(AddressType(field), parse_address(address))
    return None if found is None else found.new


def test_nothing_is_altered_without_definitions(merger):
    assert rewritten(merger, "envelope_to", OLD) is None
    assert merger.mail("a@x.test", OLD).alterations == ()


@pytest.mark.parametrize(
    ("original", "new", "expected"),
    [
        (OLD, "jane@corp.test", "jane@corp.test"),
        ("*@old.test", "*@corp.test", "Jo@corp.test"),
        ("*@old.test", "info@corp.test", "info@corp.test"),
        ("jo@*", "jane@*", "jane@old.test"),
        ("jo@*", "jane@corp.test", "jane@corp.test"),
        ("*@old.test", "info@*", "info@old.test"),
        ("jo@*", "*@corp.test", "Jo@corp.test"),
        ("jim@*", "jane@*", None),
        ("*@corp.test", "*@old.test", None),
    ],
)
def test_an_asterisk_matches_any_half_and_keeps_its_half_on_the_new_side(merger, original, new, expected):
    merger.define(original, new)
    assert rewritten(merger, "envelope_to", "Jo@old.test") == expected


def test_full_address_then_local_part_then_domain(merger):
    merger.define("*@old.test", "domain@corp.test")
    assert rewritten(merger, "envelope_to", OLD) == "domain@corp.test"
    merger.define("jo@*", "local@corp.test")
    assert rewritten(merger, "envelope_to", OLD) == "local@corp.test"
    merger.define(OLD, "full@corp.test")
    assert rewritten(merger, "envelope_to", OLD) == "full@corp.test"


def test_a_local_part_anywhere_means_in_the_accounts_own_domains(merger):
    """Alteration is for an organisation's own addresses, not for rewriting strangers (section 5.2)."""
    merger.define("jo@*", "x@*", field="all")
    assert rewritten(merger, "from", "jo@corp.test") == "x@corp.test"
    assert rewritten(merger, "from", "jo@stranger.test") is None


def test_a_definition_for_the_field_wins_over_one_for_all_fields(merger):
    merger.define(OLD, "field@corp.test", field="from")
    merger.define(OLD, "all@corp.test", field="all")
    assert rewritten(merger, "from", OLD) == "field@corp.test"
    assert rewritten(merger, "reply_to", OLD) == "all@corp.test"


def test_a_definition_for_all_fields_holds_for_each(merger):
    merger.define(OLD, "new@corp.test", field="all")
    for field in AddressType:
        assert rewritten(merger, field, OLD) == "new@corp.test"


def test_a_definition_for_a_field_leaves_the_others(merger):
    merger.define(OLD, "new@corp.test", field="reply_to")
    altered = {field for field in AddressType if rewritten(merger, field, OLD)}
    assert altered == {AddressType.REPLY_TO}


def test_a_narrow_pattern_for_all_fields_wins_over_a_wide_one_for_the_field(merger):
    merger.define(OLD, "full@corp.test", field="all")
    merger.define("*@old.test", "domain@corp.test", field="from")
    assert rewritten(merger, "from", OLD) == "full@corp.test"


def test_of_equal_definitions_the_direction_then_the_newest_wins(merger):
    merger.define(OLD, "inbound@corp.test", routing="inbound")
    merger.define(OLD, "first@corp.test")
    assert rewritten(merger, "envelope_to", OLD) == "inbound@corp.test"
    merger.define(OLD, "newer@corp.test", routing="inbound")
    assert rewritten(merger, "envelope_to", OLD) == "newer@corp.test"


@pytest.mark.parametrize(
    ("sender", "recipient", "inbound", "outbound"),
    [
        ("a@x.test", OLD, True, False),
        ("u@corp.test", OLD, True, False),
        ("u@corp.test", "a@x.test", False, True),
        ("a@x.test", "b@y.test", False, False),
        ("", "a@x.test", False, False),
        ("", OLD, True, False),
    ],
)
def test_the_direction_of_a_message(merger, sender, recipient, inbound, outbound):
    for routing in ("all", "inbound", "outbound"):
        merger.define(f"{routing}@old.test", "new@corp.test", field="from", routing=routing)
    assert rewritten(merger, "from", "all@old.test", sender, recipient) == "new@corp.test"
    assert bool(rewritten(merger, "from", "inbound@old.test", sender, recipient)) is inbound
    assert bool(rewritten(merger, "from", "outbound@old.test", sender, recipient)) is outbound


def test_the_winning_policys_set_comes_before_the_root_and_no_other_set_counts(merger):
    merger.define("*@old.test", "root@corp.test")
    merger.define("jo@*", "set@corp.test", set_="S")
    merger.define("jim@*", "below@corp.test", set_="S/below")
    assert rewritten(merger, "envelope_to", OLD) == "root@corp.test"
    merger.alter("S", "x.test")
    assert rewritten(merger, "envelope_to", OLD) == "set@corp.test"
    assert rewritten(merger, "envelope_to", "jim@old.test") == "root@corp.test"
    assert rewritten(merger, "envelope_to", OLD, sender="a@y.test") == "root@corp.test"


def test_one_policy_wins_and_its_set_alone_is_used(merger):
    merger.define(OLD, "wide@corp.test", set_="Wide")
    merger.alter("Wide")
    narrow = merger.alter("Empty", "x.test")
    assert rewritten(merger, "envelope_to", OLD) is None
    assert merger.rewriter("a@x.test", OLD).policy.id == narrow
    assert merger.rewriter("a@y.test", OLD).policy.set_id == "Wide"


def test_results_are_not_altered_again(merger):
    merger.define(OLD, "jane@corp.test")
    merger.define("jane@corp.test", OLD)
    assert merger.mail("a@x.test", OLD).recipient == "jane@corp.test"


def test_a_definition_to_itself_leaves_an_address_out_of_wider_ones(merger):
    merger.define("*@old.test", "*@corp.test")
    merger.define(OLD, OLD)
    assert rewritten(merger, "envelope_to", OLD) is None
    assert rewritten(merger, "envelope_to", "jim@old.test") == "jim@corp.test"


def test_the_policy_is_chosen_by_original_addresses(merger):
    """D-20, and so are blocked and permitted senders."""
    merger.define(OLD, "jane@corp.test")
    merger.block("everyone", "jane@corp.test")
    merger.permit("everyone", OLD)
    decision = merger.mail("a@x.test", OLD)
    assert decision.layer == "permitted_senders"
    assert decision.recipient == "jane@corp.test"


def test_a_decision_names_the_alterations_of_the_addresses_it_knows(merger):
    merger.define("*@old.test", "*@corp.test", field="all")
    decision = merger.mail("me@old.test", OLD, header=("me@old.test", "you@old.test"))
    assert [(one.field.value, one.original, one.new) for one in decision.alterations] == [
        ("envelope_from", "me@old.test", "me@corp.test"),
        ("envelope_to", OLD, "jo@corp.test"),
        ("from", "me@old.test", "me@corp.test"),
        ("from", "you@old.test", "you@corp.test"),
    ]
    early = merger.at_rcpt("me@old.test", OLD)
    assert [one.field.value for one in early.alterations] == ["envelope_from", "envelope_to"]
    bounce = merger.at_rcpt("", OLD)
    assert [one.field.value for one in bounce.alterations] == ["envelope_to"]


def test_the_choice_of_a_set_by_header_is_not_certain_before_it_is_known(merger):
    merger.define(OLD, "jane@corp.test", set_="S")
    merger.alter("S", "x.test", part="header_from")
    assert not merger.rewriter("a@x.test", OLD, header=None).certain
    assert merger.rewriter("a@x.test", OLD).certain
    assert merger.rewriter("a@x.test", OLD).recipient(parse_address(OLD)).key == "jane@corp.test"
