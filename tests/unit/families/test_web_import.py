"""Lists of others come in by name, over as many lists as they need."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from mailreeve.policy.decide.web import decide_web
from mailreeve.policy.model.decisions import WebVerdict
from mailreeve.policy.model.facts import WebFacts
from mailreeve.wire.errors import ItemRefused

IMPORT = "ext/import-web-entries"
GET = "policy/webwhiteurl/get-policy-with-targets"
CREATE = "policy/webwhiteurl/create-policy-with-targets"


def domain(value, action="block"):
    return {"action": action, "type": "domain", "value": value}


def take(account, *values, name="Ads", action="block", **more):
    (row,) = account.call(IMPORT, {"name": name, "urls": [domain(one, action) for one in values], **more})
    return row


def counted(row):
    return row["added"], row["changed"], row["unchanged"], len(row["refused"])


def held(account):
    return {row["description"]: [one["value"] for one in row["urls"]] for row in account.call(GET, {})}


def verdict(account, url):
    return decide_web(account.policies(), WebFacts(url, datetime.now(UTC).timestamp())).verdict


def test_a_list_is_made_filled_and_changed_and_the_same_again_changes_nothing(account):
    row = take(account, "a.test", "B.test.", "https://c.test/", "a.test")
    assert (*counted(row), row["lists"], row["count"]) == (3, 0, 1, 0, 1, 3)
    assert held(account) == {"Ads": ["a.test", "B.test.", "https://c.test/"]}
    assert verdict(account, "http://www.b.test/x") is WebVerdict.BLOCK
    revision = account.policies().revision
    assert counted(take(account, "a.test", "b.test", "c.test")) == (0, 0, 3, 0)
    assert account.policies().revision == revision
    assert counted(take(account, "b.test", action="allow")) == (0, 1, 0, 0)
    assert verdict(account, "http://b.test/") is WebVerdict.ALLOW


def test_a_dry_run_says_the_same_and_changes_nothing(account):
    row = take(account, "a.test", "com", dryRun=True)
    assert (*counted(row), row["lists"], row["dryRun"]) == (1, 0, 0, 1, 0, True)
    assert account.call(GET, {}) == []


def test_what_does_not_fit_goes_into_further_lists_for_the_same_people(account):
    limits = replace(account.services.limits, web_urls_per_policy=2)
    account.services = replace(account.services, limits=limits)
    pat = {
        "description": "Pat",
        "from": {"type": "individual_email_address", "emailAddress": "pat@corp.test"},
        "to": {"type": "everyone"},
    }
    account.call(CREATE, {"description": "Ads", "policies": [pat], "urls": [domain("a.test")]})
    row = take(account, "b.test", "c.test", "d.test", "e.test", "f.test")
    assert (counted(row), row["lists"], row["count"]) == ((5, 0, 0, 0), 3, 6)
    assert held(account) == {
        "Ads": ["a.test", "b.test"],
        "Ads (2)": ["c.test", "d.test"],
        "Ads (3)": ["e.test", "f.test"],
    }
    assert {row["policies"][0]["policy"]["from"]["emailAddress"] for row in account.call(GET, {})} == {
        "pat@corp.test"
    }
    row = take(account, "a.test", "d.test", "f.test", "g.test", action="allow")
    assert (counted(row), row["lists"]) == ((1, 3, 0, 0), 4)
    assert held(account)["Ads (4)"] == ["g.test"]


def test_a_list_that_only_looks_like_a_further_one_is_left_alone(account):
    everyone = {"description": "all", "from": {"type": "everyone"}}
    account.call(CREATE, {"description": "Ads (7)", "policies": [everyone], "urls": [domain("a.test")]})
    assert counted(take(account, "a.test")) == (1, 0, 0, 0)
    assert set(held(account)) == {"Ads (7)", "Ads"}
    account.call(CREATE, {"description": "Ads", "policies": [everyone], "urls": []})
    with pytest.raises(ItemRefused) as refused:
        take(account, "b.test")
    assert [(one.code, one.field) for one in refused.value.problems] == [("err_web_list_ambiguous", "name")]


def test_bad_entries_and_whole_suffixes_are_named_and_the_others_taken(account):
    row = take(
        account, "good.test", "*.x.test", "com", "co.uk", "github.io", "intranet", "127.0.0.1", "a.github.io"
    )
    assert counted(row) == (3, 0, 0, 5)
    assert [(one["n"], one["code"]) for one in row["refused"]] == [
        (1, "err_validation_invalid_domain"),
        *((n, "err_web_public_suffix") for n in (2, 3, 4, 5)),
    ]
    assert counted(take(account, "com", "co.uk", confirmSuffixes=True)) == (2, 0, 0, 0)
    assert verdict(account, "http://anything.com/") is WebVerdict.BLOCK


def test_the_limit_of_the_account_holds(account):
    limits = replace(account.services.limits, web_urls_per_account=3)
    account.services = replace(account.services, limits=limits)
    take(account, "a.test", "b.test")
    with pytest.raises(ItemRefused) as refused:
        take(account, "c.test", "d.test")
    (problem,) = refused.value.problems
    assert (problem.code, problem.message) == (
        "err_web_account_url_limit",
        "The account would hold 4 of 3 URLs",
    )
    assert counted(take(account, "c.test", "a.test")) == (1, 0, 1, 0)


@pytest.mark.parametrize(
    ("item", "field"), [({"name": "x", "urls": []}, "urls"), ({"urls": [domain("a.test")]}, "name")]
)
def test_what_is_missing_is_named(account, item, field):
    with pytest.raises(ItemRefused) as refused:
        account.call(IMPORT, item)
    assert [one.field for one in refused.value.problems] == [field]
