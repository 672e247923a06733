"""The account endpoint, and how an account comes to be."""

from __future__ import annotations

import re

import pytest
from sqlalchemy.exc import IntegrityError

from mailreeve.access.caller import Caller, Origin
from mailreeve.access.permissions import Permission
from mailreeve.families.directory.account import operations, rows
from mailreeve.store.schema import audit_event
from mailreeve.wire.errors import RequestRefused

SEEN_LIVE = {
    "region",
    "archive",
    "gateway",
    "passphrase",
    "supportCode",
    "maxRetention",
    "maxRetentionConfirmed",
    "minRetentionEnabled",
    "automatedSegmentPurge",
    "type",
    "policyInheritance",
    "databaseCode",
    "searchReason",
    "contentAdministratorDefaultView",
    "adminSessionTimeout",
    "exportApi",
    "exgestAllowQuery",
    "accountCode",
    "accountName",
    "adminEmail",
    "contactEmail",
    "domain",
    "userCount",
    "mimecastId",
    "contactName",
    "telephone",
    "packages",
    "mailPlatform",
}


def create(account, code: str) -> str:
    key, _ = operations.new_identity()
    return account.services.store.write(
        key, Origin("installer"), lambda work: operations.create(work, code, "Corp", "a@corp.test")
    )


def test_answer_has_every_member_seen_live(account):
    (answer,) = account.call("account/get-account")
    assert answer.keys() >= SEEN_LIVE
    assert None not in answer.values()


def test_answer_tells_the_truth_about_the_account(account):
    account.call("domain/create-domain", {"domain": "corp.test"}, {"domain": "b.test"})
    account.call("user/create-user", {"emailAddress": "x@corp.test"})
    (answer,) = account.call("account/get-account", {})
    assert answer["accountCode"] == account.id
    assert answer["accountName"] == "Test"
    assert answer["adminEmail"] == answer["contactEmail"] == "admin@corp.test"
    assert answer["domain"] == "corp.test"
    assert answer["userCount"] == 5
    assert answer["gateway"] is True
    assert answer["archive"] is False
    assert answer["passphrase"] == ""


def test_call_without_items_is_answered_without_pagination_or_failure(account):
    answer = account.answer("account/get-account")
    assert answer["fail"] == []
    assert answer["meta"] == {"status": 200}


def test_stable_id_differs_between_accounts(account, other_account):
    """One client uses it as the key of everything else it stores."""
    ids = {a.call("account/get-account")[0]["mimecastId"] for a in (account, account, other_account)}
    assert len(ids) == 2


@pytest.mark.parametrize(
    ("item", "count"),
    [
        ({"accountName": "test"}, 1),
        ({"accountName": "Other"}, 0),
        ({"adminEmail": "ADMIN@corp.test", "region": "mr", "userCount": "0"}, 1),
        ({"adminEmail": "admin@corp.test", "region": "us"}, 0),
        ({"userCount": 7}, 0),
        ({"accountCode": "", "accountName": None}, 1),
    ],
)
def test_filters_show_the_account_only_if_all_of_them_fit(account, item, count):
    assert len(account.call("account/get-account", item)) == count


def test_another_accounts_code_finds_nothing(account, other_account):
    assert account.call("account/get-account", {"accountCode": other_account.id}) == []


def test_permission_is_required(account):
    account.caller = Caller(account.id, "x", "app", frozenset(Permission) - {Permission.ACCOUNT_DASHBOARD_READ})
    with pytest.raises(RequestRefused, match=r"Account \| Dashboard \| Read"):
        account.call("account/get-account")


def test_created_account_has_its_row_and_its_audit_entry(account):
    key = create(account, "CMRA1")
    row = account.services.store.read(key, rows.get)
    assert (row.id, row.code, row.name, row.admin_email) == (key, "CMRA1", "Corp", "a@corp.test")
    logged = account.services.store.read(
        key, lambda work: work.execute(audit_event.select().where(audit_event.c.account_id == key)).all()
    )
    assert [(entry.action, entry.object_kind, entry.actor) for entry in logged] == [
        ("create", "account", "installer")
    ]


def test_code_is_used_once(account):
    create(account, "CMRA1")
    with pytest.raises(IntegrityError):
        create(account, "CMRA1")


def test_new_codes_have_the_published_form_and_differ():
    codes = {operations.new_identity()[1] for _ in range(20)}
    assert len(codes) == 20
    assert all(re.fullmatch(r"CMR[AB]\d{8}", code) for code in codes)
