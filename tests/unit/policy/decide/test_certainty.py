"""When a verdict is certain before the header is known: behaviour.md D-07."""

from __future__ import annotations

from mailreeve.formats.addresses import parse_address
from mailreeve.policy.model.decisions import Action, SpamChecks, Stage
from mailreeve.policy.model.policies import EXEMPTS

U = "u@corp.test"


def test_a_delivery_is_certain_if_nothing_looks_at_the_header(world):
    world.block("bad.test")
    world.permit("ok@x.test")
    early = world.at_rcpt("a@x.test", U)
    assert (early.action, early.certain, early.stage) == (Action.DELIVER, True, None)


def test_a_narrower_exemption_by_header_keeps_a_block_open(world):
    world.block("bad.test")
    world.exempt("ok@bad.test", part="header_from")
    early = world.at_rcpt("x@bad.test", U)
    assert (early.action, early.certain, early.stage) == (Action.REJECT, False, Stage.DATA)
    assert world.mail("x@bad.test", U, header="ok@bad.test").action is Action.DELIVER
    assert world.mail("x@bad.test", U).stage is Stage.DATA


def test_a_wider_exemption_by_header_does_not(world):
    world.block("bad.test")
    world.exempt("external", part="header_from")
    assert world.at_rcpt("x@bad.test", U).certain
    assert world.mail("x@bad.test", U, header="ok@bad.test").stage is Stage.RCPT


def test_nor_does_one_for_other_recipients_or_other_sources_or_other_times(world):
    world.block("bad.test")
    world.exempt("ok@bad.test", "v@corp.test", part="header_from")
    world.exempt("ok@bad.test", part="header_from", ips=("192.0.2.1",))
    world.exempt("ok@bad.test", part="header_from", ends=1.0)
    world.exempt("ok@bad.test", part="header_from", enabled=False)
    assert world.at_rcpt("x@bad.test", U, ip="198.51.100.1").certain


def test_a_narrower_block_by_header_does_not_put_off_a_wider_one(world):
    """The words would be others, the outcome would not. What was said at RCPT stays said."""
    wide = world.block("bad.test")
    world.block("name:The Boss")
    early = world.at_rcpt("x@bad.test", U)
    assert (early.certain, early.stage) == (True, Stage.RCPT)
    late = world.mail("x@bad.test", U, header='"The Boss" <x@bad.test>')
    assert (late.stage, late.reply, late.description) == (Stage.RCPT, early.reply, early.description)
    assert late.winners["blocked_senders"].id == early.winners["blocked_senders"].id
    assert wide is None or late.winners["blocked_senders"].id == getattr(wide, "id", wide)


def test_nor_does_a_policy_for_both_parts_wait_for_the_header_part(world):
    world.block("bad.test", part="both")
    early = world.at_rcpt("x@bad.test", U)
    assert (early.certain, early.stage) == (True, Stage.RCPT)


def test_blocks_that_meet_every_header_between_them_refuse_at_rcpt(world):
    """Nobody writes from neither inside nor outside; only one of them could be gone round."""
    world.block("external", part="header_from")
    assert not world.at_rcpt("x@bad.test", U).certain
    world.block("internal", part="header_from")
    early = world.at_rcpt("x@bad.test", U)
    assert (early.action, early.certain, early.stage) == (Action.REJECT, True, Stage.RCPT)
    assert world.mail("x@bad.test", U, header="y@x.test").stage is Stage.RCPT


def test_an_exemption_that_a_narrower_block_takes_back_puts_nothing_off(world):
    world.block("bad.test")
    world.exempt("ok@shop.test", part="header_from")
    world.block("shop.test", part="header_from", override=True)
    assert world.at_rcpt("x@bad.test", U).certain


def test_an_exempted_author_does_not_help_where_the_recipient_blocks_the_sender(world):
    world.block("bad.test")
    world.exempt("ok@shop.test", part="header_from")
    world.personal(U, "block", "x@bad.test")
    assert world.at_rcpt("x@bad.test", U).certain
    world.permit("v@shop.test", part="header_from")
    assert not world.at_rcpt("x@bad.test", U).certain  # two authors, one for each


def test_a_permit_by_header_keeps_a_personal_block_open_but_not_an_admins(world):
    world.permit("ok.test", part="header_from")
    world.personal(U, "block", "a@x.test")
    world.block("bad.test")
    assert not world.at_rcpt("a@x.test", U).certain
    assert world.at_rcpt("a@bad.test", U).certain


def test_a_personal_block_of_an_address_is_certain_whatever_else_is_listed(world):
    world.personal(U, "block", "a@x.test")
    world.personal(U, "permit", "b@x.test")
    world.personal(U, "block", "c@x.test")
    assert world.at_rcpt("a@x.test", U).certain
    assert world.mail("a@x.test", U, header="b@x.test").stage is Stage.RCPT


def test_a_personal_block_of_a_domain_is_certain_only_if_no_address_is_listed(world):
    world.personal(U, "block", "x.test")
    world.personal(U, "permit", "y.test")
    assert world.at_rcpt("a@x.test", U).certain
    world.personal(U, "permit", "b@y.test")
    assert not world.at_rcpt("a@x.test", U).certain
    assert world.mail("a@x.test", U, header="b@y.test").action is Action.DELIVER


def test_any_personal_entry_leaves_a_delivery_open(world):
    world.personal(U, "block", "a@x.test")
    assert not world.at_rcpt("b@x.test", U).certain
    assert world.at_rcpt("b@x.test", "v@corp.test").certain


def test_a_permit_of_an_inside_sender_stays_open_until_the_message_could_authenticate(world):
    world.judged = True
    world.personal(U, "block", "corp.test")
    world.personal(U, "permit", "v@corp.test")
    early = world.at_rcpt("v@corp.test", U)
    assert (early.action, early.certain) == (Action.REJECT, False)
    assert world.mail("v@corp.test", U, authenticated=True).action is Action.DELIVER
    assert world.mail("v@corp.test", U, authenticated=False).action is Action.REJECT


def test_nothing_vouches_for_a_header_that_is_not_known(world):
    world.personal(U, "permit", "v@corp.test")
    world.judged = True
    early = world.at_rcpt("v@corp.test", U)
    assert (early.spam_checks, early.certain) == (SpamChecks.RUN, False)


def test_an_alteration_policy_by_header_leaves_the_recipient_and_the_personal_list_open(world):
    world.define("u@corp.test", "v@corp.test", set_="S")
    world.alter("S", "ok.test", part="header_from")
    world.personal(U, "block", "a@x.test")
    assert not world.at_rcpt("a@x.test", U).certain
    final = world.mail("a@x.test", U, header="b@ok.test")
    assert (final.action, final.recipient) == (Action.DELIVER, "v@corp.test")
    # Who is refused by an admin's block is refused wherever the mail would go.
    world.block("bad.test")
    assert world.at_rcpt("a@bad.test", U).certain


def test_an_alteration_policy_by_header_that_changes_no_recipient_leaves_nothing_open(world):
    world.define("u@corp.test", "v@corp.test", set_="S", field="reply_to")
    world.alter("S", "ok.test", part="header_from")
    world.personal(U, "block", "a@x.test")
    assert world.at_rcpt("a@x.test", U).certain


def test_a_header_that_turns_the_winning_exemption_round_leaves_the_next_policy_a_chance(world):
    """Found is_reversed, the exemption has a higher place than it has as written, by the header."""
    world.group("G", "a@x.test", U)
    world.block("group:G", "internal")
    world.exempt("internal", "group:G", part="both", bidirectional=True)
    early = world.at_rcpt("a@x.test", U)
    assert (early.action, early.certain) == (Action.DELIVER, False)
    assert world.mail("a@x.test", U, header="b@corp.test").action is Action.REJECT


def test_a_block_that_only_outranks_reversed_is_seen_coming(world):
    world.block("everyone", "a@x.test", part="header_from", bidirectional=True)
    world.exempt("everyone", U)
    early = world.at_rcpt("b@y.test", U)
    assert (early.action, early.certain) == (Action.DELIVER, False)
    assert world.mail("b@y.test", U, header="a@x.test").action is Action.REJECT


def test_relay_and_recipient_checks_never_wait_for_the_header(world):
    world.known_only.add("corp.test")
    world.exempt("ok.test", part="header_from")
    relay = world.at_rcpt("a@x.test", "b@y.test", ip="192.0.2.1")
    unknown = world.at_rcpt("a@x.test", U, ip="192.0.2.1")
    assert [(one.certain, one.stage) for one in (relay, unknown)] == [(True, Stage.RCPT)] * 2


def test_a_search_for_an_exemption_passes_over_the_blocks(world):
    for number in range(50):
        world.block(f"s{number}@x.test", part="header_from")
    world.exempt("ok@x.test", part="header_from")
    policies = world.policies()
    index = policies.blocked
    recipient = policies.identities.keys(parse_address(U))
    rows = index.header_readers(recipient, lambda effect: effect == EXEMPTS)
    assert [(effect, len(row)) for effect, row in rows] == [(EXEMPTS, 1)]
    assert sum(len(row) for _, row in index.header_readers(recipient)) == 51
