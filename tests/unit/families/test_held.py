"""Mail is held wholly or not at all, within bounds; released once; and nobody's when its user goes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from held_copies import TEXT, hold, kept
from msgspec.structs import replace

from mailreeve.access.caller import Caller
from mailreeve.access.permissions import Permission
from mailreeve.families.held import operations, rows
from mailreeve.families.held.arrival import read
from mailreeve.families.held.limits import HoldLimits, NoRoom
from mailreeve.families.held.rows import HeldGroup, HeldState
from mailreeve.families.keeping.keeper import MessageKeeper
from mailreeve.families.keeping.kept import Kept
from mailreeve.families.outgoing import rows as outgoing
from mailreeve.families.tracking import rows as tracking
from mailreeve.families.tracking.outcomes import State
from mailreeve.families.tracking.record_budget import RecordBudget
from mailreeve.wire.errors import ItemRefused

LIST = "gateway/get-hold-message-list"
RELEASE = "gateway/hold-release"
EVER = datetime.fromtimestamp(0, UTC)


class NoOutcomes(RecordBudget):
    """A budget that is used up."""

    def admit(self, outcomes):
        return []


class BrokenBodies:
    """A disk that takes no body with this in it."""

    def __init__(self, inner, bad: bytes) -> None:
        self.inner, self.bad = inner, bad

    def put(self, account_id, bodies):
        if any(self.bad in piece for body in bodies for piece in body):
            raise OSError("no space left")
        return self.inner.put(account_id, bodies)


@pytest.fixture
def keeper(services):
    return MessageKeeper(services.store, RecordBudget(), services.bodies)


@pytest.fixture
def ann(account):
    account.call("domain/create-domain", {"domain": "corp.test"})
    account.call("user/create-user", {"emailAddress": "ann@corp.test"})
    return account.write(lambda work: operations.user_rows.find_by_address(work, "ann@corp.test")).id


def held(account) -> list[dict]:
    return account.call(LIST, {"admin": True})


def waiting(account) -> list[outgoing.Waiting]:
    return account.write(lambda work: outgoing.due(work, 100))


def test_a_message_is_held_once_for_each_recipient_with_one_body(account, keeper, ann, services):
    hold(keeper, kept(account.id, "ann@corp.test", "ann+x@corp.test", "nobody@corp.test"))
    found = {row["to"]["emailAddress"]: row["heldGroup"] for row in held(account)}
    assert found == {"ann@corp.test": "user", "ann+x@corp.test": "user", "nobody@corp.test": "administrator"}
    bodies = account.write(lambda work: {work.run(rows.select(rows.held_message.c.body)).scalars().first()})
    assert b"".join(services.bodies.read(account.id, bodies.pop())).startswith(b"\r\nA body")


def test_copies_are_kept_where_there_is_no_room_for_records(account, services):
    keeper = MessageKeeper(services.store, NoOutcomes(), services.bodies)
    hold(keeper, kept(account.id, "ann@corp.test"))
    (one,) = held(account)
    account.call(RELEASE, {"id": one["id"]})
    assert len(waiting(account)) == 1


def test_beyond_the_bound_nothing_of_the_message_is_kept_and_others_are(account, services):
    """A stranger fills no disk: the door says 4xx, for what would be held alone."""
    keeper = MessageKeeper(services.store, RecordBudget(), services.bodies, HoldLimits(copies=2))
    hold(keeper, kept(account.id, "a@corp.test", "b@corp.test"))
    told = keeper.record([kept(account.id, "c@corp.test"), kept(account.id, "d@corp.test", state=State.ACCEPTED)])
    assert isinstance(told[0], NoRoom)
    assert told[1] is None
    assert len(held(account)) == 2
    kept_outcomes = account.write(lambda work: [one.recipient for one in tracking.recorded(work, EVER)])
    assert sorted(kept_outcomes) == ["a@corp.test", "b@corp.test", "d@corp.test"]
    small = MessageKeeper(services.store, RecordBudget(), services.bodies, HoldLimits(octets=100))
    (problem,) = small.record([kept(account.id, "e@corp.test")])
    assert isinstance(problem, NoRoom)


def test_what_was_decided_makes_room(account, services):
    keeper = MessageKeeper(services.store, RecordBudget(), services.bodies, HoldLimits(copies=1))
    hold(keeper, kept(account.id, "a@corp.test"))
    account.call("gateway/hold-reject", {"ids": [held(account)[0]["id"]]})
    hold(keeper, kept(account.id, "b@corp.test"))


def test_a_body_that_cannot_be_written_puts_off_its_own_message_alone(account, services):
    keeper = MessageKeeper(services.store, RecordBudget(), BrokenBodies(services.bodies, b"poison"))
    good, bad = kept(account.id, "a@corp.test"), kept(account.id, "b@corp.test", text=b"A: b\r\n\r\npoison\r\n")
    told = keeper.record([good, bad])
    assert [type(one) for one in told] == [type(None), OSError]
    assert [row["to"]["emailAddress"] for row in held(account)] == ["a@corp.test"]


def test_of_two_who_release_at_once_one_does(account, keeper):
    hold(keeper, kept(account.id, "a@corp.test"))
    (one,) = held(account)
    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(lambda _: account.answer(RELEASE, {"id": one["id"]}), range(4)))
    assert sorted(len(answer["data"]) for answer in told) == [0, 0, 0, 1]
    assert len(waiting(account)) == 1


def test_what_is_released_goes_as_it_came(account, keeper, services):
    """Octet for octet: header, trace fields, body."""
    message = kept(account.id, "a@corp.test")
    hold(keeper, message)
    account.call(RELEASE, {"id": held(account)[0]["id"]})
    (one,) = waiting(account)
    content = message.held[0].copy.content
    assert one.kept.copy.content.header == content.header
    assert b"".join(services.bodies.read(account.id, one.kept.body)) == b"".join(content.body)


def test_what_is_held_for_too_long_expires(account, services):
    """Recorded as expired; nobody can release it any more."""
    keeper = MessageKeeper(services.store, RecordBudget(), services.bodies, HoldLimits(days=1))
    hold(keeper, kept(account.id, "a@corp.test"))
    (one,) = held(account)
    assert account.write(lambda work: operations.expire(work, 10)) == 0
    services.store._clock = lambda: datetime.now(UTC) + timedelta(days=1, minutes=1)
    assert account.write(lambda work: operations.expire(work, 10)) == 1
    assert held(account) == []
    with pytest.raises(ItemRefused, match="expired"):
        account.call(RELEASE, {"id": one["id"]})
    records = account.call("ext/find-mail-records", {"id": one["decisionId"]})
    assert [row["verdict"] for row in records] == ["expired", "held"]
    services.store._clock = lambda: datetime.now(UTC) + timedelta(days=40)
    assert account.write(lambda work: rows.forget(work, 10)) == 1


def test_replays_and_counts_see_each_message_once(account, keeper):
    """What came of a held copy later was decided by no door."""
    hold(keeper, kept(account.id, "a@corp.test"))
    account.call(RELEASE, {"id": held(account)[0]["id"]})
    assert account.write(lambda work: len(list(tracking.recorded(work, EVER)))) == 1
    assert account.write(lambda work: tracking.count_recorded(work, EVER)) == 1


def test_when_its_user_goes_held_mail_is_the_administrators(account, keeper, ann):
    """D-45: nobody else may see it, whoever gets the address later."""
    hold(keeper, kept(account.id, "ann@corp.test"))
    assert account.write(lambda work: len(rows.new_since(work, ann, EVER))) == 1
    account.call("ext/remove-user", {"emailAddress": "ann@corp.test"})
    (one,) = held(account)
    assert one["heldGroup"] == "administrator"
    account.call("user/create-user", {"emailAddress": "ann@corp.test"})
    new = account.write(lambda work: operations.user_rows.find_by_address(work, "ann@corp.test")).id
    account.caller = Caller(account.id, "ann@corp.test", "app", frozenset(), new, in_person=True)
    assert account.call(LIST, {}) == []


def test_whose_mail_it_is_finds_it_under_every_address(account, keeper, ann):
    account.call("user/update-alias", {"aliasFor": "ann@corp.test", "alias": "annie@corp.test"})
    hold(keeper, kept(account.id, "annie@corp.test"), kept(account.id, "bob@corp.test"))
    account.caller = Caller(account.id, "ann@corp.test", "app", frozenset(), ann, in_person=True)
    (one,) = account.call(LIST, {})
    assert one["to"]["emailAddress"] == "annie@corp.test"


@pytest.mark.parametrize(
    ("header", "body", "attached"),
    [
        (b"Content-Type: text/plain", b"\r\nhello", False),
        (b"Subject: x", b"\r\nContent-Disposition: attachment", False),
        (b"Content-Type: application/pdf", b"\r\nJVBERi0=", True),
        (
            b"Content-Type: multipart/mixed; boundary=b",
            b"\r\n--b\r\nContent-Disposition:\r\n attachment\r\n",
            True,
        ),
        (b"Content-Type: multipart/mixed; boundary=b", b"\r\n--b\r\ncontent-disposition: INLINE\r\n", False),
        (b"Content-Type: multipart/mixed; boundary=b", b"\r\n" + b"x" * (5 << 20), True),
    ],
)
def test_attachments_are_told_in_lists(account, header, body, attached):
    message = kept(account.id, "a@corp.test", text=header + b"\r\n" + body)
    assert read(message.held[0]).has_attachments is attached


def test_attachments_are_found_across_pieces(account):
    message = kept(account.id, "a@corp.test", text=b"Content-Type: multipart/mixed\r\n\r\n")
    copy = message.held[0].copy
    cut = (b"\r\n--b\r\nContent-Dispo", b"sition: attachment\r\n")
    one = replace(message.held[0], copy=replace(copy, content=replace(copy.content, body=cut)))
    assert read(one).has_attachments


def test_a_layer_that_nobody_knows_is_the_administrators(account, keeper, ann):
    hold(keeper, kept(account.id, "ann@corp.test", layer="default"))
    (one,) = held(account)
    assert one["heldGroup"] == HeldGroup.ADMINISTRATOR
    assert one["reasonCode"] == "message_hold_applied_default_policy"
    assert HeldState.HELD == "held"


def _for_both(first: Kept, second: Kept) -> Kept:
    """What one message leaves in two accounts."""
    return Kept(
        (*first.outcomes, *second.outcomes), (*first.held, *second.held), (*first.outgoing, *second.outgoing)
    )


@pytest.mark.parametrize("state", [State.HELD, State.ACCEPTED])
@pytest.mark.parametrize("full_first", [True, False])
def test_what_one_account_cannot_hold_no_other_keeps(account, other_account, services, state, full_first):
    """The sender of such a message is told to try again: each try would bring the other account one more copy,
    held or sent."""
    keeper = MessageKeeper(services.store, RecordBudget(), services.bodies, HoldLimits(copies=1))
    hold(keeper, kept(account.id, "a@corp.test"))
    parts = [kept(account.id, "b@corp.test"), kept(other_account.id, "c@corp.test", state=state)]
    message = _for_both(*(parts if full_first else reversed(parts)))
    for _ in range(3):
        (problem,) = keeper.record([message])
        assert isinstance(problem, NoRoom)
    assert (held(other_account), waiting(other_account), len(held(account))) == ([], [], 1)
    account.call("gateway/hold-reject", {"ids": [held(account)[0]["id"]]})
    hold(keeper, message)
    assert len(held(other_account)) + len(waiting(other_account)) == 1


def test_a_message_that_cannot_be_read_puts_off_itself_alone(account, keeper, monkeypatch):
    """Whatever a stranger wrote: those whose messages come at the same moment are answered."""
    bad = kept(account.id, "b@corp.test")

    def reading(one):
        if one is bad.held[0]:
            raise ValueError("not to be read")
        return read(one)

    monkeypatch.setattr("mailreeve.families.held.arrival.read", reading)
    told = keeper.record([kept(account.id, "a@corp.test"), bad, kept(account.id, "c@corp.test")])
    assert [type(one) for one in told] == [type(None), ValueError, type(None)]
    assert sorted(row["to"]["emailAddress"] for row in held(account)) == ["a@corp.test", "c@corp.test"]


def test_nobody_learns_from_a_refusal_whose_mailbox_there_is(account, keeper, ann):
    """Whether there is no such user or the mailbox is not open to the caller, the refusal is the same."""
    hold(keeper, kept(account.id, "ann@corp.test"))
    account.call("user/create-user", {"emailAddress": "bob@corp.test"})
    bob = account.write(lambda work: operations.user_rows.find_by_address(work, "bob@corp.test")).id
    account.caller = Caller(account.id, "bob@corp.test", "app", frozenset(), bob, in_person=True)
    told = set()
    for mailbox in ("ann@corp.test", "nobody@corp.test"):
        with pytest.raises(ItemRefused) as refused:
            account.call(LIST, {"mailbox": mailbox})
        told.add(refused.value.problems)
    assert len(told) == 1


def test_keys_that_were_made_for_less_change_no_list(account, keeper, ann):
    """The right to decide about held mail is none to say whom its user permits."""
    hold(keeper, kept(account.id, "ann@corp.test"))
    (one,) = held(account)
    rights = frozenset({Permission.ACCOUNT_MONITORING_HELD_EDIT})
    item = {"ids": [one["id"]], "action": "release", "sender": "permit"}
    account.caller = Caller(account.id, "ann@corp.test", "app", rights, ann)
    (done,) = account.call("ext/decide-held-messages", item)
    assert (done["state"], done["code"]) == ("held", "err_xdk_forbidden")
    account.caller = Caller(account.id, "ann@corp.test", "app", rights, ann, in_person=True)
    (done,) = account.call("ext/decide-held-messages", item)
    assert done["state"] == "released"


def test_whose_alias_it_was_decides_in_the_own_list_whoever_has_the_alias_now(account, keeper, ann):
    """The message is the user's still, and so is the wish about its sender."""
    account.call("user/create-user", {"emailAddress": "bob@corp.test"})
    account.call("user/update-alias", {"aliasFor": "ann@corp.test", "alias": "boss@corp.test"})
    hold(keeper, kept(account.id, "boss@corp.test"))
    account.call("user/remove-alias", {"alias": "boss@corp.test"})
    account.call("user/update-alias", {"aliasFor": "bob@corp.test", "alias": "boss@corp.test"})
    (one,) = held(account)
    admin = account.caller
    bob = account.write(lambda work: operations.user_rows.find_by_address(work, "bob@corp.test")).id
    account.caller = Caller(account.id, "bob@corp.test", "app", frozenset(), bob, in_person=True)
    assert account.call(LIST, {}) == []
    account.caller = Caller(account.id, "ann@corp.test", "app", frozenset(), ann, in_person=True)
    account.call("ext/decide-held-messages", {"ids": [one["id"]], "action": "reject", "sender": "block"})
    assert account.call(LIST, {}) == []
    account.caller = admin
    lists = {name: account.call("ext/get-managed-senders", {"to": f"{name}@corp.test"}) for name in ("ann", "bob")}
    assert (len(lists["ann"]), lists["bob"]) == (1, [])


PRIVATE = b"Sensitivity: Private\r\n"


def in_person(account, address: str, *permissions: Permission) -> None:
    """Call as this user from now on."""
    user = account.write(lambda work: operations.user_rows.find_by_address(work, address))
    account.caller = Caller(account.id, address, "app", frozenset(permissions), user.id, in_person=True)


def open_to(account, who: str, mailbox: str, *scopes: str) -> None:
    item = {"primaryAddress": who, "delegateAddress": mailbox, **({"scopes": list(scopes)} if scopes else {})}
    account.call("user/add-delegate-user", item)


def test_what_is_marked_private_is_held_for_its_recipient_and_no_delegate(account, keeper, ann):
    """Neither listed, nor shown, nor decided about (behaviour.md section 7.2)."""
    account.call("user/create-user", {"emailAddress": "bob@corp.test"})
    open_to(account, "bob@corp.test", "ann@corp.test")
    hold(keeper, kept(account.id, "ann@corp.test", subject="Plain"))
    hold(keeper, kept(account.id, "ann@corp.test", subject="Own", text=PRIVATE + TEXT))
    hold(keeper, kept(account.id, "ann@corp.test", subject="Mine", text=b"sensitivity: personal\r\n" + TEXT))
    ids = {row["subject"]: row["id"] for row in held(account)}
    assert set(ids) == {"Plain", "Own", "Mine"}
    admin = account.caller
    in_person(account, "bob@corp.test")
    for which in ({"mailbox": "ann@corp.test"}, {"includeDelegates": True}):
        assert [row["subject"] for row in account.call(LIST, which)] == ["Plain"]
    for path, item in (
        (RELEASE, {"id": ids["Own"]}),
        ("gateway/hold-reject", {"ids": [ids["Own"]]}),
        ("ext/show-held-message", {"id": ids["Mine"]}),
        ("ext/ask-held-release", {"id": ids["Mine"], "reason": "please"}),
    ):
        with pytest.raises(ItemRefused) as refused:
            account.call(path, item)
        assert refused.value.problems[0].code == "err_held_message_not_found"
    account.call("ext/show-held-message", {"id": ids["Plain"]})
    in_person(account, "ann@corp.test")
    assert len(account.call(LIST, {})) == 3
    account.call(RELEASE, {"id": ids["Own"]})
    account.caller = admin
    assert len(held(account)) == 2


def test_all_mailboxes_that_are_open_to_a_user_are_one_list(account, keeper, ann):
    """With their own, the newest first; not what those may open in turn, nor what other scopes open."""
    names = ("bob", "eve", "dan", "liz")
    account.call("user/create-user", *({"emailAddress": f"{one}@corp.test"} for one in names))
    open_to(account, "ann@corp.test", "bob@corp.test", "held")
    open_to(account, "ann@corp.test", "eve@corp.test", "lists")
    open_to(account, "bob@corp.test", "dan@corp.test", "held")
    for one in ("ann", *names):
        hold(keeper, kept(account.id, f"{one}@corp.test", subject=one))
    in_person(account, "ann@corp.test")
    assert [row["subject"] for row in account.call(LIST, {"includeDelegates": True})] == ["bob", "ann"]
    assert [row["subject"] for row in account.call(LIST, {})] == ["ann"]
    for item in ({"mailbox": "bob@corp.test"}, {"mailbox": "bob@corp.test", "includeDelegates": True}):
        assert [row["subject"] for row in account.call(LIST, item)] == ["bob"]
    in_person(account, "ann@corp.test", Permission.ACCOUNT_DASHBOARD_READ)
    account.caller = replace(account.caller, in_person=False)
    assert [row["subject"] for row in account.call(LIST, {"includeDelegates": True})] == ["ann"]
