"""Whoever has something new gets a digest when it is due; each held message is in one, whoever dies in between."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailreeve.families.digest import sending
from mailreeve.families.directory.account import operations as accounts
from mailreeve.families.directory.users import rows as user_rows
from mailreeve.families.held import rows as held_rows
from mailreeve.families.held.rows import HeldGroup, HeldState
from mailreeve.policy.model.policy_types import Layer

DAY = timedelta(days=1)
DIES = "the process dies"


@pytest.fixture
def daily(office):
    """An account whose users get a digest each day at 10:00 in Berlin, which is 09:00 in winter."""
    office.clock.now = datetime(2026, 11, 27, 8, tzinfo=UTC)
    office.call("ext/set-digest", enabled=True, timeZone="Europe/Berlin", times=["10:00"])
    return office


def test_the_first_lists_everything_the_next_only_what_is_new(daily) -> None:
    ann = daily.user("ann")
    for subject in ("one", "two", "three"):
        daily.hold(ann, subject)
    assert daily.pass_to("2026-11-27T08:59") == 0
    assert daily.pass_to("2026-11-27T09:00") == 1
    (mail,) = daily.mails()
    assert daily.subjects([mail]) == ["one", "two", "three"]
    assert mail["To"] == f"ann@{daily.domain}"
    assert mail["From"].addresses[0].addr_spec == f"postmaster@{daily.domain}"
    daily.hold(ann, "four")
    assert daily.pass_to("2026-11-27T18:00") == 0
    assert daily.pass_to("2026-11-28T09:00") == 1
    assert daily.subjects() == ["four"]


def test_there_is_no_mail_when_there_is_nothing_new(daily) -> None:
    ann = daily.user("ann")
    daily.hold(ann)
    assert daily.pass_to("2026-11-27T09:00") == 1
    assert daily.pass_to("2026-11-28T09:00") == 0
    assert len(daily.mails()) == 1


def test_each_user_gets_what_is_held_for_that_user(daily) -> None:
    for name in ("ann", "bob"):
        daily.hold(daily.user(name), f"for {name}")
    daily.user("cleo")
    assert daily.pass_to("2026-11-27T09:00") == 2
    told = {mail["To"]: daily.subjects([mail]) for mail in daily.mails()}
    assert told == {f"{name}@{daily.domain}": [f"for {name}"] for name in ("ann", "bob")}


def test_a_digest_that_was_missed_is_sent_once_when_the_server_is_back(daily) -> None:
    daily.hold(daily.user("ann"))
    assert daily.pass_to("2026-12-03T12:00") == 1
    assert daily.pass_to("2026-12-03T12:01") == 0
    assert daily.pass_to("2026-12-04T09:00") == 0


def test_a_clock_that_is_set_back_sends_nothing_twice(daily) -> None:
    ann = daily.user("ann")
    daily.hold(ann)
    assert daily.pass_to("2026-11-28T09:00") == 1
    daily.hold(ann)
    assert daily.pass_to("2026-11-27T09:00") == 0
    assert daily.pass_to("2026-11-28T09:30") == 0
    assert daily.pass_to("2026-11-29T09:00") == 1


def test_long_lists_are_several_mails_and_the_rest_is_for_the_next(daily, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "MOST_LISTED", 3)
    monkeypatch.setattr(sending, "MOST_LETTERS", 2)
    ann = daily.user("ann")
    for n in range(8):
        daily.hold(ann, f"no {n}")
    assert daily.pass_to("2026-11-27T09:00") == 1
    first, second = daily.mails()
    assert first["Subject"] == "3 messages are held for you (1 of 2)"
    assert "2 more will be in the next digest" in daily.plain(second)
    assert "more will be" not in daily.plain(first)
    assert daily.pass_to("2026-11-28T09:00") == 1
    assert daily.subjects([first, second, *daily.mails()]) == [f"no {n}" for n in range(8)]


def test_only_members_of_the_group_get_it(daily) -> None:
    ann, bob = daily.user("ann"), daily.user("bob")
    group = daily.call("directory/create-group", description="Sales")
    daily.call("directory/add-group-member", id=group.id, emailAddress=f"ann@{daily.domain}")
    daily.call("ext/set-digest", groupId=group.id)
    for user in (ann, bob):
        daily.hold(user)
    assert daily.pass_to("2026-11-27T09:00") == 1
    assert [mail["To"] for mail in daily.mails()] == [f"ann@{daily.domain}"]
    daily.call("ext/set-digest", groupId="")
    assert daily.pass_to("2026-11-28T09:00") == 1
    assert [mail["To"] for mail in daily.mails()] == [f"bob@{daily.domain}"]


def test_only_the_causes_that_are_named_are_listed(daily) -> None:
    ann = daily.user("ann")
    daily.call("ext/set-digest", causes=["managed_senders"])
    daily.hold(ann, "personal")
    daily.hold(ann, "other", cause=Layer.BLOCKED_SENDERS.value)
    assert daily.pass_to("2026-11-27T09:00") == 1
    assert daily.subjects() == ["personal"]


def test_what_is_the_administrators_is_not_told_and_what_moderators_decide_has_no_links(daily) -> None:
    ann = daily.user("ann")
    daily.hold(ann, "secret", held_group=HeldGroup.ADMINISTRATOR)
    daily.hold(ann, "moderated", held_group=HeldGroup.MODERATOR)
    daily.hold(ann, "mine")
    assert daily.pass_to("2026-11-27T09:00") == 1
    (mail,) = daily.mails()
    assert daily.subjects([mail]) == ["moderated", "mine"]
    assert len(daily.tokens(mail)) == 3
    assert "Your administrators decide about this one." in daily.plain(mail)


def test_a_sender_of_the_own_domain_cannot_be_permitted_by_a_link(daily) -> None:
    """Whoever permits an own address lets in every later message that pretends to come from it."""
    ann = daily.user("ann")
    daily.hold(ann, header_from=f"Boss <boss@{daily.domain}>")
    daily.hold(ann, header_from="", sender="")
    assert daily.pass_to("2026-11-27T09:00") == 1
    (mail,) = daily.mails()
    acts = [daily.links.read(token).act for token in daily.tokens(mail)]
    assert acts == ["release", "block", "release"]


def test_what_is_not_held_any_more_is_not_told(daily) -> None:
    ann = daily.user("ann")
    gone, over, _ = daily.hold(ann, "gone"), daily.hold(ann, "over"), daily.hold(ann, "held")
    daily.write(lambda work: held_rows.decide(work, gone, HeldState.RELEASED, "admin"))
    daily.write(lambda work: held_rows.decide(work, over, HeldState.EXPIRED, ""))
    assert daily.pass_to("2026-11-27T09:00") == 1
    assert daily.subjects() == ["held"]


def test_nothing_is_sent_while_it_is_off_or_there_is_no_url_or_the_account_is_locked(daily) -> None:
    ann = daily.user("ann")
    daily.hold(ann)
    daily.write(lambda work: accounts.set_locked(work, True))
    assert daily.pass_to("2026-11-27T09:00") == 0
    daily.write(lambda work: accounts.set_locked(work, False))
    daily.public_url = ""
    assert daily.pass_to("2026-11-27T09:01") == 0
    daily.call("ext/set-digest", enabled=False)
    daily.public_url = "https://mail.corp.test"
    assert daily.pass_to("2026-11-27T09:02") == 0
    daily.call("ext/set-digest", enabled=True)
    assert daily.pass_to("2026-11-28T09:00") == 1


def test_a_disabled_user_gets_none(daily) -> None:
    ann = daily.user("ann")
    daily.hold(ann)
    daily.call("user/update-user", emailAddress=f"ann@{daily.domain}", accountDisabled=True)
    assert daily.pass_to("2026-11-27T09:00") == 0


def test_a_new_schedule_is_for_what_comes(daily) -> None:
    daily.hold(daily.user("ann"))
    daily.clock.now = datetime(2026, 11, 27, 8, 30, tzinfo=UTC)
    daily.call("ext/set-digest", times=["08:00", "12:00"])
    assert daily.pass_to("2026-11-27T08:31") == 0
    assert daily.pass_to("2026-11-27T11:00") == 1


def test_one_can_be_asked_for_by_all_or_for_one_user_also_while_it_is_off(office) -> None:
    ann, bob = office.user("ann"), office.user("bob")
    for user in (ann, bob):
        office.hold(user)
    office.call("ext/send-digest", to=f"ann@{office.domain}")
    assert office.pass_to("2026-11-27T09:00:01") == 1
    assert [mail["To"] for mail in office.mails()] == [f"ann@{office.domain}"]
    office.hold(ann)
    assert office.pass_to("2026-11-27T09:00:02") == 0
    office.call("ext/send-digest")
    assert office.pass_to("2026-11-27T09:00:03") == 2
    assert office.pass_to("2026-11-27T09:00:04") == 0


def test_one_can_be_asked_for_after_the_clock_was_set_back(daily) -> None:
    ann = daily.user("ann")
    daily.hold(ann)
    assert daily.pass_to("2026-11-28T09:00") == 1
    daily.hold(ann)
    daily.clock.now = datetime(2026, 11, 28, 8, tzinfo=UTC)
    daily.call("ext/send-digest")
    assert daily.pass_to("2026-11-28T08:00:01") == 1
    daily.hold(ann)
    daily.call("ext/send-digest", to=f"ann@{daily.domain}")
    assert daily.pass_to("2026-11-28T08:00:02") == 1
    assert daily.pass_to("2026-11-28T08:00:03") == 0


def test_it_comes_from_the_address_that_is_set(daily) -> None:
    daily.call("ext/set-digest", sender=f"mail-gate@{daily.domain}")
    daily.hold(daily.user("ann"))
    daily.pass_to("2026-11-27T09:00")
    assert daily.mails()[0]["From"].addresses[0].addr_spec == f"mail-gate@{daily.domain}"


def test_a_digest_that_cannot_be_written_keeps_no_other_waiting(daily, monkeypatch: pytest.MonkeyPatch) -> None:
    """The messages of the one are in the next digest."""
    ann, bob = daily.user("ann"), daily.user("bob")
    for user in (ann, bob):
        daily.hold(user)

    def written(letter):
        if letter.recipient.local == "ann":
            raise ValueError("broken")
        return made(letter)

    made = sending.written
    with monkeypatch.context() as patched:
        patched.setattr(sending, "written", written)
        assert daily.pass_to("2026-11-27T09:00") == 1
    assert [mail["To"] for mail in daily.mails()] == [f"bob@{daily.domain}"]
    assert daily.pass_to("2026-11-28T09:00") == 1
    assert [mail["To"] for mail in daily.mails()] == [f"ann@{daily.domain}"]


def test_what_a_user_was_told_goes_with_the_user(daily) -> None:
    ann = daily.user("ann")
    daily.hold(ann)
    daily.pass_to("2026-11-27T09:00")
    daily.call("ext/remove-user", emailAddress=f"ann@{daily.domain}", force=True)
    assert daily.read(lambda work: user_rows.find(work, ann)) is None
    assert daily.read(lambda work: sending.rows.told_of(work, ann)) is None


def test_an_account_with_nothing_due_is_not_looked_at_until_something_is(
    daily, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There may be a thousand of them, and a look each second."""
    ann = daily.user("ann")
    daily.hold(ann)
    seconds = [0.0]
    looks: list[object] = []
    monkeypatch.setattr(daily.sender, "_monotonic", lambda: seconds[0])
    real = daily.sender._send_of
    monkeypatch.setattr(daily.sender, "_send_of", lambda account: looks.append(account) or real(account))

    def after(passed: float, text: str) -> int:
        seconds[0] += passed
        looks.clear()
        daily.pass_to(text)
        return len(looks)

    assert after(0, "2026-11-27T08:59:30") == 1
    assert after(1, "2026-11-27T08:59:31") == 0
    assert after(28, "2026-11-27T08:59:59") == 0
    assert after(1.5, "2026-11-27T09:00:00.5") == 1
    assert len(daily.mails()) == 1
    after(1, "2026-11-27T09:00:02")
    daily.hold(ann)
    assert after(1, "2026-11-27T09:00:03") == 0
    daily.call("ext/send-digest", to=f"ann@{daily.domain}")
    assert after(1, "2026-11-27T09:00:04") == 1
    assert len(daily.mails()) == 1
    daily.call("ext/set-digest", times=["10:01"])
    after(1, "2026-11-27T09:00:05")
    assert after(59, "2026-11-27T09:01:05") == 1


class _Dies(BaseException):
    """As `kill -9` ends a process: nothing handles it."""


@pytest.mark.parametrize("at", ["outgoing", "told", "between", "handled"])
def test_whoever_dies_in_the_middle_loses_no_digest_and_sends_none_twice(
    daily, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    for name in ("ann", "bob", "cleo"):
        daily.hold(daily.user(name), name)
    add, put_told, handled, sent = sending.outgoing.add, sending.rows.put_told, sending._handled, []

    def dying(*args):
        sent.append(args)
        if len(sent) == 2 or at == "handled":
            raise _Dies
        return {"outgoing": add, "told": put_told, "between": real}[at](*args)

    real = daily.sender._send_to
    with monkeypatch.context() as patched:
        if at == "outgoing":
            patched.setattr(sending.outgoing, "add", dying)
        elif at == "told":
            patched.setattr(sending.rows, "put_told", dying)
        elif at == "between":
            patched.setattr(daily.sender, "_send_to", dying)
        else:
            patched.setattr(sending, "_handled", dying)
        with pytest.raises(_Dies):
            daily.pass_to("2026-11-27T09:00")
    assert handled is sending._handled
    daily.pass_to("2026-11-27T09:05")
    assert sorted(daily.subjects()) == ["ann", "bob", "cleo"]
    assert daily.pass_to("2026-11-27T09:10") == 0


steps = st.lists(st.sampled_from(["hold", "hours", "dies", "asked", "days"]), max_size=10)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_each_held_message_is_told_just_once_whatever_happens(office, done: list[str]) -> None:
    office.open()
    now = office.clock.now
    office.call("ext/set-digest", enabled=True, timeZone="Europe/Berlin", times=["02:30", "10:00"])
    users = [office.user("ann"), office.user("bob")]
    held: list[str] = []
    told: list[str] = []
    for n, step in enumerate([*done, "days", "days"]):
        if step == "hold":
            held.append(f"no {n}")
            office.hold(users[n % 2], f"no {n}")
            continue
        now += {"hours": timedelta(hours=7), "days": DAY}.get(step, timedelta(seconds=1))
        office.clock.now = now
        if step == "asked":
            office.call("ext/send-digest")
        if step == "dies":
            with pytest.MonkeyPatch.context() as patched:
                patched.setattr(sending.rows, "put_told", _die)
                with suppress(_Dies):
                    office.sender.send_due()
            continue
        office.sender.send_due()
        told += office.subjects()
    assert sorted(told) == sorted(held)


def _die(*_: object) -> None:
    raise _Dies
