"""Explanations of a policy that somebody expected, through the API: which ids are taken, which are not."""

from __future__ import annotations

import pytest

from mailreeve.wire.errors import ItemRefused

MESSAGE = "ext/explain-message"
WEB = "ext/explain-web"


@pytest.fixture
def corp(account):
    account.call("domain/create-domain", {"domain": "corp.test"})
    return account


def block(account, from_, to, description, option="block_sender"):
    policy = {"description": description, "from": from_, "to": to}
    return account.call("policy/blockedsenders/create-policy", {"option": option, "policy": policy})[0]["id"]


@pytest.fixture
def policy_id(corp):
    block(corp, {"type": "everyone"}, {"type": "individual_email_address", "emailAddress": "vip@corp.test"},
          "VIP exempt", "no_action")  # fmt: skip
    shop = {"type": "email_domain", "emailDomain": "shop.test"}
    return block(corp, shop, {"type": "internal_addresses"}, "No shop mail")


@pytest.fixture
def web_list(corp):
    item = {
        "description": "Video",
        "policies": [{"description": "all", "from": {"type": "everyone"}}],
        "urls": [{"action": "block", "type": "domain", "value": "video.test"}],
    }
    return corp.call("policy/webwhiteurl/create-policy-with-targets", item)[0]


def explained(account, **more):
    (answer,) = account.call(MESSAGE, {"from": "a@shop.test", "to": "vip@corp.test", **more})
    return answer


def refused(account, path, item):
    with pytest.raises(ItemRefused) as refusal:
        account.call(path, item)
    (problem,) = refusal.value.problems
    assert (problem.code, problem.field) == ("err_policy_not_found", "policyId")
    return problem.message


def test_the_sentence_compares_it_with_the_winner(corp, policy_id):
    assert explained(corp, policyId=policy_id)["expected"] == {
        "id": policy_id,
        "description": "No shop mail",
        "applied": True,
        "won": False,
        "sentence": '"No shop mail" applied but lost to "VIP exempt": both apply, and the latter names a narrower'
        " target on the recipient side (individual address before domain)",
    }


def test_without_a_policy_there_is_no_such_member(corp, policy_id):
    assert "expected" not in explained(corp)


def test_a_personal_entry_can_be_asked_about(corp):
    (entry,) = corp.call(
        "managedsender/permit-or-block-sender", {"sender": "shop.test", "to": "u@corp.test", "action": "block"}
    )
    expected = explained(corp, policyId=entry["id"])["expected"]
    assert expected["id"] == entry["id"]
    assert expected["sentence"].endswith(
        "it is in the list of u@corp.test, and this message obeys that of vip@corp.test"
    )


def test_an_alteration_policy_can_be_asked_about(corp):
    room = "policy/address-alteration/"
    (made,) = corp.call(room + "create-address-alteration-set", {"description": "S"})
    scope = {"description": "Rewrites", "from": {"type": "everyone"}, "to": {"type": "everyone"}}
    (policy,) = corp.call(room + "create-policy", {"addressAlterationSetId": made["id"], "policy": scope})
    assert explained(corp, policyId=policy["id"])["expected"]["won"]


def test_a_web_list_and_its_entries_can_be_asked_about(corp, web_list):
    for wire_id in (web_list["id"], web_list["urls"][0]["id"]):
        (answer,) = corp.call(WEB, {"url": "https://www.video.test/", "policyId": wire_id})
        assert answer["expected"]["won"]
    (answer,) = corp.call(WEB, {"url": "https://other.test/"})
    assert "expected" not in answer


def test_an_id_that_is_none_is_an_error(corp, other_account, policy_id, web_list):
    """Forged, of another account, of the other explanation, of something deleted: each says so."""
    mail = {"from": "a@shop.test", "to": "vip@corp.test"}
    assert "no policy of this account has that id" in refused(corp, MESSAGE, {**mail, "policyId": "nonsense"})
    assert "no policy of this account has that id" in refused(
        other_account, MESSAGE, {**mail, "policyId": policy_id}
    )
    assert "the id of a web list" in refused(corp, MESSAGE, {**mail, "policyId": web_list["id"]})
    assert "the id of a mail policy" in refused(corp, WEB, {"url": "https://ex.test", "policyId": policy_id})
    corp.call("policy/blockedsenders/delete-policy", {"id": policy_id})
    assert "it has been deleted" in refused(corp, MESSAGE, {**mail, "policyId": policy_id})
