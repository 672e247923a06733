"""Which kinds of object are imported and exported?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mailreeve.families.bulk.people import DELEGATES, GROUPS, MEMBERS, USERS
from mailreeve.families.bulk.senders import BLOCKS, SENDERS
from mailreeve.families.bulk.steps import Kind
from mailreeve.families.bulk.web import WEB

KINDS: Final[Mapping[str, Kind]] = {
    kind.name: kind for kind in (USERS, GROUPS, MEMBERS, SENDERS, BLOCKS, WEB, DELEGATES)
}
"""By name, in the order in which a new account is filled: what is named must be there."""
