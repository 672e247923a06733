"""A block of a whole organisation is warned of, refused or let through, as the installation and the item say."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from mailreeve.families.machinery.call import InstallationOptions
from mailreeve.policy.lint.guard import ReachGuard
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
    account.services = replace(account.services, installation=InstallationOptions(reach_guard=guard))
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


def test_the_guard_knows_what_was_committed_a_moment_ago(corp, monkeypatch):
    """Between a commit and the news of it everybody else still judges by the policies before."""
    block = item({"type": "external_addresses"}, {"type": "email_domain", "emailDomain": "new.test"})
    corp.policies()
    answers = []

    feed = corp.services.store.feed
    hint = feed.hint

    def late(account_id, revision, touched):  # what is committed is known to nobody yet
        monkeypatch.setattr(feed, "hint", hint)
        answers.append(corp.answer(CREATE, block))
        hint(account_id, revision, touched)

    monkeypatch.setattr(feed, "hint", late)
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


ADD = "directory/add-group-member"
MOVE = "directory/update-group"


@pytest.fixture
def bound(corp):
    """The id of a group, still empty, that a block names as its recipients through a group above it."""
    (outer,) = corp.call("directory/create-group", {"description": "Outer"})
    (group,) = corp.call("directory/create-group", {"description": "Bound", "parentId": outer["id"]})
    corp.call(CREATE, item(to={"type": "profile_group", "groupId": outer["id"]}))
    return group["id"]


def test_a_group_that_becomes_everybodys_is_warned_of(corp, bound):
    """Users who join one by one in one call, or a domain that joins: the block was made before."""
    for name in ("ann", "bob"):
        corp.call("user/create-user", {"emailAddress": f"{name}@corp.test"})
    members = [{"id": bound, "emailAddress": f"{name}@corp.test"} for name in ("ann", "bob")]
    block = '"Oops" blocks every message to every member of the group "Outer"'
    warning = f'With this, {block}; "confirmReach": true says that this is meant'
    assert corp.answer(ADD, *members)["meta"]["warnings"] == [warning]
    corp.call("directory/remove-group-member", members[0])
    assert "warnings" not in corp.answer(ADD, {"id": bound, "domain": "out.test"})["meta"]
    assert "warnings" not in corp.answer(ADD, members[0] | {"confirmReach": True})["meta"]
    # What is wide already is told once.
    assert "warnings" not in corp.answer(ADD, {"id": bound, "domain": "corp.test"})["meta"]


def test_a_group_that_moves_below_a_blocked_one_is_warned_of_or_refused(corp, bound):
    (everybody,) = corp.call("directory/create-group", {"description": "Everybody"})
    corp.call(ADD, {"id": everybody["id"], "domain": "corp.test"})
    move = {"id": everybody["id"], "parentId": bound}
    guarded(corp, ReachGuard.REFUSE)
    with pytest.raises(ItemRefused) as refused:
        corp.call(MOVE, move)
    assert [(one.code, one.field) for one in refused.value.problems] == [
        ("err_policy_reach_unconfirmed", "confirmReach")
    ]
    assert corp.call("directory/get-group", {"id": everybody["id"]})[0]["parentId"] == ""
    guarded(corp, ReachGuard.WARN)
    assert len(corp.answer(MOVE, move)["meta"]["warnings"]) == 1


def test_the_group_of_blocked_senders_is_guarded_as_any_other(corp):
    """One's own domain among the blocked senders stops all mail that the organisation sends."""
    (found,) = corp.call("directory/create-group", {"description": "Blocked"})
    corp.call(CREATE, item({"type": "profile_group", "groupId": found["id"]}, EVERYONE))
    (warning,) = corp.answer(ADD, {"id": found["id"], "domain": "corp.test"})["meta"]["warnings"]
    assert warning.startswith('With this, "Oops" blocks every message from the group "Blocked" to everyone')


def test_an_alteration_policy_that_is_widened_is_told_of(corp):
    """It blocks nobody, so it is never refused; and what was as wide before is no news."""
    path = "policy/address-alteration"
    (made,) = corp.call(f"{path}/create-address-alteration-set", {"description": "s"})
    narrow = {"description": "Narrow", "from": BAD, "to": EVERYONE}
    (policy,) = corp.call(f"{path}/create-policy", {"addressAlterationSetId": made["id"], "policy": narrow})
    wide = {"id": policy["id"], "policy": {"description": "Wide", "from": EVERYONE, "to": EVERYONE}}
    (warning,) = corp.answer(f"{path}/update-policy", wide)["meta"]["warnings"]
    assert warning.startswith('"Wide" now chooses the set for every message to everyone')
    assert "warnings" not in corp.answer(f"{path}/update-policy", wide)["meta"]


def test_a_web_list_that_blocks_and_is_widened_is_told_of(corp):
    """From a user to everyone; one that only allows is not told of."""
    path = "policy/webwhiteurl"
    ann = {"type": "individual_email_address", "emailAddress": "ann@corp.test"}

    def listed(action, who, **more):
        urls = [{"action": action, "type": "domain", "value": "x.test"}]
        policies = [{"description": "t", "from": who, "to": EVERYONE}]
        return {"description": "List", "urls": urls, "policies": policies, **more}

    for action, warned in (("block", True), ("allow", False)):
        (made,) = corp.call(f"{path}/create-policy-with-targets", listed(action, ann))
        answer = corp.answer(f"{path}/update-policy-with-targets", listed(action, EVERYONE, id=made["id"]))
        warnings = ['"List" now blocks for everyone, which it did not before'] if warned else None
        assert answer["meta"].get("warnings") == warnings
