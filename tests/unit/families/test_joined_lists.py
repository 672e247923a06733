"""An address with entries of its own becomes a user's alias: its list joins the user's (D-18, D-19)."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from msgspec.structs import replace
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from mailreeve.families.machinery.call import Limits
from mailreeve.families.managed_senders import rows
from mailreeve.families.registry import ADDRESS_JOINED, LOADERS
from mailreeve.formats.addresses import parse_address
from mailreeve.policy.decide.mail import decide_mail
from mailreeve.policy.index.personal import list_key
from mailreeve.policy.model.decisions import Action
from mailreeve.policy.model.facts import MessageFacts
from mailreeve.policy.model.policies import ManagedAction
from mailreeve.store.follow import Follower
from mailreeve.store.schema import audit_event
from mailreeve.wire.errors import ItemRefused

BLOCK, PERMIT = "block", "permit"


@pytest.fixture
def corp(account):
    """An account with the user pat@corp.test."""
    account.call("domain/create-domain", {"domain": "corp.test"})
    account.call("user/create-user", {"emailAddress": "pat@corp.test"})
    return account


def write(account, sender, to, action=BLOCK) -> str:
    """The id of the entry."""
    (row,) = account.call("managedsender/permit-or-block-sender", {"sender": sender, "to": to, "action": action})
    return row["id"]


def give(account, alias="sales@corp.test", owner="pat@corp.test") -> None:
    account.call("user/update-alias", {"alias": alias, "aliasFor": owner})


def take(account, alias="sales@corp.test") -> None:
    account.call("user/remove-alias", {"alias": alias})


def lists(account) -> dict[str, dict[str, str]]:
    """From each recipient to what its entries say, as decisions have it, which is as it is loaded anew."""
    followed = account.policies().managed
    anew = Follower(account.services.store, LOADERS, ()).current(account.id).managed
    assert {entry.id: entry for entry in followed.entries} == {entry.id: entry for entry in anew.entries}
    found: dict[str, dict[str, str]] = {}
    for entry in anew.entries:
        assert followed.of(entry.recipient) == anew.of(entry.recipient)
        found.setdefault(entry.recipient, {})[entry.sender] = entry.action.value
    return found


def verdict(account, sender, to) -> str:
    facts = MessageFacts(parse_address(sender), parse_address(to), at=0.0)
    return decide_mail(account.policies(), facts).action.value


def audits(account) -> list[tuple[str, str, dict | None, dict | None]]:
    """Action, kind, and the states before and after, of the last revision."""
    table = audit_event

    def query(work):
        return work.execute(
            select(table.c.action, table.c.object_kind, table.c.before, table.c.after, table.c.revision)
            .where(table.c.account_id == work.account_id)
            .order_by(table.c.revision)
        ).all()

    found = account.services.store.read(account.id, query)

    def state(text):
        return None if text is None else msgspec.json.decode(text)

    return [(row[0], row[1], state(row[2]), state(row[3])) for row in found if row[4] == found[-1][4]]


# What joins


def test_entries_of_an_address_hold_when_it_becomes_an_alias(corp):
    """And for all addresses of the user, from the very next message on."""
    write(corp, "ann@news.test", "sales@corp.test")
    write(corp, "shop.test", "sales@corp.test", PERMIT)
    write(corp, "kim@x.test", "pat@corp.test")
    assert verdict(corp, "ann@news.test", "pat@corp.test") == Action.DELIVER
    give(corp)
    for to in ("sales@corp.test", "Sales+a@corp.test", "pat@corp.test"):
        assert verdict(corp, "ann@news.test", to) == verdict(corp, "kim@x.test", to) == Action.REJECT
    assert lists(corp) == {"pat@corp.test": {"ann@news.test": BLOCK, "shop.test": PERMIT, "kim@x.test": BLOCK}}


def test_an_entry_that_joins_keeps_its_id(corp):
    entry = write(corp, "ann@news.test", "sales@corp.test")
    give(corp)
    for to in ("sales@corp.test", "pat@corp.test"):
        assert write(corp, "ann@news.test", to) == entry
    assert write(corp, "ann@news.test", "pat@corp.test", PERMIT) == entry
    assert lists(corp) == {"pat@corp.test": {"ann@news.test": PERMIT}}


@pytest.mark.parametrize(("first", "last"), [(BLOCK, PERMIT), (PERMIT, BLOCK)])
@pytest.mark.parametrize("to", [("pat@corp.test", "sales@corp.test"), ("sales@corp.test", "pat@corp.test")])
def test_of_two_entries_for_a_sender_the_one_changed_last_counts(corp, to, first, last):
    """Whichever list it was in. Its id stays, the other's goes."""
    ids = {to[0]: write(corp, "ann@news.test", to[0], first), to[1]: write(corp, "ann@news.test", to[1], last)}
    give(corp)
    assert lists(corp) == {"pat@corp.test": {"ann@news.test": last}}
    assert write(corp, "ann@news.test", "sales@corp.test", last) == ids[to[1]]


def test_changed_last_means_the_action_not_the_entry(corp):
    """The older entry, moved to the other list since, says what was wanted last."""
    write(corp, "ann@news.test", "sales@corp.test", BLOCK)
    write(corp, "ann@news.test", "pat@corp.test", BLOCK)
    write(corp, "ann@news.test", "sales@corp.test", PERMIT)
    give(corp)
    assert lists(corp) == {"pat@corp.test": {"ann@news.test": PERMIT}}


def test_of_two_entries_of_one_instant_the_block_counts(corp):
    items = [
        {"sender": sender, "to": to, "action": action}
        for sender, actions in (("a@x.test", (BLOCK, PERMIT)), ("b@x.test", (PERMIT, BLOCK)))
        for to, action in zip(("sales@corp.test", "pat@corp.test"), actions, strict=True)
    ]
    corp.call("managedsender/permit-or-block-sender", *items)
    give(corp)
    assert lists(corp) == {"pat@corp.test": {"a@x.test": BLOCK, "b@x.test": BLOCK}}


def test_an_entry_keeps_its_time_from_list_to_list(corp):
    """A wish that came with one alias is still older than the one that comes with the next."""
    write(corp, "ann@news.test", "pat@corp.test", PERMIT)
    write(corp, "ann@news.test", "first@corp.test", BLOCK)
    write(corp, "bob@news.test", "first@corp.test", BLOCK)
    for sender in ("ann@news.test", "bob@news.test"):
        write(corp, sender, "second@corp.test", PERMIT)
    write(corp, "ann@news.test", "third@corp.test", BLOCK)
    for alias in ("third", "second", "first"):
        give(corp, f"{alias}@corp.test")
    assert lists(corp) == {"pat@corp.test": {"ann@news.test": BLOCK, "bob@news.test": PERMIT}}


def test_several_aliases_given_by_one_call_join_one_after_the_other(corp):
    write(corp, "ann@news.test", "one@corp.test", BLOCK)
    write(corp, "ann@news.test", "two@corp.test", PERMIT)
    corp.call(
        "user/update-alias",
        {"alias": "one@corp.test", "aliasFor": "pat@corp.test"},
        {"alias": "two@corp.test", "aliasFor": "one@corp.test"},
    )
    assert lists(corp) == {"pat@corp.test": {"ann@news.test": PERMIT}}


# What stays


def test_entries_stay_with_the_user_when_the_alias_goes(corp):
    """They are the user's, not the address's (as with D-32); the address begins anew, and brings along just what
    was written since."""
    write(corp, "ann@news.test", "sales@corp.test")
    give(corp)
    take(corp)
    assert verdict(corp, "ann@news.test", "pat@corp.test") == Action.REJECT
    assert verdict(corp, "ann@news.test", "sales@corp.test") == Action.DELIVER
    write(corp, "bob@news.test", "sales@corp.test")
    corp.call("user/create-user", {"emailAddress": "kim@corp.test"})
    give(corp, owner="kim@corp.test")
    assert lists(corp) == {"pat@corp.test": {"ann@news.test": BLOCK}, "kim@corp.test": {"bob@news.test": BLOCK}}


def test_a_new_user_has_what_was_written_for_the_address(corp):
    entry = write(corp, "ann@news.test", "kim@corp.test")
    corp.call("user/create-user", {"emailAddress": "Kim@corp.test"})
    assert verdict(corp, "ann@news.test", "kim+a@corp.test") == Action.REJECT
    assert write(corp, "ann@news.test", "kim@corp.test") == entry


def test_entries_written_under_a_tag_are_those_of_the_address_without(corp):
    """D-18: whoever gets an address with a plus sign gets none of the list of the address before the sign."""
    write(corp, "ann@news.test", "desk+a@corp.test")
    give(corp, "desk+a@corp.test")
    assert lists(corp) == {"desk@corp.test": {"ann@news.test": BLOCK}}


def test_giving_an_alias_without_entries_touches_no_list(corp):
    write(corp, "ann@news.test", "pat@corp.test")
    before = corp.policies().managed
    give(corp)
    assert corp.policies().managed is before
    assert [(action, kind) for action, kind, _, _ in audits(corp)] == [("add-alias", "user")]


def test_the_list_of_another_account_is_left_alone(corp, other_account):
    """Even if it were kept for the very same address."""
    write(corp, "ann@news.test", "sales@corp.test")
    said = rows.Said(ManagedAction.BLOCK)
    for to in ("sales@corp.test", "pat@corp.test"):
        other_account.write(lambda work, to=to: rows.add(work, to, "x.test", "x.test", said, "admin"))
    give(corp)
    assert lists(corp) == {"pat@corp.test": {"ann@news.test": BLOCK}}
    assert lists(other_account) == {"sales@corp.test": {"x.test": BLOCK}, "pat@corp.test": {"x.test": BLOCK}}


# Records


def test_every_entry_that_moves_changes_or_goes_is_audited(corp):
    """D-38. All of it in the revision that gives the alias."""
    for sender in ("moves.test", "wins.test", "loses.test"):
        if sender != "moves.test":
            write(corp, sender, "pat@corp.test", PERMIT)
        write(corp, sender, "sales@corp.test", BLOCK)
    write(corp, "loses.test", "pat@corp.test", BLOCK)
    write(corp, "loses.test", "pat@corp.test", PERMIT)
    give(corp)

    def short(state):
        return state and (state["recipient"].partition("@")[0], state["sender"], state["action"])

    told = audits(corp)
    assert [kind for action, kind, _, _ in told if action == "add-alias"] == ["user"]
    entries = {
        (action, short(before), short(after)) for action, kind, before, after in told if kind == "managed sender"
    }
    assert len(told) == 1 + len(entries)
    assert entries == {
        ("update", ("sales", "moves.test", BLOCK), ("pat", "moves.test", BLOCK)),
        ("update", ("sales", "wins.test", BLOCK), ("pat", "wins.test", BLOCK)),
        ("delete", ("pat", "wins.test", PERMIT), None),
        ("delete", ("sales", "loses.test", BLOCK), None),
    }


# Limits and conflicts


def test_an_alias_whose_entries_find_no_room_is_refused(corp):
    """Nothing is lost and nothing changed: the address keeps its list, and the other items are carried out."""
    corp.services = replace(corp.services, limits=Limits(managed_senders_per_user=3))
    for number in range(2):
        write(corp, f"s{number}@x.test", "pat@corp.test")
        write(corp, f"t{number}@x.test", "sales@corp.test")
    before, entries = corp.policies(), lists(corp)
    with pytest.raises(ItemRefused) as refusal:
        give(corp)
    (problem,) = refusal.value.problems
    assert (problem.code, problem.field) == ("err_managed_sender_limit", "alias")
    assert problem.message.endswith("with the entries of the alias it would hold 4 of 3")
    assert corp.policies() is before
    assert lists(corp) == entries
    answer = corp.answer(
        "user/update-alias",
        {"alias": "sales@corp.test", "aliasFor": "pat@corp.test"},
        {"alias": "other@corp.test", "aliasFor": "pat@corp.test"},
    )
    assert [row["alias"] for row in answer["data"]] == ["other@corp.test"]
    assert lists(corp) == entries
    assert "sales@corp.test" not in corp.policies().directory.users


def test_entries_that_both_lists_hold_count_once(corp):
    corp.services = replace(corp.services, limits=Limits(managed_senders_per_user=2))
    for to in ("pat@corp.test", "sales@corp.test"):
        write(corp, "both@x.test", to)
    write(corp, "more@x.test", "sales@corp.test")
    give(corp)
    assert lists(corp) == {"pat@corp.test": {"both@x.test": BLOCK, "more@x.test": BLOCK}}


def test_a_list_beyond_its_limit_takes_what_does_not_make_it_longer(corp):
    """The limit was lowered since. An alias without entries, or with the same ones, is given."""
    for number in range(3):
        write(corp, f"s{number}@x.test", "pat@corp.test")
    write(corp, "s1@x.test", "sales@corp.test", PERMIT)
    corp.services = replace(corp.services, limits=Limits(managed_senders_per_user=1))
    give(corp, "empty@corp.test")
    give(corp)
    assert lists(corp) == {"pat@corp.test": {"s0@x.test": BLOCK, "s1@x.test": PERMIT, "s2@x.test": BLOCK}}


def test_a_transaction_that_is_repeated_joins_the_lists_once(corp):
    """The database may ask for it again at any point (`Store.write`)."""
    runs = []

    def locked_at_first(call, address, owner, field):
        runs.append(address)
        if len(runs) == 1:
            raise OperationalError("", {}, sqlite3.OperationalError("database is locked"))

    corp.services = replace(corp.services, address_joined=(*ADDRESS_JOINED, locked_at_first))
    entry = write(corp, "ann@news.test", "sales@corp.test")
    give(corp)
    assert runs == ["sales@corp.test"] * 2
    assert write(corp, "ann@news.test", "pat@corp.test") == entry
    assert sorted(action for action, _, _, _ in audits(corp)) == ["add-alias", "update"]


def test_entries_and_aliases_written_at_once_end_up_where_decisions_look(corp):
    """However the writers take turns, no entry is left behind."""
    names = [f"a{number}" for number in range(12)]
    with ThreadPoolExecutor(4) as pool:
        done = [pool.submit(write, corp, f"{name}.test", f"{name}@corp.test") for name in names]
        done += [pool.submit(give, corp, f"{name}@corp.test") for name in names]
        done += [pool.submit(write, corp, f"{name}.x.test", f"{name}@corp.test") for name in names]
        for one in done:
            one.result()
    identities = corp.policies().identities
    assert {list_key(identities, parse_address(f"{name}@corp.test")) for name in names} == {"pat@corp.test"}
    (held,) = lists(corp).values()
    assert held.keys() == {f"{name}{end}" for name in names for end in (".test", ".x.test")}
