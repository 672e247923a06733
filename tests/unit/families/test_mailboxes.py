"""Who may open whose mailbox, and what that opens: own, delegated, nobody else's (behaviour.md section 7)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mailreeve.access.caller import Caller
from mailreeve.access.permissions import Permission
from mailreeve.families.directory.users import rows as users
from mailreeve.families.directory.users.mailboxes import DelegateScope, may_open, opened_by
from mailreeve.store.schema import audit_event
from mailreeve.wire.errors import ItemRefused, RequestRefused

ADD = "user/add-delegate-user"
FIND = "user/find-delegate-users"
SET = "managedsender/permit-or-block-sender"
LIST = "ext/get-managed-senders"
REMOVE = "ext/remove-managed-sender"

LISTS = DelegateScope.LISTS


class Corp:
    """An account with users, and calls in the name of each of them."""

    def __init__(self, account) -> None:
        self.account = account
        self.admin = account.caller
        account.call("domain/create-domain", {"domain": "corp.test"})
        people = ("rosie", "arrie", "kim")
        account.call("user/create-user", *({"emailAddress": f"{n}@corp.test", "name": n} for n in people))
        account.call("user/update-alias", {"aliasFor": "arrie@corp.test", "alias": "boss@corp.test"})
        self.ids = {name: self._read(lambda work, n=name: users.find_by_address(work, f"{n}@corp.test").id)
                    for name in people}  # fmt: skip

    def _read(self, transaction):
        return self.account.services.store.read(self.account.id, transaction)

    def at(self, moment: datetime) -> None:
        """Let it be that time."""
        self.account.services.store._clock = lambda: moment

    def give(self, holder: str, mailbox: str, **more: object) -> str:
        self.account.caller = self.admin
        item = {"primaryAddress": f"{holder}@corp.test", "delegateAddress": f"{mailbox}@corp.test", **more}
        return self.account.call(ADD, item)[0]["id"]

    def rights(self, holder: str) -> list[dict]:
        self.account.caller = self.admin
        return self.account.call(FIND, {"primaryAddress": f"{holder}@corp.test"})[0]["delegateUsers"]

    def may(self, acting: str, mailbox: str, scope: DelegateScope = LISTS) -> bool:
        return self._read(lambda work: may_open(work, self.ids.get(acting, ""), self.ids.get(mailbox, ""), scope))

    def opens(self, acting: str, scope: DelegateScope) -> list[str]:
        names = {id_: name for name, id_ in self.ids.items()}
        return [names[id_] for id_ in self._read(lambda work: opened_by(work, self.ids[acting], scope))]

    def as_(self, name: str, *permissions: Permission, in_person: bool = True):
        """The account, called by this user."""
        self.account.caller = Caller(
            self.account.id,
            f"{name}@corp.test",
            "app",
            frozenset(permissions),
            self.ids[name],
            in_person=in_person,
        )
        return self.account

    def refusal(self, name: str, path: str, **item: object) -> tuple[str, str | None, str]:
        with pytest.raises(ItemRefused) as refused:
            self.as_(name).call(path, item)
        (problem,) = refused.value.problems
        return problem.code, problem.field, problem.message

    def audited(self) -> list[tuple[str, str, str]]:
        query = (
            audit_event.select().where(audit_event.c.object_kind == "managed sender").order_by(audit_event.c.id)
        )
        rows = self.account.write(lambda work: work.execute(query).all())
        return [(row.action, row.actor, row.acting_for) for row in rows]


@pytest.fixture
def corp(account) -> Corp:
    return Corp(account)


def test_a_mailbox_is_open_to_its_user_and_to_whom_it_was_opened_and_nobody_else(corp):
    corp.give("rosie", "arrie")
    assert corp.may("arrie", "arrie")
    assert corp.may("rosie", "arrie")
    assert not corp.may("arrie", "rosie"), "in one direction"
    assert not corp.may("kim", "arrie")
    assert not corp.may("nobody", "arrie")
    assert not corp.may("nobody", "nobody"), "an application is nobody's mailbox"


def test_rights_are_not_handed_on(corp):
    """D-31, vector 33."""
    corp.give("rosie", "arrie")
    corp.give("arrie", "kim")
    assert corp.opens("rosie", LISTS) == ["rosie", "arrie"]
    assert not corp.may("rosie", "kim")


def test_a_right_opens_all_but_sending_where_nothing_is_said(corp):
    """D-34."""
    corp.give("rosie", "arrie")
    assert [scope for scope in DelegateScope if corp.may("rosie", "arrie", scope)] == [
        DelegateScope.HELD, DelegateScope.LISTS, DelegateScope.ARCHIVE
    ]  # fmt: skip
    corp.give("rosie", "arrie", scopes=["send"])
    assert corp.may("rosie", "arrie", DelegateScope.SEND)


def test_a_right_opens_what_it_names_and_nothing_else(corp):
    right = corp.give("rosie", "arrie", scopes=["held"])
    assert corp.may("rosie", "arrie", DelegateScope.HELD)
    assert not corp.may("rosie", "arrie", DelegateScope.LISTS)
    assert corp.opens("rosie", DelegateScope.ARCHIVE) == ["rosie"]
    assert corp.give("rosie", "arrie") == right
    assert corp.rights("rosie")[0]["scopes"] == ["held"], "a client that knows of no scopes widens nothing"
    assert corp.give("rosie", "arrie", scopes=["lists", "held", "lists"]) == right
    assert corp.rights("rosie")[0]["scopes"] == ["held", "lists"]


def test_a_right_ends_at_its_instant(corp):
    now = datetime(2026, 6, 1, tzinfo=UTC)
    corp.at(now)
    right = corp.give("rosie", "arrie", expires="2026-06-02T00:00:00+0000")
    assert corp.rights("rosie")[0]["expires"] == "2026-06-02T00:00:00+0000"
    end = now + timedelta(days=1)
    corp.at(end - timedelta(microseconds=1))
    assert corp.may("rosie", "arrie")
    corp.at(end)
    assert not corp.may("rosie", "arrie")
    assert corp.opens("rosie", LISTS) == ["rosie"]
    assert corp.rights("rosie") == []
    assert corp.give("rosie", "arrie") != right, "what has ended is not renewed unseen"
    assert "expires" not in corp.rights("rosie")[0]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"expires": "2020-01-01"}, ("err_delegate_over", "expires")),
        ({"expires": "soon"}, ("err_validation_invalid_date", "expires")),
        ({"scopes": []}, ("err_validation_blank", "scopes")),
        ({"scopes": ["inbox"]}, ("err_validation_wrong_type", "scopes[0]")),
    ],
)
def test_a_right_that_could_open_nothing_is_refused(corp, more, expected):
    with pytest.raises(ItemRefused) as refused:
        corp.give("rosie", "arrie", **more)
    assert (refused.value.problems[0].code, refused.value.problems[0].field) == expected


def test_complaint_15_users_have_lists_of_their_own_and_keep_them_themselves(corp):
    """Behaviour.md section 11: per-user lists, missing elsewhere for a decade. No permission is needed."""
    me = corp.as_("arrie")
    (made,) = me.call(SET, {"sender": "shop@x.test", "to": "arrie@corp.test", "action": "block"})
    me.call(SET, {"sender": "pal@x.test", "to": "boss+tag@corp.test", "action": "permit"})
    assert [row["sender"] for row in me.call(LIST, {})] == ["shop@x.test", "pal@x.test"]
    assert me.call(LIST, {"to": "boss@corp.test"}) == me.call(LIST, {})
    assert corp.as_("kim").call(LIST, {}) == []
    corp.as_("arrie").call(REMOVE, {"id": made["id"]})
    me.call(REMOVE, {"to": "arrie@corp.test", "sender": "pal@x.test"})
    assert me.call(LIST, {}) == []
    assert {(actor, acting_for) for _, actor, acting_for in corp.audited()} == {("arrie@corp.test", "")}


def test_a_delegate_keeps_the_list_and_the_audit_log_has_both_names(corp):
    """Behaviour.md section 7.4: "rosie acting for arrie"."""
    corp.give("rosie", "arrie", scopes=["lists"])
    rosie = corp.as_("rosie")
    (made,) = rosie.call(SET, {"sender": "a@x.test", "to": "arrie@corp.test", "action": "permit"})
    rosie.call(SET, {"sender": "a@x.test", "to": "boss@corp.test", "action": "block"})
    rosie.call(SET, {"sender": "b@x.test", "to": "rosie@corp.test", "action": "block"})
    assert [row["sender"] for row in rosie.call(LIST, {"to": "arrie@corp.test"})] == ["a@x.test"]
    assert [row["sender"] for row in rosie.call(LIST, {})] == ["b@x.test"], "the own list, where none is named"
    rosie.call(REMOVE, {"id": made["id"]})
    assert corp.audited() == [
        ("create", "rosie@corp.test", "arrie@corp.test"),
        ("update", "rosie@corp.test", "arrie@corp.test"),
        ("create", "rosie@corp.test", ""),
        ("delete", "rosie@corp.test", "arrie@corp.test"),
    ]


def test_each_item_of_a_call_is_noted_for_its_own_mailbox(corp):
    corp.give("rosie", "arrie")
    items = [{"sender": "a@x.test", "to": f"{n}@corp.test", "action": "block"} for n in ("arrie", "kim", "rosie")]
    answer = corp.as_("rosie").answer(SET, *items)
    assert [row["to"] for row in answer["data"]] == ["arrie@corp.test", "rosie@corp.test"]
    assert [row["key"]["to"] for row in answer["fail"]] == ["kim@corp.test"]
    assert [acting_for for _, _, acting_for in corp.audited()] == ["arrie@corp.test", ""]


def test_a_stranger_learns_nothing_not_even_who_is_there(corp):
    """Whoever may not open a mailbox gets the answer of one that does not exist."""
    corp.give("rosie", "arrie", scopes=["held", "archive"])
    entry = corp.as_("arrie").call(SET, {"sender": "a@x.test", "to": "arrie@corp.test", "action": "block"})[0][
        "id"
    ]
    for name in ("kim", "rosie"):
        for path, more in (
            (SET, {"sender": "b@x.test", "action": "permit"}),
            (LIST, {}),
            (REMOVE, {"sender": "a@x.test"}),
        ):
            answers = {
                corp.refusal(name, path, to=to, **more)
                for to in ("arrie@corp.test", "boss@corp.test", "ghost@corp.test", "someone@out.test")
            }
            assert answers == {("err_user_not_found", "to", "User not found")}
        assert corp.refusal(name, REMOVE, id=entry)[:2] == ("err_managed_sender_not_found", "id")
    assert [row["sender"] for row in corp.as_("arrie").call(LIST, {})] == ["a@x.test"]


def test_a_list_of_nobody_is_for_administrators_alone(corp):
    corp.account.caller = corp.admin
    corp.account.call(SET, {"sender": "a@x.test", "to": "sales@corp.test", "action": "block"})
    assert corp.refusal("kim", LIST, to="sales@corp.test") == ("err_user_not_found", "to", "User not found")


def test_a_right_that_ends_ends_for_lists_at_once(corp):
    now = datetime(2026, 6, 1, tzinfo=UTC)
    corp.at(now)
    corp.give("rosie", "arrie", expires="2026-06-02T00:00:00+0000")
    assert corp.as_("rosie").call(LIST, {"to": "arrie@corp.test"}) == []
    corp.at(now + timedelta(days=1))
    assert corp.refusal("rosie", LIST, to="arrie@corp.test")[0] == "err_user_not_found"


def test_keys_made_for_less_than_the_user_may_do_do_not_open_the_users_mailbox(corp):
    """A key that may only read tracking, leaked, is no key to its owner's mailbox."""
    narrow = corp.as_("arrie", Permission.GATEWAY_TRACKING_READ, in_person=False)
    with pytest.raises(RequestRefused, match="permission"):
        narrow.call(LIST, {"to": "arrie@corp.test"})
    reader = corp.as_("arrie", Permission.GATEWAY_POLICIES_READ, in_person=False)
    assert reader.call(LIST, {}) == []
    with pytest.raises(RequestRefused):
        reader.call(SET, {"sender": "a@x.test", "to": "arrie@corp.test", "action": "block"})


def test_an_administrator_changes_any_list_in_the_own_name(corp):
    edit = Permission.GATEWAY_MANAGED_SENDERS_EDIT
    corp.as_("kim", edit).call(SET, {"sender": "a@x.test", "to": "arrie@corp.test", "action": "block"})
    assert corp.audited() == [("create", "kim@corp.test", "")]


def test_a_right_follows_its_users_and_goes_with_them(corp):
    corp.give("rosie", "arrie")
    corp.account.call("ext/rename-user", {"emailAddress": "arrie@corp.test", "newAddress": "ari@corp.test"})
    assert corp.as_("rosie").call(LIST, {"to": "ari@corp.test"}) == []
    corp.account.caller = corp.admin
    corp.account.call("ext/remove-user", {"emailAddress": "ari@corp.test"})
    assert corp.rights("rosie") == []
    assert corp.refusal("rosie", LIST, to="ari@corp.test")[0] == "err_user_not_found"


def test_rights_are_exported_as_they_are_given(corp):
    """An import of what was exported neither widens a right nor takes its end away."""
    corp.give("rosie", "arrie", scopes=["held", "lists"], expires="2090-01-01")
    corp.give("kim", "arrie")
    rows = corp.account.call("ext/export-delegates", {})
    assert rows == [
        {"primary": "rosie@corp.test", "delegate": "arrie@corp.test", "scopes": "held lists",
         "expires": "2090-01-01T00:00:00+0000"},
        {"primary": "kim@corp.test", "delegate": "arrie@corp.test"},
    ]  # fmt: skip
    corp.account.call("user/remove-delegate-user", {"id": corp.rights("rosie")[0]["id"]})
    corp.account.call("ext/import-delegates", {"rows": rows})
    (right,) = corp.rights("rosie")
    assert (right["scopes"], right["expires"]) == (["held", "lists"], "2090-01-01T00:00:00+0000")
