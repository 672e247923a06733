"""The families of scoped policies: whoever does something with all of them finds them here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from mailreeve.access.permissions import Permission
from mailreeve.families.machinery.call import MOST_NAMING, Call
from mailreeve.families.policies.address_alteration import endpoints as address_alteration
from mailreeve.families.policies.address_alteration.rows import ALTERATION
from mailreeve.families.policies.anti_spoofing import endpoints as anti_spoofing
from mailreeve.families.policies.anti_spoofing.rows import SPOOFING
from mailreeve.families.policies.anti_spoofing_bypass import endpoints as anti_spoofing_bypass
from mailreeve.families.policies.anti_spoofing_bypass.rows import BYPASS
from mailreeve.families.policies.blocked_senders import endpoints as blocked_senders
from mailreeve.families.policies.blocked_senders.rows import BLOCKED
from mailreeve.families.policies.permitted_senders import endpoints as permitted_senders
from mailreeve.families.policies.permitted_senders.rows import PERMITTED
from mailreeve.families.policies.spam_scanning import endpoints as spam_scanning
from mailreeve.families.policies.spam_scanning.rows import SPAM
from mailreeve.formats.addresses import Address
from mailreeve.policy.model.policy_types import POLICY_TYPES
from mailreeve.policy.model.wording import quoted
from mailreeve.wire.endpoint import Endpoint

LOADERS: Final = {
    family.type: family.loader for family in (BLOCKED, PERMITTED, SPOOFING, BYPASS, ALTERATION, SPAM)
}
"""How the policies of each type come into policy sets."""

FAMILIES: Final = (BLOCKED, PERMITTED, SPOOFING, BYPASS, ALTERATION, SPAM)

VERSIONS: Final = tuple(family.versions for family in (BLOCKED, PERMITTED, SPOOFING, BYPASS, ALTERATION, SPAM))
"""How the policies of each type become again what they were."""


class ScopedPolicies:
    """Policies follow whom they name, see `AddressFollower`."""

    reads: ClassVar[tuple[Permission, ...]] = (Permission.GATEWAY_POLICIES_READ,)

    def renamed(self, call: Call, old: str, new: Address) -> None:
        """Each policy that names the old address names the new one."""
        for family in FAMILIES:
            family.rename(call.work, old, new)

    def removed(self, call: Call, user_id: str, keys: Sequence[str]) -> None:
        """Policies are nobody's; those that name a user are `naming`."""

    def kept(self, call: Call, user_id: str, keys: Sequence[str]) -> Sequence[str]:
        """The policies that name one of the addresses."""
        return [words for key in keys for words in self.naming(call, key)]

    def naming(self, call: Call, name: str) -> Sequence[str]:
        """Those that name an address or a domain."""
        return [
            f"the {POLICY_TYPES[family.type].kind} {quoted(row.document.description)}"
            for family in FAMILIES
            for row in family.naming(call.work, name)[:MOST_NAMING]
        ]


ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    *blocked_senders.ENDPOINTS,
    *permitted_senders.ENDPOINTS,
    *anti_spoofing.ENDPOINTS,
    *anti_spoofing_bypass.ENDPOINTS,
    *address_alteration.ENDPOINTS,
    *spam_scanning.ENDPOINTS,
)
