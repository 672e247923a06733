"""Whom a user writes to most, of the mail that really came from the user's own mailbox."""

from __future__ import annotations

import pytest
from tests.unit.families.test_mail_records import record

from mailreeve.access.caller import Caller
from mailreeve.families.tracking import rows as tracking
from mailreeve.families.tracking.outcomes import State

PATH = "user/get-most-used-contacts"


@pytest.fixture
def ann(account):
    account.call("domain/create-domain", {"domain": "corp.test"})
    account.call("user/create-user", {"emailAddress": "ann@corp.test"}, {"emailAddress": "bob@corp.test"})
    account.call("user/update-user", {"emailAddress": "bob@corp.test", "name": "Bob"})
    account.call("user/update-alias", {"alias": "annie@corp.test", "aliasFor": "ann@corp.test"})
    return account


def as_user(account, address: str, *, in_person: bool = True) -> None:
    from mailreeve.families.directory.users import rows

    user = account.write(lambda work: rows.find_by_address(work, address))
    account.caller = Caller(account.id, address, "app", frozenset(), user.id, in_person=in_person)


def sent(account, recipient: str, sender: str = "ann@corp.test", **more: object) -> None:
    known = {"state": State.DELIVERED, "source_trusted": True} | more
    one = record(account.id, 1, sender=sender, recipient=recipient, **known)
    account.write(lambda work: tracking.add(work, [one]))


def test_the_most_frequent_come_first_by_any_address_of_the_user(ann):
    for recipient in ("liz@out.test", "Liz@out.test", "bob@corp.test"):
        sent(ann, recipient)
    sent(ann, "liz@out.test", "Annie@corp.test")
    sent(ann, "zed@out.test", "bob@corp.test")
    as_user(ann, "ann@corp.test")
    (answer,) = ann.call(PATH)
    assert answer["contacts"] == [
        {"emailAddress": "liz@out.test", "name": "", "count": 3},
        {"emailAddress": "bob@corp.test", "name": "Bob", "count": 1},
    ]


@pytest.mark.parametrize(
    "more",
    [
        {"source_trusted": False},
        {"source_trusted": None},
        {"state": State.REJECTED},
        {"state": State.DEFERRED},
        {"follows": True},
    ],
    ids=str,
)
def test_what_did_not_come_from_the_user_or_did_not_go_is_not_counted(ann, more):
    sent(ann, "liz@out.test", **more)
    sent(ann, "annie@corp.test")
    as_user(ann, "ann@corp.test")
    assert ann.call(PATH) == [{"contacts": []}]


def test_nobody_else_learns_of_them(ann):
    sent(ann, "liz@out.test")
    assert ann.call(PATH) == [{"contacts": []}]  # of an application
    as_user(ann, "bob@corp.test")
    assert ann.call(PATH) == [{"contacts": []}]
