"""How much of all the messages that are coming in at once may be in memory? One account of octets for a door."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

FREE_OCTETS: Final = 65_536
"""So much of each message is not counted: while others take all there is, ordinary small mail still comes in. What
that adds up to is bounded by the number of connections."""


class MemoryBudget:
    """The octets that the messages of all connections may take together, from their first octet to the answer."""

    def __init__(self, octets: int) -> None:
        self._left = octets

    @contextmanager
    def reserve(self) -> Iterator[Reservation]:
        """The part of one message, given back at the end."""
        reservation = Reservation(self)
        try:
            yield reservation
        finally:
            reservation.give_back()

    def take(self, octets: int) -> bool:
        """Take so many, fewer than none to give some back. Tells whether there were as many."""
        if octets > self._left:
            return False
        self._left -= octets
        return True


class Reservation:
    """What one message has taken."""

    def __init__(self, budget: MemoryBudget) -> None:
        self._budget = budget
        self._taken = 0

    def holds(self, octets: int) -> bool:
        """Whether there is room for a message that has grown to this size."""
        more = max(octets - FREE_OCTETS, 0) - self._taken
        if more > 0:
            if not self._budget.take(more):
                return False
            self._taken += more
        return True

    def give_back(self) -> None:
        """Give back what was taken."""
        self._budget.take(-self._taken)
        self._taken = 0
