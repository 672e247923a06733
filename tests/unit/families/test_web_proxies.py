"""Proxies that ask have a token each, which is good until it is taken away."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select, text

from mailreeve.families.web_proxies.known import KnownProxies
from mailreeve.store.schema import account as account_table
from mailreeve.store.schema import audit_event
from mailreeve.wire.errors import ItemRefused

CREATE, GET, DELETE = "ext/create-web-proxy", "ext/get-web-proxies", "ext/delete-web-proxy"


def add(account, name="gateway", kind="nginx", **more):
    (row,) = account.call(CREATE, {"name": name, "kind": kind, **more})
    return row


def test_a_token_is_told_once_and_kept_as_a_hash(account):
    made = add(account, userHeader="Remote-User")
    assert (made["name"], made["kind"], made["userHeader"]) == ("gateway", "nginx", "remote-user")
    (listed,) = account.call(GET, {})
    assert listed == {name: value for name, value in made.items() if name != "token"}
    rows = account.write(lambda work: work.run(text("SELECT * FROM web_proxy")).all())
    events = account.write(lambda work: work.run(select(audit_event)).all())
    assert made["token"] not in json.dumps([list(map(str, row)) for row in (*rows, *events)])


def test_a_proxy_is_found_by_its_token_until_that_is_taken_away(account):
    known = KnownProxies(account.services.store)
    made, other = add(account), add(account, "edge", "envoy")
    for _ in range(2):
        found = known.find(made["token"])
        assert (found.account_id, found.name) == (account.id, "gateway")
        assert known.find(other["token"]).kind == "envoy"
    assert known.at_hand(made["token"])
    for wrong in ("", "x", made["token"][:-1], made["token"] + "x", "mailreeve-web-", made["token"].upper()):
        assert known.find(wrong) is None
    account.call(DELETE, {"id": made["id"]})
    assert known.find(made["token"]) is None
    assert known.find(other["token"]) is not None


def test_the_proxy_of_a_locked_account_is_nobody(account):
    known = KnownProxies(account.services.store)
    made = add(account)
    assert known.find(made["token"]) is not None

    def lock(work):
        work.run(account_table.update().where(account_table.c.id == work.account_id).values(locked=True))
        work.changed("credentials", "update", "account", work.account_id)

    account.write(lock)
    assert known.find(made["token"]) is None


@pytest.mark.parametrize(
    ("item", "code", "field"),
    [
        ({"name": "gateway"}, "err_web_proxy_exists", "name"),
        ({"name": "x" * 200}, "err_validation_too_long", "name"),
        ({"kind": "squid"}, "err_validation_value_not_allowed", "kind"),
        ({"userHeader": "X_User: y"}, "err_validation_value_not_allowed", "userHeader"),
        ({"userHeader": "Host"}, "err_validation_value_not_allowed", "userHeader"),
        ({"userHeader": "Authorization"}, "err_validation_value_not_allowed", "userHeader"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_field(account, item, code, field):
    add(account)
    with pytest.raises(ItemRefused) as refused:
        account.call(CREATE, {"name": "other", "kind": "nginx", **item})
    assert [(one.code, one.field) for one in refused.value.problems] == [(code, field)]


def test_one_that_is_gone_cannot_be_sent_away_again(account):
    made = add(account)
    account.call(DELETE, {"id": made["id"]})
    with pytest.raises(ItemRefused, match="no such proxy"):
        account.call(DELETE, {"id": made["id"]})


def test_too_many_are_refused(account, monkeypatch):
    monkeypatch.setattr("mailreeve.families.web_proxies.operations.MOST", 1)
    add(account)
    with pytest.raises(ItemRefused, match="too many"):
        add(account, "other")
