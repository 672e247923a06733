"""The test vectors of behaviour.md section 15 that concern the engine, by number."""

from __future__ import annotations

import pytest

from mailreeve.policy.decide.web import WebEntryError, canonical_entry
from mailreeve.policy.explain.words import unmet_words
from mailreeve.policy.model.decisions import Action, Decision, SpamChecks, Stage, WebVerdict
from mailreeve.policy.model.policies import FromPart, WebEntryType
from mailreeve.policy.model.policy_types import Layer, PolicyType

U, V, VIP = "u@corp.test", "v@corp.test", "vip@corp.test"

ADMIN_ENVELOPE = "550 5.7.1 Envelope rejected - block policy for envelope from address"
ADMIN_HEADER = "550 5.7.1 Rejected by header-based Blocked Senders - block policy for header from"
USER_ENTRY = "550 5.7.1 Envelope blocked - User Entry"
USER_DOMAIN_ENTRY = "550 5.7.1 Envelope blocked - User Domain Entry"
USER_HEADER = "550 5.7.1 Rejected by header-based manually Blocked Senders - block for manual block"


def refused(decision: Decision, reply: str, stage: Stage) -> bool:
    return (decision.action, str(decision.reply), decision.stage) == (Action.REJECT, reply, stage)


def delivered(decision: Decision, spam_checks: SpamChecks = SpamChecks.RUN) -> bool:
    outcome = (decision.action, decision.reply, decision.stage, decision.spam_checks)
    return outcome == (Action.DELIVER, None, None, spam_checks)


def test_vector_1_blocked_domain_is_refused_at_rcpt(world):
    world.block("bad.test")
    assert refused(world.mail("x@bad.test", U), ADMIN_ENVELOPE, Stage.RCPT)
    assert world.at_rcpt("x@bad.test", U).certain


def test_vector_2_exempted_address_is_checked_for_spam(world):
    world.block("bad.test")
    exemption = world.exempt("ok@bad.test")
    decision = world.mail("ok@bad.test", U)
    assert delivered(decision, SpamChecks.RUN)
    assert decision.winners[PolicyType.BLOCKED_SENDERS].id == exemption
    assert decision.layer is Layer.DEFAULT


def test_vector_3_block_beats_permitted_policy(world):
    world.block("bad.test")
    world.permit("ok@bad.test")
    assert refused(world.mail("ok@bad.test", U), ADMIN_ENVELOPE, Stage.RCPT)


def test_vector_4_block_beats_personal_permit(world):
    world.block("bad.test")
    world.personal(U, "permit", "ok@bad.test")
    assert refused(world.mail("ok@bad.test", U), ADMIN_ENVELOPE, Stage.RCPT)


def test_vector_5_permitted_policy_beats_personal_block(world):
    world.permit("p@x.test")
    world.personal(U, "block", "p@x.test")
    decision = world.mail("p@x.test", U)
    assert delivered(decision, SpamChecks.SKIP)
    assert decision.layer is Layer.PERMITTED_SENDERS


def test_vector_6_personal_permit_of_an_address_beats_block_of_its_domain(world):
    world.personal(U, "block", "x.test")
    world.personal(U, "permit", "a@x.test")
    assert delivered(world.mail("a@x.test", U), SpamChecks.SKIP)
    # Not before the end of data: the header could still name the permitted address.
    assert refused(world.mail("b@x.test", U), USER_DOMAIN_ENTRY, Stage.DATA)


def test_vector_7_personal_block_concerns_one_recipient_and_is_given_at_rcpt(world):
    world.personal(U, "block", "a@x.test")
    assert refused(world.at_rcpt("a@x.test", U), USER_ENTRY, Stage.RCPT)
    assert world.at_rcpt("a@x.test", U).certain
    assert delivered(world.mail("a@x.test", V))


def test_vectors_8_and_9_personal_block_met_in_the_header_is_given_at_data_to_one_recipient(world):
    world.personal(U, "block", "a@x.test")
    assert not world.at_rcpt("other@y.test", U).certain
    assert refused(world.mail("other@y.test", U, header="a@x.test"), USER_HEADER, Stage.DATA)
    assert delivered(world.mail("other@y.test", V, header="a@x.test"))


def test_vector_10_narrowest_side_wins(world):
    world.block("external", "internal")
    world.exempt("everyone", VIP)
    assert delivered(world.mail("z@z.test", VIP))


def test_vector_11_override_beats_narrowness(world):
    world.block("external", "internal", override=True)
    world.exempt("everyone", VIP)
    assert refused(world.mail("z@z.test", VIP), ADMIN_ENVELOPE, Stage.RCPT)


def test_vector_12_of_two_overrides_the_narrower_wins(world):
    world.block("external", "internal", override=True)
    world.exempt("everyone", VIP, override=True)
    assert delivered(world.mail("z@z.test", VIP))


def test_vector_13_source_address_is_a_filter_and_no_rank(world):
    world.block(ips=("192.0.2.0/24",))
    world.exempt("z.test")
    assert delivered(world.mail("z@z.test", U, ip="192.0.2.5"))


def test_vector_14_overriding_source_address_block_is_given_with_550(world):
    world.block(ips=("192.0.2.0/24",), override=True)
    world.exempt("z.test")
    assert refused(world.mail("z@z.test", U, ip="192.0.2.5"), ADMIN_ENVELOPE, Stage.RCPT)


def test_vector_15_header_block_is_given_at_data(world):
    world.block("bad.test", part="header_from")
    assert refused(world.mail("a@ok.test", U, header="b@bad.test"), ADMIN_HEADER, Stage.DATA)


def test_vector_16_of_both_the_header_part_is_the_one_used(world):
    world.block("bad.test", part="both")
    decision = world.mail("a@bad.test", U, header="b@bad.test", explain=True)
    assert refused(decision, ADMIN_ENVELOPE, Stage.RCPT)  # it was certain by then, by the envelope
    assert [candidate.part for candidate in decision.candidates] == [FromPart.HEADER_FROM]


def test_vector_17_end_is_exclusive(world):
    world.block("bad.test", ends=1000.0)
    assert delivered(world.mail("x@bad.test", U, at=1000.0))
    assert refused(world.mail("x@bad.test", U, at=999.999), ADMIN_ENVELOPE, Stage.RCPT)


def test_vector_18_bidirectional_block_refuses_outbound_mail(world):
    world.block("a@x.test", U, bidirectional=True)
    decision = world.mail(U, "a@x.test", ip="127.0.0.1", explain=True)
    assert refused(decision, ADMIN_ENVELOPE, Stage.RCPT)
    assert decision.candidates[0].is_reversed


def test_vector_19_a_group_matches_domains_exactly(world):
    world.group("G-partners", "partner.test", "ann@other.test")
    world.block("group:G-partners")
    assert delivered(world.mail("q@sub.partner.test", U))
    assert refused(world.mail("q@partner.test", U), ADMIN_ENVELOPE, Stage.RCPT)
    assert refused(world.mail("ann@other.test", U), ADMIN_ENVELOPE, Stage.RCPT)
    assert delivered(world.mail("bob@other.test", U))


def test_vector_21_root_definition_needs_no_policy(world):
    world.internal.add("old.corp.test")
    definition = world.define("*@old.corp.test", "*@corp.test", routing="inbound")
    decision = world.mail("a@x.test", "jo@old.corp.test")
    assert decision.recipient == "jo@corp.test"
    (alteration,) = decision.alterations
    assert (alteration.definition_id, alteration.original, alteration.new) == (
        definition,
        "jo@old.corp.test",
        "jo@corp.test",
    )


@pytest.fixture
def set_s(world):
    world.internal.add("old.corp.test")
    world.define("jo@old.corp.test", "jane@corp.test", set_="S")
    world.define("jo@*", "x@*", set_="S")
    world.define("*@old.corp.test", "*@corp.test", set_="S")
    world.alter("S")
    return world


def test_vector_22_in_a_set_the_full_address_wins(set_s):
    assert set_s.mail("a@x.test", "jo@old.corp.test").recipient == "jane@corp.test"


def test_vector_23_definitions_do_not_chain(set_s):
    set_s.define("jane@corp.test", "zoe@corp.test")
    assert set_s.mail("a@x.test", "jo@old.corp.test").recipient == "jane@corp.test"


def test_vector_24_domain_covers_subdomains(world):
    world.web("everyone", "block domain ex.test")
    assert world.browse("http://a.ex.test/").verdict is WebVerdict.BLOCK


def test_vector_25_url_beats_domain_on_segment_boundaries(world):
    world.web("everyone", "block domain ex.test")
    world.web("everyone", "allow url ex.test/docs")
    assert world.browse("ex.test/docs/1?x=2").verdict is WebVerdict.ALLOW
    assert world.browse("ex.test/docsx").verdict is WebVerdict.BLOCK


def test_vector_26_a_users_list_beats_everyones(world):
    world.web("everyone", "block domain ex.test")
    world.web("pat@corp.test", "allow domain ex.test")
    assert world.browse("ex.test", "pat@corp.test").verdict is WebVerdict.ALLOW
    assert world.browse("ex.test", "kim@corp.test").verdict is WebVerdict.BLOCK


@pytest.mark.parametrize("first", ["allow", "block"])
def test_vector_27_of_equal_entries_the_block_wins_whichever_is_newer(world, first):
    second = {"allow": "block", "block": "allow"}[first]
    world.web("everyone", f"{first} domain ex.test")
    world.web("everyone", f"{second} domain ex.test")
    assert world.browse("ex.test").verdict is WebVerdict.BLOCK


def test_vector_28_scheme_port_and_fragment_are_stripped():
    assert canonical_entry(WebEntryType.URL, "http://ex.test:8080/p#f") == "ex.test/p"


def test_vector_29_wildcard_domain_is_refused():
    with pytest.raises(WebEntryError, match="asterisk"):
        canonical_entry(WebEntryType.DOMAIN, "*.ex.test")


def test_vector_36_permit_of_oneself_is_ignored_for_a_spoofed_message(world):
    world.personal(U, "permit", U)
    decision = world.mail(U, U, authenticated=False, explain=True)
    assert delivered(decision, SpamChecks.RUN)
    (entry,) = decision.candidates
    assert "authenticates" in unmet_words(entry.failed)
    assert delivered(world.mail(U, U, authenticated=True), SpamChecks.SKIP)
