"""A call under a key is done once, and a call for a revision only while the account is at it."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from mailreeve.access.caller import Origin
from mailreeve.families.machinery import once as rule
from mailreeve.families.machinery import perform
from mailreeve.families.registry import ENDPOINTS
from mailreeve.wire import envelope
from mailreeve.wire.errors import CHANGED, KEY_DONE, KEY_OTHER, TOO_MANY_KEYS, RequestRefused

BY_PATH = {one.path: one for one in ENDPOINTS}
GROUP = ("directory/create-group", {"description": "Partners"})


def made_ready(account, path: str, *items: dict, key: str = "", newest: int | None = None, actor: str = ""):
    caller = msgspec.structs.replace(account.caller, actor=actor or account.caller.actor)
    sent = msgspec.json.encode({"data": items})
    found = perform.ready(account.services, BY_PATH[path], envelope.decode(sent), caller, Origin(caller.actor))
    once = rule.once(caller, key, path.encode(), sent) if key else None
    return msgspec.structs.replace(found, once=once, newest=newest)


def call(account, path: str, *items: dict, **terms):
    return perform.carry_out(account.services, made_ready(account, path, *items, **terms))


def code(account, path: str, *items: dict, **terms) -> str:
    with pytest.raises(RequestRefused) as refusal:
        call(account, path, *items, **terms)
    return refusal.value.problem.code


def revision(account) -> int:
    """What a write that changes nothing says of the account."""
    return call(account, GROUP[0], {}).revision


def test_a_call_that_comes_again_has_the_same_answer_and_does_nothing(account) -> None:
    first = call(account, *GROUP, key="k")
    again = call(account, *GROUP, key="k")
    assert first.replayed is None
    assert again.replayed == first.payload(writes=True)
    assert again.payload(writes=True) == first.payload(writes=True)
    assert revision(account) == first.revision


def test_two_that_come_at_once_are_one(account) -> None:
    """They share a transaction of the database; the second finds what the first left."""
    both = [made_ready(account, *GROUP, key="k") for _ in range(2)]
    first, second = perform.write_together(account.services, both)
    assert second.replayed == first.payload(writes=True)


def test_a_key_is_one_call_of_one_caller(account) -> None:
    first = call(account, *GROUP, key="k")
    assert code(account, GROUP[0], {"description": "Others"}, key="k") == KEY_OTHER.code
    assert code(account, "directory/delete-group", {"id": "x"}, key="k") == KEY_OTHER.code
    assert call(account, *GROUP, key="K").replayed is None
    assert call(account, *GROUP, key="k", actor="somebody@else.test").replayed is None
    assert revision(account) == first.revision + 2


def test_what_was_refused_is_tried_again(account) -> None:
    bad = {"description": "Below", "parentId": "nonsense"}
    assert call(account, GROUP[0], bad, key="k").fail
    assert call(account, *GROUP, key="k").data


def test_what_was_done_in_part_is_kept(account) -> None:
    first = call(account, GROUP[0], GROUP[1], {}, key="k")
    assert (len(first.data), len(first.fail)) == (1, 1)
    assert call(account, GROUP[0], GROUP[1], {}, key="k").replayed == first.payload(writes=True)


def test_an_answer_with_a_secret_is_not_kept(account) -> None:
    account.call("domain/create-domain", {"domain": "keys.test"})
    account.call("user/create-user", {"emailAddress": "ann@keys.test"})
    item = {"user": "ann@keys.test"}
    made = msgspec.to_builtins(call(account, "ext/create-key", item, key="k").data[0])
    secret = made["secretKey"]
    assert code(account, "ext/create-key", item, key="k") == KEY_DONE.code
    with account.services.store._engine.reading() as connection:
        rows = connection.execute(rule.kept_answer.select()).all()
    assert [row.answer for row in rows] == [None]
    assert secret not in repr(rows)


def test_a_long_answer_is_not_kept(account, monkeypatch) -> None:
    monkeypatch.setattr(rule, "LONGEST_ANSWER", 10)
    call(account, *GROUP, key="k")
    assert code(account, *GROUP, key="k") == KEY_DONE.code


def test_keys_are_bounded_and_end(account, monkeypatch) -> None:
    """One too many is refused, since a good one may not be forgotten; those that ended make room."""
    monkeypatch.setattr(rule, "MOST_KEPT", 1)
    call(account, *GROUP, key="a")
    assert code(account, *GROUP, key="b") == TOO_MANY_KEYS.code
    later = account.services.store._clock() + rule.KEPT + timedelta(seconds=1)
    monkeypatch.setattr(account.services.store, "_clock", lambda: later)
    assert call(account, *GROUP, key="a").replayed is None
    with account.services.store._engine.reading() as connection:
        assert len(connection.execute(rule.kept_answer.select()).all()) == 1


def test_a_call_for_an_older_revision_is_refused(account) -> None:
    first = call(account, *GROUP)
    second = call(account, *GROUP, newest=first.revision, key="k")
    assert second.data
    assert code(account, *GROUP, newest=first.revision) == CHANGED.code
    assert revision(account) == second.revision
    # What was done already was done in time.
    assert call(account, *GROUP, newest=first.revision, key="k").replayed


def test_of_two_for_one_revision_the_second_is_refused(account) -> None:
    now = revision(account)
    first, second = perform.write_together(
        account.services, [made_ready(account, *GROUP, newest=now) for _ in range(2)]
    )
    assert first.data
    assert isinstance(second, RequestRefused)
