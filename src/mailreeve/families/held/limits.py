"""How much mail may be held, and for how long?"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

MAX_DAYS: Final = 14  # behaviour.md section 8.1


class HoldLimits(Struct, frozen=True):
    """For how many days mail is held, at most `MAX_DAYS`, and how much of it an account may hold."""

    days: int = MAX_DAYS
    copies: int = 50_000
    octets: int = 5 * 1024**3


DEFAULT: Final = HoldLimits()


class NoRoom(Exception):
    """The account holds as much as it may. The sender is to try again later."""
