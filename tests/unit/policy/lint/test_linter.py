"""What the linter finds, and what it leaves alone."""

from __future__ import annotations

from math import inf

import pytest
from policy_parts import parts

from mailreeve.formats.addresses import Domain
from mailreeve.formats.networks import parse_network
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.lint import linter as module
from mailreeve.policy.lint import rivals
from mailreeve.policy.lint.findings import NEVER_WINS, Finding, FindingKind, Level, SubjectKind
from mailreeve.policy.lint.linter import lint, size
from mailreeve.policy.model.authentication import PermitNeeds
from mailreeve.policy.model.facts import Directory
from mailreeve.policy.model.policies import BlockedOption, BlockedSenderPolicy, Scope
from mailreeve.policy.model.targets import EVERYONE, INTERNAL, Target, TargetType

NOW = 1_800_000_000.0
K = FindingKind


def found(world, *, web_proxy=False, at=NOW, groups=("G", "H", "empty")) -> list[Finding]:
    policies = world.policies()
    directory = policies.directory
    named = Directory(
        internal_domains=directory.internal_domains,
        known_only=directory.known_only,
        users=directory.users,
        groups=directory.groups,
        parents=directory.parents,
        group_names={name: name for name in groups},
        free_mail=directory.free_mail or frozenset({Domain("free.test")}),
    )
    return list(lint(policies.changed(revision=8, directory=named), at, web_proxy=web_proxy))


def only(world, kind, **more) -> Finding:
    (one,) = [finding for finding in found(world, **more) if finding.kind is kind]
    return one


def kinds(world, **more) -> list[FindingKind]:
    return [finding.kind for finding in found(world, **more)]


def ids(finding: Finding) -> list[str]:
    return [subject.id for subject in finding.subjects]


def test_policies_that_each_have_their_say_are_left_alone(world):
    """The usual account: a wide block, narrower exemptions, permits, personal entries, an alteration, a web
    list."""
    world.group("G", "partner.test")
    world.relay_guard()
    world.block("free mail", "internal")
    world.exempt("good.test", "internal")
    world.block("spam@good.test", "internal")
    world.block("bad.test", "internal", ips=("192.0.2.0/24",), ends=NOW + 60)
    world.permit("group:G", "internal")
    world.personal("u@corp.test", "permit", "a@good.test")
    world.personal("u@corp.test", "block", "b@good.test")
    world.define("old@corp.test", "new@corp.test", set_="S")
    world.alter("S")
    world.web("everyone", "block domain ex.test", "allow domain docs.ex.test")
    world.web("pat@corp.test", "allow domain ex.test")
    assert kinds(world) == []


class TestShadowed:
    def test_by_a_newer_twin(self, world):
        old = world.block("bad.test", "internal")
        new = world.exempt("bad.test", "internal")
        finding = only(world, K.SHADOWED)
        assert ids(finding) == [old, new]
        assert finding.level is Level.WARNING
        assert finding.why == (
            '"block_sender bad.test to internal" can never win: wherever it applies, so does'
            ' "no_action bad.test to internal", and they are equally narrow and the one created later wins'
        )
        assert "override" in finding.advice

    def test_by_one_that_does_the_same_it_is_harmless(self, world):
        world.block("bad.test", "internal")
        world.block("bad.test", "internal")
        finding = only(world, K.SHADOWED)
        assert finding.level is Level.NOTE
        assert finding.advice == "It changes nothing: delete it."

    def test_by_an_override(self, world):
        narrow = world.exempt("ok@bad.test", "u@corp.test")
        wide = world.block("everyone", "everyone", override=True)
        finding = only(world, K.SHADOWED)
        assert ids(finding) == [narrow, wide]
        assert "the latter overrides" in finding.why

    def test_by_a_group_that_holds_the_domain(self, world):
        """A group is narrower than a domain in the order, and may be wider in fact."""
        world.group("G", "bad.test", "other.test")
        domain = world.block("bad.test", "internal")
        group = world.exempt("group:G", "internal")
        assert ids(only(world, K.SHADOWED)) == [domain, group]

    def test_by_a_group_above(self, world):
        world.group("G", "a@bad.test", parent="H")
        below = world.block("group:G", "internal")
        above = world.exempt("group:H", "internal")
        assert ids(only(world, K.SHADOWED)) == [below, above]

    def test_by_the_only_internal_domain(self, world):
        internal = world.exempt("bad.test", "internal")
        domain = world.block("bad.test", "corp.test")
        assert ids(only(world, K.SHADOWED)) == [internal, domain]
        world.internal.add("second.test")
        assert kinds(world) == []

    def test_not_by_one_that_applies_to_less(self, world):
        """Other part of the message, source condition, dates, one direction of two: each leaves something over."""
        for narrower in (
            {"part": "header_from"},
            {"ips": ("192.0.2.0/24",)},
            {"ends": NOW + 60},
            {"starts": NOW + 60},
        ):
            world.blocked.clear()
            world.block("bad.test", "internal")
            world.exempt("bad.test", "internal", **narrower)
            assert K.SHADOWED not in kinds(world)
        world.blocked.clear()
        world.block("bad.test", "internal", bidirectional=True)
        world.exempt("bad.test", "internal")
        assert K.SHADOWED not in kinds(world)

    def test_by_one_for_each_direction(self, world):
        both = world.block("bad.test", "corp.test", bidirectional=True)
        there = world.exempt("bad.test", "corp.test")
        back = world.exempt("corp.test", "bad.test")
        assert ids(only(world, K.SHADOWED)) == [both, there, back]

    def test_by_one_with_wider_ranges_and_dates(self, world):
        inner = world.block("bad.test", "internal", ips=("192.0.2.0/28",), ends=NOW + 60)
        outer = world.exempt("bad.test", "internal", ips=("192.0.2.0/24", "2001:db8::/32"), ends=NOW + 61)
        assert ids(only(world, K.SHADOWED)) == [inner, outer]

    def test_not_by_a_disabled_one_nor_by_one_that_is_over(self, world):
        world.block("bad.test", "internal")
        world.exempt("bad.test", "internal", enabled=False)
        world.exempt("bad.test", "internal", override=True, ends=NOW)
        assert kinds(world) == [K.EXPIRED]

    def test_not_by_the_relay_guard_which_lets_bounces_pass(self, world):
        world.block("external", "external", ends=inf)
        world.relay_guard()
        assert K.SHADOWED not in kinds(world)

    def test_a_definition_by_a_newer_one(self, world):
        old = world.define("jo@corp.test", "a@corp.test")
        new = world.define("JO@corp.test", "b@corp.test")
        world.define("jo@corp.test", "c@corp.test", field="from")
        finding = only(world, K.SHADOWED)
        assert ids(finding) == [old, new]
        assert finding.subjects[0].kind is SubjectKind.ALTERATION_DEFINITION


class TestNeverMatching:
    @pytest.mark.parametrize(
        ("from_", "to", "reason"),
        [
            ("group:gone", "internal", "the group does not exist"),
            ("bad.test", "group:gone", "the group does not exist"),
            ("attribute:1=sales", "internal", "no user has that attribute value"),
        ],
    )
    def test_a_target_that_nobody_can_match(self, world, from_, to, reason):
        policy = world.block(from_, to)
        finding = only(world, K.NEVER_MATCHES)
        assert ids(finding) == [policy]
        assert reason in finding.why

    def test_an_account_without_domains_has_no_internal_addresses(self, world):
        world.internal.clear()
        world.block("bad.test", "internal")
        assert "the account has no internal domain" in only(world, K.NEVER_MATCHES).why

    def test_a_display_name_on_the_recipient_side(self, world):
        world.block("everyone", "name:Jo")
        world.block("name:Jo", "name:Jo", bidirectional=True)
        world.block("everyone", "name:Ann", bidirectional=True)
        assert kinds(world).count(K.NEVER_MATCHES) == 2

    def test_what_ends_before_it_starts(self, world):
        """Such a policy, and such a list, never was in force and never will be."""
        policy = world.block("bad.test", "internal", starts=NOW + 60, ends=NOW + 60)
        web = world.web("everyone", "block domain ex.test", starts=NOW + 60, ends=NOW + 30)
        findings = [finding for finding in found(world) if finding.kind is K.NEVER_MATCHES]
        assert [ids(finding) for finding in findings] == [[policy], [web]]
        assert all("it ends before it starts" in finding.why for finding in findings)

    def test_an_empty_group_is_a_note(self, world):
        """Every account starts with policies that wait for their groups to be filled."""
        world.block("group:empty", "internal")
        assert only(world, K.EMPTY_GROUP).level is Level.NOTE

    def test_a_group_is_not_empty_if_one_below_it_has_members(self, world):
        world.group("G", "a@bad.test", parent="H")
        world.block("group:H", "internal")
        assert kinds(world) == []

    def test_a_recipient_whom_the_domain_does_not_know(self, world):
        world.known_only.add("corp.test")
        world.user("u@corp.test", "alias@corp.test")
        world.block("bad.test", "gone@corp.test")
        for known in ("u@corp.test", "alias@corp.test", "u+tag@corp.test"):
            world.block("bad.test", known)
        assert len([kind for kind in kinds(world) if kind is K.UNKNOWN_RECIPIENT]) == 1


class TestDates:
    def test_expired_at_the_instant(self, world):
        world.block("bad.test", "internal", ends=NOW)
        assert only(world, K.EXPIRED).level is Level.WARNING
        assert kinds(world, at=NOW - 1) == []

    def test_not_started_is_a_note(self, world):
        world.block("bad.test", "internal", starts=NOW + 1)
        assert only(world, K.NOT_STARTED).level is Level.NOTE
        assert kinds(world, at=NOW + 1) == []

    def test_a_disabled_policy_is_nobodys_concern(self, world):
        world.block("group:gone", "internal", ends=NOW, enabled=False)
        assert kinds(world) == []


class TestTied:
    def test_different_effects_that_can_meet(self, world):
        first = world.block("bad.test", "internal", ips=("192.0.2.0/24",))
        second = world.exempt("bad.test", "internal", ips=("192.0.2.128/25", "198.51.100.0/24"))
        finding = only(world, K.TIED)
        assert ids(finding) == [first, second]
        assert finding.level is Level.WARNING
        assert "the one created later wins, which is" in finding.why

    def test_equal_effects_are_a_note(self, world):
        world.block("bad.test", "internal", ips=("192.0.2.0/24",))
        world.block("bad.test", "internal", ips=("192.0.2.128/25", "198.51.100.0/24"))
        assert only(world, K.TIED).level is Level.NOTE

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ({"ips": ("192.0.2.0/25",)}, {"ips": ("192.0.2.128/25",)}),
            ({"ends": NOW + 60}, {"starts": NOW + 60}),
            ({"ips": ("192.0.2.0/25",)}, {"ips": ("2001:db8::/32",)}),
        ],
        ids=["ranges", "dates", "versions"],
    )
    def test_what_cannot_meet_does_not_tie(self, world, first, second):
        world.block("bad.test", "internal", **first)
        world.exempt("bad.test", "internal", **second)
        assert K.TIED not in kinds(world)

    def test_what_the_order_tells_apart_does_not_tie(self, world):
        """A condition or a date on one of them decides; so does a narrower target on either side."""
        world.block("bad.test", "internal")
        world.exempt("bad.test", "internal", ips=("192.0.2.0/24",))
        world.exempt("bad.test", "u@corp.test")
        world.exempt("x@bad.test", "internal")
        assert kinds(world) == []

    def test_groups_that_share_a_member_though_neither_is_part_of_the_other(self, world):
        """The member is named: nothing about the policies shows that they meet."""
        world.group("G", "a@bad.test", "b@good.test")
        world.group("H", "bad.test")
        block = world.block("group:G", "internal")
        exempt = world.exempt("group:H", "internal")
        other = world.exempt("group:H", "u@corp.test")
        finding = only(world, K.TIED)
        assert ids(finding) == [block, exempt]
        assert "both of a@bad.test" in finding.why
        assert other not in ids(finding)

    def test_attribute_values_that_one_user_has(self, world):
        world.user("u@corp.test", **{"1": "sales", "2": "berlin"})
        world.user("v@corp.test", **{"1": "sales"})
        world.user("w@corp.test", **{"2": "berlin"})
        first = world.block("bad.test", "attribute:1=sales")
        second = world.exempt("bad.test", "attribute:2=berlin")
        assert ids(only(world, K.TIED)) == [first, second]

    def test_a_group_and_the_one_above_it(self, world):
        """Whichever is the newer one wins, and an admin sees nothing but two groups."""
        world.group("G", "a@bad.test", parent="H")
        world.group("H", "c@bad.test")
        above = world.block("group:H", "internal")
        below = world.exempt("group:G", "internal")
        assert ids(only(world, K.TIED)) == [above, below]


class TestPermits:
    def test_a_permit_policy_under_a_block(self, world):
        """Test vector 3."""
        block = world.block("bad.test", "everyone")
        permit = world.permit("ok@bad.test", "everyone")
        finding = only(world, K.PERMIT_UNDER_BLOCK)
        assert ids(finding) == [permit, block]
        assert "no_action" in finding.advice

    def test_a_personal_permit_under_a_block(self, world):
        """Test vector 4. Permits under one block are told together."""
        block = world.block("bad.test", "internal")
        first = world.personal("u@corp.test", "permit", "ok@bad.test")
        second = world.personal("v@corp.test", "permit", "bad.test")
        world.personal("w@corp.test", "block", "bad.test")
        finding = only(world, K.PERMIT_UNDER_BLOCK)
        assert finding.count == 2
        assert ids(finding) == [first, second, block]

    def test_not_where_an_exemption_wins(self, world):
        """Test vector 2 beside it: the exemption is narrower than the block."""
        world.block("bad.test", "internal")
        world.exempt("ok@bad.test", "internal")
        world.permit("ok@bad.test", "internal")
        world.personal("u@corp.test", "permit", "ok@bad.test")
        assert kinds(world) == []

    @pytest.mark.parametrize(
        ("from_", "to"), [("ok@bad.test", "internal"), ("bad.test", "u@corp.test"), ("everyone", "u@corp.test")]
    )
    def test_not_where_an_exemption_lets_some_of_it_pass(self, world, from_, to):
        """The permit has a say for whom a narrower exemption lets pass the block."""
        world.block("bad.test", "internal")
        world.exempt(from_, to)
        world.permit("bad.test", "internal")
        world.personal("u@corp.test", "permit", "bad.test")
        assert K.PERMIT_UNDER_BLOCK not in kinds(world)

    def test_where_an_exemption_comes_too_late(self, world):
        world.block("bad.test", "internal", override=True)
        world.exempt("ok@bad.test", "internal")
        permit = world.permit("bad.test", "internal")
        assert permit in ids(only(world, K.PERMIT_UNDER_BLOCK))

    def test_not_where_the_block_covers_only_some(self, world):
        world.block("bad.test", "internal", ips=("192.0.2.0/24",))
        world.permit("ok@bad.test", "internal")
        assert kinds(world) == []

    def test_a_permit_of_an_inside_sender(self, world):
        """Test vector 36."""
        world.personal("u@corp.test", "permit", "u@corp.test")
        finding = only(world, K.INSIDE_PERMIT)
        assert finding.level is Level.NOTE
        assert "authenticates" in finding.advice

    def test_a_permit_policy_of_inside_senders(self, world):
        permits = [world.permit(who, "external") for who in ("internal", "corp.test", "ann@corp.test")]
        world.permit("corp.test", ips=("192.0.2.0/24",))
        world.permit("shop.test")
        finding = only(world, K.INSIDE_PERMIT)
        assert (finding.level, sorted(ids(finding)), finding.count) == (Level.NOTE, sorted(permits), 3)


class TestAuthentication:
    def test_a_permit_that_waits_for_what_nobody_says(self, world):
        world.permit_needs = PermitNeeds.ALWAYS
        permit = world.permit("shop.test")
        world.permit("everyone", "u@corp.test")
        world.permit("bank.test", ips=("192.0.2.0/24",))
        assert ids(only(world, K.NOTHING_AUTHENTICATES)) == [permit]
        world.judged = True
        assert K.NOTHING_AUTHENTICATES not in kinds(world)

    def test_an_anti_spoofing_policy_that_waits_for_it(self, world):
        policy = world.against_spoofing("hold")
        world.against_spoofing("none", "news@corp.test")
        assert ids(only(world, K.NOTHING_AUTHENTICATES)) == [policy]
        world.judged = True
        assert kinds(world) == []

    def test_a_bypass_for_whoever_claims_it(self, world):
        bypass = world.let_past()
        world.let_past(spf=("mailer.test",))
        world.let_past(ips=("192.0.2.0/24",))
        world.let_past("ann@corp.test")
        world.let_past("everyone", "u@corp.test", on=False)
        assert ids(only(world, K.BYPASS_FOR_ALL)) == [bypass]

    def test_a_bypass_with_a_condition_does_not_cover_one_without(self, world):
        world.judged = True
        world.let_past("corp.test", spf=("mailer.test",), override=True)
        world.let_past("ann@corp.test")
        assert K.SHADOWED not in kinds(world)
        shadowed = world.let_past("ann@corp.test", "u@corp.test", spf=("mailer.test",))
        assert shadowed in ids(only(world, K.SHADOWED))


class TestAlteration:
    def test_a_definition_that_two_others_share_out_between_them(self, world):
        """One takes inbound mail, one outbound: nothing is left of what comes from an own address."""
        old = world.define("jo@corp.test", "a@corp.test", field="envelope_from")
        inbound = world.define("jo@corp.test", "b@corp.test", field="envelope_from", routing="inbound")
        outbound = world.define("jo@corp.test", "c@corp.test", field="envelope_from", routing="outbound")
        assert ids(only(world, K.SHADOWED)) == [old, inbound, outbound]

    def test_a_definition_for_recipients_of_outbound_mail(self, world):
        """Such a recipient is somebody else's, and definitions are for own addresses."""
        definition = world.define("jo@corp.test", "a@corp.test", field="envelope_to", routing="outbound")
        assert ids(only(world, K.NEVER_MATCHES)) == [definition]

    def test_a_definition_of_a_domain_that_is_no_longer_ours(self, world):
        definition = world.define("jo@gone.test", "jo@corp.test")
        assert ids(only(world, K.EXTERNAL_ORIGINAL)) == [definition]

    def test_a_set_that_no_policy_uses_and_a_policy_without_definitions(self, world):
        world.define("jo@corp.test", "ann@corp.test", set_="S")
        policy = world.alter("T")
        assert set(kinds(world)) == {K.UNUSED_SET, K.EMPTY_SET}
        assert ids(only(world, K.EMPTY_SET)) == [policy]


class TestWeb:
    def test_allow_and_block_of_one_target(self, world):
        """Test vector 27: the pair is reported, with who wins."""
        allow = world.web("everyone", "allow domain ex.test")
        block = world.web("everyone", "block domain ex.test")
        finding = only(world, K.WEB_CONTRADICTION)
        assert ids(finding)[:2] == [allow, block]
        assert finding.why.endswith("for the same users: the block wins")
        assert kinds(world) == [K.WEB_CONTRADICTION]

    def test_a_narrower_exception_is_none(self, world):
        """Test vectors 25 and 26."""
        world.web("everyone", "block domain ex.test", "allow url ex.test/docs", "allow url www.ex.test/docs")
        world.web("pat@corp.test", "allow domain ex.test")
        assert kinds(world, web_proxy=True) == []

    def test_an_entry_that_another_list_covers_with_override(self, world):
        narrow = world.web("pat@corp.test", "allow url docs.ex.test/a", "allow domain other.test")
        wide = world.web("everyone", "block domain ex.test", override=True)
        finding = only(world, K.SHADOWED, web_proxy=True)
        assert ids(finding) == [f"{narrow}.0", narrow, wide]
        assert finding.count == 1

    def test_the_same_entry_in_two_lists_is_harmless(self, world):
        world.web("everyone", "block domain ex.test")
        world.web("everyone", "block domain ex.test")
        assert only(world, K.SHADOWED).level is Level.NOTE

    def test_a_list_for_nobody(self, world):
        world.web("group:gone", "block domain ex.test")
        world.web("group:empty", "block domain ex.test")
        world.web("everyone", "block domain ex.test", ends=NOW)
        assert sorted(kinds(world)) == [K.EMPTY_GROUP, K.EXPIRED, K.NEVER_MATCHES]

    def test_urls_cannot_be_enforced_without_a_proxy(self, world):
        """D-27: said, not silently dropped."""
        world.web("everyone", "block url api.ex.test/x", "block domain ex2.test")
        finding = only(world, K.URL_NOT_ENFORCED)
        assert finding.count == 1
        assert finding.level is Level.NOTE
        assert "web_proxy" in finding.advice
        assert kinds(world, web_proxy=True) == []

    @pytest.mark.parametrize(
        ("entry", "twin"),
        [
            ("block url ex.test/a", "www.ex.test"),
            ("block url www.ex.test/a", "ex.test"),
            ("block url ex.co.uk/a", "www.ex.co.uk"),
            ("block url api.ex.test/a", None),
            ("block url 192.0.2.1/a", None),
        ],
    )
    def test_the_twin_of_a_url_is_suggested(self, world, entry, twin):
        """D-24: the host of a URL is exact."""
        world.web("everyone", entry)
        twins = [finding for finding in found(world, web_proxy=True) if finding.kind is K.WWW_TWIN]
        assert bool(twins) is (twin is not None)
        assert twin is None or twins[0].why.endswith(f"does not cover {twin}")

    @pytest.mark.parametrize("other", ["block url www.ex.test/b", "block domain ex.test"])
    def test_a_twin_that_is_there_is_not_suggested(self, world, other):
        world.web("everyone", "block url ex.test/a", other)
        assert K.WWW_TWIN not in kinds(world, web_proxy=True)

    def test_each_finding_says_whether_it_is_about_the_web(self, world):
        world.block("group:gone", "internal")
        world.web("group:gone", "block domain ex.test")
        assert sorted(finding.about_web for finding in found(world)) == [False, True]


def test_every_finding_names_somebody_and_says_what_to_do(world):
    """One of everything: no finding without subjects, reason and advice."""
    world.block("group:gone", "internal")
    world.block("group:empty", "internal")
    world.block("a.test", "internal", ends=NOW)
    world.block("b.test", "internal", starts=NOW + 1)
    world.block("bad.test", "internal")
    world.exempt("bad.test", "internal")
    world.personal("u@corp.test", "permit", "b.test")
    world.define("a@gone.test", "b@corp.test", set_="S")
    world.alter("T")
    world.web("everyone", "block url ex.test/a")
    every = found(world)
    assert len({finding.kind for finding in every}) > 8
    for finding in every:
        assert finding.subjects
        assert all(subject.id for subject in finding.subjects)
        assert finding.why[0].isupper() or finding.why[0] == '"'
        assert not finding.why.endswith(".")
        assert finding.advice.endswith((".", "."))


@pytest.mark.parametrize("kind", ["alike", "dated", "ranged", "nested"])
def test_a_policy_is_held_against_few_others_however_many_there_are(monkeypatch, kind):
    """Near-linear: for ten thousand policies of a few long rows, a handful of each row is compared."""
    number = 10_000

    def scope(n: int) -> Scope:
        sender = EVERYONE if n % 2 else Target.of(TargetType.EMAIL_DOMAIN, f"d{n % 100}.test")
        match kind:
            case "dated":
                return Scope.of(sender, INTERNAL, ends=NOW + 1 + n * 7919 % number)
            case "ranged":
                return Scope.of(sender, INTERNAL, networks=(parse_network(f"10.{n // 256}.{n % 256}.0/24"),))
            case "nested":
                network = parse_network(f"10.{n // 256}.{n % 256}.0/{8 + n % 17}")
                return Scope.of(sender, INTERNAL, networks=(network,))
        return Scope(sender, INTERNAL)

    policies = [
        BlockedSenderPolicy(f"{n:05}", f"p{n}", scope(n), BlockedOption.BLOCK_SENDER, float(n))
        for n in range(number)
    ]
    compared = 0

    def counted(function):
        def count(*args):
            nonlocal compared
            compared += 1
            return function(*args)

        return count

    monkeypatch.setattr(module, "STEP", 100)
    monkeypatch.setattr(rivals, "covers", counted(rivals.covers))
    monkeypatch.setattr(rivals, "may_meet", counted(rivals.may_meet))
    directory = Directory(internal_domains=frozenset({Domain("corp.test")}))
    built = PolicySet.build(account_id="a", revision=1, directory=directory, **parts(blocked=policies))
    seen: list[int] = []
    every = list(lint(built, NOW, web_proxy=True, progress=seen.append))
    if kind == "alike":
        winners = 50 + 1  # of each domain, and of everyone
        assert len(every) == number - winners
    assert compared < 20 * number
    assert seen[-1] == size(built) == number
    assert len(seen) > number / 200
    assert seen == sorted(seen)


def test_never_winning_is_said_of_those_kinds_only():
    assert {K.SHADOWED, K.NEVER_MATCHES, K.EMPTY_GROUP, K.EXPIRED} == NEVER_WINS


def deep_groups(world) -> list[Finding]:
    return [one for one in lint(world.policies(), NOW, web_proxy=False) if one.kind is FindingKind.DEEP_GROUP]


def test_groups_that_lie_too_deep_are_named_together(world):
    """Twenty lie one in another at most; a cycle, which only other hands can make, is no depth without end."""
    for number in range(20):
        world.group(f"G{number:02}", parent=f"G{number + 1:02}")
    (deep,) = deep_groups(world)
    assert [subject.id for subject in deep.subjects] == ["G00"]
    world.group("Below", parent="G00")
    world.group("Ring", parent="Other ring")
    world.group("Other ring", parent="Ring")
    (deep,) = deep_groups(world)
    assert sorted(subject.id for subject in deep.subjects) == ["Below", "G00"]
    assert (deep.count, deep.level) == (2, Level.WARNING)
    del world.parents["G10"]
    assert deep_groups(world) == []


@pytest.mark.parametrize("family", ["block", "exempt", "permit"])
def test_a_display_name_on_the_recipients_side_never_applies(world, family):
    """A recipient has none in the envelope (D-02). Both ways round it applies in the other direction."""
    id_ = getattr(world, family)("everyone", "name:Jo Doe")
    (finding,) = (one for one in found(world) if one.subjects[0].id == id_)
    assert finding.kind is FindingKind.NEVER_MATCHES
    assert "a recipient has no display name in the envelope" in finding.why
    again = getattr(world, family)("x.test", "name:Jo Doe", bidirectional=True)
    assert not [one for one in found(world) if one.subjects[0].id == again and one.kind in NEVER_WINS]
