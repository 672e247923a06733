"""What mail doors report is kept once, and a database that others keep locked keeps no sender waiting for long."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from held_copies import hold, kept
from msgspec.structs import replace

from mailreeve.families.keeping import keeper as keeping
from mailreeve.families.keeping.keeper import MessageKeeper
from mailreeve.families.outgoing import rows as outgoing
from mailreeve.families.tracking.outcomes import State
from mailreeve.families.tracking.record_budget import RecordBudget

LIST = "gateway/get-hold-message-list"

_HOLDER = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""


@contextmanager
def locked(services):
    """While it lasts, another process has the database locked for writing."""
    path = services.store._engine._path
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout.readline() == "locked\n"
    try:
        yield
    finally:
        holder.communicate()


@pytest.fixture
def door(services):
    """`door()`: what keeps for a mail door, anew as after a start."""
    return lambda: MessageKeeper(services.store, RecordBudget(), services.bodies)


def test_a_locked_database_puts_messages_off_in_time(account, services, door, monkeypatch):
    """All of a batch together, of however many accounts; and they can be kept once it is over."""
    monkeypatch.setattr(keeping, "WAITS", 0.4)
    keeper = door()
    messages = [kept(account.id, f"u{n}@corp.test") for n in range(5)]
    messages.append(replace(messages[0], held=(), outgoing=()))
    with locked(services):
        began = time.monotonic()
        problems = keeper.record(messages)
        took = time.monotonic() - began
        with pytest.raises(Exception, match="locked"):
            keeper.record(())
    assert all(services.store.is_locked(one) for one in problems)
    # Far less than the 10 seconds of one attempt, of which there were five.
    assert took < 4
    assert account.call(LIST, {"admin": True}) == []
    hold(keeper, *messages)
    assert len(account.call(LIST, {"admin": True})) == 5


def test_other_writers_are_waited_for_as_long_as_before(account, services):
    """The time that a door waits is nobody else's."""
    with services.store._engine.writing(1.0) as connection:
        pass
    with services.store._engine.writing() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one() == 10_000


def test_what_a_door_kept_that_died_before_it_answered_is_not_kept_twice(account, door):
    """Of a message that names itself. Its sender tries again: what is held, or was handed on, is there once; who
    was not named before gets a copy."""
    first = replace(kept(account.id, "a@corp.test"), attempt="ab" * 20)
    hold(door(), first)
    split = replace(kept(account.id, "b@corp.test", state=State.ACCEPTED), attempt="ab" * 20)
    hold(door(), split)
    again = door()
    hold(again, replace(kept(account.id, "a@corp.test", "c@corp.test"), attempt="ab" * 20))
    hold(again, replace(kept(account.id, "b@corp.test", "d@corp.test", state=State.ACCEPTED), attempt="ab" * 20))
    assert sorted(row["to"]["emailAddress"] for row in account.call(LIST, {"admin": True})) == [
        "a@corp.test",
        "c@corp.test",
    ]
    waiting = account.write(lambda work: outgoing.due(work, 10))
    assert sorted(str(one.to.effective) for one in waiting) == ["b@corp.test", "d@corp.test"]


def test_other_messages_and_those_of_the_same_process_are_kept(account, door):
    """A door that lives remembers itself whom it has answered; and what could be another message is one."""
    keeper = door()
    for attempt in ("ab" * 20, "ab" * 20, "cd" * 20, "", ""):
        hold(keeper, replace(kept(account.id, "a@corp.test"), attempt=attempt))
    hold(door(), replace(kept(account.id, "a@corp.test"), attempt=""))
    assert len(account.call(LIST, {"admin": True})) == 6
