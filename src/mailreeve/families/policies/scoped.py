"""The families of scoped policies: whoever does something with all of them finds them here."""

from __future__ import annotations

from typing import Final

from mailreeve.families.policies.address_alteration import endpoints as address_alteration
from mailreeve.families.policies.address_alteration.rows import ALTERATION
from mailreeve.families.policies.blocked_senders import endpoints as blocked_senders
from mailreeve.families.policies.blocked_senders.rows import BLOCKED
from mailreeve.families.policies.permitted_senders import endpoints as permitted_senders
from mailreeve.families.policies.permitted_senders.rows import PERMITTED
from mailreeve.wire.endpoint import Endpoint

LOADERS: Final = {family.type: family.loader for family in (BLOCKED, PERMITTED, ALTERATION)}
"""How the policies of each type come into policy sets."""

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    *blocked_senders.ENDPOINTS,
    *permitted_senders.ENDPOINTS,
    *address_alteration.ENDPOINTS,
)
