"""What do all sessions of a door share? Settings, services, and a count of who has how many connections."""

from __future__ import annotations

import ssl
from collections import Counter
from collections.abc import Callable

from anyio import CapacityLimiter
from msgspec import Struct

from mailreeve.doors.line_budget import LineBudget
from mailreeve.formats.networks import IPAddress, Network, network_of
from mailreeve.mail.memory_budget import MemoryBudget
from mailreeve.mail.outcome_lines import OutcomeLines
from mailreeve.mail.ports import UNMETERED, Meter, NextHop, PolicySource
from mailreeve.mail.record_writer import RecordWriter
from mailreeve.mail.released import ReleaseMarks
from mailreeve.mail.scan import Scanner
from mailreeve.mail.smtp.retries import Retries


class SmtpSettings(Struct, frozen=True, kw_only=True):
    """How the door behaves. Sizes are in octets, times in seconds.

    - `hostname` is what the door calls itself, in the greeting and in Received fields
    - `max_line` is for lines of a message. RFC 5321 section 4.5.3.1.6 sets 1,000; real programs send
      longer ones, which do no harm, so only absurd ones are refused
    - `max_connections` is for all clients together, `max_connections_per_ip` for each IPv4 address and
      each /64 of IPv6
    - `max_receiving` is for the contents of all messages together, while they come in and are handed on
    - `idle_timeout` is how long a client may be silent (RFC 5321 section 4.5.3.2.7 asks for 5 minutes),
      `message_timeout` how long it may take over the content of one message
    - `xclient_hosts` may say for whom they speak, and are not trusted where they do not
    - `archives` says whether the copies that are delivered are kept in the archive
    - `grace` is how long a shutdown waits for messages under way
    """

    hostname: str
    host: str = "127.0.0.1"
    port: int = 0
    max_size: int = 50 * 1024 * 1024
    max_line: int = 65_536
    max_receiving: int = 256 * 1024 * 1024
    max_recipients: int = 100
    max_connections: int = 500
    max_connections_per_ip: int = 50
    idle_timeout: float = 300.0
    message_timeout: float = 1_800.0
    grace: float = 30.0
    xclient_hosts: tuple[Network, ...] = ()
    archives: bool = False


class DoorServices(Struct, frozen=True):
    """What all sessions of a door share."""

    settings: SmtpSettings
    policies: PolicySource
    next_hop: NextHop
    records: RecordWriter
    retries: Retries
    memory: MemoryBudget
    clock: Callable[[], float]
    tls: ssl.SSLContext | None
    lines: LineBudget
    planning: CapacityLimiter | None = None
    meter: Meter = UNMETERED
    outcome_lines: OutcomeLines | None = None
    marks: ReleaseMarks | None = None
    scanner: Scanner | None = None


def crowded(hostname: str) -> str:
    """The reply to one connection too many."""
    return f"421 4.7.0 {hostname} Too many connections from your address"


class Places:
    """Lets no client take the places of all: connections by whom they are for, an IPv4 address or a /64 of IPv6,
    at most so many for each.

    One that is for nobody in particular, as that of a proxy before it said for whom, is counted for none.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: Counter[Network] = Counter()

    def take(self, source_ip: IPAddress | None) -> bool:
        """One more, if there is room. Each that was taken has to be given back."""
        if source_ip is None:
            return True
        network = network_of(source_ip)
        if self._taken[network] >= self._most:
            return False
        self._taken[network] += 1
        return True

    def give_back(self, source_ip: IPAddress | None) -> None:
        """One less."""
        if source_ip is None:
            return
        network = network_of(source_ip)
        self._taken[network] -= 1
        if not self._taken[network]:
            del self._taken[network]
