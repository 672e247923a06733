"""Every object has a history, and can become again what it was: alone, with all that a request changed, or as at a
time."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from mailreeve.access.caller import Caller, Origin
from mailreeve.access.permissions import Permission
from mailreeve.families.machinery.perform import carry_out, ready
from mailreeve.families.registry import ENDPOINTS, seed_account
from mailreeve.store import keys
from mailreeve.wire import envelope
from mailreeve.wire.errors import ItemRefused

HISTORY, RESTORE = "ext/get-history", "ext/restore"
BLOCKED = "policy/blockedsenders/"
EVERYONE = {
    "from": {"type": "individual_email_address", "emailAddress": "x@evil.test"},
    "to": {"type": "everyone"},
}
BY_PATH = {one.path: one for one in ENDPOINTS}


def send(account, path: str, *items: dict, request: str, permissions=frozenset(Permission)) -> dict:
    """What a call with this request id comes to."""
    body = json.dumps({"data": list(items)}).encode()
    caller = Caller(account.id, "admin@corp.test", "app", permissions)
    origin = Origin(caller.actor, request_id=request)
    done = carry_out(
        account.services, ready(account.services, BY_PATH[path], envelope.decode(body), caller, origin)
    )
    return json.loads(envelope.encode(done.data, done.fail, done.shown, warnings=done.warnings))


def block(account, description: str, group: str | None = None) -> str:
    """A blocked sender policy; its id."""
    sender = (
        {"type": "profile_group", "groupId": group}
        if group
        else {"type": "individual_email_address", "emailAddress": "x@evil.test"}
    )
    policy = {"description": description, "from": sender, "to": {"type": "everyone"}}
    return account.call(BLOCKED + "create-policy", {"option": "block_sender", "policy": policy})[0]["id"]


def described(account) -> list[str]:
    """What the blocked sender policies are called."""
    return [one["policy"]["description"] for one in account.call(BLOCKED + "get-policy", {})]


def history(account, id_: str) -> list[dict]:
    """The versions of an object, the newest first."""
    return account.call(HISTORY, {"objectId": id_})


def outcomes(restored: dict) -> list[tuple[str, str]]:
    """What became of which object."""
    return [(one["objectKind"], one["outcome"]) for one in restored["objects"]]


def rename(account, id_: str, to: str) -> None:
    """Give a policy another description."""
    account.call(
        BLOCKED + "update-policy", {"id": id_, "option": "block_sender", "policy": {"description": to, **EVERYONE}}
    )


def test_the_versions_of_an_object_are_listed_also_when_it_is_gone(account) -> None:
    """Newest first, with who and what changed."""
    id_ = block(account, "one")
    rename(account, id_, "two")
    account.call(BLOCKED + "delete-policy", {"id": id_})
    assert [one["action"] for one in history(account, id_)] == ["delete", "update", "create"]
    _, changed, _ = history(account, id_)
    assert [(one["member"], one["before"], one["after"]) for one in changed["changes"]] == [
        ("description", "one", "two")
    ]


def test_an_object_becomes_what_it_was_at_a_version(account) -> None:
    """And it is noted as a restore, of which there can be another one back."""
    id_ = block(account, "one")
    rename(account, id_, "two")
    newest, oldest = history(account, id_)
    (dry,) = account.call(RESTORE, {"eventId": oldest["id"], "dryRun": True})
    assert (dry["changed"], described(account)) == (1, ["two"])
    assert account.call(RESTORE, {"eventId": oldest["id"]})[0]["objects"] == dry["objects"]
    assert described(account) == ["one"]
    assert history(account, id_)[0]["action"] == "restore"
    assert account.call(RESTORE, {"eventId": oldest["id"]})[0]["changed"] == 0
    assert account.call(RESTORE, {"eventId": newest["id"]})[0]["changed"] == 1
    assert described(account) == ["two"]


def test_what_was_deleted_comes_back_with_its_id_and_decides_as_before(account) -> None:
    """Its group is in use again, so that it cannot be deleted."""
    group = account.call("directory/create-group", {"description": "Bad"})[0]["id"]
    id_ = block(account, "group", group)
    before = account.policies()
    account.call(BLOCKED + "delete-policy", {"id": id_})
    (gone, *_) = history(account, id_)
    account.call(RESTORE, {"eventId": gone["id"], "before": True})
    assert [one["id"] for one in account.call(BLOCKED + "get-policy", {})] == [id_]
    assert len(account.policies().scoped) == len(before.scoped)
    with pytest.raises(ItemRefused, match="names it"):
        account.call("directory/delete-group", {"id": group})


def test_what_names_something_that_is_gone_is_a_conflict(account) -> None:
    """A policy of a group that was deleted since does not come back alone; with the group it does."""
    group = account.call("directory/create-group", {"description": "Bad"})[0]["id"]
    account.call("directory/add-group-member", {"id": group, "emailAddress": "x@evil.test"})
    id_ = block(account, "group", group)
    account.call(BLOCKED + "delete-policy", {"id": id_})
    (gone, *_) = history(account, id_)
    send(account, "directory/delete-group", {"id": group}, request="r-9")
    (dry,) = account.call(RESTORE, {"eventId": gone["id"], "before": True, "dryRun": True})
    assert outcomes(dry) == [("blocked sender policy", "conflict")]
    with pytest.raises(ItemRefused, match="is gone"):
        account.call(RESTORE, {"eventId": gone["id"], "before": True})
    (back,) = account.call(RESTORE, {"requestId": "r-9"})
    assert outcomes(back) == [("group", "made"), ("group member", "made")]
    assert account.call(RESTORE, {"eventId": gone["id"], "before": True})[0]["changed"] == 1
    members = account.call("directory/get-group-members", {"id": group})[0]["groupMembers"]
    assert [one["emailAddress"] for one in members] == ["x@evil.test"]


def test_all_that_a_request_changed_is_undone_in_one_revision(account) -> None:
    """What came goes, what went comes, what changed is as before; a later change is a conflict unless forced."""
    kept, gone = block(account, "kept"), block(account, "gone")
    send(
        account,
        BLOCKED + "update-policy",
        {"id": kept, "option": "block_sender", "policy": {"description": "new", **EVERYONE}},
        request="r-1",
    )
    send(account, BLOCKED + "delete-policy", {"id": gone}, request="r-1")
    policy = {"description": "made", "from": {"type": "everyone"}, "to": {"type": "everyone"}}
    send(account, BLOCKED + "create-policy", {"option": "no_action", "policy": policy}, request="r-1")
    assert len(account.call(HISTORY, {"requestId": "r-1"})) == 3
    (dry,) = account.call(RESTORE, {"requestId": "r-1", "dryRun": True})
    assert sorted(one for _, one in outcomes(dry)) == ["changed", "made", "removed"]
    rename(account, kept, "newer")
    with pytest.raises(ItemRefused, match="changed it since"):
        account.call(RESTORE, {"requestId": "r-1"})
    assert sorted(described(account)) == ["made", "newer"]
    revision = history(account, kept)[0]["revision"]
    account.call(RESTORE, {"requestId": "r-1", "force": True})
    assert sorted(described(account)) == ["gone", "kept"]
    assert {one["revision"] for id_ in (kept, gone) for one in history(account, id_)[:1]} == {revision + 1}


def test_the_policies_become_what_they_were_at_a_time(account, monkeypatch) -> None:
    """Of all kinds; what cannot be restored is left and told of."""
    entry = {"to": "ann@corp.test", "sender": "pal@far.test", "action": "permit"}
    account.call("domain/create-domain", {"domain": "corp.test"})
    target = {"description": "all", "from": {"type": "everyone"}, "to": {"type": "everyone"}}
    urls = [{"action": "block", "type": "domain", "value": "games.test"}]
    web = account.call(
        "policy/webwhiteurl/create-policy-with-targets", {"description": "w", "policies": [target], "urls": urls}
    )[0]
    parent = account.call("directory/create-group", {"description": "Top"})[0]["id"]
    # Times are told in whole seconds: what follows is a minute later.
    real, at = time.time_ns, (datetime.now(UTC) + timedelta(seconds=30)).isoformat()
    monkeypatch.setattr(keys.time, "time_ns", lambda: real() + 60_000_000_000)
    monkeypatch.setattr(account.services.store, "_clock", lambda: datetime.now(UTC) + timedelta(minutes=1))
    before = account.call("policy/webwhiteurl/get-policy-with-targets", {})
    account.call("policy/webwhiteurl/delete-policy-with-targets", {"id": web["id"]})
    account.call("managedsender/permit-or-block-sender", entry)
    child = account.call("directory/create-group", {"description": "Below", "parentId": parent})[0]["id"]
    account.call("directory/add-group-member", {"id": child, "emailAddress": "x@evil.test"})
    folder = account.call("policy/address-alteration/create-address-alteration-set", {"description": "s"})[0]["id"]
    definition = {
        "addressType": "all",
        "routing": "inbound",
        "originalAddress": "*@corp.test",
        "newAddress": "*@new.test",
    }
    account.call(
        "policy/address-alteration/create-definition", {"folderId": folder, "addressAlterations": [definition]}
    )
    account.call("user/create-user", {"emailAddress": "kim@corp.test"})
    (restored,) = account.call(RESTORE, {"at": at})
    kinds = dict(outcomes(restored))
    assert kinds == {
        "managed sender": "removed",
        "group member": "removed",
        "address alteration definition": "removed",
        "user": "left",
        "web policy": "made",
        "group": "removed",
        "address alteration set": "removed",
    }
    after = account.call("policy/webwhiteurl/get-policy-with-targets", {})
    assert [one["id"] for one in after] == [one["id"] for one in before]
    assert after[0]["urls"] == before[0]["urls"]
    assert account.call(RESTORE, {"at": at})[0]["changed"] == 0


def test_nobody_restores_what_they_may_not_change(account) -> None:
    """The permission is that of changing the object."""
    id_ = block(account, "one")
    rename(account, id_, "two")
    _, oldest = history(account, id_)
    held = frozenset({Permission.ACCOUNT_LOGS_READ})
    answer = send(account, RESTORE, {"eventId": oldest["id"]}, request="r", permissions=held)
    assert "Gateway | Policies | Edit" in answer["fail"][0]["errors"][0]["message"]
    assert described(account) == ["two"]


@pytest.mark.parametrize("item", [{}, {"at": "1h", "requestId": "r"}, {"at": "2100-01-01T00:00:00+0000"}])
def test_exactly_one_thing_is_asked_for(account, item: dict) -> None:
    """And no time to come."""
    with pytest.raises(ItemRefused):
        account.call(RESTORE, item)


def test_another_account_has_no_such_event(account, other_account) -> None:
    """Ids of events are of one account; request ids are looked for in one account."""
    id_ = block(account, "one")
    (made,) = history(account, id_)
    for item in ({"eventId": made["id"]}, {"requestId": "r-1"}):
        with pytest.raises(ItemRefused):
            other_account.call(RESTORE, item)


def test_what_came_with_the_account_stays(account) -> None:
    """A restore to a time before the account takes its guards away from nobody."""
    account.write(seed_account)
    with pytest.raises(ItemRefused, match="came with the account"):
        account.call(RESTORE, {"at": "2020-01-01T00:00:00+0000"})
