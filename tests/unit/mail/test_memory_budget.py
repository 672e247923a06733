"""One account of octets for all messages that are coming in."""

from __future__ import annotations

import pytest

from mailreeve.mail.memory_budget import FREE_OCTETS, MemoryBudget


def test_messages_share_the_room_and_give_it_back():
    """What one has taken the other lacks, until it is done."""
    budget = MemoryBudget(1_000)
    with budget.reserve() as other:
        with budget.reserve() as one:
            assert one.holds(FREE_OCTETS + 600)
            assert other.holds(FREE_OCTETS + 400)
            assert not other.holds(FREE_OCTETS + 401)
        assert other.holds(FREE_OCTETS + 1_000)
        assert not other.holds(FREE_OCTETS + 1_001)


def test_a_message_takes_no_more_than_it_is_large():
    """Asked again and again while it grows, and never for less than it was."""
    budget = MemoryBudget(1_000)
    with budget.reserve() as reservation, budget.reserve() as other:
        for octets in range(0, FREE_OCTETS + 601, 100):
            assert reservation.holds(octets)
        assert reservation.holds(FREE_OCTETS + 10)
        assert other.holds(FREE_OCTETS + 344)
        reservation.give_back()
        assert other.holds(FREE_OCTETS + 1_000)


def test_small_messages_come_in_while_others_have_all_the_room():
    """Else a few slow senders of much could shut out all mail."""
    budget = MemoryBudget(1_000)
    with budget.reserve() as greedy, budget.reserve() as small:
        assert greedy.holds(FREE_OCTETS + 1_000)
        assert small.holds(FREE_OCTETS)
        assert not small.holds(FREE_OCTETS + 1)


def test_room_is_given_back_when_a_message_breaks_off():
    budget = MemoryBudget(1_000)

    def broken_off() -> None:
        with budget.reserve() as reservation:
            assert reservation.holds(FREE_OCTETS + 1_000)
            raise ConnectionError

    with pytest.raises(ConnectionError):
        broken_off()
    assert budget.take(1_000)
