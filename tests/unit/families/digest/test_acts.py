"""What a link does: release, permit or block, once, as its user."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from msgspec.structs import replace
from sqlalchemy import func, select

from mailreeve.families.digest.acts import BY_LINK, Acts, Standing
from mailreeve.families.digest.links import Act, Link, Links, NoLink
from mailreeve.families.directory.account import operations as accounts
from mailreeve.families.held import rows as held_rows
from mailreeve.families.held.rows import HeldGroup, HeldState
from mailreeve.families.managed_senders import rows as managed_senders
from mailreeve.families.outgoing.rows import outgoing_message
from mailreeve.policy.model.policies import ManagedAction
from mailreeve.store.keys import new_key
from mailreeve.store.schema import audit_event
from mailreeve.wire.errors import ItemRefused

HERE = "192.0.2.9"


class Reader:
    """A user with a held message, and who presses the links about it."""

    def __init__(self, office) -> None:
        self.office = office
        self.user = office.user("ann")
        self.held = office.hold(self.user)
        self.acts = Acts(lambda: office.services, office.links)

    def link(self, act: Act, **other: object) -> str:
        ends = self.office.clock.now + timedelta(days=1)
        return self.office.links.token(
            Link(
                **(
                    {
                        "account_id": self.office.id,
                        "user_id": self.user,
                        "held_id": self.held,
                        "act": act,
                        "ends": ends,
                    }
                    | other
                )
            )
        )

    def press(self, act: Act, **other: object) -> Standing:
        return self.acts.carry_out(self.link(act, **other), HERE).standing

    def state(self) -> HeldState:
        return self.office.read(lambda work: held_rows.find(work, self.held)).state

    def entry(self, sender: str = "bob@shop.test") -> ManagedAction | None:
        row = self.office.read(lambda work: managed_senders.find(work, f"ann@{self.office.domain}", sender))
        return None if row is None else row.action

    def on_its_way(self) -> int:
        mine = outgoing_message.c.account_id == self.office.id
        return self.office.read(
            lambda work: work.execute(select(func.count()).select_from(outgoing_message).where(mine)).scalar_one()
        )

    def audited(self) -> list[tuple[str, str, str, str]]:
        columns = audit_event.c
        query = select(columns.action, columns.object_kind, columns.actor, columns.application).where(
            columns.account_id == self.office.id, columns.source_ip == HERE
        )
        return [
            tuple(row) for row in self.office.read(lambda work: work.execute(query.order_by(columns.id)).all())
        ]


@pytest.fixture
def reader(office) -> Reader:
    return Reader(office)


def test_release_delivers_and_changes_no_list(reader: Reader) -> None:
    assert reader.press(Act.RELEASE) is Standing.DONE
    assert (reader.state(), reader.on_its_way(), reader.entry()) == (HeldState.RELEASED, 1, None)


def test_permit_delivers_and_permits_the_sender_whom_the_reader_sees(reader: Reader) -> None:
    assert reader.press(Act.PERMIT) is Standing.DONE
    assert (reader.state(), reader.on_its_way(), reader.entry()) == (HeldState.RELEASED, 1, ManagedAction.PERMIT)


def test_block_removes_and_blocks_the_sender(reader: Reader) -> None:
    assert reader.press(Act.BLOCK) is Standing.DONE
    assert (reader.state(), reader.on_its_way(), reader.entry()) == (HeldState.REJECTED, 0, ManagedAction.BLOCK)


def test_it_is_audited_as_the_user_by_link_from_the_digest(reader: Reader) -> None:
    reader.press(Act.PERMIT)
    who = (f"ann@{reader.office.domain}", BY_LINK)
    assert reader.audited() == [
        ("release", "held message", *who),
        ("create", "managed sender", *who),
    ]


def test_to_look_at_a_link_changes_nothing(reader: Reader) -> None:
    for act in Act:
        seen = reader.acts.look(reader.link(act))
        assert (seen.standing, seen.act, seen.listed) == (Standing.WAITING, act, "bob@shop.test")
        assert seen.message.sender == "Bob <bob@shop.test>"
    assert (reader.state(), reader.on_its_way(), reader.entry()) == (HeldState.HELD, 0, None)
    assert reader.audited() == []


@pytest.mark.parametrize("second", Act)
def test_a_message_is_decided_about_once_by_whatever_link(reader: Reader, second: Act) -> None:
    assert reader.press(Act.RELEASE) is Standing.DONE
    assert reader.press(second) is Standing.RELEASED
    assert reader.acts.look(reader.link(second)).standing is Standing.RELEASED
    assert (reader.on_its_way(), reader.entry()) == (1, None)


def test_of_many_who_press_at_once_one_acts(reader: Reader) -> None:
    found: list[Standing] = []
    everybody = threading.Barrier(8)

    def press() -> None:
        everybody.wait()
        found.append(reader.press(Act.RELEASE))

    threads = [threading.Thread(target=press) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted([Standing.DONE] + 7 * [Standing.RELEASED])
    assert reader.on_its_way() == 1


def test_a_blocked_message_cannot_be_released(reader: Reader) -> None:
    reader.press(Act.BLOCK)
    assert reader.press(Act.RELEASE) is Standing.REJECTED
    assert reader.on_its_way() == 0


def test_a_link_ends(reader: Reader) -> None:
    assert reader.press(Act.RELEASE, ends=reader.office.clock.now) is Standing.ENDED
    reader.office.clock.now += timedelta(days=14)
    assert reader.press(Act.RELEASE, ends=reader.office.clock.now + timedelta(days=1)) is Standing.ENDED
    assert reader.state() is HeldState.HELD


def test_nobody_acts_on_what_is_anothers_or_others_decide_about(reader: Reader) -> None:
    bob = reader.office.user("bob")
    assert reader.press(Act.RELEASE, user_id=bob) is Standing.ENDED
    moderated = reader.office.hold(reader.user, held_group=HeldGroup.MODERATOR)
    assert reader.press(Act.RELEASE, held_id=moderated) is Standing.ENDED
    assert reader.on_its_way() == 0


@pytest.mark.parametrize("member", ["user_id", "held_id"])
def test_a_link_about_nothing_that_there_is_has_ended(reader: Reader, member: str) -> None:
    assert reader.press(Act.RELEASE, **{member: new_key()}) is Standing.ENDED


def test_what_is_no_link_of_ours_is_none_whatever_there_is(reader: Reader) -> None:
    forged = Links(bytes(32)).token(
        Link(reader.office.id, reader.user, reader.held, Act.RELEASE, reader.office.clock.now)
    )
    for token in (forged, reader.link(Act.RELEASE, account_id=new_key())):
        with pytest.raises(NoLink):
            reader.acts.look(token)
        with pytest.raises(NoLink):
            reader.acts.carry_out(token, HERE)
    assert reader.state() is HeldState.HELD


def test_a_disabled_users_links_act_no_more(reader: Reader) -> None:
    reader.office.call("user/update-user", emailAddress=f"ann@{reader.office.domain}", accountDisabled=True)
    assert reader.press(Act.RELEASE) is Standing.ENDED


def test_links_of_a_locked_account_wait(reader: Reader) -> None:
    reader.office.write(lambda work: accounts.set_locked(work, True))
    assert reader.press(Act.RELEASE) is Standing.PAUSED
    assert reader.acts.look(reader.link(Act.RELEASE)).message is None
    assert reader.state() is HeldState.HELD


def test_where_the_list_is_full_nothing_is_done(reader: Reader) -> None:
    """Released and not permitted would be half of what the reader was told."""
    services = replace(
        reader.office.services, limits=replace(reader.office.services.limits, managed_senders_per_user=0)
    )
    acts = Acts(lambda: services, reader.office.links)
    with pytest.raises(ItemRefused, match="list is full"):
        acts.carry_out(reader.link(Act.PERMIT), HERE)
    assert (reader.state(), reader.on_its_way()) == (HeldState.HELD, 0)
    assert acts.carry_out(reader.link(Act.RELEASE), HERE).standing is Standing.DONE
