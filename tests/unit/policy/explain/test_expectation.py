"""Why an expected policy did not win, in a sentence: mail and web."""

from __future__ import annotations

import pytest

from mailreeve.formats.addresses import parse_address
from mailreeve.formats.authors import MAX_AUTHORS
from mailreeve.policy.decide.mail import decide_mail
from mailreeve.policy.decide.web import decide_web
from mailreeve.policy.explain.expectation import expect_policy
from mailreeve.policy.explain.web_expectation import expect_web
from mailreeve.policy.model.facts import WebFacts
from mailreeve.policy.model.policy_types import Layer, PolicyType
from mailreeve.policy.model.wording import LAYER_WORDS

BLOCKED = PolicyType.BLOCKED_SENDERS
PERMITTED = PolicyType.PERMITTED_SENDERS
MANAGED = PolicyType.MANAGED_SENDERS
ALTERATION = PolicyType.ADDRESS_ALTERATION


def told(world, policy_id, sender, recipient, type_=BLOCKED, **more):
    policies, facts = world.policies(), world.facts(sender, recipient, **more)
    found = expect_policy(policies, facts, decide_mail(policies, facts, explain=True), type_, policy_id)
    assert found is not None
    return found


class TestLosing:
    def test_to_a_narrower_target_on_the_other_side(self, world):
        loser = world.block("shop.test", "internal")
        world.exempt("everyone", "vip@corp.test")
        found = told(world, loser, "a@shop.test", "vip@corp.test")
        assert (found.applied, found.won) == (True, False)
        assert found.sentence == (
            '"block_sender shop.test to internal" applied but lost to "no_action everyone to vip@corp.test": both'
            " apply, and the latter names a narrower target on the recipient side (individual address before"
            " domain)"
        )

    def test_to_a_narrower_second_target(self, world):
        loser = world.block("shop.test", "everyone")
        world.exempt("shop.test", "internal")
        assert told(world, loser, "a@shop.test", "u@corp.test").sentence.endswith(
            "the latter's other target, on the recipient side, is narrower (internal addresses before everyone)"
        )

    def test_to_the_one_that_is_narrow_on_the_sender_side(self, world):
        loser = world.block("everyone", "u@corp.test")
        world.exempt("a@shop.test", "everyone")
        assert told(world, loser, "a@shop.test", "u@corp.test").sentence.endswith(
            "the latter's narrower target is on the sender side, which counts first"
        )

    def test_to_an_override(self, world):
        loser = world.exempt("everyone", "vip@corp.test")
        world.block("external", "internal", override=True)
        assert told(world, loser, "a@x.test", "vip@corp.test").sentence.endswith("and the latter overrides")

    @pytest.mark.parametrize(
        ("more", "reason"),
        [
            ({}, "the one created later wins"),
            ({"ips": ("192.0.2.0/24",)}, "the one with a source address condition wins"),
            ({"ends": 2e9}, "the one with dates wins"),
        ],
    )
    def test_to_one_that_is_equally_narrow(self, world, more, reason):
        loser = world.block("shop.test", "internal")
        world.exempt("shop.test", "internal", **more)
        found = told(world, loser, "a@shop.test", "u@corp.test", ip="192.0.2.1")
        assert found.sentence.endswith(f"they are equally narrow and {reason}")

    def test_with_its_targets_exchanged(self, world):
        """Matched the other way round, what the policy names as sender stands on the recipient side."""
        loser = world.block("corp.test", "x.test", bidirectional=True)
        world.exempt("everyone", "u@corp.test")
        assert "on the recipient side (individual address before domain)" in (
            told(world, loser, "a@x.test", "u@corp.test").sentence
        )


class TestNotApplying:
    def test_names_what_the_policy_wants_and_what_the_message_has(self, world):
        policy = world.block("shop.test", "internal")
        found = told(world, policy, "a@other.test", "u@corp.test")
        assert (found.applied, found.won) == (False, False)
        assert found.sentence == (
            '"block_sender shop.test to internal" did not apply: the sender does not match, it names the domain'
            " shop.test and the envelope sender is a@other.test"
        )

    def test_names_the_recipient(self, world):
        world.group("G", "v@corp.test")
        policy = world.block("shop.test", "group:G")
        assert "the recipient does not match, it names the group" in (
            told(world, policy, "a@shop.test", "u@corp.test").sentence
        )

    def test_names_the_header_where_that_is_looked_at(self, world):
        policy = world.block("shop.test", "internal", part="header_from")
        found = told(world, policy, "a@shop.test", "u@corp.test", header="Jo <jo@x.test>")
        assert found.sentence.endswith("the From header names Jo <jo@x.test>")
        both = world.block("other.test", "internal", part="both")
        found = told(world, both, "a@shop.test", "u@corp.test", header=())
        assert found.sentence.endswith("the envelope sender is a@shop.test and there is no From header")

    def test_says_that_the_other_direction_does_not_match_either(self, world):
        policy = world.block("shop.test", "u@corp.test", bidirectional=True)
        assert told(world, policy, "a@x.test", "u@corp.test").sentence.endswith("nor do they match when exchanged")

    @pytest.mark.parametrize(
        ("more", "reason"),
        [
            ({"enabled": False}, "it is disabled"),
            ({"starts": 2e9}, "it has not started yet"),
            ({"ends": 1e9}, "it has expired"),
            (
                {"ips": ("192.0.2.0/24",)},
                "the source address is outside its ranges, which do not hold 198.51.100.1",
            ),
        ],
    )
    def test_names_the_test_that_failed(self, world, more, reason):
        policy = world.block("shop.test", "internal", **more)
        found = told(world, policy, "a@shop.test", "u@corp.test", ip="198.51.100.1")
        assert found.sentence == f'"block_sender shop.test to internal" did not apply: {reason}'


class TestWinning:
    def test_and_settling_the_verdict(self, world):
        policy = world.block("shop.test", "internal")
        found = told(world, policy, "a@shop.test", "u@corp.test")
        assert (found.applied, found.won) == (True, True)
        assert found.sentence.endswith("won among blocked senders and settled the verdict")

    def test_as_an_exemption_leaves_the_verdict_to_others(self, world):
        policy = world.exempt("shop.test", "internal")
        assert told(world, policy, "a@shop.test", "u@corp.test").sentence.endswith(
            "it exempts the message, and no other layer objects"
        )
        world.personal("u@corp.test", "block", "shop.test")
        assert "it exempts the message, and then the verdict came from managed senders" in (
            told(world, policy, "a@shop.test", "u@corp.test").sentence
        )

    def test_a_permit_under_a_block(self, world):
        """Test vector 3: the permit wins its type and is not asked."""
        world.block("bad.test", "everyone")
        permit = world.permit("ok@bad.test", "everyone")
        found = told(world, permit, "ok@bad.test", "u@corp.test", PERMITTED)
        assert found.won
        assert found.sentence.endswith(
            'won among permitted senders, but the verdict came from blocked senders with "block_sender bad.test to'
            ' everyone", which counts first'
        )

    def test_an_alteration_of_a_refused_message(self, world):
        world.block("bad.test", "everyone")
        world.define("u@corp.test", "v@corp.test", set_="S")
        policy = world.alter("S")
        assert told(world, policy, "a@bad.test", "u@corp.test", ALTERATION).sentence.endswith(
            "but the message is refused by blocked senders, so nothing is altered"
        )
        assert told(world, policy, "a@ok.test", "u@corp.test", ALTERATION).sentence.endswith(
            "its set alters the message"
        )
        assert told(world, policy, "a@ok.test", "w@corp.test", ALTERATION).sentence.endswith(
            "no definition of its set names an address among these facts"
        )


class TestPersonalEntries:
    def test_an_address_beats_a_domain(self, world):
        """Test vector 6."""
        domain = world.personal("u@corp.test", "block", "x.test")
        address = world.personal("u@corp.test", "permit", "a@x.test")
        found = told(world, domain, "a@x.test", "u@corp.test", MANAGED)
        assert (found.applied, found.won) == (True, False)
        assert found.sentence == (
            "The personal block of x.test by u@corp.test applied but lost to the personal permit of a@x.test by"
            " u@corp.test: both apply, and the latter names an address, which comes before a domain"
        )
        assert told(world, address, "a@x.test", "u@corp.test", MANAGED).sentence.endswith(
            "won and settled the verdict"
        )

    def test_a_block_comes_before_a_permit(self, world):
        permit = world.personal("u@corp.test", "permit", "a@x.test")
        world.personal("u@corp.test", "block", "b@x.test")
        found = told(world, permit, "a@x.test", "u@corp.test", MANAGED, header="b@x.test")
        assert found.sentence.endswith("of two that are equally narrow a block comes first")

    def test_somebody_elses_list(self, world):
        entry = world.personal("v@corp.test", "block", "a@x.test")
        assert told(world, entry, "a@x.test", "u@corp.test", MANAGED).sentence.endswith(
            "it is in the list of v@corp.test, and this message obeys that of u@corp.test"
        )

    def test_another_sender(self, world):
        entry = world.personal("u@corp.test", "block", "a@x.test")
        assert told(world, entry, "", "u@corp.test", MANAGED).sentence.endswith(
            "the sender does not match, the envelope sender is empty"
        )

    def test_a_permit_of_an_inside_sender(self, world):
        """Test vector 36."""
        entry = world.personal("u@corp.test", "permit", "u@corp.test")
        assert told(world, entry, "u@corp.test", "u@corp.test", MANAGED).sentence.endswith(
            "nothing vouches for the sender, and a permit counts only if the message authenticates"
        )


def test_there_is_nothing_to_say_about_a_policy_that_is_gone(world):
    policies, facts = world.policies(), world.facts("a@x.test", "u@corp.test")
    for type_ in PolicyType:
        assert expect_policy(policies, facts, decide_mail(policies, facts, explain=True), type_, "77") is None


class TestWeb:
    @staticmethod
    def told(world, wanted, url, user=None):
        policies = world.policies()
        facts = WebFacts(url, 1.8e9, None if user is None else parse_address(user))
        return expect_web(policies, facts, decide_web(policies, facts, explain=True), wanted)

    def test_a_url_comes_before_a_domain(self, world):
        """Test vector 25."""
        domain = world.web("everyone", "block domain ex.test")
        url = world.web("everyone", "allow url ex.test/docs")
        assert self.told(world, domain, "https://ex.test/docs/1").sentence == (
            '"list for everyone", which holds through block domain ex.test, applied but lost to allow url'
            ' ex.test/docs of "list for everyone": both apply, and the latter names a URL, which comes before a'
            " domain"
        )
        assert self.told(world, url, "https://ex.test/docs/1").won
        assert "none of its" not in self.told(world, url, "https://ex.test/docsx").sentence
        assert self.told(world, url, "https://ex.test/docsx").sentence.endswith("the path does not match")

    def test_a_user_comes_before_everyone(self, world):
        """Test vector 26."""
        everyone = world.web("everyone", "block domain ex.test")
        world.web("pat@corp.test", "allow domain ex.test")
        found = self.told(world, everyone, "https://ex.test/", "pat@corp.test")
        assert found.sentence.endswith("the latter's list names its users more narrowly (a user before everyone)")

    def test_a_block_comes_before_an_allow(self, world):
        """Test vector 27."""
        allow = world.web("everyone", "allow domain ex.test")
        world.web("everyone", "block domain ex.test")
        assert self.told(world, allow, "https://ex.test/").sentence.endswith("a block comes before an allow")

    def test_an_entry_can_be_asked_about(self, world):
        policy = world.web("pat@corp.test", "allow domain ex.test", "block domain other.test")
        found = self.told(world, f"{policy}.0", "https://ex.test/", "kim@corp.test")
        assert (
            found.sentence
            == 'allow domain ex.test of "list for pat@corp.test" did not apply: the user does not match'
        )
        found = self.told(world, policy, "https://third.test/", "pat@corp.test")
        assert found.sentence.endswith("none of its 2 entries covers third.test")

    def test_there_is_nothing_to_say_about_a_list_that_is_gone(self, world):
        assert self.told(world, "77", "https://ex.test/") is None


def test_a_message_refused_for_its_many_authors_is_explained_too(world):
    """Every layer has its words."""
    expected = world.permit("x.test")
    authors = tuple(f"a{number}@x.test" for number in range(MAX_AUTHORS + 1))
    found = told(world, expected, "a@x.test", "u@corp.test", PERMITTED, header=authors)
    assert "the limits of a message" in found.sentence
    assert set(LAYER_WORDS) == set(Layer)
