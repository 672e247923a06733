"""Calls that are committed together are answered, and leave the account, as if they had come one by one."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from sqlalchemy import event, select
from tests.unit.families.conftest import BY_PATH, Account

from mailreeve.access.caller import Origin
from mailreeve.families.machinery.perform import Done, ready, write_together
from mailreeve.store.schema import audit_event
from mailreeve.wire import envelope

Asked = tuple[str, dict[str, object]]

USERS: list[Asked] = [
    ("user/create-user", {"emailAddress": f"{name}@corp.test"}) for name in ("ann", "bob", "cid")
]
TO_BOB = {"type": "individual_email_address", "emailAddress": "bob@corp.test"}


def policy(sender: dict[str, object], to: dict[str, object]) -> Asked:
    inside = {"description": "block", "from": sender, "to": to}
    return "policy/blockedsenders/create-policy", {"option": "block_sender", "policy": inside}


CALLS: list[Asked] = [
    *USERS,
    ("user/create-user", {"emailAddress": "ann@corp.test"}),  # there already: refused
    ("managedsender/permit-or-block-sender", {"sender": "a@x.test", "to": "ann@corp.test", "action": "block"}),
    ("managedsender/permit-or-block-sender", {"sender": "a@x.test", "to": "ann@corp.test", "action": "permit"}),
    ("managedsender/permit-or-block-sender", {"sender": "a@x.test", "to": "ann@else.test", "action": "permit"}),
    policy({"type": "everyone"}, TO_BOB),
    policy({"type": "individual_email_address", "emailAddress": "a@x.test"}, TO_BOB),
    policy({"type": "everyone"}, {"type": "email_domain", "emailDomain": "corp.test"}),  # warned of: it hits all
    policy({"type": "everyone"}, {"type": "header_display_name"}),  # refused
    ("directory/create-group", {"description": "everybody"}),
    ("user/update-alias", {"alias": "anna@corp.test", "aliasFor": "ann@corp.test"}),
    ("managedsender/permit-or-block-sender", {"sender": "b@x.test", "to": "anna@corp.test", "action": "block"}),
    policy({"type": "everyone"}, {"type": "internal_addresses"}),
]


def one_by_one(account: Account, calls: list[Asked]) -> list[dict]:
    return [account.answer(path, item) for path, item in calls]


def together(account: Account, calls: list[Asked]) -> list[dict]:
    requests = [
        ready(
            account.services,
            BY_PATH[path],
            envelope.decode(json.dumps({"data": [item]}).encode()),
            account.caller,
            Origin(account.caller.actor),
        )
        for path, item in calls
    ]
    answers = []
    for done in write_together(account.services, requests):
        assert isinstance(done, Done)
        answers.append(json.loads(envelope.encode(done.data, done.fail, done.shown, warnings=done.warnings)))
    return answers


def plain(value: object) -> object:
    """Without ids and times of making, which no two accounts share."""
    if isinstance(value, dict):
        unlike = ("id", "createtime", "lastupdated")
        return {name: plain(member) for name, member in value.items() if not name.lower().endswith(unlike)}
    return [plain(one) for one in value] if isinstance(value, list) else value


def audited(account: Account) -> list[tuple]:
    """Revision, action and kind of all that was done, in order."""
    query = select(audit_event.c.revision, audit_event.c.action, audit_event.c.object_kind)
    mine = query.where(audit_event.c.account_id == account.id).order_by(audit_event.c.id)
    return account.services.store.look_up(lambda connection: [tuple(row) for row in connection.execute(mine)])


def moved(calls: list[Asked], domain: str) -> list[Asked]:
    """The same calls about another domain: no two accounts have the same."""
    return [tuple(call) for call in json.loads(json.dumps(calls).replace("corp.test", domain))]


@pytest.fixture
def commits(account: Account) -> Iterator[list[None]]:
    """One entry for each commit."""
    seen: list[None] = []

    def note(connection: object) -> None:
        seen.append(None)

    engine = account.services.store._engine.sqlalchemy
    event.listen(engine, "commit", note)
    yield seen
    event.remove(engine, "commit", note)


def test_they_are_answered_as_one_by_one(account: Account, other_account: Account, commits) -> None:
    """Warnings and refusals too, where they depend on what a call before did; the account is left the same."""
    for one, domain in ((account, "corp.test"), (other_account, "firm.test")):
        one.call("domain/create-domain", {"domain": domain, "inboundType": "any"})
    commits.clear()
    expected = one_by_one(account, CALLS)
    apart = len(commits)
    commits.clear()
    told = together(other_account, moved(CALLS, "firm.test"))
    assert len(commits) < apart
    assert plain(json.loads(json.dumps(told).replace("firm.test", "corp.test"))) == plain(expected)
    assert [len(answer["fail"]) for answer in told].count(1) == 3
    assert any("warnings" in answer["meta"] for answer in told)
    assert audited(other_account) == audited(account)
    assert other_account.policies().revision == account.policies().revision
    assert other_account.policies().size == account.policies().size


def test_calls_that_look_at_the_directory_alone_share_a_commit(account: Account, commits) -> None:
    """Policies made at the same time are; their reach is judged by users and groups, which they do not change."""
    account.call("domain/create-domain", {"domain": "corp.test", "inboundType": "any"})
    commits.clear()
    several = [
        policy({"type": "individual_email_address", "emailAddress": f"{n}@x.test"}, TO_BOB) for n in range(9)
    ]
    assert [len(answer["data"]) for answer in together(account, several)] == [1] * 9
    assert len(commits) == 1


def test_a_decision_that_follows_sees_them_all(account: Account) -> None:
    account.call("domain/create-domain", {"domain": "corp.test", "inboundType": "any"})
    before = account.policies()
    several = [
        policy({"type": "individual_email_address", "emailAddress": f"{n}@x.test"}, TO_BOB) for n in range(9)
    ]
    together(account, several)
    after = account.policies()
    assert (after.revision, after.size) == (before.revision + 9, before.size + 9)
