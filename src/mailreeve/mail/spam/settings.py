"""Which spam engine is asked, and how?"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class WhenAbsent(StrEnum):
    """What becomes of a message that the engine gives no verdict on."""

    ACCEPT = "accept"
    DEFER = "defer"


class EngineSettings(Struct, frozen=True, kw_only=True):
    """Which engine, and how it is asked. Sizes are in octets, times in seconds.

    A message of more than `max_size` is not scanned: that is recorded, and what becomes of it does not depend on
    `when_absent`, since to come again would not help.
    """

    url: str
    when_absent: WhenAbsent = WhenAbsent.ACCEPT
    timeout: float = 15.0
    at_once: int = 20
    max_size: int = 20 * 1024 * 1024
    finds_viruses: bool = True
