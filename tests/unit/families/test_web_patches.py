"""Adding to and removing from a web list without sending it whole."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import msgspec
import pytest
from msgspec.structs import replace
from sqlalchemy import select

from mailreeve.policy.decide.web import decide_web
from mailreeve.policy.model.decisions import WebVerdict
from mailreeve.policy.model.facts import WebFacts
from mailreeve.store.schema import audit_event
from mailreeve.wire.errors import ItemRefused

CREATE = "policy/webwhiteurl/create-policy-with-targets"
GET = "policy/webwhiteurl/get-policy-with-targets"
ADD = "ext/add-web-entries"
REMOVE = "ext/remove-web-entries"


def domain(value, action="block"):
    return {"action": action, "type": "domain", "value": value}


def url(value, action="block"):
    return {"action": action, "type": "url", "value": value}


def a_list(*urls):
    everyone = {"description": "all", "from": {"type": "everyone"}}
    return {"description": "list", "policies": [everyone], "urls": list(urls)}


def verdict(account, asked):
    return decide_web(account.policies(), WebFacts(asked, datetime.now(UTC).timestamp())).verdict


def problems(account, path, item):
    with pytest.raises(ItemRefused) as refusal:
        account.call(path, item)
    return [(p.code, p.field) for p in refusal.value.problems]


def limit(account, **limits):
    account.services = replace(account.services, limits=replace(account.services.limits, **limits))


@pytest.fixture
def made(account):
    """The id of a list that blocks one domain and allows one URL."""
    (row,) = account.call(CREATE, a_list(domain("bad.test"), url("good.test/x", "allow")))
    return row["id"]


def held(account, id_) -> list[tuple[str, str, str]]:
    (row,) = account.call(GET, {"id": id_})
    return [(entry["action"], entry["type"], entry["value"]) for entry in row["urls"]]


def counted(row) -> tuple[int, int, int, int]:
    return row["added"], row["changed"], row["unchanged"], row["count"]


def test_added_entries_are_in_force_and_the_others_stay_as_they_were(account, made):
    (before,) = account.call(GET, {"id": made})
    (done,) = account.call(ADD, {"id": made, "urls": [domain("new.test"), url("new.test/ok", "allow")]})
    (after,) = account.call(GET, {"id": made})
    assert counted(done) == (2, 0, 0, 4)
    assert after["urls"] == [*before["urls"], *done["urls"]]
    assert after["policies"] == before["policies"]
    assert verdict(account, "http://www.new.test/") is WebVerdict.BLOCK
    assert verdict(account, "http://new.test/ok/1") is WebVerdict.ALLOW
    assert verdict(account, "http://bad.test/") is WebVerdict.BLOCK


def test_an_entry_that_is_there_keeps_its_id_and_gets_the_action(account, made):
    (before,) = account.call(GET, {"id": made})
    (done,) = account.call(ADD, {"id": made, "urls": [domain("BAD.test", "allow"), url("good.test/x", "allow")]})
    assert counted(done) == (0, 1, 1, 2)
    assert [entry["id"] for entry in done["urls"]] == [entry["id"] for entry in before["urls"]]
    assert held(account, made) == [("allow", "domain", "bad.test"), ("allow", "url", "good.test/x")]
    assert verdict(account, "http://bad.test/") is WebVerdict.ALLOW


def test_what_is_there_already_is_no_change(account, made):
    revision = account.policies().revision
    (done,) = account.call(ADD, {"id": made, "urls": [domain("bad.test")]})
    assert (counted(done), account.policies().revision) == ((0, 0, 1, 2), revision)


def test_bad_and_repeated_entries_are_refused_all_at_once(account, made):
    item = {"id": made, "urls": [domain("a,b"), domain("x.test"), domain("X.test"), url("http://[::1")]}
    assert problems(account, ADD, item) == [
        ("err_validation_invalid_domain", "urls[0].value"),
        ("err_web_entry_duplicate", "urls[2].value"),
        ("err_validation_invalid_url", "urls[3].value"),
    ]
    assert len(held(account, made)) == 2


def test_the_limits_count_what_is_new_alone(account, made):
    """D-28, as for a list that is sent whole."""
    limit(account, web_urls_per_policy=3)
    assert account.call(ADD, {"id": made, "urls": [domain("bad.test"), domain("new.test")]})
    assert account.call(ADD, {"id": made, "urls": [domain("bad.test", "allow"), domain("new.test")]})
    assert problems(account, ADD, {"id": made, "urls": [domain("newer.test")]}) == [
        ("err_web_policy_url_limit", "urls")
    ]
    limit(account, web_urls_per_policy=9, web_urls_per_account=3)
    assert problems(account, ADD, {"id": made, "urls": [domain("newer.test")]}) == [
        ("err_web_account_url_limit", "urls")
    ]


def test_entries_are_removed_by_id_and_by_value(account, made):
    (row,) = account.call(ADD, {"id": made, "urls": [domain("new.test"), url("new.test")]})
    (done,) = account.call(REMOVE, {"id": made, "urls": [{"value": "NEW.test"}]})  # of either type
    assert done["urls"] == row["urls"]
    assert done["count"] == 2
    (entry, _) = account.call(GET, {"id": made})[0]["urls"]
    account.call(REMOVE, {"id": made, "urls": [{"id": entry["id"]}]})
    assert held(account, made) == [("allow", "url", "good.test/x")]
    assert verdict(account, "http://bad.test/") is WebVerdict.NONE


def test_nothing_is_removed_where_one_is_not_there(account, made):
    item = {"id": made, "urls": [{"value": "bad.test"}, {"value": "none.test"}, {"id": "x"}, {}]}
    assert problems(account, REMOVE, item) == [
        ("err_web_entry_not_found", "urls[1].value"),
        ("xdk_failure", "urls[2].id"),
        ("err_validation_at_least_one_not_null", "urls[3].value"),
    ]
    assert len(held(account, made)) == 2


def test_an_entry_of_another_list_is_none_of_this_one(account, made):
    (other,) = account.call(CREATE, a_list(domain("bad.test")))
    item = {"id": made, "urls": [{"id": other["urls"][0]["id"]}]}
    assert problems(account, REMOVE, item) == [("err_web_entry_not_found", "urls[0].id")]


def test_both_are_audited_with_the_list_before_and_after(account, made):
    account.call(ADD, {"id": made, "urls": [domain("new.test")]})
    account.call(REMOVE, {"id": made, "urls": [{"value": "new.test"}]})
    table = audit_event
    found = account.write(
        lambda work: work.execute(
            select(table.c.action, table.c.before, table.c.after)
            .where(table.c.account_id == account.id, table.c.object_kind == "web policy")
            .order_by(table.c.revision)
        ).all()
    )
    sizes = [[len(msgspec.json.decode(s)["entries"]) if s else 0 for s in row[1:]] for row in found]
    assert ([row[0] for row in found], sizes) == (["create", "update", "update"], [[0, 2], [2, 3], [3, 2]])


def test_of_adds_at_once_none_is_lost(account, made):
    """Each reads the list in the transaction that writes it."""
    start = threading.Barrier(4)

    def add(name: str) -> None:
        start.wait()
        for n in range(5):
            account.call(ADD, {"id": made, "urls": [domain(f"{name}{n}.test")]})

    threads = [threading.Thread(target=add, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    values = {value for _, _, value in held(account, made)}
    assert {f"{name}{n}.test" for name in "abcd" for n in range(5)} < values
    assert len(values) == 22
