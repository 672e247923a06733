"""A dot before a domain says it and everything below it: in policies, groups and personal lists (ADR 0045)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mailreeve.formats.addresses import parse_address
from mailreeve.formats.authors import HeaderFrom
from mailreeve.policy.decide.mail import decide_mail
from mailreeve.policy.model.authentication import SUPPOSED
from mailreeve.policy.model.decisions import Action, Decision, SpamChecks
from mailreeve.policy.model.facts import MessageFacts
from mailreeve.wire.errors import ItemRefused

BLOCK = "policy/blockedsenders/create-policy"
ENTRY = "managedsender/permit-or-block-sender"
WEB = "policy/webwhiteurl/create-policy-with-targets"


@pytest.fixture
def corp(account):
    account.call("domain/create-domain", {"domain": "corp.test", "inboundType": "any"})
    return account


def policy(domain: str, option: str = "block_sender", **more) -> dict[str, object]:
    scope = {
        "description": f"{option} {domain}",
        "from": {"type": "email_domain", "emailDomain": domain},
        "to": {"type": "internal_addresses"},
    }
    return {"option": option, "policy": {**scope, **more}}


def entry(sender: str, action: str = "block") -> dict[str, str]:
    return {"sender": sender, "to": "pat@corp.test", "action": action}


def decided(account, sender: str, header: str | None = None, **more) -> Decision:
    at = datetime.now(UTC).timestamp()
    authors = None if header is None else (HeaderFrom(parse_address(header)),)
    facts = MessageFacts(
        parse_address(sender), parse_address("pat@corp.test"), at, authors, source_trusted=True, **more
    )
    return decide_mail(account.policies(), facts)


def is_refused(account, *senders: str) -> list[bool]:
    return [decided(account, sender).action is Action.REJECT for sender in senders]


def problems(account, path, item) -> list[tuple[str, str | None, str]]:
    with pytest.raises(ItemRefused) as refusal:
        account.call(path, item)
    return [(problem.code, problem.field, problem.message) for problem in refusal.value.problems]


SENDERS = (
    "a@shop.test",
    "a@mail.shop.test",
    "a@very.deep.shop.test",
    "a@ashop.test",
    "a@test",
    "a@shop.test.example",
)
BELOW = [True, True, True, False, False, False]


@pytest.mark.parametrize("written", [".shop.test", "@.Shop.Test", ".shop.test."])
def test_a_policy_covers_the_domain_and_all_below_it(corp, written):
    """On label boundaries; it is read as it was written."""
    (row,) = corp.call(BLOCK, policy(written))
    assert row["policy"]["from"]["emailDomain"] == written.removeprefix("@")
    assert is_refused(corp, *SENDERS) == BELOW


def test_a_top_level_domain(corp):
    corp.call(BLOCK, policy(".zip"))
    assert is_refused(corp, "a@x.zip", "a@zip", "a@x.zap", "a@zip.test") == [True, True, False, False]


def test_a_group_covers_the_domain_and_all_below_it(corp):
    """And those above that group too; once it is no member any more it covers nobody."""
    (above,) = corp.call("directory/create-group", {"description": "Above"})
    (group,) = corp.call("directory/create-group", {"description": "Below", "parentId": above["id"]})
    scope = {"from": {"type": "profile_group", "groupId": above["id"]}}
    corp.call(BLOCK, policy("x.test", **scope))
    member = {"id": group["id"], "domain": ".shop.test"}
    corp.call("directory/add-group-member", member)
    assert is_refused(corp, *SENDERS) == BELOW
    (row,) = corp.call("directory/get-group-members", {"id": group["id"]})[0]["groupMembers"]
    assert (row["domain"], row["internal"]) == (".shop.test", False)
    corp.call("directory/remove-group-member", member)
    assert not any(is_refused(corp, *SENDERS))


def test_a_personal_entry_covers_the_domain_and_all_below_it(corp):
    corp.call(ENTRY, entry(".shop.test"))
    assert is_refused(corp, *SENDERS) == BELOW
    assert str(decided(corp, "a@mail.shop.test").reply).endswith("User Domain Entry")


def test_the_narrower_wins(corp):
    """An address, a domain, a longer one with all below it, a shorter one; and free mail comes last."""
    corp.call(BLOCK, policy(".test"), policy(".shop.test", "no_action"), policy("bad.shop.test"))
    assert is_refused(corp, "a@other.test", "a@shop.test", "a@good.shop.test", "a@bad.shop.test") == [
        *(True, False, False, True)
    ]
    free = {"from": {"type": "free_mail_domains"}}
    corp.call(BLOCK, policy(".com"), policy("x", "no_action", **free))
    assert is_refused(corp, "a@gmail.com") == [True]


def test_the_narrower_personal_entry_wins(corp):
    corp.call(ENTRY, entry(".test"), entry(".shop.test", "permit"), entry("bad.shop.test"))
    assert is_refused(corp, "a@other.test", "a@good.shop.test", "a@bad.shop.test") == [True, False, True]
    corp.call(ENTRY, entry("a@bad.shop.test", "permit"))
    assert is_refused(corp, "a@bad.shop.test") == [False]


def test_a_wide_permit_lets_nobody_pretend_to_be_a_colleague(corp):
    """Of those it covers the inside ones count only if the message authenticates, by envelope and by header."""
    corp.call(ENTRY, entry(".test", "permit"))
    skipped = SpamChecks.SKIP
    assert decided(corp, "a@far.test", "a@far.test").spam_checks is skipped
    assert decided(corp, "boss@corp.test", "boss@corp.test").spam_checks is not skipped
    assert decided(corp, "boss@corp.test", "boss@corp.test", authentication=SUPPOSED).spam_checks is skipped
    assert decided(corp, "boss@corp.test", "a@far.test").spam_checks is skipped
    assert decided(corp, "a@far.example", "boss@corp.test").spam_checks is not skipped


@pytest.mark.parametrize("written", [".", "..", "..shop.test", ".shop..test", "*.shop.test", "*.zip", "*", ".10"])
def test_what_makes_no_sense_is_refused(corp, written):
    (group,) = corp.call("directory/create-group", {"description": "Group"})
    found = [
        *problems(corp, BLOCK, policy(written)),
        *problems(corp, "directory/add-group-member", {"id": group["id"], "domain": written}),
        *problems(corp, ENTRY, entry(written)),
    ]
    assert [(code, field) for code, field, _ in found] == [
        ("err_validation_invalid_domain", "policy.from.emailDomain"),
        ("err_validation_invalid_domain", "domain"),
        ("err_validation_invalid_email_address", "sender"),
    ]


def test_who_writes_an_asterisk_or_a_bare_top_level_domain_is_told_the_form(corp):
    assert "write '.shop.test'" in problems(corp, BLOCK, policy("*.shop.test"))[0][2]
    assert "'.zip'" in problems(corp, BLOCK, policy("zip"))[0][2]
    assert "a dot before a domain" in problems(corp, ENTRY, entry("*.shop.test"))[0][2]


@pytest.mark.parametrize("domain", [".test", ".corp.test"])
def test_the_reach_guard_sees_an_own_domain_below_it(corp, domain):
    """By the policy itself, and by a group that a block names already."""
    (warning,) = corp.answer(BLOCK, policy(domain))["meta"]["warnings"]
    assert f"the domain {domain[1:]} and everything below it" in warning
    assert "warnings" not in corp.answer(BLOCK, policy(".example"))["meta"]
    (group,) = corp.call("directory/create-group", {"description": "Group"})
    corp.call(BLOCK, policy("x", **{"from": {"type": "profile_group", "groupId": group["id"]}}))
    joined = corp.answer("directory/add-group-member", {"id": group["id"], "domain": domain})
    assert joined["meta"]["warnings"]


def test_the_linter_finds_what_it_covers(corp):
    """A block of a domain that one of all below a shorter one covers is no rival: it is narrower. But one that
    overrides hides it, and permits under it come to nothing."""
    corp.call(BLOCK, policy(".shop.test", override=True), policy("mail.shop.test", "no_action"))
    corp.call(ENTRY, entry("a@very.deep.shop.test", "permit"), entry(".mail.shop.test", "permit"), entry("x.test"))
    found = corp.call("ext/lint-policies")[0]["findings"]
    assert sorted(
        (one["kind"], one["count"]) for one in found if one["kind"] in ("shadowed", "permit_under_block")
    ) == [
        ("permit_under_block", 2),
        ("shadowed", 1),
    ]


def test_an_explanation_says_what_is_meant(corp):
    corp.call(BLOCK, policy(".test"), policy(".shop.test", "no_action"))
    (loser, winner) = corp.call("policy/blockedsenders/get-policy")[-2:]
    item = {"from": "a@mail.shop.test", "to": "pat@corp.test", "policyId": loser["id"]}
    (told,) = corp.call("ext/explain-message", item)
    assert told["winners"]["blocked_senders"]["id"] == winner["id"]
    assert "(.shop.test before .test)" in told["expected"]["sentence"]
    (told,) = corp.call("ext/explain-message", item | {"from": "a@far.example"})
    assert "it names the domain test and everything below it" in told["expected"]["sentence"]


def test_a_web_list_takes_a_top_level_domain(corp):
    everyone = [{"description": "all", "from": {"type": "everyone"}}]
    urls = [{"action": "block", "type": "domain", "value": ".zip"}]
    corp.call(WEB, {"description": "x", "policies": everyone, "urls": urls})
    (told,) = corp.call("ext/explain-web", {"url": "http://www.x.zip/a"})
    assert told["verdict"] == "block"
