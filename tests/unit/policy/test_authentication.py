"""Permits that wait for authentication, and mail that claims to be from inside (behaviour.md 4.4, D-49)."""

from __future__ import annotations

import pytest

from mailreeve.policy.model.authentication import Authentication, PermitNeeds
from mailreeve.policy.model.decisions import Action, SpamChecks, Stage
from mailreeve.policy.model.policy_types import Layer, PolicyType
from mailreeve.policy.model.trace import Unmet

U = "u@corp.test"
FRIEND = "ann@shop.test"
NOTHING = Authentication()
of = Authentication.from_results
SPF_SHOP = of(spf="pass", spf_domain="mail.shop.test")
SIGNED_SHOP = of(spf="fail", spf_domain="shop.test", dkim=[("pass", "shop.test")])
DMARC_SHOP = of(dmarc="pass", dmarc_domain="shop.test")
OTHERS = of(spf="pass", spf_domain="far.test", dkim=[("pass", "far.test"), ("fail", "shop.test")])


def from_outside(world, sender, recipient=U, **more):
    return world.mail(sender, recipient, ip="192.0.2.7", **more)


def spared(decision):
    return decision.action is Action.DELIVER and decision.spam_checks is SpamChecks.SKIP


# ------------------------------------------------------------------------------------------------- permits


@pytest.fixture(params=["policy", "personal"])
def permit(request, world):
    """A permit of the friend, by whichever part."""
    if request.param == "policy":
        return lambda: world.permit(FRIEND, part="both")
    return lambda: world.personal(U, "permit", FRIEND)


@pytest.mark.parametrize(
    ("known", "by_header", "by_envelope"),
    [
        (NOTHING, False, False),
        (SPF_SHOP, True, True),
        (SIGNED_SHOP, True, False),
        (DMARC_SHOP, True, True),  # who judges it does not judge SPF
        (OTHERS, False, False),
        (of(dmarc="fail", dmarc_domain="shop.test"), False, True),
        (of(spf="softfail", spf_domain="shop.test"), False, False),
    ],
)
def test_a_permit_counts_by_what_vouches_for_the_part_that_meets_it(world, permit, known, by_header, by_envelope):
    world.judged = True
    permit()
    assert spared(from_outside(world, "x@else.test", header=FRIEND, authentication=known)) is by_header
    assert spared(from_outside(world, FRIEND, header="x@else.test", authentication=known)) is by_envelope


@pytest.mark.parametrize(
    ("needs", "judged", "expected"),
    [
        ("always", False, False),
        ("when_known", False, True),
        ("never", False, True),
        ("always", True, False),
        ("when_known", True, False),
        ("never", True, True),
    ],
)
def test_where_nothing_is_known_the_setting_decides(world, permit, needs, judged, expected):
    world.permit_needs, world.judged = PermitNeeds(needs), judged
    permit()
    assert spared(from_outside(world, FRIEND)) is expected


@pytest.mark.parametrize("needs", PermitNeeds)
def test_a_permit_of_an_inside_sender_always_needs_authentication_from_outside(world, permit, needs):
    """Vector 36, for both kinds of permit and whatever the setting."""
    world.permit_needs = needs
    world.permit("boss@corp.test", part="both")
    world.personal(U, "permit", "boss@corp.test")
    forged = of(spf="fail", spf_domain="corp.test", dkim=[("fail", "corp.test")])
    for known in (None, NOTHING, forged):
        world.judged = known is not None
        assert not spared(from_outside(world, "boss@corp.test", authentication=known))
    world.judged = True
    assert spared(from_outside(world, "boss@corp.test", authentication=of(dkim=[("pass", "corp.test")])))


def test_the_account_s_own_servers_say_who_its_people_are(world):
    world.permit("boss@corp.test")
    assert spared(world.mail("boss@corp.test", U, ip="127.0.0.1"))


def test_one_author_of_two_is_not_enough(world):
    world.judged = True
    world.permit(FRIEND, part="header_from")
    header = (FRIEND, "eve@evil.test")
    assert not spared(from_outside(world, "eve@evil.test", header=header, authentication=SIGNED_SHOP))
    both = of(dkim=[("pass", "shop.test"), ("pass", "evil.test")])
    assert spared(from_outside(world, "eve@evil.test", header=header, authentication=both))


def test_a_permit_of_a_network_or_of_everybody_names_nobody_to_forge(world):
    world.judged = True
    world.permit(FRIEND, ips=("192.0.2.0/24",))
    world.permit("everyone", "v@corp.test")
    assert spared(from_outside(world, FRIEND, authentication=NOTHING))
    assert spared(from_outside(world, "x@far.test", "v@corp.test", authentication=NOTHING))
    assert not spared(from_outside(world, "x@corp.test", "v@corp.test", authentication=NOTHING))


def test_the_explanation_names_the_permit_that_did_not_count(world):
    world.judged = True
    world.permit(FRIEND, part="both")
    world.personal(U, "permit", FRIEND)
    decision = from_outside(world, FRIEND, authentication=OTHERS, explain=True)
    assert {one.type: one.failed for one in decision.candidates} == {
        PolicyType.PERMITTED_SENDERS: Unmet.UNAUTHENTICATED,
        PolicyType.MANAGED_SENDERS: Unmet.UNAUTHENTICATED,
    }


def test_a_block_waits_at_rcpt_for_a_permit_that_may_come_to_count(world):
    """D-07: SPF may vouch for the sender, and then the permit beats the personal block."""
    world.judged = True
    world.permit(FRIEND)
    world.personal(U, "block", FRIEND)
    early = world.at_rcpt(FRIEND, U, ip="192.0.2.7")
    assert (early.action, early.certain) == (Action.REJECT, False)
    assert from_outside(world, FRIEND, authentication=SPF_SHOP).action is Action.DELIVER
    late = from_outside(world, FRIEND, authentication=OTHERS)
    assert (late.action, late.stage) == (Action.REJECT, Stage.DATA)


def test_a_block_that_no_permit_could_beat_is_certain_at_rcpt(world):
    world.judged = True
    world.personal(U, "block", FRIEND)
    world.against_spoofing("hold")
    early = world.at_rcpt(FRIEND, U, ip="192.0.2.7")
    assert (early.action, early.certain) == (Action.REJECT, True)


# -------------------------------------------------------------------------------------------- anti-spoofing

FORGED = of(spf="fail", spf_domain="corp.test", dmarc="fail", dmarc_domain="corp.test")


@pytest.mark.parametrize(
    ("option", "action", "layer"),
    [
        ("none", Action.DELIVER, Layer.DEFAULT),
        ("tag", Action.DELIVER, Layer.ANTI_SPOOFING),
        ("hold", Action.HOLD, Layer.ANTI_SPOOFING),
        ("reject", Action.REJECT, Layer.ANTI_SPOOFING),
    ],
)
def test_what_claims_to_be_from_inside_fares_as_the_policy_says(world, option, action, layer):
    world.judged = True
    world.against_spoofing(option)
    for sender, header in (("boss@corp.test", "x@far.test"), ("x@far.test", "boss@corp.test")):
        decision = from_outside(world, sender, header=header, authentication=FORGED)
        assert (decision.action, decision.layer) == (action, layer)
        if action is Action.REJECT:
            assert str(decision.reply) == "550 5.7.1 Anti-Spoofing policy - Inbound not allowed"
            assert decision.stage is Stage.DATA


@pytest.mark.parametrize(
    ("sender", "more"),
    [
        ("boss@corp.test", {"authentication": None, "ip": "192.0.2.7"}),  # nobody is asked
        ("boss@corp.test", {"authentication": FORGED, "ip": "127.0.0.1"}),  # our own server
        ("boss@corp.test", {"authentication": of(dkim=[("pass", "news.corp.test")]), "ip": "192.0.2.7"}),
        ("boss@corp.test", {"authentication": of(spf="pass", spf_domain="corp.test"), "ip": "192.0.2.7"}),
        ("x@far.test", {"authentication": FORGED, "ip": "192.0.2.7"}),  # claims nothing
        ("", {"authentication": NOTHING, "ip": "192.0.2.7", "header": ()}),
    ],
)
def test_what_is_not_known_to_be_forged_is_let_be(world, sender, more):
    world.judged = True
    world.against_spoofing("reject", "everyone")
    assert world.mail(sender, U, **more).action is Action.DELIVER


def test_a_permit_does_not_let_it_past_and_a_refusal_stays_one(world):
    world.judged = True
    world.against_spoofing("hold")
    world.permit("everyone", ips=("192.0.2.0/24",))
    held = from_outside(world, "boss@corp.test", authentication=FORGED)
    assert (held.action, held.spam_checks) == (Action.HOLD, SpamChecks.RUN)
    world.block("boss@corp.test")
    refused = from_outside(world, "boss@corp.test", authentication=FORGED)
    assert (refused.layer, refused.stage) == (Layer.BLOCKED_SENDERS, Stage.RCPT)


def test_the_narrowest_policy_counts(world):
    world.judged = True
    world.against_spoofing("reject")
    world.against_spoofing("none", "news@corp.test")
    assert from_outside(world, "boss@corp.test", authentication=FORGED).action is Action.REJECT
    assert from_outside(world, "news@corp.test", authentication=FORGED).action is Action.DELIVER


def test_a_bypass_lets_past_where_its_conditions_hold(world):
    world.judged = True
    world.against_spoofing("reject")
    world.let_past("news@corp.test", spf=("mailer.test",))
    by_mailer = of(spf="pass", spf_domain="mailer.test")
    for known, action in (
        (by_mailer, Action.DELIVER),
        (of(spf="fail", spf_domain="mailer.test"), Action.REJECT),
        (of(spf="pass", spf_domain="far.test"), Action.REJECT),
    ):
        told = from_outside(
            world, "bounce@mailer.test", header="news@corp.test", authentication=known, explain=True
        )
        assert told.action is action
        [candidate] = [one for one in told.candidates if one.type is PolicyType.ANTI_SPOOFING_BYPASS]
        assert candidate.failed is (None if action is Action.DELIVER else Unmet.SPF_DOMAIN)
    assert (
        from_outside(world, "bounce@mailer.test", header="boss@corp.test", authentication=by_mailer).action
        is Action.REJECT
    )


def test_a_bypass_that_is_switched_off_excepts_from_a_wider_one(world):
    world.judged = True
    world.against_spoofing("reject")
    world.let_past()
    world.let_past("boss@corp.test", on=False)
    assert from_outside(world, "ann@corp.test", authentication=FORGED).action is Action.DELIVER
    assert from_outside(world, "boss@corp.test", authentication=FORGED).action is Action.REJECT


def test_at_rcpt_nothing_is_spoofed_yet_and_a_delivery_is_not_certain(world):
    world.judged = True
    world.against_spoofing("reject")
    early = world.at_rcpt("boss@corp.test", U, ip="192.0.2.7")
    assert (early.action, early.certain) == (Action.DELIVER, False)
    assert world.at_rcpt("boss@corp.test", U, ip="127.0.0.1").certain
