"""What do all sessions of a milter door share?"""

from __future__ import annotations

from collections.abc import Callable

from anyio import CapacityLimiter
from msgspec import Struct

from mailreeve.doors.line_budget import LineBudget
from mailreeve.mail.memory_budget import MemoryBudget
from mailreeve.mail.outcome_lines import OutcomeLines
from mailreeve.mail.ports import UNMETERED, Meter, PolicySource
from mailreeve.mail.record_writer import RecordWriter
from mailreeve.mail.released import ReleaseMarks
from mailreeve.mail.scan import Scanner


class MilterSettings(Struct, frozen=True, kw_only=True):
    """How the door behaves. Sizes are in octets, times in seconds; the members that the SMTP door has too mean the
    same here.

    - `idle_timeout` is how long a server may be silent. It is while its client is, so this is more than any client
      gets: as much as libmilter's
    - `grace` is how long a shutdown waits for messages under way
    """

    hostname: str
    max_size: int = 50 * 1024 * 1024
    max_line: int = 65_536
    max_recipients: int = 100
    max_connections: int = 500
    idle_timeout: float = 7_210.0
    grace: float = 30.0
    archives: bool = False


class MilterServices(Struct, frozen=True):
    """What all sessions of a door share."""

    settings: MilterSettings
    policies: PolicySource
    records: RecordWriter
    memory: MemoryBudget
    clock: Callable[[], float]
    lines: LineBudget
    planning: CapacityLimiter | None = None
    meter: Meter = UNMETERED
    outcome_lines: OutcomeLines | None = None
    marks: ReleaseMarks | None = None
    scanner: Scanner | None = None
