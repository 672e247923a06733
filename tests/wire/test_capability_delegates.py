"""Delegate rights over the API (behaviour.md section 7): who may open whose mailbox.

`primaryAddress` is the user who gains access, `delegateAddress` the one whose mailbox becomes readable.
"""

from __future__ import annotations

import json

import pytest

from mailreeve.client import ApiError

ADD = "user/add-delegate-user"
FIND = "user/find-delegate-users"
REMOVE = "user/remove-delegate-user"


@pytest.fixture
def users(gate):
    """`users(n)` makes n users and gives their addresses."""

    def make(number: int) -> list[str]:
        addresses = [gate.recipient() for _ in range(number)]
        gate.client.call("user/create-user", *({"emailAddress": a, "name": a[:8]} for a in addresses))
        return addresses

    return make


def mailboxes(gate, holder: str) -> list[str]:
    return sorted(found.email_address for found in gate.client.delegates.find(holder))


def refusal(gate, path: str, **item: str) -> tuple[str, str | None]:
    with pytest.raises(ApiError) as refused:
        gate.client.call(path, item)
    return refused.value.code, refused.value.field


def test_vector_31_right_is_given_once_found_and_taken_away(gate, users):
    """Twice the same call: the same id, and `success` both times (D-29). There is one right, in one direction."""
    rosie, arrie = users(2)
    item = {"primaryAddress": rosie, "delegateAddress": arrie}
    (first,) = gate.client.call(ADD, item)
    (again,) = gate.client.call(ADD, item)
    assert first == again == {"id": first["id"], "success": True}
    (found,) = gate.client.call(FIND, {"primaryAddress": rosie})
    (user,) = found["delegateUsers"]
    assert (user["emailAddress"], user["name"], user["id"]) == (arrie, arrie[:8], first["id"])
    assert mailboxes(gate, arrie) == []
    assert gate.client.call(REMOVE, {"id": first["id"]}) == [{"id": first["id"], "success": True}]
    assert mailboxes(gate, rosie) == []
    assert refusal(gate, REMOVE, id=first["id"]) == ("err_delegate_not_found", "id")


def test_vector_33_rights_are_not_handed_on(gate, users):
    """A may open B, B may open C: A may not open C (D-31)."""
    a, b, c = users(3)
    gate.client.delegates.add(a, b)
    gate.client.delegates.add(b, c)
    assert [mailboxes(gate, user) for user in (a, b, c)] == [[b], [c], []]


def test_right_is_the_users_under_every_address(gate, users):
    """D-32: an alias of either stands for the user, so the same right is found."""
    rosie, arrie = users(2)
    alias = gate.recipient()
    gate.client.call("user/update-alias", {"aliasFor": arrie, "alias": alias})
    by_alias = gate.client.delegates.add(rosie, alias)
    assert gate.client.delegates.add(rosie.upper(), arrie).id == by_alias.id
    assert mailboxes(gate, rosie) == [arrie]


def test_address_with_a_tag_stands_for_its_user(gate, users):
    """D-53, on both sides, of an alias as well, and for who lists the rights; nobody gains one to oneself."""
    rosie, arrie = users(2)
    alias = gate.recipient()
    gate.client.call("user/update-alias", {"aliasFor": arrie, "alias": alias})
    right = gate.client.delegates.add(rosie, arrie)
    for holder, mailbox in ((rosie, tagged(arrie)), (tagged(rosie), arrie), (tagged(rosie), tagged(alias))):
        assert gate.client.delegates.add(holder, mailbox).id == right.id
    assert mailboxes(gate, tagged(rosie, "a+b")) == [arrie]
    itself = {"primaryAddress": rosie, "delegateAddress": tagged(rosie)}
    assert refusal(gate, ADD, **itself) == ("err_delegate_self", "delegateAddress")


def tagged(address: str, tag: str = "x") -> str:
    return address.replace("@", f"+{tag}@")


@pytest.mark.parametrize("path", [ADD, FIND])
@pytest.mark.parametrize("address", ["", "nobody", "nobody@corp.test", "x@elsewhere.test"])
def test_holder_who_is_no_user_is_refused(gate, users, path, address):
    """D-30; an empty address is as good as none."""
    (arrie,) = users(1)
    expected = {
        "": "err_validation_blank",
        "nobody": "err_validation_invalid_email_address",
        "nobody@corp.test": "err_user_not_found",
        "x@elsewhere.test": "err_xdk_operation_forbidden_for_address",
    }
    item = {"primaryAddress": address, "delegateAddress": arrie}
    assert refusal(gate, path, **item) == (expected[address], "primaryAddress")


def test_mailbox_that_is_no_other_users_is_refused(gate, users):
    """D-30: nobody's, a stranger's, one's own, and one's own by another name."""
    (rosie,) = users(1)
    alias = gate.recipient()
    gate.client.call("user/update-alias", {"aliasFor": rosie, "alias": alias})
    for mailbox, code in (
        ("nobody@corp.test", "err_user_not_found"),
        ("x@elsewhere.test", "err_xdk_operation_forbidden_for_address"),
        (rosie, "err_delegate_self"),
        (alias, "err_delegate_self"),
    ):
        item = {"primaryAddress": rosie, "delegateAddress": mailbox}
        assert refusal(gate, ADD, **item) == (code, "delegateAddress"), mailbox
    assert mailboxes(gate, rosie) == []


def test_forged_right_is_no_right(gate, users):
    """An id of another kind, and one with a letter changed, open nothing and remove nothing."""
    rosie, arrie = users(2)
    right = gate.client.delegates.add(rosie, arrie).id
    user = gate.client.call("user/get-profile", {"emailAddress": arrie})[0]["id"]
    spoilt = right[:-2] + ("AA" if right[-2:] != "AA" else "BB")
    for forged in (user, spoilt, "nonsense"):
        assert refusal(gate, REMOVE, id=forged) == ("xdk_failure", "id")
    assert mailboxes(gate, rosie) == [arrie]


def test_one_bad_item_leaves_the_others_done(gate, users):
    rosie, arrie, kim = users(3)
    pairs = [(rosie, arrie), (rosie, rosie), (rosie, kim)]
    items = [{"primaryAddress": p, "delegateAddress": d} for p, d in pairs]
    answer = gate.client.send(ADD, *items)
    assert len(answer.data) == 2
    assert [failure.item for failure in answer.failures] == [items[1]]
    assert mailboxes(gate, rosie) == sorted([arrie, kim])


def test_command_calls_as_the_client_does(gate, users):
    """`mailreeve call`, with saved credentials."""
    rosie, arrie = users(2)
    keys = gate.live.data / "keys.json"
    keys.write_text(json.dumps(gate.live.credentials))
    item = json.dumps({"primaryAddress": rosie, "delegateAddress": arrie})
    (done,) = json.loads(gate.run("call", ADD, item, "--credentials", str(keys), "--url", gate.live.http))
    assert gate.client.delegates.add(rosie, arrie).id == done["id"]
