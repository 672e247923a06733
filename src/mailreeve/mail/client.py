"""Who hands a message in? What is known of a client, by its connection or by what a proxy in front says of it."""

from __future__ import annotations

from msgspec import Struct

from mailreeve.formats.networks import IPAddress


class Client(Struct, frozen=True, kw_only=True):
    """One client. Texts are empty where nobody said.

    - `source_ip` is None where a proxy does not know it
    - `trusted` says whether the source counts as one of the relay networks, None leaves that to its address
      (`MessageFacts.source_trusted`)
    - `name` is the host's by DNS, `helo` what it called itself, `login` the user it signed in as
    - `protocol` is by which it came, `identity` the name that the server in front has for the message
    - `is_local` says whether it is the server in front itself, None where nobody said
    """

    source_ip: IPAddress | None
    trusted: bool | None = None
    name: str = ""
    port: int | None = None
    helo: str = ""
    login: str = ""
    protocol: str = ""
    identity: str = ""
    is_local: bool | None = None

    @property
    def source(self) -> str:
        """The source address for a log or a trace field."""
        return "unknown" if self.source_ip is None else str(self.source_ip)
