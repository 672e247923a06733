"""A block of a whole organisation is warned of, refused or let through, as the installation and the item say."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from msgspec.structs import replace

from mailreeve.families.call import Conduct
from mailreeve.policy.reach import ReachGuard
from mailreeve.store.transactions import Part
from mailreeve.wire.errors import ItemRefused

CREATE = "policy/blockedsenders/create-policy"
UPDATE = "policy/blockedsenders/update-policy"
EVERYONE = {"type": "everyone"}
INTERNAL = {"type": "internal_addresses"}
BAD = {"type": "email_domain", "emailDomain": "bad.test"}


def item(from_=EVERYONE, to=INTERNAL, option="block_sender", description="Oops", **more):
    return {"option": option, "policy": {"description": description, "from": from_, "to": to}, **more}


@pytest.fixture
def corp(account):
    account.call("domain/create-domain", {"domain": "corp.test"})
    return account


def guarded(account, guard):
    account.house = replace(account.house, conduct=Conduct(reach_guard=guard))
    return account


def count(account):
    return len(account.call("policy/blockedsenders/get-policy"))


def test_by_default_the_answer_warns_and_the_policy_is_made(corp):
    """So that clients which know nothing of the guard go on working."""
    answer = corp.answer(CREATE, item())
    assert answer["fail"] == []
    assert answer["data"][0]["id"]
    assert answer["meta"]["warnings"] == [
        '"Oops" blocks every message to every user of corp.test; "confirmReach": true says that this is meant'
    ]


@pytest.mark.parametrize(
    "harmless",
    [item(BAD), item(option="no_action"), item(confirmReach=True), item(confirmReach="true")],
    ids=["narrow", "exemption", "confirmed", "confirmed as text"],
)
def test_where_there_is_nothing_to_say_there_is_no_member(corp, harmless):
    assert "warnings" not in corp.answer(CREATE, harmless)["meta"]


def test_an_update_is_guarded_too_by_either_path(corp):
    policy_id = corp.call(CREATE, item(BAD))[0]["id"]
    for path in (CREATE, UPDATE):
        assert len(corp.answer(path, item(id=policy_id))["meta"]["warnings"]) == 1


def test_refusing_names_the_reach_and_changes_nothing(corp):
    """Test vector 20, for the block that names everyone explicitly."""
    guarded(corp, ReachGuard.REFUSE)
    before = count(corp)
    with pytest.raises(ItemRefused) as refusal:
        corp.call(CREATE, item())
    (problem,) = refusal.value.problems
    assert (problem.code, problem.field) == ("err_policy_reach_unconfirmed", "confirmReach")
    assert "every message to every user of corp.test" in problem.message
    assert count(corp) == before
    assert corp.answer(CREATE, item(confirmReach=True))["fail"] == []


def test_a_refused_update_leaves_the_policy_as_it_was(corp):
    policy_id = corp.call(CREATE, item(BAD))[0]["id"]
    guarded(corp, ReachGuard.REFUSE)
    with pytest.raises(ItemRefused):
        corp.call(UPDATE, item(id=policy_id))
    (kept,) = corp.call("policy/blockedsenders/get-policy", {"id": policy_id})
    assert kept["policy"]["from"] == BAD


def test_a_caller_who_asks_is_refused_whatever_the_setting(corp):
    """`confirmReach: false` is what the command line sends, so that it can ask."""
    for guard in ReachGuard:
        with pytest.raises(ItemRefused):
            guarded(corp, guard).call(CREATE, item(confirmReach=False))
    assert corp.answer(CREATE, item(BAD, confirmReach=False))["fail"] == []


def test_switched_off_nothing_is_said(corp):
    answer = guarded(corp, ReachGuard.OFF).answer(CREATE, item())
    assert answer["fail"] == []
    assert "warnings" not in answer["meta"]


def test_the_guard_knows_what_was_committed_a_moment_ago(corp):
    """Between a commit and the news of it everybody else still judges by the policies before."""
    block = item({"type": "external_addresses"}, {"type": "email_domain", "emailDomain": "new.test"})
    corp.policies()
    answers = []

    @contextmanager
    def at_once(account_id, touched):
        yield  # left once the domain is committed, before the follower hears of it
        if Part.DIRECTORY in touched:
            answers.append(corp.answer(CREATE, block))

    corp.house.store.around_commit(at_once)
    corp.call("domain/create-domain", {"domain": "new.test", "inboundType": "any"})
    assert len(answers[0]["meta"]["warnings"]) == 1


def test_each_item_is_warned_of_and_refused_ones_are_not(corp):
    """A warning is about what was carried out; an item that fails for another reason takes its warning along."""
    relay = item({"type": "external_addresses"}, {"type": "external_addresses"})
    answer = corp.answer(CREATE, item(), relay, item(description="Again"), item(description=""))
    assert (len(answer["data"]), len(answer["fail"])) == (2, 2)
    assert [warning.split(" blocks ")[0] for warning in answer["meta"]["warnings"]] == ['"Oops"', '"Again"']


def test_omitted_targets_are_refused_as_ever(corp):
    """Test vector 20: to leave a side out is no way to mean everybody."""
    with pytest.raises(ItemRefused) as refusal:
        corp.call(CREATE, {"option": "block_sender", "policy": {"description": "x"}, "confirmReach": True})
    assert {problem.field for problem in refusal.value.problems} == {"policy.from", "policy.to"}
